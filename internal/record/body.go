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
func (r *replacer) plain(text []byte) string { return r.text("", string(text)) }

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
			w.text(w.value(member, v, link))
		}
	case json.Number:
		w.out.WriteString(w.numeric(member, v.String()))
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

// originals returns what a case must not have: the texts of answers, their words and digits.
// Of those that were kept nothing is returned.
type originals struct {
	whole map[string]bool // texts of eight signs or more: nowhere in the case
	parts map[string]bool // words and digits of five or more: not one of the case's
}

const (
	shortest = 5 // of the parts that are searched
	longer   = 8 // those that are searched within others
)

func newOriginals() *originals {
	return &originals{whole: map[string]bool{}, parts: map[string]bool{}}
}

// add adds the texts and numbers of a body.
func (o *originals) add(body []byte) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch v := token.(type) {
		case string:
			o.text(v)
		case json.Number:
			o.text(v.String())
		}
	}
}

func (o *originals) text(text string) {
	lower := strings.ToLower(text)
	if len(lower) >= longer && !onlyDates(lower) {
		o.whole[lower] = true
	}
	for _, part := range partsOf(lower) {
		o.parts[part] = true
	}
}

// partsOf returns the words and digits of a text that say something alone.
func partsOf(text string) (all []string) {
	text = parts.ReplaceAllStringFunc(text, func(part string) string {
		if onlyDates(part) || strings.HasPrefix(part, "&") {
			return " "
		}
		return part
	})
	for _, part := range runs.FindAllString(text, -1) {
		if len([]rune(part)) >= shortest && strings.Trim(part, "0") != "" {
			all = append(all, part)
		}
	}
	return all
}

// onlyDates reports whether a text is a date or a time and nothing else.
func onlyDates(text string) bool {
	t := strings.ToLower(strings.TrimSpace(text))
	return len(t) >= 8 && strings.Trim(t, "0123456789-/.:tz+ ") == "" && strings.ContainsAny(t, "-/.:") && strings.Count(t, "-")+strings.Count(t, "/")+strings.Count(t, ".") >= 2
}

// found returns how many of the originals a case has, but for the words that were kept.
func (o *originals) found(in string, kept map[string]bool) (n int) {
	lower := strings.ToLower(in)
	for text := range o.whole {
		if !kept[text] && !allKept(text, kept) && strings.Contains(lower, text) {
			n++
		}
	}
	for _, part := range partsOf(lower) {
		if o.parts[part] && !kept[part] && !allKept(part, kept) {
			n++
		}
	}
	return n
}

// allKept reports whether each part of a text was kept, or is within a word that was.
func allKept(text string, kept map[string]bool) bool {
	for _, part := range runs.FindAllString(text, -1) {
		if len([]rune(part)) >= shortest && !kept[part] && !setOf(testPerson)[part] && !keptWithin(part, kept) {
			return false
		}
	}
	return true
}

func keptWithin(part string, kept map[string]bool) bool {
	for k := range kept {
		if len(k) > len(part) && strings.Contains(k, part) {
			return true
		}
	}
	return false
}
