package account

import (
	"slices"
	"time"
)

// Identifier is a kind of evidence.
type Identifier string

// The kinds of evidence.
const (
	ByIBAN     Identifier = "IBAN"
	ByNumber   Identifier = "NUMBER" // of an account, a loan or a policy, in one of its forms
	ByMasked   Identifier = "MASKED_NUMBER"
	ByResource Identifier = "RESOURCE_ID" // the institution's id
	ByCompany  Identifier = "COMPANY"
	ByType     Identifier = "TYPE"
	ByCurrency Identifier = "CURRENCY"
	ByName     Identifier = "NAME"
	ByClient   Identifier = "CLIENT" // a client has said so
)

// Strength is how much evidence proves.
type Strength string

// The strengths. Accounts are linked by the first three only.
const (
	Confirmed Strength = "CONFIRMED" // by the client
	Certain   Strength = "CERTAIN"   // the number of the account agrees
	Strong    Strength = "STRONG"    // several identifiers agree that no second account of a person has
	Doubtful  Strength = "DOUBTFUL"
	Different Strength = "" // nothing says that they are the same
)

var ranks = map[Strength]int{Different: 0, Doubtful: 1, Strong: 2, Certain: 3, Confirmed: 4}

// Links reports whether evidence of this strength links accounts.
func (s Strength) Links() bool { return ranks[s] >= ranks[Strong] }

// Evidence is why two accounts are one, or may be.
type Evidence struct {
	Strength Strength     `json:"strength"`
	Agreed   []Identifier `json:"agreed"`
	Differed []Identifier `json:"differed,omitempty"`
	At       time.Time    `json:"at,omitzero"` // when it was found; of the collection
}

// longID is the length from which on an id of an institution is taken for unique. Shorter
// ones are counters: the id of an account that is gone becomes that of the next one.
const longID = 16

// comparison is what two accounts have in common.
type comparison struct {
	kind, sameType, sameCompany bool
	currency                    bool // both are known, and equal
	name                        bool
	iban                        bool
	ibansDiffer                 bool
	number                      sameness
	numbersDiffer               bool
	shown                       int // digits that both masked numbers show
	masked                      bool
	masksDiffer                 bool
	resource, longResource      bool
}

// Compare returns whether two accounts are the same, of one institution or of two.
func Compare(a, b *Traits, sameCompany bool) Evidence {
	if a.Currency != "" && b.Currency != "" && a.Currency != b.Currency {
		return Evidence{} // the accounts of several currencies under one number
	}
	c := compare(a, b, sameCompany)
	e := Evidence{Strength: c.strength()}
	if e.Strength == Different {
		return Evidence{}
	}
	e.Agreed = c.agreed()
	for _, d := range []struct {
		by     Identifier
		differ bool
	}{{ByIBAN, c.ibansDiffer}, {ByNumber, c.numbersDiffer}, {ByMasked, c.masksDiffer}, {ByType, !c.kind},
		{ByName, !c.name && len(a.Names) > 0 && len(b.Names) > 0}} {
		if d.differ {
			e.Differed = append(e.Differed, d.by)
		}
	}
	return e
}

func compare(a, b *Traits, sameCompany bool) comparison {
	c := comparison{sameCompany: sameCompany, kind: KindOf(a.Type) == KindOf(b.Type) || a.Type == "" || b.Type == "",
		sameType: a.Type == b.Type, currency: a.Currency != "" && a.Currency == b.Currency, name: common(a.Names, b.Names),
		iban: common(a.IBANs, b.IBANs)}
	c.ibansDiffer = !c.iban && len(a.IBANs) > 0 && len(b.IBANs) > 0
	for x := range a.whole() {
		for y := range b.whole() {
			c.number = max(c.number, compareNumbers(x, y))
		}
	}
	c.numbersDiffer = c.number == none && len(a.Numbers)+len(a.IBANs) > 0 && len(b.Numbers)+len(b.IBANs) > 0
	c.masks(a, b)
	for _, x := range a.Resources {
		if sameCompany && slices.Contains(b.Resources, x) {
			c.resource, c.longResource = true, c.longResource || len(x) >= longID
		}
	}
	return c
}

// masks compares masked numbers, with each other and with whole ones.
func (c *comparison) masks(a, b *Traits) {
	note := func(shown int, ok bool) {
		if ok {
			c.masked, c.shown = true, max(c.shown, shown)
		}
	}
	for _, x := range a.Masked {
		for _, y := range b.Masked {
			note(fits(x, y))
		}
		for y := range b.whole() {
			note(fitsWhole(x, y))
		}
	}
	for _, y := range b.Masked {
		for x := range a.whole() {
			note(fitsWhole(y, x))
		}
	}
	c.masksDiffer = !c.masked && len(a.Masked) > 0 && len(b.Masked) > 0
}

func (c *comparison) agreed() (all []Identifier) {
	for _, by := range []struct {
		id     Identifier
		agrees bool
	}{{ByIBAN, c.iban}, {ByNumber, c.number != none && !c.iban}, {ByMasked, c.masked}, {ByResource, c.resource}, {ByCompany, c.sameCompany},
		{ByType, c.kind}, {ByCurrency, c.currency}, {ByName, c.name}} {
		if by.agrees {
			all = append(all, by.id)
		}
	}
	return all
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
