package household

import (
	"encoding/json"

	"samla/internal/sandbox/persona"
)

// Day is a date, counted in days since 1970-01-01.
type Day = persona.Day

// Household is what a person has on a day, as far as its contents are asked for.
type Household struct {
	// Products are pensions, investment accounts, loans and savings accounts, in this
	// order. Each is of one of the 13 types of market se that are not PSD2 accounts
	// (docs/reference/products.md 2).
	Products []Product
	// PublicPension is of type PUBLIC_PENSION (docs/reference/products.md 8.5). It is nil
	// if the contents are Nothing.
	PublicPension *Product
}

// Product is one item of a collection's data.
type Product struct {
	Type    string          // such as ISK, docs/reference/products.md 2
	members json.RawMessage // an object with all members but those of the head; may be empty
}

// Head is the part of a product that does not come from the household.
type Head struct {
	ID                 string // a UUID, new for each product of each collection
	Company            string // such as se-demo
	CompanyDisplayName string
}

// JSON returns the product as an object of API version 2026-04-01
// (docs/reference/products.md), with the head's members and the type first.
func (p Product) JSON(h Head) json.RawMessage {
	type head struct {
		ID                 string `json:"id"`
		Type               string `json:"type"`
		Company            string `json:"company"`
		CompanyDisplayName string `json:"companyDisplayName"`
	}
	first := encode(head{h.ID, p.Type, h.Company, h.CompanyDisplayName})
	if len(p.members) <= len("{}") {
		return first
	}
	return append(append(first[:len(first)-1], ','), p.members[1:]...)
}

// Of returns what the demo company shows of a person: Make with ContentsOf the number. The
// error is ErrPersonalNumber.
func Of(personalNumber string, on Day) (*Household, error) {
	return Make(personalNumber, on, ContentsOf(personalNumber))
}

// Make returns the chosen contents of a person's household on a day.
//
// The number is twelve digits. Its check digit may be wrong, and its day need not exist
// (docs/reference/households.md 4.1). A day before 2000 is taken as the first day of 2000,
// and a day after 2100 as the last of 2100. The error is ErrPersonalNumber.
func Make(personalNumber string, on Day, contents Contents) (*Household, error) {
	p, err := newPerson(personalNumber)
	if err != nil {
		return nil, err
	}
	on = min(max(on, firstDay), lastDay)
	switch contents {
	case Nothing:
		return &Household{}, nil
	case MinimumOfEach, TwoOfEach:
		return p.ofEach(on, contents == TwoOfEach), nil
	}
	public := p.publicPension(on).product(p, on)
	return &Household{Products: p.products(on, contents), PublicPension: &public}, nil
}

// products returns the chosen products of a person.
func (p *person) products(on Day, contents Contents) []Product {
	list := make([]Product, 0, 12)
	chosen := contents.parts()
	if chosen.pensions {
		for _, of := range p.plans() {
			list = p.appendPension(list, of, on)
		}
	}
	if contents == TwoOccupationalPensions {
		for _, of := range p.twoOccupational() {
			list = p.appendPension(list, of, on)
		}
	}
	for _, k := range accountKinds {
		if a := p.newAccount(k.kind, k.since); (chosen.has(k.kind) || chosen.accounts && p.has(k.kind)) && a.start.day(1) <= on {
			list = append(list, a.product(on))
		}
	}
	if chosen.loans {
		for _, l := range p.mortgages(on) {
			list = append(list, l.product(p, on))
		}
		if l, ok := p.unsecured(on); ok {
			list = append(list, l.product(p, on))
		}
	}
	if chosen.savings {
		if s, ok := p.savings(on, yearBefore(on)); ok {
			list = append(list, s.product(p))
		}
		if f, ok := p.fixed(on); ok {
			list = append(list, f.product(p))
		}
	}
	return list
}

func (p *person) appendPension(list []Product, of plan, on Day) []Product {
	if s := p.pension(of, on); s != nil {
		list = append(list, s.product(on))
	}
	return list
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("household: " + err.Error()) // the types of this package always encode
	}
	return b
}
