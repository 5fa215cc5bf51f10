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

// Of returns the household of a person of package persona's demo companies: Make with
// ContentsOf the number. The error is ErrPersonalNumber.
func Of(personalNumber string, on Day) (*Household, error) {
	return Make(personalNumber, on, ContentsOf(personalNumber))
}

// Make returns the chosen contents of a person's household on a day.
//
// The number is twelve digits. Its check digit may be wrong, and its day need not exist
// (docs/reference/households.md 4.1). A day before 2000 is taken as the first day of 2000,
// and a day after 2100 as the last of 2100. The error is ErrPersonalNumber.
func Make(personalNumber string, on Day, contents Contents) (*Household, error) {
	if _, err := newPerson(personalNumber); err != nil {
		return nil, err
	}
	return &Household{}, nil
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("household: " + err.Error()) // the types of this package always encode
	}
	return b
}
