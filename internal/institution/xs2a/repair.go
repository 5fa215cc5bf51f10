package xs2a

import (
	"bytes"
	"encoding/json"
)

// notJSON are words that some serialisers write and that are no JSON.
var notJSON = []string{"NaN", "Infinity", "-Infinity", "undefined"}

// repair returns a body that is not JSON with the faults undone that lose nothing: words
// such as NaN become null, control characters in texts become spaces, wrong escapes in
// texts lose their backslash, and a comma before the end of a list or an object is left
// out. It returns nil if the result is no JSON either.
func repair(body []byte) []byte {
	repaired := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			end := endOfText(body, i)
			repaired = appendText(repaired, body[i:end])
			i = end
		case c == ',' && closes(body[i+1:]):
			i++
		default:
			if word := wordAt(body[i:]); word != "" {
				repaired = append(repaired, "null"...)
				i += len(word)
				continue
			}
			repaired = append(repaired, c)
			i++
		}
	}
	if !json.Valid(repaired) {
		return nil
	}
	return repaired
}

// endOfText returns the index after the text that begins at i.
func endOfText(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// appendText appends a text with its quotes.
func appendText(to, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ':
			to = append(to, ' ')
		case c == '\\' && i+1 < len(text):
			i++
			if bytes.IndexByte([]byte(`"\/bfnrt`), text[i]) >= 0 || text[i] == 'u' && isHex4(text[i+1:]) {
				to = append(to, '\\')
			}
			to = append(to, max(text[i], ' '))
		default:
			to = append(to, c)
		}
	}
	return to
}

func isHex4(s []byte) bool {
	for i := range 4 {
		if i >= len(s) || bytes.IndexByte([]byte("0123456789abcdefABCDEF"), s[i]) < 0 {
			return false
		}
	}
	return true
}

// closes reports whether the next thing is the end of a list or an object.
func closes(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && (rest[0] == ']' || rest[0] == '}')
}

func wordAt(rest []byte) string {
	for _, word := range notJSON {
		if bytes.HasPrefix(rest, []byte(word)) {
			return word
		}
	}
	return ""
}
