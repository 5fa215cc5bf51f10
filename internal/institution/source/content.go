package source

import (
	"fmt"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/product"
)

// Page is the content of a page.
type Page struct {
	Facts      fact.Facts
	Deviations deviation.Counts
	Missing    int               // what the source says it could not read
	Next       string            // cursor of the next page; "" = this is the last one
	Problems   []product.Problem // what is wrong, the first 100; pointers into the page; not for a log
	at         time.Time
}

const maxProblems = 100

func (p *Page) problem(pointer string, kind deviation.Kind, what string) {
	p.Deviations.Add(kind, 1)
	p.note(product.Problem{Pointer: pointer, Kind: kind, What: what})
}

func (p *Page) note(problem product.Problem) {
	if len(p.Problems) < maxProblems {
		p.Problems = append(p.Problems, problem)
	}
}

func pointerTo(list string, i int) string { return fmt.Sprintf("/%s/%d", list, i) }
