package store

import (
	"context"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/user"
)

// StatusReader answers status polls. They are the most frequent reads: every
// person who signs polls once a second. Concurrent calls may share one query.
// Each call sees at least the state that was committed before it began. WakeAt is
// not part of a view and zero in it: claims and renewed leases change no view.
type StatusReader interface {
	// ConsentStatus reads a consent, and whether its user was anonymized.
	ConsentStatus(ctx context.Context, id consent.ID) (ConsentView, error)
	// CollectionStatus reads a collection and, while the person signs inside it,
	// the consent that lives inside.
	CollectionStatus(ctx context.Context, id string) (CollectionView, error)
	// UserStatus reads a user of any client. Every request with a session token does.
	UserStatus(ctx context.Context, id string) (user.User, error)
}

// ConsentView is what a status poll of a consent needs.
type ConsentView struct {
	consent.Consent
	UserAnonymized bool // the user was anonymized
}

// CollectionView is what a status poll of a collection needs.
type CollectionView struct {
	collection.Collection
	Consent        *consent.Consent // nil unless the collection is of mode OneTime and not terminal
	UserAnonymized bool             // the user was anonymized
}
