// Package webhook owns the rules of webhooks: endpoints and their states, secrets and
// signatures, which addresses may be called, and what follows an attempt to deliver an
// event (docs/reference/api.md 7). It is pure: package webhooks sends and stores.
package webhook

import (
	"slices"
	"strings"
	"time"

	"samla/internal/event"
)

// State of an endpoint.
type State string

// The states. Events of a paused endpoint are kept, and delivered after it was resumed.
const (
	Active State = "ACTIVE"
	Paused State = "PAUSED"
)

// Reason says why an endpoint is paused; empty while it is active.
type Reason string

// The reasons.
const (
	ByClient Reason = "BY_CLIENT" // POST /webhook-endpoints/{id}/pause
	Gone     Reason = "GONE"      // the receiver answered 410
	Failing  Reason = "FAILING"   // no attempt succeeded for days
	Restored Reason = "RESTORED"  // its secret was rotated after the backup that was restored
)

// MaxEndpoints is how many endpoints a client may have.
const MaxEndpoints = 20

// Endpoint is a receiver of a client's events. Its URL and secrets are in Sealed.
type Endpoint struct {
	ID, ClientID string
	State        State
	Reason       Reason
	Events       []string // types of events that it gets, sorted
	CreatedAt    time.Time
	ChangedAt    time.Time // since when it has its state
	FailingSince time.Time // first failed attempt since the last success; zero = the last one succeeded
	Sealed       []byte    // Confidential, sealed under the server's key
	Rev          int64     // grows with each change of what is above but FailingSince
	Dirty        int64     // grows when deliveries are added or become due
}

// Confidential is what nobody may read in the database or a log.
type Confidential struct {
	URL      string    `json:"url"`
	Current  Secret    `json:"secret"`
	Previous Secret    `json:"previous,omitempty"` // valid until Until
	Until    time.Time `json:"until,omitzero"`
}

// Pause returns the endpoint paused. A paused endpoint keeps its reason, but for one
// paused by the client, which always may say so.
func (e Endpoint) Pause(why Reason, now time.Time) Endpoint {
	if e.State == Paused && (why != ByClient || e.Reason == ByClient) {
		return e
	}
	if e.State != Paused {
		e.ChangedAt = now
	}
	e.State, e.Reason = Paused, why
	return e
}

// Resume returns the endpoint active, with the days of failure counted anew.
func (e Endpoint) Resume(now time.Time) Endpoint {
	if e.State == Active {
		return e
	}
	e.State, e.Reason, e.ChangedAt, e.FailingSince = Active, "", now, time.Time{}
	return e
}

// After returns the endpoint after an attempt that began at the time at. pauseAfter is how long
// attempts may fail before the endpoint is paused.
func (e Endpoint) After(o Outcome, at time.Time, pauseAfter time.Duration) Endpoint {
	if e.State != Active {
		return e
	}
	switch {
	case o.Success():
		e.FailingSince = time.Time{}
	case o.Status == statusGone:
		return e.Pause(Gone, at)
	case e.FailingSince.IsZero():
		e.FailingSince = at
	case at.Sub(e.FailingSince) >= pauseAfter:
		return e.Pause(Failing, at)
	}
	return e
}

// Gets reports whether the endpoint gets events of a type.
func (e Endpoint) Gets(eventType string) bool { return slices.Contains(e.Events, eventType) }

// EncodeEvents is how a store writes Events: each type between spaces, so that a query
// can find one.
func EncodeEvents(events []string) string { return " " + strings.Join(events, " ") + " " }

// DecodeEvents is the reverse of EncodeEvents.
func DecodeEvents(text string) []string { return strings.Fields(text) }

// DefaultEvents lists the types that an endpoint gets unless it asks for others: those
// that clients of the known API can expect.
func DefaultEvents() []string {
	return typeNames(func(t event.Type) bool {
		return t != event.TypeAccountUpdated && t != event.TypeRefreshPlanChanged && t != event.TypeTest
	})
}

// SelectableEvents lists the types that an endpoint can ask for. A test is sent to the
// endpoint that it is about, whatever it asks for.
func SelectableEvents() []string {
	return typeNames(func(t event.Type) bool { return t != event.TypeTest })
}

func typeNames(which func(event.Type) bool) []string {
	var names []string
	for _, t := range event.Types() {
		if which(t) {
			names = append(names, string(t))
		}
	}
	slices.Sort(names)
	return names
}
