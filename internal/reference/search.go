package reference

import (
	"cmp"
	"slices"
	"strings"
)

// Limits of a search.
const (
	maxQuery   = 100 // bytes
	maxWords   = 8
	maxResults = 30
	snippetLen = 180 // bytes around the first hit
)

// Result is a section that a search has found.
type Result struct {
	Title, Heading, Address, Snippet string
	score                            int
}

// find returns the sections that have all words of a query, the best first: a hit in a
// heading counts more than one in the text, and a whole heading most.
func (l *library) find(query string) []Result {
	words := strings.Fields(strings.ToLower(query[:min(len(query), maxQuery)]))
	words = words[:min(len(words), maxWords)]
	if len(words) == 0 {
		return nil
	}
	var found []Result
	for i := range l.sections {
		s := &l.sections[i]
		score, first := 0, -1
		for _, w := range words {
			hit := 0
			if strings.Contains(s.title, w) {
				hit += 4
				if s.Heading == "" {
					hit += 8
				}
			}
			if strings.Contains(s.heading, w) {
				hit += 8
			}
			if at := strings.Index(s.lower, w); at >= 0 {
				hit += 1 + min(strings.Count(s.lower, w), 3)
				if first < 0 {
					first = at
				}
			}
			if hit == 0 {
				score = 0
				break
			}
			score += hit
		}
		if score == 0 {
			continue
		}
		if all := strings.Join(words, " "); s.heading == all || s.name == all {
			score += 40
		}
		found = append(found, Result{s.Title, s.Heading, s.Address, snippet(s.text, first), score * s.weight})
	}
	slices.SortStableFunc(found, func(a, b Result) int { return cmp.Compare(b.score, a.score) })
	return found[:min(len(found), maxResults)]
}

// snippet cuts a text around a place, at words.
func snippet(text string, at int) string {
	if len(text) <= snippetLen {
		return text
	}
	begin := max(0, min(at-snippetLen/3, len(text)-snippetLen))
	end := min(len(text), begin+snippetLen)
	if begin > 0 {
		begin += 1 + max(0, strings.IndexByte(text[begin:end], ' '))
	}
	if end < len(text) {
		end = begin + max(0, strings.LastIndexByte(text[begin:end], ' '))
	}
	cut := strings.ToValidUTF8(text[begin:end], "")
	if begin > 0 {
		cut = "… " + cut
	}
	if end < len(text) {
		cut += " …"
	}
	return cut
}
