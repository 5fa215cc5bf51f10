package store

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
)

// Raw is one answer of a bank as it came, sealed under the subject's key.
type Raw struct {
	CollectionID string
	Seq          int    // order of reading, from 0
	Kind         string // what was asked, in the connector's words
	Mapping      int    // version of the mapping that was current
	FetchedAt    time.Time
	Sealed       []byte
}

// Duty is something that must be done outside and is owed until it is done,
// such as telling a bank that a consent was revoked. It is sealed under the
// system's key, because it must outlive a user's.
type Duty struct {
	ID        string // UUID
	Kind      DutyKind
	Company   string
	ConsentID string
	CreatedAt time.Time
	Attempts  int
	Sealed    []byte
	WakeAt    time.Time // when it is tried next
}

// DutyKind is the closed set of duties.
type DutyKind string

// RevokeAtBank: delete a consent at its bank.
const RevokeAtBank DutyKind = "REVOKE_AT_BANK"

// SigningKey signs session tokens. Sealed is the private key under the
// system's key; Public is its JWK.
type SigningKey struct {
	ID        string // kid
	CreatedAt time.Time
	Sealed    []byte
	Public    []byte
}

// Evidence is one entry of the ledger: who allowed what, when. It holds ids,
// times and scopes only, and stays when a user is forgotten.
type Evidence struct {
	ID        string // UUID version 7
	At        time.Time
	ClientID  string
	UserID    string
	ConsentID string
	Kind      string // CONSENT_CREATED, CONSENT_AUTHORIZED, …
	Detail    []byte // JSON
}

// Idempotent is what is remembered of a request with an Idempotency-Key.
type Idempotent struct {
	ClientID string
	Key      string
	Request  []byte    // hash of route and body
	At       time.Time // when the key was first used
	Until    time.Time // when it is forgotten
	// LockedUntil is when an unfinished first call is given up: the process
	// that ran it has died.
	LockedUntil time.Time
	Done        bool
	UserID      string // whom the response is about, empty for nobody
	Status      int
	Sealed      []byte // response, sealed under the system's key
}

// Hot answers status polls, the hottest reads of all: every person who signs
// polls once a second. Concurrent calls may share one query; each sees at least
// the state that was committed before the call began.
type Hot interface {
	// ConsentStatus reads a consent, and whether its user was anonymized.
	ConsentStatus(ctx context.Context, id string) (ConsentView, error)
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
