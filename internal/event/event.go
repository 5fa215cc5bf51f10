// Package event owns what clients are told of: the closed set of types, and one
// constructor for each, which writes the body once (docs/reference/api.md 7.1).
//
// An event is stored by store.EventWriter in the transaction that makes it true, by
// the function that is the one writer of that effect. Its body has ids, statuses,
// times and counts, and no personal and no collected data, so that it can stay when a
// user is erased.
package event

import (
	"slices"
	"time"
)

// Type is the kind of an event.
type Type string

// The types. Collection is the name for Go and for GET /events: the body of such an event
// has no member for its type (docs/reference/api.md 7.1).
const (
	TypeCollection         Type = "COLLECTION" // a collection has reached a terminal status
	TypeConsentAuthorized  Type = "CONSENT_AUTHORIZED"
	TypeConsentFailed      Type = "CONSENT_FAILED"
	TypeConsentRevoked     Type = "CONSENT_REVOKED"
	TypeConsentExpired     Type = "CONSENT_EXPIRED"
	TypeConsentExpiring    Type = "CONSENT_EXPIRING"     // its end is near
	TypeConsentRenewed     Type = "CONSENT_RENEWED"      // it has taken the place of another
	TypeAccountUpdated     Type = "ACCOUNT_UPDATED"      // there is news about an account of a user
	TypeRefreshPlanChanged Type = "REFRESH_PLAN_CHANGED" // a refresh plan has stopped, waits or goes on
	TypeTest               Type = "TEST"                 // the client asked for it, to test an endpoint
)

// Types returns the closed set.
func Types() []Type {
	return []Type{TypeCollection, TypeConsentAuthorized, TypeConsentFailed, TypeConsentRevoked, TypeConsentExpired,
		TypeConsentExpiring, TypeConsentRenewed, TypeAccountUpdated, TypeRefreshPlanChanged, TypeTest}
}

// Valid reports whether t is in the closed set.
func (t Type) Valid() bool { return slices.Contains(Types(), t) }

// Kept is how long events are kept after they were recorded.
const Kept = 30 * 24 * time.Hour

// Event is one event of one client.
type Event struct {
	ID       string // eventId, a version 7 UUID
	ClientID string
	UserID   string // empty: of no user
	Type     Type
	Version  string // API version in whose form Body is (package collection has them)
	// Resource is the id of the consent, collection, account, user or endpoint whose
	// events keep their order.
	Resource string
	At       time.Time // when it became true: timestamp in the body
	Body     []byte    // the JSON that is sent, byte for byte

	// Seq is the position in the order of the commits, over all clients: 0 until the
	// sequencer has given it, then it never changes. It is also the time at which the
	// event was recorded, in Unix microseconds, made greater than that of every event
	// before: so a range of time is a range of positions.
	Seq int64
}

// RecordedAt returns when the event got its position, or zero if it has none yet.
func (e Event) RecordedAt() time.Time {
	if e.Seq == 0 {
		return time.Time{}
	}
	return time.UnixMicro(e.Seq).UTC()
}
