package store

import (
	"context"
	"time"

	"samla/internal/event"
)

// EventReader reads events that have their position. Those that wait for it are seen by
// nobody but the sequencer.
type EventReader interface {
	// Event reads one event of a client.
	Event(ctx context.Context, clientID, id string) (event.Event, error)
	// Events lists events in the order of their Seq, oldest first and at most limit.
	// A follower that goes on after the Seq of the last one it has seen misses none: an
	// event that becomes visible later has a greater Seq.
	Events(ctx context.Context, f EventFilter, limit int) ([]event.Event, error)
	// LastEvent returns the Seq that was given last, to an event of any client; 0 = none. A
	// list that was read after it had every event up to it.
	LastEvent(ctx context.Context) (seq int64, err error)
	// SweptEvents returns the greatest Seq that Eraser.Sweep has deleted; 0 = none. A list
	// that goes on after a smaller one has a gap.
	SweptEvents(ctx context.Context) (seq int64, err error)
	// UnsequencedEvents reports whether committed events wait for their Seq.
	UnsequencedEvents(ctx context.Context) (bool, error)
}

// EventFilter selects events of one client. Zero members do not restrict.
type EventFilter struct {
	ClientID string // required
	UserID   string
	Type     event.Type
	After    int64 // Seq greater than this
	Before   int64 // Seq less than this
}

// EventWriter writes events.
type EventWriter interface {
	// AddEvent stores an event that has no Seq yet. Call it after the transaction has
	// locked or written the row of the resource: then events of one resource get their
	// Seq in the order of their commits. Between resources the order is that in which
	// the events became visible. An event is never overwritten: a second one with the
	// same id fails the transaction.
	AddEvent(ctx context.Context, e event.Event) error
	// SequenceEvents gives up to limit committed events their Seq, and returns them in
	// that order. One transaction at a time over all nodes can: another one waits for
	// its end. now is the time of recording.
	SequenceEvents(ctx context.Context, now time.Time, limit int) ([]event.Event, error)
}

// EventSignal tells that events wait for their Seq.
type EventSignal interface {
	// EventsAdded has a value after commits of this process that added events. Several
	// commits can share one value. There is one receiver: the sequencer.
	EventsAdded() <-chan struct{}
}
