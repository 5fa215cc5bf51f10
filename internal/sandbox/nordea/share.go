package nordea

import (
	"slices"
	"time"

	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

// person returns the customer of a grant.
func (b *Bank) person(g grant.Grant) persona.Person {
	p, _ := b.customers.Person(g.Person) // it was a customer when it was made
	return p
}

// granted returns the accounts of a grant.
func (b *Bank) granted(g grant.Grant) []account.Account {
	var list []account.Account
	for _, a := range b.accounts(b.person(g), g.Country) {
		if slices.Contains(g.Accounts, a.V5) {
			list = append(list, a)
		}
	}
	return list
}

// share gives a grant the accounts of an account_list: numbers of accounts that the person
// owns, or a special value. The caller holds mu.
func (b *Bank) share(g *grant.Grant, list []string) *apiError {
	person, _ := b.customers.Person(g.Person)
	g.Accounts, g.Cards = []string{}, []string{}
	own := b.accounts(person, g.Country)
	for _, number := range list {
		found := false
		for _, a := range own {
			all := (number == grant.AllAccounts || number == grant.AllWithCards) && covers(g.Agreement, a)
			if (all || a.IsNamed(number) && covers(g.Agreement, a)) && !slices.Contains(g.Accounts, a.V5) {
				g.Accounts = append(g.Accounts, a.V5)
			}
			found = found || a.IsNamed(number) && covers(g.Agreement, a)
		}
		if number == grant.AllWithCards {
			for _, card := range account.CardsOf(person) {
				g.Cards = append(g.Cards, card.ID)
			}
		}
		if !found && number != grant.AllAccounts && number != grant.AllWithCards {
			return denied("The person has no such account.")
		}
	}
	return nil
}

// choose gives a grant the accounts and cards that the person has chosen on the page.
func (b *Bank) choose(g *grant.Grant, chosen []string) {
	person, _ := b.customers.Person(g.Person)
	g.Accounts, g.Cards = []string{}, []string{}
	for _, a := range b.accounts(person, g.Country) {
		if slices.Contains(chosen, a.V5) && covers(g.Agreement, a) {
			g.Accounts = append(g.Accounts, a.V5)
		}
	}
	for _, card := range account.CardsOf(person) {
		if slices.Contains(chosen, card.ID) {
			g.Cards = append(g.Cards, card.ID)
		}
	}
}

// accountOwners returns an owner of each account and card of the personas, by every id.
func (b *Bank) accountOwners() map[string]string {
	owners := map[string]string{}
	for _, p := range persona.All() {
		p, _ := b.customers.Person(p.Number)
		for _, where := range account.Countries() {
			for _, a := range b.accounts(p, where) {
				owners[a.V4], owners[a.V5] = p.Number, p.Number
			}
		}
		for _, card := range account.CardsOf(p) {
			owners[card.ID] = p.Number
		}
	}
	return owners
}

// accounts returns the accounts of a person in a country.
func (b *Bank) accounts(p persona.Person, country string) []account.Account {
	return account.Of(p, country)
}

// ledger returns what has happened on an account or a card, and the time of it.
func (b *Bank) ledger(a persona.Account) (*persona.Ledger, time.Time) {
	now := b.Clock.Now().UTC()
	return b.customers.Ledger(a, persona.DayAt(now)), now
}
