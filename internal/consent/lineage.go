package consent

import "slices"

// LineageID returns the id of the lineage of the consent: of the first consent of the
// row of renewals that it belongs to. Accounts, quota and plans belong to the lineage,
// because they outlive one consent (docs/reference/api.md 4.7).
func (c Consent) LineageID() ID {
	if c.Lineage != "" {
		return c.Lineage
	}
	return c.ID
}

// WasAuthorized reports whether the person has ever authorized the consent.
func (c Consent) WasAuthorized() bool { return c.Granted != nil }

// Living returns the consent of a lineage that stands for it: the authorized one. If
// there is none, it is the last one that was authorized, and if no one ever was, the
// first one. ok is false if the lineage is empty. The order of lineage does not matter.
//
// There is at most one authorized consent in a lineage. If a store has more
// nevertheless, it is the newest of them.
func Living(lineage []Consent) (living Consent, ok bool) {
	if len(lineage) == 0 {
		return Consent{}, false
	}
	return slices.MinFunc(lineage, func(a, b Consent) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		newerFirst := -1
		if rank(a) == unsigned {
			newerFirst = 1
		}
		switch {
		case a.ID > b.ID:
			return newerFirst
		case a.ID < b.ID:
			return -newerFirst
		}
		return 0
	}), true
}

// The ranks of Living, best first.
const (
	working = iota
	ended
	superseded
	unsigned
)

func rank(c Consent) int {
	switch {
	case c.Status == Authorized:
		return working
	case c.WasAuthorized() && c.RenewedBy == "":
		return ended
	case c.WasAuthorized():
		return superseded
	}
	return unsigned
}

// PendingRenewal returns the consent of a lineage that renews another one and still
// waits for its authorization. ok is false if there is none.
func PendingRenewal(lineage []Consent) (pending Consent, ok bool) {
	i := slices.IndexFunc(lineage, func(c Consent) bool { return c.Renews != "" && c.Status.Pending() })
	if i < 0 {
		return Consent{}, false
	}
	return lineage[i], true
}

// Renewable reports whether another consent can take the place of this one: it was
// authorized once, whether or not it has ended since, and does not live inside a
// one-time collection (docs/reference/api.md 4.7).
func (c Consent) Renewable() bool { return c.WasAuthorized() && c.CollectionID == "" }
