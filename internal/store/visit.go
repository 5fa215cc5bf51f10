package store

import (
	"context"
	"time"

	"samla/internal/session"
)

// VisitReader reads visits to My permissions, of any client: who asks brings a secret.
type VisitReader interface {
	Visit(ctx context.Context, id string) (session.Visit, error)
	// VisitByLink finds a visit by the hash of its link's secret.
	VisitByLink(ctx context.Context, hash string) (session.Visit, error)
	// VisitsByKey finds the visits of a browser by the hash of its secret: one that began by
	// a link, or those that began when a person signed in, one of each user. Never one that
	// was not opened.
	VisitsByKey(ctx context.Context, hash string) ([]session.Visit, error)
	// UsersOfPerson lists the users of all clients that have a consent of a person
	// (consent.Consent.Person).
	UsersOfPerson(ctx context.Context, person string, limit int) ([]UserRef, error)
	// OnlyPerson reports whether all that was ever permitted as a user is known to be of one
	// person: every authorized consent, and no login without one.
	OnlyPerson(ctx context.Context, clientID, userID, person string) (bool, error)
	// PersonKey returns the sealed key of the hashes of persons. Error: ErrNotFound.
	PersonKey(ctx context.Context) ([]byte, error)
	// Archive returns the archive of a visit, sealed.
	Archive(ctx context.Context, visitID string) ([]byte, error)
	// ArchiveSize returns the size of that, in bytes.
	ArchiveSize(ctx context.Context, visitID string) (int, error)
}

// UserRef names a user of a client.
type UserRef struct{ ClientID, UserID string }

// VisitWriter writes visits.
type VisitWriter interface {
	// AddVisit stores a visit. Errors: ErrExists when the id or the hash of the link is
	// taken.
	AddVisit(ctx context.Context, v session.Visit) error
	// PutVisit is a compare-and-swap on v.Rev. It stores Rev+1 and returns it in the visit
	// handed back. What a link is made of never changes. Errors: ErrNotFound, ErrConflict.
	PutVisit(ctx context.Context, v session.Visit) (session.Visit, error)
	// PutArchive stores the archive of a visit, instead of an earlier one.
	PutArchive(ctx context.Context, visitID string, sealed []byte, at time.Time) error
	// AddPersonKey stores the key of the hashes of persons. Error: ErrExists.
	AddPersonKey(ctx context.Context, sealed []byte) error
	// EraseVisits deletes the visits of a user, and their archives, and forgets who has
	// given the consents and what for.
	EraseVisits(ctx context.Context, clientID, userID string) error
}

// UpdateVisit changes one visit, as UpdateConsent does a consent.
func UpdateVisit(ctx context.Context, s interface {
	VisitReader
	Transactor
}, id string, change Change[session.Visit]) (session.Visit, error) {
	read := func() (session.Visit, error) { return s.Visit(ctx, id) }
	put := func(tx Tx, old, next session.Visit) (session.Visit, error) {
		next.ID, next.Rev = old.ID, old.Rev
		return tx.PutVisit(ctx, next)
	}
	return update(ctx, s, read, put, change)
}
