package authorize

import (
	"context"
	"errors"

	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/store"
)

// LockUser returns the fault Unauthorized when the user does not exist or is
// anonymized, and keeps the user from being anonymized until the transaction ends.
// A transaction that creates something for a user begins with it. Other errors are
// the store's: they say nothing about the user.
func LockUser(ctx context.Context, tx store.Tx, clientID, userID string) error {
	u, err := tx.LockUser(ctx, clientID, userID)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Anonymized() {
		return fault.New(fault.Unauthorized)
	}
	return err
}

// SealError returns the fault Unauthorized when err says that the user's data key
// was destroyed: the user was erased after the request was authenticated. Other
// errors are returned unchanged.
func SealError(err error) error {
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return fault.New(fault.Unauthorized)
	}
	return err
}
