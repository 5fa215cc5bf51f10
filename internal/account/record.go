package account

import (
	"time"

	"samla/internal/consent"
)

// Record is an account as it is stored: the account itself is sealed under the user's key.
type Record struct {
	ID        string
	ClientID  string
	UserID    string
	CreatedAt time.Time
	SeenAt    time.Time // last
	Sealed    []byte
}

// Set is all accounts of a user. Rev grows with each change of one of them, so that a
// change that was computed from an older set is not stored. It is 0 for a user who never
// had an account.
type Set struct {
	Rev     int64
	Records []Record // oldest first
}

// Change is a change of a user's accounts, computed from the set of a revision.
type Change struct {
	ClientID string
	UserID   string
	Rev      int64
	Put      []Record // new or changed
	Delete   []string // ids
	// Lineages are consents through which accounts were seen, which keep the accounts as
	// long as they live. Those that are stored already do no harm.
	Lineages []Lineage
}

// Lineage says that an account was seen through a consent or one that it renews.
type Lineage struct {
	AccountID string
	Consent   consent.ID // the first of the renewals
}
