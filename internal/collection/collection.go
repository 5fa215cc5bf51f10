// Package collection owns collections: the record of a data fetch, and its state
// machine, which is pure (docs/reference/api.md 5.7). Package collect drives it,
// package store stores it.
package collection

import (
	"time"

	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/psu"
)

// Mode is how a collection is permitted.
type Mode string

// The modes. The first two are those of docs/reference/api.md 5.
const (
	Stored   Mode = "STORED"   // uses an authorized consent of the user
	OneTime  Mode = "ONE_TIME" // has a consent of its own, which the person signs and which ends with it
	Dialogue Mode = "DIALOGUE" // has no consent: the person logs in at the institution (package dialogue)
)

// DefaultLease is the time after which a collection without a poll ends
// (docs/reference/api.md 5.6), unless the operator sets another.
const DefaultLease = 60 * time.Second

// MinLease and MaxLease are the limits of that setting.
const (
	MinLease = 30 * time.Second
	MaxLease = 10 * time.Minute
)

// Collection is one data fetch.
type Collection struct {
	ID          string // UUID
	ClientID    string
	UserID      string     // empty: belongs to no user, only to the client (docs/reference/api.md 5.2)
	ConsentID   consent.ID // of a user, or of this collection (Mode)
	Company     string
	LoginMethod string // as requested; may be empty
	Version     string // of the API that started it; see StartedBy
	Mode        Mode
	Attended    bool     // the person is present; false = background refresh (docs/reference/api.md 5.6)
	Filter      []string // ids of the accounts to read; nil = all

	Status          Status
	CreatedAt       time.Time
	StatusChangedAt time.Time
	StartsAt        time.Time // of a queued collection: when it may begin; zero = it was not queued
	BeganAt         time.Time // when a queued one began; zero = it has not
	PolledAt        time.Time // last poll that was stored; the start if there is none
	DataUntil       time.Time // set when completed: end of the retention of the data
	ErasedAt        time.Time // set if the data was erased earlier
	Mapping         int       // version of the mapping that made the products; 0 = not known

	Sealed []byte // Secret, sealed under the subject's key

	Rev    int64     // row version: grows with every change; the store compares it
	WakeAt time.Time // when the job is due; zero = never
}

// Secret is the part of a collection that is only ever stored sealed.
type Secret struct {
	psu.Context // of the person who started it; empty if unattended
	// Asked are the digests of questions that were asked and have no stored answer;
	// only in an unattended collection. A question is added and stored before it is
	// asked, because it must not be asked again when its outcome is unknown: the
	// institution counts unattended reads.
	Asked []string `json:"asked,omitempty"`
	// Prepared is how often questions were asked whose answer is being prepared, by
	// their digests. A try is added and stored before it is made.
	Prepared map[string]int `json:"prepared,omitempty"`
	// Held: the bank refused the stored consent while its renewal waited for the person.
	// Nothing is asked until that has ended (docs/reference/api.md 4.7).
	Held bool `json:"held,omitempty"`

	// From is the first day to ask transactions for, YYYY-MM-DD; only in a collection that a
	// refresh plan has started. Empty: as always.
	From string `json:"from,omitempty"`

	// Dialogue is where the login stands; only in a collection of mode Dialogue. Email and
	// UserID are what the login began with.
	Dialogue *dialogue.State `json:"dialogue,omitempty"`
	Email    string          `json:"email,omitempty"`
	UserID   string          `json:"userId,omitempty"`
}

// Subject returns whose data key seals the data of the collection: the user, or the
// collection itself if it belongs to no user.
func (c Collection) Subject() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.ID
}

// Leased reports whether the collection ends if it is not polled.
func (c Collection) Leased() bool { return c.Attended && !c.Status.Terminal() }

// Waiting reports whether the collection is queued for the next allowed moment.
func (c Collection) Waiting() bool {
	return !c.StartsAt.IsZero() && c.BeganAt.IsZero() && !c.Status.Terminal()
}

// Began returns when the collection began, or was created if it was not queued.
func (c Collection) Began() time.Time {
	if !c.BeganAt.IsZero() {
		return c.BeganAt
	}
	return c.CreatedAt
}

// DataGone reports whether the data of a completed collection is no longer
// available at the time now.
func (c Collection) DataGone(now time.Time) bool {
	return !c.ErasedAt.IsZero() || (!c.DataUntil.IsZero() && !now.Before(c.DataUntil))
}

// Products are the products of a collection, sealed under the subject's key.
type Products struct {
	Form   int // version of the form in which they are written (package product)
	Sealed []byte
}

// RawAnswer is one answer of an institution with the body as received, sealed under
// the subject's key.
type RawAnswer struct {
	CollectionID string
	Seq          int    // order of the answers, from 0
	Kind         string // of the question (institution.Question)
	Mapping      int    // institution.Collector.Mapping at the time
	FetchedAt    time.Time
	Sealed       []byte
}
