package listing

import (
	"slices"
	"strings"

	"samla/internal/deviation"
	"samla/internal/fact"
)

// names reports whether an id of a consent or a filter is a number of the account or
// the institution's id of it.
func (a *Account) names(id string) bool {
	of := handlesOf(id)
	m := maskOf(id)
	masked := IsMasked(id) || isCardNumber(id)
	for _, e := range a.Entries {
		if slices.Contains(of, "id/"+compact(e.ID)) {
			return true
		}
		for _, h := range handles(e) {
			if slices.Contains(of, h) {
				return true
			}
		}
		if m.fitsIBAN(id, e.IBAN) || id != "" && compact(id) == compact(e.MaskedPAN) {
			return true
		}
		if own := maskOf(e.MaskedPAN); masked && own != (mask{}) && fitsShown(m, own) {
			return true
		}
	}
	return false
}

// Names reports whether an id of a filter is the IBAN or the number of a product that an
// institution gives as such, in any spelling.
func Names(iban, number, id string) bool {
	a := Account{Entries: []fact.Account{{IBAN: iban, BBAN: number, Other: number}}}
	return a.names(strings.TrimSpace(id))
}

// fitsShown reports whether an id with hidden digits, or a whole card number, is a
// masked number.
func fitsShown(id, own mask) bool {
	if id.head == "" && len(id.tail) > len(own.tail) { // a whole number
		return strings.HasPrefix(id.tail, own.head) && strings.HasSuffix(id.tail, own.tail) && len(own.tail) >= shownDigits
	}
	return id.fits(own)
}

// isCardNumber reports whether an id is a whole card number.
func isCardNumber(id string) bool {
	c := compact(id)
	return len(c) >= 13 && len(c) <= 19 && digitsOf(c) == c
}

// selectBy reports whether the filter names the account. An id of ours may name a part
// of it.
func (a *Account) selectBy(filter []string) bool {
	if len(filter) == 0 {
		return true
	}
	var parts []string
	for _, id := range filter {
		id = strings.TrimSpace(id)
		switch {
		case IsID(strings.ToLower(id)):
			if id = strings.ToLower(id); id[:baseLength] == a.base {
				parts = append(parts, id)
			}
		case a.names(id):
			return true
		}
	}
	a.parts = parts
	return parts != nil
}

// granted reports for each account whether the consent names it.
//
// A consent for all accounts can come back with a list of accounts, each under one of
// its identifiers, and the lists of accounts may have another one. An account that
// cannot be compared with any id of the consent is one of those ids that name nothing
// else. If there are more of such accounts than ids, they cannot be told apart.
func (s Search) granted(accounts []Account, d *deviation.Counts) []bool {
	named := make([]bool, len(accounts))
	if len(s.Granted) == 0 {
		for i := range named {
			named[i] = true
		}
		return named
	}
	left := 0
	for _, id := range s.Granted {
		found := false
		for i := range accounts {
			if IsID(id) && id[:baseLength] == accounts[i].base || accounts[i].names(id) {
				named[i], found = true, true
			}
		}
		if !found {
			left++
		}
	}
	if s.Asked || left == 0 {
		return named
	}
	var candidates []int
	for i := range accounts {
		if !named[i] && !accounts[i].comparable(s.Granted) {
			candidates = append(candidates, i)
		}
	}
	if len(candidates) > left {
		d.Add(deviation.IndistinctAccounts, len(candidates))
		return named
	}
	for _, i := range candidates {
		named[i] = true
	}
	return named
}

// comparable reports whether the lists say so much of the account that one of the ids
// would have named it if it were meant.
func (a *Account) comparable(ids []string) bool {
	has := func(of func(fact.Account) string) bool {
		return slices.ContainsFunc(a.Entries, func(e fact.Account) bool { return of(e) != "" })
	}
	number := has(func(e fact.Account) string { return e.IBAN }) || has(func(e fact.Account) string { return e.BBAN })
	masked := has(func(e fact.Account) string { return e.MaskedPAN })
	msisdn := has(func(e fact.Account) string { return e.MSISDN })
	other := has(func(e fact.Account) string { return e.Other })
	for _, id := range ids {
		c := compact(id)
		switch {
		case strings.HasPrefix(strings.TrimSpace(id), "+"):
			if msisdn {
				return true
			}
		case IsMasked(id) || isCardNumber(id):
			if masked {
				return true
			}
		case len(digitsOf(c)) >= fewestDigits && isAlphanumeric(c):
			if number {
				return true
			}
		case other:
			return true
		}
	}
	return false
}

// fewestDigits are the digits that a number of an account has at least.
const fewestDigits = 6

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	})
}
