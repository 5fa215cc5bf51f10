package source

import (
	"fmt"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
)

// Page is the content of a page.
type Page struct {
	Facts      fact.Facts
	Deviations deviation.Counts
	Missing    int       // what the source says it could not read
	Next       string    // cursor of the next page; "" = this is the last one
	Problems   []Problem // what is wrong, the first 100; not for a log
	at         time.Time
}

// Problem is what is wrong in a page.
type Problem struct {
	Pointer string // JSON pointer into the page; it may have names that the source wrote
	Kind    deviation.Kind
	What    string
}

const maxProblems = 100

func (p *Page) problem(pointer string, kind deviation.Kind, what string) {
	p.Deviations.Add(kind, 1)
	p.note(Problem{pointer, kind, what})
}

func (p *Page) note(problem Problem) {
	if len(p.Problems) < maxProblems {
		p.Problems = append(p.Problems, problem)
	}
}

func pointerTo(list string, i int) string { return fmt.Sprintf("/%s/%d", list, i) }
