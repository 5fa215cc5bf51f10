package consent

import (
	"slices"

	"samla/internal/ident"
)

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
