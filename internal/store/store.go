// Package store is the port for everything that must survive: interfaces whose
// comments are the contract that package storetest holds every engine to.
package store

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/client"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/idempotency"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/user"
)

var (
	// ErrNotFound says that no such row exists in the scope that was asked for.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict says that a compare-and-swap lost: the row's Rev is no longer
	// the one that was read.
	ErrConflict = errors.New("store: the row has changed")
	// ErrExists says that a row with this key exists already.
	ErrExists = errors.New("store: exists already")
)

// Store is one database. It is safe for concurrent use; reads outside Write see
// the last committed state.
type Store interface {
	Reader
	StatusReader
	Jobs
	seal.Keys

	// Write runs fn in one transaction and commits it when fn returns nil; an
	// error from fn rolls everything back and is returned as it is. fn may be run
	// more than once and must do nothing outside the transaction. When Write
	// returns nil, the state is on disk.
	Write(ctx context.Context, fn func(Tx) error) error

	// CreateUser stores a user as Tx.AddUser does, in a transaction of its own or
	// one that it shares with concurrent calls. When it returns nil, the user is
	// on disk. Errors: ErrExists.
	CreateUser(ctx context.Context, u user.User) error

	// Kind names the engine: "sqlite" or "postgres".
	Kind() string
	// Ping tells whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}

// Page selects a part of a list: newest first, at most Limit rows, only those
// older than the row with the id After (empty = from the start). Ids are UUIDs
// of version 7, so their order is the order of creation.
type Page struct {
	After string
	Limit int
}

// Reader reads. Every method that takes a clientID sees that client's rows only
// and answers ErrNotFound for anybody else's. Inside a transaction it sees the
// transaction's own writes.
type Reader interface {
	Client(ctx context.Context, id string) (client.Client, error)
	Clients(ctx context.Context) ([]client.Client, error)
	// KeyByHash finds an API key, revoked ones included.
	KeyByHash(ctx context.Context, h client.Hash) (client.Key, error)
	// Keys lists all API keys, newest first.
	Keys(ctx context.Context) ([]client.Key, error)

	User(ctx context.Context, clientID, id string) (user.User, error)
	// UserByExternalID finds a user that is not anonymized.
	UserByExternalID(ctx context.Context, clientID, externalID string) (user.User, error)

	Consent(ctx context.Context, id consent.ID) (consent.Consent, error)
	// ConsentsOf lists a user's consents; those that live inside a one-time
	// collection are not among them.
	ConsentsOf(ctx context.Context, clientID, userID string, p Page) ([]consent.Consent, error)

	Collection(ctx context.Context, id string) (collection.Collection, error)
	CollectionsOf(ctx context.Context, f CollectionFilter, p Page) ([]collection.Collection, error)
	// UnattendedSince lists when background refreshes of a consent were
	// started after the given moment, oldest first (docs/reference/api.md 5.6).
	UnattendedSince(ctx context.Context, consentID consent.ID, since time.Time) ([]time.Time, error)

	// RawAnswers lists what a collection has read so far, in the order of reading.
	RawAnswers(ctx context.Context, collectionID string) ([]collection.RawAnswer, error)
	// Products returns a collection's sealed products, ErrNotFound when it has
	// none (any more).
	Products(ctx context.Context, collectionID string) ([]byte, error)

	OutboxMessage(ctx context.Context, id string) (outbox.Message, error)
	SigningKeys(ctx context.Context) ([]session.SigningKey, error)
	// AuditEntries lists the ledger's entries about one consent, oldest first.
	AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error)
}

// CollectionFilter selects collections of one client. Zero members do not
// restrict. In is applied before Latest.
type CollectionFilter struct {
	ClientID string // required
	UserID   string
	In       []collection.Status
	Latest   bool // only the newest collection per company
}

// Tx writes. All of it is undone when the transaction does not commit. Put and
// update methods return ErrConflict where the comment says compare-and-swap;
// the transaction can go on after ErrConflict, ErrExists and ErrNotFound.
type Tx interface {
	Reader

	AddClient(ctx context.Context, c client.Client) error // ErrExists
	AddKey(ctx context.Context, k client.Key) error       // ErrExists when the hash is taken
	RevokeKey(ctx context.Context, id string, at time.Time) error

	// AddUser returns ErrExists when the client has a user with this external
	// id that is not anonymized.
	AddUser(ctx context.Context, u user.User) error
	PutUser(ctx context.Context, u user.User) error
	// DestroyKey destroys a subject's data key, whether it has one or not:
	// afterwards DataKey and AddDataKey return seal.ErrKeyDestroyed.
	// Errors: seal.ErrNoSubject, when the subject is empty or seal.System.
	DestroyKey(ctx context.Context, subject string, at time.Time) error

	AddConsent(ctx context.Context, c consent.Consent) error
	// PutConsent is a compare-and-swap on c.Rev; it stores Rev+1 and returns
	// it in the consent handed back.
	PutConsent(ctx context.Context, c consent.Consent) (consent.Consent, error)
	// LockConsent reads a consent and keeps others from writing it until the
	// transaction ends.
	LockConsent(ctx context.Context, id consent.ID) (consent.Consent, error)

	AddCollection(ctx context.Context, c collection.Collection) error
	// PutCollection is a compare-and-swap on c.Rev; it stores Rev+1 and
	// returns it in the collection handed back. PolledAt is not written.
	PutCollection(ctx context.Context, c collection.Collection) (collection.Collection, error)
	// WakeCollection makes a collection due at once, if it is waiting at all.
	WakeCollection(ctx context.Context, id string, now time.Time) error
	// Polled notes that a collection was polled at the time at. Rev does not
	// change; an earlier time than the stored one changes nothing.
	Polled(ctx context.Context, id string, at time.Time) error

	// AddRawAnswers stores raw answers of a bank. ErrExists when one with the same
	// collection and Seq is there; then it is not known which of the others were
	// stored, and the transaction should not be committed.
	AddRawAnswers(ctx context.Context, raws []collection.RawAnswer) error
	PutProducts(ctx context.Context, collectionID string, sealed []byte) error
	// EraseData deletes raw answers and products of a collection.
	EraseData(ctx context.Context, collectionID string) error

	AddOutboxMessage(ctx context.Context, d outbox.Message) error
	PutOutboxMessage(ctx context.Context, d outbox.Message) error
	DeleteOutboxMessage(ctx context.Context, id string) error

	AddSigningKey(ctx context.Context, k session.SigningKey) error // ErrExists
	DeleteSigningKey(ctx context.Context, id string) error

	AddAuditEntry(ctx context.Context, e audit.Entry) error

	// ClaimIdempotencyKey claims an idempotency key. ErrExists, with the record
	// found, when the client has used the key and it has not run out at r.At.
	ClaimIdempotencyKey(ctx context.Context, r idempotency.Record) (found idempotency.Record, err error)
	// CompleteIdempotencyKey stores the response of a claimed key: r.Done, UserID,
	// Status and Sealed. ErrConflict when the claim with r.StartedAt does not hold
	// the key, or has been completed. Its outcome is known when it returns, so that
	// no commit can complete a key that ReleaseIdempotencyKey has released since.
	CompleteIdempotencyKey(ctx context.Context, r idempotency.Record) error
	// ReleaseIdempotencyKey deletes the record of a claim, so that the key can be
	// used again. It does nothing when the claim with r.StartedAt does not hold the
	// key, or has been completed.
	ReleaseIdempotencyKey(ctx context.Context, r idempotency.Record) error
	// EraseIdempotencyKeys deletes every response that is about a user.
	EraseIdempotencyKeys(ctx context.Context, clientID, userID string) error

	// Sweep deletes what has run out at the time now: idempotency records, raw
	// answers and products past their collection's DataUntil, evidence older
	// than keepEvidence. It deletes at most some thousand rows a call and
	// returns how many.
	Sweep(ctx context.Context, now time.Time, keepEvidence time.Duration) (int, error)
}
