package store

import (
	"context"
	"errors"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/user"
)

// ErrUnchanged is returned by a Change to leave the row as it is.
var ErrUnchanged = errors.New("store: leave the row unchanged")

// Change computes the next state of a row from the state that was read.
//
// It runs outside of a transaction, so it may seal, open and read the store. It
// must have no other effect: when another writer was first, it runs again with
// the newer row. Which of its runs was stored is known when the update returns.
//
// also, unless nil, runs in the transaction that stores next, after next was
// written. It writes what must be committed together with next, such as an audit
// entry, and may run more than once, as the function of Transactor.Write. When
// it returns ErrConflict, because a compare-and-swap of its own lost, the whole
// change is tried again.
//
// An error means that nothing is written. ErrUnchanged means so too, but it is no
// failure: the update returns old and no error.
type Change[T any] func(old T) (next T, also func(Tx) error, err error)

// UpdateConsent changes one consent: it reads it, calls change and stores the
// result with a compare-and-swap on Rev. When another writer was first, it starts
// again, until ctx ends. It returns the consent as stored, with its new Rev. The
// id, client, user, collection, lineage, renewed consent and Rev that change returns are
// ignored.
//
// Errors: ErrNotFound, the errors of change and also, or of ctx and the database;
// never ErrConflict.
func UpdateConsent(ctx context.Context, s interface {
	ConsentReader
	Transactor
}, id consent.ID, change Change[consent.Consent]) (consent.Consent, error) {
	read := func() (consent.Consent, error) { return s.Consent(ctx, id) }
	put := func(tx Tx, old, next consent.Consent) (consent.Consent, error) {
		next.ID, next.ClientID, next.UserID, next.CollectionID, next.Rev = old.ID, old.ClientID, old.UserID, old.CollectionID, old.Rev
		next.Lineage, next.Renews = old.Lineage, old.Renews
		return tx.PutConsent(ctx, next)
	}
	return update(ctx, s, read, put, change)
}

// UpdateCollection changes one collection, as UpdateConsent does a consent. The
// PolledAt that change returns is ignored too.
func UpdateCollection(ctx context.Context, s interface {
	CollectionReader
	Transactor
}, id string, change Change[collection.Collection]) (collection.Collection, error) {
	read := func() (collection.Collection, error) { return s.Collection(ctx, id) }
	put := func(tx Tx, old, next collection.Collection) (collection.Collection, error) {
		next.ID, next.ClientID, next.UserID, next.PolledAt, next.Rev = old.ID, old.ClientID, old.UserID, old.PolledAt, old.Rev
		return tx.PutCollection(ctx, next)
	}
	return update(ctx, s, read, put, change)
}

// UpdateUser changes one user of a client, as UpdateConsent does a consent. The
// id, client and time of creation that change returns are ignored. Errors, in
// addition: ErrExists when another user of the client has the new external id.
func UpdateUser(ctx context.Context, s interface {
	UserReader
	Transactor
}, clientID, id string, change Change[user.User]) (user.User, error) {
	read := func() (user.User, error) { return s.User(ctx, clientID, id) }
	put := func(tx Tx, old, next user.User) (user.User, error) {
		next.ID, next.ClientID, next.CreatedAt = old.ID, old.ClientID, old.CreatedAt
		return next, tx.PutUser(ctx, old, next)
	}
	return update(ctx, s, read, put, change)
}

// Preceded is a store whose transactions begin with First. An update through it
// locks other rows before its own: a collection ends after the consent inside it
// (ConsentWriter). When First returns ErrConflict, the whole change is tried again,
// as with also.
type Preceded struct {
	Store
	First func(context.Context, Tx) error
}

// Write implements Transactor.
func (p Preceded) Write(ctx context.Context, fn func(Tx) error) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		if err := p.First(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// update is the loop of every update: read, change, compare and swap.
func update[T any](ctx context.Context, s Transactor, read func() (T, error), put func(tx Tx, old, next T) (T, error), change Change[T]) (T, error) {
	var none T
	for {
		old, err := read()
		if err != nil {
			return none, err
		}
		next, also, err := change(old)
		if errors.Is(err, ErrUnchanged) {
			return old, nil
		}
		if err != nil {
			return none, err
		}
		var stored T
		err = s.Write(ctx, func(tx Tx) (err error) {
			if stored, err = put(tx, old, next); err != nil || also == nil {
				return err
			}
			return also(tx)
		})
		switch {
		case err == nil:
			return stored, nil
		case !errors.Is(err, ErrConflict):
			return none, err
		case ctx.Err() != nil:
			return none, ctx.Err()
		}
	}
}
