package store

import (
	"context"

	"samla/internal/user"
)

// UserReader reads users.
type UserReader interface {
	User(ctx context.Context, clientID, id string) (user.User, error)
	// UserByExternalID finds a user that is not anonymized.
	UserByExternalID(ctx context.Context, clientID, externalID string) (user.User, error)
}

// UserWriter writes users.
type UserWriter interface {
	// AddUser stores a user. Errors: ErrExists when the client has a user with
	// this external id that is not anonymized, or when the id is taken.
	AddUser(ctx context.Context, u user.User) error
	// PutUser replaces old, as it was read, by u. It is a compare-and-swap on
	// everything of old that can change. The client of a user and the time of its
	// creation never change. Errors: ErrNotFound when old.ClientID has no user
	// old.ID; ErrConflict; ErrExists when another user of the client, not
	// anonymized, has the new external id.
	PutUser(ctx context.Context, old, u user.User) error
	// LockUser reads a user and keeps others from changing it until the
	// transaction ends. Several transactions can hold the lock of one user. It is
	// for those who add a row to a user: a user that LockUser returns is not
	// anonymized before that row is committed, and the transaction that anonymizes it
	// then finds the row. Take this lock before any other lock of the transaction.
	LockUser(ctx context.Context, clientID, id string) (user.User, error)
}

// UserCreator creates users outside of a caller's transaction, so that
// concurrent calls can share statements and commits.
type UserCreator interface {
	// CreateUser stores a user as Tx.AddUser does. When it returns nil, the user
	// is on disk. A user that is stored already with the same id and external id
	// is no error, so that a call whose outcome was lost can be repeated. Errors:
	// ErrExists.
	CreateUser(ctx context.Context, u user.User) error
}
