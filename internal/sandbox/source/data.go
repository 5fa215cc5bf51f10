package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
)

// pageSize is the number of products of a page.
const pageSize = 5

// emptyWait is how long a page without items takes.
const emptyWait = time.Second

// pageNumber returns the number of the page of a cursor, from 0; nil is the first page.
func pageNumber(cursor *string) (int, error) {
	if cursor == nil {
		return 0, nil
	}
	at, err := strconv.Atoi(*cursor)
	if err != nil || at < 1 || strconv.Itoa(at) != *cursor {
		return 0, badRequest("the cursor is not of this session")
	}
	return at, nil
}

// pageOf returns a page of what a session reads. The same number gives the same page,
// because the day of the login decides what there is.
func pageOf(n *session, at int) (page, error) {
	have := n.company.contentsOf(n.Login, n.person())
	products, err := productsOf(n.person(), dayOf(n.State.In), have)
	if err != nil {
		return page{}, err
	}
	pages := have.Empty + max(1, (len(products)+pageSize-1)/pageSize)
	switch {
	case have.Fails > 0 && at >= have.Fails-1:
		return page{}, notAvailable()
	case at >= pages:
		return page{}, badRequest("the cursor is not of this session")
	}
	p := page{Products: []json.RawMessage{}}
	if from := (at - have.Empty) * pageSize; from >= 0 {
		p.Products = products[from:min(from+pageSize, len(products))]
	}
	switch {
	case at+1 < pages, have.Fails > 0:
		p.Next = strconv.Itoa(at + 1)
	default:
		p.Missing = have.Missing
	}
	return p, nil
}

// productsOf returns the products of a person on a day, in the form of pages: without id,
// company and companyDisplayName.
func productsOf(number string, on household.Day, have contents) ([]json.RawMessage, error) {
	h, err := household.Make(number, on, have.Household)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	listed := h.Products
	if slices.Contains(have.Types, publicType) && h.PublicPension != nil {
		listed = append(slices.Clone(listed), *h.PublicPension)
	}
	products := []json.RawMessage{}
	for _, p := range listed {
		if have.Types != nil && !slices.Contains(have.Types, p.Type) {
			continue
		}
		bare, err := withoutHead(p.JSON(household.Head{}))
		if err != nil {
			return nil, err
		}
		products = append(products, bare)
	}
	return products, nil
}

// withoutHead removes the members that Samla writes.
func withoutHead(product json.RawMessage) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(product, &members); err != nil {
		return nil, fmt.Errorf("source: product: %w", err)
	}
	for _, name := range []string{"id", "company", "companyDisplayName"} {
		delete(members, name)
	}
	return json.Marshal(members)
}

func dayOf(t time.Time) household.Day {
	year, month, day := t.In(clock.Sweden()).Date()
	return persona.DayOf(year, month, day)
}
