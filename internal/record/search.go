package record

import (
	"bytes"
	"encoding/json"
	"html"
	"index/suffixarray"
	"net/url"
	"strings"
	"unicode/utf8"
)

// originals are what a case must not have: the texts of answers, their words and their
// numbers, in lower case. They do not depend on the secret.
type originals struct {
	whole map[string]bool // texts
	parts map[string]bool // words and digits
}

// shortest is the number of signs from which a text, a word or a number is searched.
const shortest = 5

func newOriginals() *originals {
	return &originals{whole: map[string]bool{}, parts: map[string]bool{}}
}

// add adds the texts and numbers of a body.
func (o *originals) add(body []byte) { eachText(body, o.text) }

func (o *originals) text(text string) {
	lower := strings.ToLower(text)
	if utf8.RuneCountInString(lower) >= shortest && !onlyDates(lower) && strings.Trim(lower, "0.,+-: ") != "" {
		o.whole[lower] = true
	}
	for _, part := range partsOf(lower) {
		o.parts[part] = true
	}
}

// eachText calls f for the texts and numbers of a body: all of it, if it is no JSON.
func eachText(body []byte, f func(string)) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !json.Valid(body) {
		f(string(body))
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch v := token.(type) {
		case string:
			f(v)
		case json.Number:
			f(v.String())
		}
	}
}

// searched returns all texts and numbers of a case, as they are and without their escapes, in
// lower case, one a line.
func searched(text []byte) []byte {
	var out bytes.Buffer
	var add func(string)
	add = func(v string) {
		out.WriteString(strings.ToLower(v))
		out.WriteByte('\n')
		if plain := html.UnescapeString(v); plain != v {
			add(plain)
		}
		if plain, err := url.PathUnescape(v); err == nil && plain != v {
			add(plain)
		}
		if inner := strings.TrimSpace(v); strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[") || strings.HasPrefix(inner, "\ufeff") {
			if b := []byte(strings.TrimPrefix(inner, "\ufeff")); json.Valid(b) { // a body that is written as a text
				eachText(b, add)
			}
		}
	}
	eachText(text, add)
	return out.Bytes()
}

// found returns the originals that are anywhere in a case, also within other words and
// numbers, but for those that were kept.
func (o *originals) found(text []byte, kept map[string]bool) (all []string) {
	in := suffixarray.New(searched(text))
	var clear map[string]bool
	for i, set := range []map[string]bool{o.parts, o.whole} {
		for original := range set {
			if i > 0 && o.parts[original] || len(in.Lookup([]byte(original), 1)) == 0 {
				continue
			}
			if clear == nil {
				clear = runsOf(kept)
			}
			if !kept[original] && !allKept(original, kept, clear) {
				all = append(all, original)
			}
		}
	}
	return all
}

// runsOf returns the words and digits of all texts of a set.
func runsOf(set map[string]bool) map[string]bool {
	all := setOf(testPerson)
	for text := range set {
		for _, part := range runs.FindAllString(text, -1) {
			all[part] = true
		}
	}
	return all
}

// mostByChance is how many digits a number has at most that may be in a case by chance.
const mostByChance = 8

// mayBeChance reports whether an original is a number that may be another one by chance.
func mayBeChance(original string) bool {
	digits := 0
	for _, c := range original {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune("-+., \u00a0\u2212", c):
			return false
		}
	}
	return digits <= mostByChance
}

// replaced notes the numbers that are still where they were.
func (r *replacer) replaced(from, to string) {
	to = strings.ToLower(to)
	for _, part := range append(partsOf(strings.ToLower(from)), strings.ToLower(from)) {
		if len(part) >= shortest && strings.Contains(to, part) {
			r.stayed[part] = true
		}
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
		if utf8.RuneCountInString(part) >= shortest && strings.Trim(part, "0") != "" {
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

// shortNumber is the number of digits that stay outside of amounts.
const shortNumber = 3

// allKept reports whether each part of a text was kept, or is within a word that was. A text
// of digits only is not kept by its parts.
func allKept(text string, kept, clear map[string]bool) bool {
	letters := false
	for _, part := range runs.FindAllString(text, -1) {
		number := part[0] >= '0' && part[0] <= '9'
		letters = letters || !number
		switch {
		case clear[part], number && len(part) <= shortNumber:
		case utf8.RuneCountInString(part) < shortest || !keptWithin(part, kept):
			return false
		}
	}
	return letters || clear[text]
}

func keptWithin(part string, kept map[string]bool) bool {
	for k := range kept {
		if len(k) > len(part) && strings.Contains(k, part) {
			return true
		}
	}
	return false
}
