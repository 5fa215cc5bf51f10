package flow

import (
	"time"

	"samla/internal/consent"
)

// RenewalOf returns the terms on which the living consent of a lineage is given again: the
// same institution, at most what was asked for and granted then, and for as many days at
// most. Nothing is read at once: nobody waits for it. ok is false for a consent that was
// never authorized, that belongs to a single collection, or that held for less than a day.
func RenewalOf(c consent.Consent) (t Terms, ok bool) {
	days := daysOf(c)
	if !c.Renewable() || days < 1 {
		return Terms{}, false
	}
	scope := RenewalScope(c)
	return Terms{Companies: []string{c.Company}, Products: []Product{Accounts}, Balances: scope.Balances, Transactions: scope.Transactions,
		ValidDays: days, ConsentOnly: true, Purpose: c.Purpose, Renews: c.ID}, true
}

// RenewalScope returns what a renewal asks for: the accounts as they were asked for, because
// a bank may name those that it granted in another way, and of balances and transactions
// only what was granted too.
func RenewalScope(c consent.Consent) consent.Scope {
	s := c.Requested
	s.Balances, s.Transactions = s.Balances && c.Scope().Balances, s.Transactions && c.Scope().Transactions
	return s
}

// daysOf returns for how many days a consent was agreed: validity is counted in days (UTC),
// as authorize does.
func daysOf(c consent.Consent) int {
	day := func(at time.Time) time.Time {
		at = at.UTC()
		return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	}
	return int(day(c.ExpiresAt).Sub(day(c.CreatedAt)) / (24 * time.Hour))
}
