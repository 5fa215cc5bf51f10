package xs2a

import (
	"strconv"
	"strings"

	"samla/internal/institution"
	"samla/internal/strictjson"
)

// Pages are the pages of transactions at a bank that names no next page, but takes the
// number of the first row and of the rows (docs/reference/families.md 2.6, Fana). The zero
// value is a bank that links to its pages.
type Pages struct {
	Offset string `json:"offset,omitzero"` // name of the parameter for the number of rows before the page
	Limit  string `json:"limit,omitzero"`  // name of the parameter for the most rows of a page
	Size   int    `json:"size,omitzero"`   // rows of a page
}

// mostRows is the greatest size of a page.
const mostRows = 1000

func (p Pages) check() (faults strictjson.Faults) {
	if p == (Pages{}) {
		return nil
	}
	isName := func(s string) bool { return s != "" && !strings.ContainsFunc(s, notAlphanumeric) }
	if !isName(p.Offset) || !isName(p.Limit) || p.Offset == p.Limit {
		faults.Add("/offset", "must be the name of a parameter, and limit that of another")
	}
	if p.Size < 1 || p.Size > mostRows {
		faults.Add("/size", "must be the number of rows of a page, at most "+strconv.Itoa(mostRows))
	}
	return faults
}

// first returns the address of the first page.
func (p Pages) first(address string) string {
	if p.Size == 0 {
		return address
	}
	return withParameter(withParameter(address, p.Offset, "0"), p.Limit, strconv.Itoa(p.Size))
}

// countedPage returns the question for the page after one of so many rows. There is none
// after a page that is not full, or that has more rows than were asked for: that bank does
// not count.
func (b *Bank) countedPage(q institution.Question, rows int) (institution.Question, bool) {
	p := b.wire.pages
	if p.Size == 0 || rows != p.Size {
		return q, false
	}
	address, err := b.address(q)
	if err != nil {
		return q, false
	}
	before, err := strconv.Atoi(parameterOf(address, p.Offset))
	if err != nil || before < 0 {
		return q, false
	}
	m := mannerOf(q.Detail)
	m.page = true
	q.Essential = false
	q.Detail, q.Link = m.String(), withParameter(address, p.Offset, strconv.Itoa(before+p.Size))
	return q, true
}
