package store

import (
	"context"

	"samla/internal/consent"
)

// ConsentReader reads consents.
type ConsentReader interface {
	Consent(ctx context.Context, id consent.ID) (consent.Consent, error)
	// ConsentsOf lists a user's consents. Those that live inside a one-time
	// collection are not among them.
	ConsentsOf(ctx context.Context, clientID, userID string, p Page) ([]consent.Summary, error)
	// LiveConsents lists a user's consents that are not final, newest first and at
	// most limit, those inside one-time collections included. A consent that is
	// ended leaves the list, so that a caller that ends them all can ask again for
	// the rest.
	LiveConsents(ctx context.Context, clientID, userID string, limit int) ([]consent.Consent, error)
	// LineageConsents lists the consents of a lineage (consent.Consent.LineageID), newest
	// first: the first consent and all that followed it by renewal, whatever their
	// status. Nothing is found by the id of a consent that is not the first. consent.Living
	// chooses among them.
	LineageConsents(ctx context.Context, lineage consent.ID) ([]consent.Consent, error)
}

// ConsentWriter writes consents. They are never deleted. A transaction that locks or
// writes a consent and its collection begins with the consent: two transactions with
// opposite orders would deadlock.
type ConsentWriter interface {
	// AddConsent stores a consent. Errors: ErrExists when the id is taken.
	AddConsent(ctx context.Context, c consent.Consent) error
	// PutConsent is a compare-and-swap on c.Rev. It stores Rev+1 and returns it in
	// the consent handed back. The client, user, collection, lineage, purpose and
	// renewed consent of a consent never change. UpdateConsent calls it with the retry; PutConsent itself is for a
	// transaction that writes several rows at once. Errors: ErrNotFound,
	// ErrConflict.
	PutConsent(ctx context.Context, c consent.Consent) (consent.Consent, error)
	// LockConsent reads a consent and keeps others from writing it until the
	// transaction ends.
	LockConsent(ctx context.Context, id consent.ID) (consent.Consent, error)
}
