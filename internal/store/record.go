package store

import (
	"context"

	"samla/internal/collection"
	"samla/internal/consent"
)

// StatusReader answers status polls, the hottest reads of all: every person who signs
// polls once a second. Concurrent calls may share one query; each sees at least
// the state that was committed before the call began. WakeAt is not part of a
// view and zero in it: claims and renewed leases leave the memory of views alone.
type StatusReader interface {
	// ConsentStatus reads a consent, and whether its user was anonymized.
	ConsentStatus(ctx context.Context, id consent.ID) (ConsentView, error)
	// CollectionStatus reads a collection and, while the person signs inside
	// it, the consent that lives inside.
	CollectionStatus(ctx context.Context, id string) (CollectionView, error)
}

// ConsentView is what a status poll of a consent needs.
type ConsentView struct {
	consent.Consent
	UserGone bool
}

// CollectionView is what a status poll of a collection needs. Consent is nil
// unless the collection is of mode OneTime and not terminal.
type CollectionView struct {
	collection.Collection
	Consent  *consent.Consent
	UserGone bool
}
