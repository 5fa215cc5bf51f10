package store

import (
	"context"
	"time"

	"samla/internal/account"
)

// AccountReader reads lasting accounts.
type AccountReader interface {
	// Accounts returns all lasting accounts of a user of a client, as they are together at
	// one moment. A user without any, or of another client, has the zero Set.
	Accounts(ctx context.Context, clientID, userID string) (account.Set, error)
	// AccountUser returns the user of an account. Errors: ErrNotFound.
	AccountUser(ctx context.Context, clientID, id string) (userID string, err error)
}

// AccountWriter writes lasting accounts.
type AccountWriter interface {
	// PutAccounts stores a change of a user's accounts. It is a compare-and-swap on the
	// revision of the set, which grows: two changes from one set never both succeed.
	// Call LockUser before, as for each row that is added to a user. Deleting an account
	// deletes what belongs to it. Errors: ErrConflict.
	PutAccounts(ctx context.Context, c account.Change) error
	// EraseAccounts deletes up to limit accounts of a user and returns how many. It is
	// called until it returns less; a change from a set before it is not stored then.
	EraseAccounts(ctx context.Context, userID string, limit int) (n int, err error)
	// SweepAccounts looks at up to limit accounts that were not seen for the time keep and
	// were not looked at for a day, and deletes those without a consent, among those they
	// were seen through and the ones that renew these, that is authorized or has ended less
	// than keep ago. It returns at how many it has looked.
	SweepAccounts(ctx context.Context, now time.Time, keep time.Duration, limit int) (looked int, err error)
}
