package record

import (
	"bytes"
	"encoding/json"
	"strings"
)

// body replaces the values of an answer. The order of members, those that are repeated, the
// types of values and how numbers are written stay. It is not ok for what is no JSON.
func (r *replacer) body(text []byte) (out []byte, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	w := &writer{replacer: r}
	if w.next(d, "", false) != nil || d.More() {
		return nil, false
	}
	return w.out.Bytes(), true
}

// plain replaces the values of what is no JSON.
func (r *replacer) plain(text []byte) string {
	to := r.text("", string(text))
	r.replaced(string(text), to)
	return to
}

// writer writes what a decoder reads.
type writer struct {
	*replacer
	out bytes.Buffer
}

func (w *writer) next(d *json.Decoder, member string, link bool) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		link = link || linkMembers[strings.ToLower(member)] && !strings.EqualFold(member, "next")
		w.out.WriteString(v.String())
		for first := true; d.More(); first = false {
			if !first {
				w.out.WriteByte(',')
			}
			of := member
			if v == '{' {
				name, err := d.Token()
				if err != nil {
					return err
				}
				of, _ = name.(string)
				w.text(w.member(of))
				w.out.WriteByte(':')
			}
			if err := w.next(d, of, link); err != nil {
				return err
			}
		}
		end, err := d.Token()
		if err == nil {
			w.out.WriteString(end.(json.Delim).String())
		}
		return err
	case string:
		if link && strings.EqualFold(member, "rel") {
			w.text(w.keep(v))
		} else {
			to := w.value(member, v, link)
			w.replaced(v, to)
			w.text(to)
		}
	case json.Number:
		to := w.numeric(member, v.String())
		w.replaced(v.String(), to)
		w.out.WriteString(to)
	case bool:
		if v {
			w.out.WriteString("true")
		} else {
			w.out.WriteString("false")
		}
	default:
		w.out.WriteString("null")
	}
	return nil
}

func (w *writer) text(s string) {
	e := json.NewEncoder(&w.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has no error
	w.out.Truncate(w.out.Len() - 1)
}

// numeric replaces a JSON number.
func (r *replacer) numeric(member, text string) string {
	switch {
	case amountMembers[strings.ToLower(member)] && !strings.ContainsAny(text, "eE"):
		return r.amount(text)
	case len(text) <= 3: // a count, a page, a flag
		return text
	case strings.ContainsAny(text, "eE."):
		return r.amount(text)
	}
	return r.number(strings.ToLower(member), text)
}
