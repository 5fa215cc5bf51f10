package xs2a

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"samla/internal/plaintext"
)

// words is a text for people: one line without fillers (plaintext.Clean). Banks write it
// as a string, as a list of lines, or as an object that has the text in one or several
// members.
type words string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (w *words) UnmarshalJSON(data []byte) error {
	*w = ""
	switch data[0] {
	case '[', '{':
		*w = words(joined(data))
	case 't', 'f', 'n':
	default:
		var t text
		_ = t.UnmarshalJSON(data)
		*w = words(plaintext.Clean(string(t)))
	}
	return nil
}

// labels are the members of an object that say what its text is, and are no text. A code
// is the text where there is no other.
var labels = map[string]bool{"type": true, "code": true, "issuer": true, "scheme": true, "language": true, "lang": true,
	"referencetype": true, "referenceissuer": true, "encoding": true}

// joined returns the texts in a list or an object, in their order, without repetitions
// of the line before.
func joined(data []byte) string {
	var lines []string
	var code string
	// The open lists and objects. A list has the name of the member that it is in.
	type place struct {
		object, named bool
		member        string
	}
	at := []place{{}}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		in := &at[len(at)-1]
		var text string
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '{', '[':
				in.named = false
				at = append(at, place{object: v == '{', member: in.member})
			default:
				at = at[:len(at)-1]
			}
			continue
		case string:
			if in.object && !in.named {
				in.member, in.named = strings.ToLower(v), true
				continue
			}
			text = v
		case json.Number:
			text = v.String()
		}
		in.named = false
		switch line := plaintext.Clean(text); {
		case line == "":
		case !labels[in.member]:
			if len(lines) == 0 || lines[len(lines)-1] != line {
				lines = append(lines, line)
			}
		case in.member == "code":
			code = line
		}
	}
	return cmp.Or(strings.Join(lines, " "), code)
}

// whole returns the first of the texts, or a later one that continues it.
func whole(texts ...words) string {
	first, n := words(""), 0
	for _, t := range texts {
		if t != "" {
			if n++; n == 1 {
				first = t
			}
		}
	}
	if n < 2 { // the usual case
		return string(first)
	}
	plain := make([]string, len(texts))
	for i, t := range texts {
		plain[i] = string(t)
	}
	return plaintext.Whole(plain...)
}
