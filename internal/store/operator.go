package store

import (
	"context"
	"time"

	"samla/internal/operator"
)

// OperatorReader reads operators of the console, their sessions, and attempts to sign in.
type OperatorReader interface {
	Operator(ctx context.Context, id string) (operator.Account, error)
	// OperatorByName finds an account that is not removed.
	OperatorByName(ctx context.Context, name string) (operator.Account, error)
	// OperatorByEnrol finds an account by the hash of its link's secret; never one without a
	// link.
	OperatorByEnrol(ctx context.Context, hash string) (operator.Account, error)
	// Operators lists the accounts that are not removed, by name.
	Operators(ctx context.Context) ([]operator.Account, error)
	// OperatorSession finds a session by the hash of its secret, with the account it is of.
	OperatorSession(ctx context.Context, hash string) (operator.Session, operator.Account, error)
	// OperatorSessions lists the sessions that nobody has ended, newest first: of one
	// operator, or of all for "".
	OperatorSessions(ctx context.Context, operatorID string) ([]operator.Session, error)
	// SignInAttempts returns the attempts of a key; the zero value if there are none.
	SignInAttempts(ctx context.Context, key string) (operator.Attempts, error)
}

// OperatorWriter writes them.
type OperatorWriter interface {
	// AddOperator stores an account. Errors: ErrExists when the id, or the name of an account
	// that is not removed, is taken.
	AddOperator(ctx context.Context, a operator.Account) error
	// PutOperator is a compare-and-swap on a.Rev. It stores Rev+1 and returns it in the
	// account handed back. Errors: ErrNotFound, ErrConflict.
	PutOperator(ctx context.Context, a operator.Account) (operator.Account, error)
	// LockOperators makes other transactions that lock them wait until this one has ended, and
	// lists the accounts that are not removed: for rules about all of them, such as that an
	// admin is left.
	LockOperators(ctx context.Context) ([]operator.Account, error)
	// AddOperatorSession stores a session under the hash of its secret. Errors: ErrExists.
	AddOperatorSession(ctx context.Context, hash string, s operator.Session) error
	// SeeOperatorSession stores the time of a use, if it is later than the stored one.
	SeeOperatorSession(ctx context.Context, id string, at time.Time) error
	// EndOperatorSessions ends the sessions of an operator that nobody has ended: one, or all
	// for "", but never the one with the id except. It returns how many.
	EndOperatorSessions(ctx context.Context, operatorID, id, except string, at time.Time) (int, error)
	// PutSignInAttempts is a compare-and-swap on what SignInAttempts returned; the zero value
	// of next deletes them. Error: ErrConflict.
	PutSignInAttempts(ctx context.Context, key string, before, next operator.Attempts) error
}

// UpdateOperator changes one account, as UpdateConsent does a consent.
func UpdateOperator(ctx context.Context, s interface {
	OperatorReader
	Transactor
}, id string, change Change[operator.Account]) (operator.Account, error) {
	read := func() (operator.Account, error) { return s.Operator(ctx, id) }
	put := func(tx Tx, old, next operator.Account) (operator.Account, error) {
		next.ID, next.Rev = old.ID, old.Rev
		return tx.PutOperator(ctx, next)
	}
	return update(ctx, s, read, put, change)
}
