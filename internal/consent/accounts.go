package consent

import (
	"slices"

	"samla/internal/ident"
)

// Account is an account that a consent can name, as the bank lists it.
type Account struct {
	ID       string `json:"id"`             // its number, as in Scope.AccountIDs
	Name     string `json:"name,omitempty"` // as the person knows it
	Currency string `json:"currency,omitempty"`
}

// ChosenOf returns the ids of the listed accounts that the person has chosen, in the order of
// the list. ok is false if none is chosen, or one that is not in the list.
func ChosenOf(listed []Account, chosen []string) (ids []string, ok bool) {
	for _, a := range listed {
		if slices.Contains(chosen, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	known := func(id string) bool { return slices.Contains(ids, id) }
	return ids, len(ids) > 0 && !slices.ContainsFunc(chosen, func(id string) bool { return !known(id) })
}

// AccountChange is how the accounts of a consent differ from those of the one that it
// renews.
type AccountChange struct {
	Added   []string // granted now, and not before
	Missing []string // granted before, and not now
}

// Empty reports whether there is no difference.
func (a AccountChange) Empty() bool { return len(a.Added)+len(a.Missing) == 0 }

// AccountsSince returns how the granted accounts of c differ from those of before, the
// consent that it renews. It is empty if one of the two does not name its accounts: banks
// grant every account of the person without naming them.
func (c Consent) AccountsSince(before Consent) AccountChange {
	now, then := c.granted(), before.granted()
	if len(now) == 0 || len(then) == 0 {
		return AccountChange{}
	}
	return AccountChange{Added: without(now, then), Missing: without(then, now)}
}

func (c Consent) granted() []string {
	if c.Granted == nil {
		return nil
	}
	return c.Granted.AccountIDs
}

// without returns the ids that are not the same account as one of others.
func without(ids, others []string) []string {
	var left []string
	for _, id := range ids {
		if !slices.ContainsFunc(others, func(o string) bool { return ident.SameAccount(id, o) }) {
			left = append(left, id)
		}
	}
	return left
}
