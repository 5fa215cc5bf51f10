// Package words holds every text that a person reads on a page, in five languages: one file
// of JSON for each, texts/LANGUAGE.json, with the same keys and placeholders. The files are
// the source. Tone and rules of writing: docs/words.md.
//
// Texts are plain. A template escapes them (html/template); nothing here may be written
// into HTML without that.
package words

import (
	"embed"
	"strconv"
	"strings"
)

// Key names a text, such as "perm.h1". The part before the first dot is the place:
// c common, slip, start, review, qr, ask, done, st a status of a collection, ce a reason
// of a consent that failed, he an error of the API, perm My permissions, rfa BankID.
type Key string

// Values are what the placeholders of texts stand for: {asker} is Asker, and so on. A
// placeholder without a value stays in the text in braces, so that a test sees it; {n} and
// {m} always have one.
type Values struct {
	Asker       string // who asks: the brand
	AskerLegal  string
	OrgNo       string
	Operator    string // who runs the server
	Licensee    string // a gateway that holds the licence
	Authority   string
	Institution string
	Purpose     string // the client's own words
	N, M        int
	Date        string // see Texts.Date
	Time        string // see Texts.Clock
	Min, Sec    string
	Ref         string
	Zone        string // of the times, such as Stockholm
	Size        string // see Texts.Bytes
}

// Texts are the texts of one language. Safe for concurrent use.
type Texts struct {
	Language Language
	texts    map[Key]text
}

// text is a parsed text: literal, placeholder, literal, …
type text struct {
	whole string // as it is in the file
	parts []string
}

//go:embed texts/*.json
var files embed.FS

var all = load()

// In returns the texts of a language; for one that there is not, those of English.
func In(l Language) *Texts {
	if t, ok := all[l]; ok {
		return t
	}
	return all[English]
}

// Has reports whether there is a text.
func (t *Texts) Has(key Key) bool {
	_, ok := t.texts[resolve(key)]
	return ok
}

// Say returns a text with its placeholders filled. A key that does not exist is returned
// itself, in brackets.
func (t *Texts) Say(key Key, v Values) string {
	found, ok := t.texts[resolve(key)]
	if !ok {
		return "[" + string(key) + "]"
	}
	if len(found.parts) == 1 {
		return found.whole
	}
	var b strings.Builder
	b.Grow(len(found.whole) + 32)
	for i, part := range found.parts {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		value, ok := t.value(part, v)
		if !ok {
			value = "{" + part + "}"
		}
		b.WriteString(value)
	}
	return b.String()
}

// Count returns the text for a number of things: key.one or key.other, with {n}.
func (t *Texts) Count(key Key, n int, v Values) string {
	v.N = n
	if n == 1 { // in all five languages
		return t.Say(key+".one", v)
	}
	return t.Say(key+".other", v)
}

// Placeholders returns the names of the placeholders of a text, each once, in order.
func (t *Texts) Placeholders(key Key) []string {
	var names []string
	seen := map[string]bool{}
	for i, part := range t.texts[resolve(key)].parts {
		if i%2 == 1 && !seen[part] {
			seen[part] = true
			names = append(names, part)
		}
	}
	return names
}

func (t *Texts) value(name string, v Values) (string, bool) {
	switch name {
	case "n":
		return t.Number(v.N), true
	case "m":
		return t.Number(v.M), true
	}
	value := v.text(name)
	return *value, *value != ""
}

// text returns where the value of a placeholder that is a text is kept, or a place of no
// use if there is no such placeholder.
func (v *Values) text(name string) *string {
	switch name {
	case "asker":
		return &v.Asker
	case "askerLegal":
		return &v.AskerLegal
	case "orgno":
		return &v.OrgNo
	case "operator":
		return &v.Operator
	case "licensee":
		return &v.Licensee
	case "authority":
		return &v.Authority
	case "institution":
		return &v.Institution
	case "purpose":
		return &v.Purpose
	case "date":
		return &v.Date
	case "time":
		return &v.Time
	case "min":
		return &v.Min
	case "sec":
		return &v.Sec
	case "ref":
		return &v.Ref
	case "zone":
		return &v.Zone
	case "size":
		return &v.Size
	}
	return new(string)
}

// Set sets the value of a placeholder by its name and reports whether there is such a
// placeholder. Values of {n} and {m} are decimal.
func (v *Values) Set(name, value string) bool {
	var err error
	switch name {
	case "n":
		v.N, err = strconv.Atoi(value)
	case "m":
		v.M, err = strconv.Atoi(value)
	default:
		*v.text(name) = value
		return *v.text(name) == value // a place of no use is a new one each time
	}
	return err == nil
}
