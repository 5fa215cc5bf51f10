// Package collection owns data fetches: what one is, and the pure state machine
// that says what may happen to it (docs/reference/api.md 5.7). Package collect drives it,
// package store keeps it.
package collection

import (
	"samla/internal/consent"
	"samla/internal/psu"
	"time"
)

// Mode says where a collection's consent comes from.
type Mode string

// The two modes of docs/reference/api.md 5.
const (
	Stored  Mode = "STORED"   // an authorized consent is used again
	OneTime Mode = "ONE_TIME" // the person signs inside the collection; the consent ends with it
)

// Lease is how long a collection lives without being polled (docs/reference/api.md 5.1).
const Lease = 60 * time.Second

// Collection is one data fetch.
type Collection struct {
	ID          string // UUID
	ClientID    string
	UserID      string     // empty: belongs to nobody but the client (docs/reference/api.md 5.2)
	ConsentID   consent.ID // the stored consent, or the one that lives inside
	Company     string
	LoginMethod string // as given at the start, may be empty
	Mode        Mode
	Attended    bool     // the person is there; false = background refresh (docs/reference/api.md 5.6)
	Filter      []string // account ids to limit the collection to; nil = all

	Status          Status
	CreatedAt       time.Time
	StatusChangedAt time.Time
	PolledAt        time.Time // last poll as far as it was written down; start when never polled
	DataUntil       time.Time // set when completed: the data is kept until then
	ErasedAt        time.Time // set when the data was erased before

	Sealed []byte // Secret, sealed under the subject's key

	Rev    int64     // grows with every change of state; the store compares it
	WakeAt time.Time // when the flow looks at the row again; zero = never
}

// Secret is the part of a collection that is only ever stored sealed.
type Secret struct {
	psu.Context // of the person who started it; only when attended
	// Asked names the questions that were put to the institution and have no stored
	// answer; only when the person is not there. It is committed before a question
	// is asked: the institution counts those reads, so that a question whose
	// outcome is not known must not be asked again.
	Asked []string `json:"asked,omitempty"`
}

// Subject names whose data key seals what the collection brings: the user, or
// the collection itself where there is no user.
func (c Collection) Subject() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.ID
}

// Leased reports whether the collection ends when it is not polled.
func (c Collection) Leased() bool { return c.Attended && !c.Status.Terminal() }

// DataGone reports whether the data of a completed collection can no longer be
// had at the time now.
func (c Collection) DataGone(now time.Time) bool {
	return !c.ErasedAt.IsZero() || (!c.DataUntil.IsZero() && !now.Before(c.DataUntil))
}

// RawAnswer is one answer of an institution as it came, sealed under the
// subject's key.
type RawAnswer struct {
	CollectionID string
	Seq          int    // order of reading, from 0
	Kind         string // what was asked, in the connector's words
	Mapping      int    // version of the mapping that was current
	FetchedAt    time.Time
	Sealed       []byte
}
