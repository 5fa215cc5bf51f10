package store

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
)

// CollectionReader reads collections.
type CollectionReader interface {
	Collection(ctx context.Context, id string) (collection.Collection, error)
	CollectionsOf(ctx context.Context, f CollectionFilter, p Page) ([]collection.Summary, error)
	// RunningCollections lists a user's collections that are not terminal, newest
	// first and at most limit. A collection that ends leaves the list, as with
	// LiveConsents.
	RunningCollections(ctx context.Context, clientID, userID string, limit int) ([]collection.Collection, error)
	// UnattendedSince lists when background refreshes of the consents of a lineage
	// (consent.Consent.LineageID) were begun after the given time, oldest first
	// (docs/reference/api.md 5.6).
	UnattendedSince(ctx context.Context, lineage consent.ID, since time.Time) ([]time.Time, error)
	// UnattendedUnder lists when background refreshes under each of some consents were begun
	// after the given time, by consent and oldest first.
	UnattendedUnder(ctx context.Context, ids []consent.ID, since time.Time) (map[consent.ID][]time.Time, error)
	// CollectionsWithData lists, of all clients, collections whose products are kept at the
	// time now and that are not known to be empty, oldest first and at most limit.
	CollectionsWithData(ctx context.Context, f DataFilter, now time.Time, limit int) ([]Mapped, error)
}

// DataFilter selects collections of all clients.
type DataFilter struct {
	Since, Until time.Time // of the creation, Until excluded; zero: no limit
	Company      string    // empty: any
	After        string    // id of the collection before the first; empty: from the start
}

// Mapped says which mapping made the products of a collection.
type Mapped struct {
	ID      string
	Company string
	Mapping int
}

// CollectionFilter selects collections of one client. Zero members do not
// restrict. In is applied before Latest.
type CollectionFilter struct {
	ClientID string // required
	UserID   string
	In       []collection.Status
	Latest   bool // only the newest collection per company
}

// CollectionWriter writes collections. They are never deleted.
type CollectionWriter interface {
	// AddCollection stores a collection. Errors: ErrExists when the id is taken.
	AddCollection(ctx context.Context, c collection.Collection) error
	// PutCollection is a compare-and-swap on c.Rev. It stores Rev+1 and returns it
	// in the collection handed back. The client and user of a collection never
	// change, and PolledAt is not written. UpdateCollection calls it with the
	// retry; PutCollection itself is for a transaction that writes several rows at
	// once. Errors: ErrNotFound, ErrConflict.
	PutCollection(ctx context.Context, c collection.Collection) (collection.Collection, error)
	// WakeCollection makes a collection due now, if it is due later. One that is
	// never due stays so. Errors: ErrNotFound.
	WakeCollection(ctx context.Context, id string, now time.Time) error
	// RecordPoll records that a collection was polled at the time at. Rev does not
	// change, and an earlier time than the stored one has no effect. Errors:
	// ErrNotFound.
	RecordPoll(ctx context.Context, id string, at time.Time) error
}
