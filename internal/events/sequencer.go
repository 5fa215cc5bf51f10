// Package events gives events their place in the list that clients follow, and reads
// that list (docs/reference/api.md 7.4). It has no rules about what an event says: see
// package event.
package events

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/store"
)

const (
	// batch is how many events one transaction numbers. The transaction holds a lock
	// over all nodes, so it is short.
	batch = 500
	// pollInterval is how often events are looked for without a signal: those of a
	// node that died after their commit, and those of a transaction that failed here.
	pollInterval = time.Second
	// budget bounds one transaction.
	budget = 30 * time.Second
)

// FanOut is called with events that have just got their Seq, in its order, in the
// transaction that gives it: what it writes is committed together with it. Webhooks
// store the deliveries of the endpoints with it. It may run several times for the same
// events, like any function given to store.Transactor, of which one run is committed. An
// error undoes the numbering, which is tried again: nothing is lost, but everything
// behind waits, so FanOut returns only errors of the store.
type FanOut func(ctx context.Context, tx store.Tx, events []event.Event) error

// Deps is what the sequencer works with. FanOut and Sequenced may be nil.
type Deps struct {
	Store interface {
		store.EventReader
		store.EventSignal
		store.Transactor
	}
	Clock  clock.Clock
	Log    *slog.Logger
	FanOut FanOut
	// Sequenced is called after each commit with what was numbered, by this node only.
	// It wakes what waits for events in this process, and must not block.
	Sequenced func(events []event.Event)
}

// Sequencer numbers committed events. Each node has one; the store lets one at a time
// work.
type Sequencer struct{ Deps }

// NewSequencer returns a sequencer that does not run yet.
func NewSequencer(d Deps) *Sequencer { return &Sequencer{d} }

// Run numbers events right after the commits of this process that added them, until ctx
// ends. Events of other nodes are numbered by these, or found within about a second.
func (s *Sequencer) Run(ctx context.Context) {
	for {
		s.round(ctx)
		poll := s.Clock.NewTimer(pollInterval)
		select {
		case <-ctx.Done():
		case <-s.Store.EventsAdded():
		case <-poll.C():
		}
		poll.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// round numbers the events that wait, if there are any. What fails is tried again in the
// next round.
func (s *Sequencer) round(ctx context.Context) {
	waiting, err := s.Store.UnsequencedEvents(ctx)
	if err == nil && waiting {
		err = s.Drain(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("events could not be put in order, it is tried again", "error", err)
	}
}

// Drain numbers all events that were committed before it was called.
func (s *Sequencer) Drain(ctx context.Context) error {
	for {
		n, err := s.step(ctx)
		if err != nil || n < batch {
			return err
		}
	}
}

// errEarly undoes the numbering of events that were made after the time was read, while the
// lock was waited for: what is recorded is not older than what happened.
var errEarly = errors.New("an event was made later than it would be recorded")

// step numbers one batch and returns how many events it had.
func (s *Sequencer) step(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var events []event.Event
	early := true
	number := func(tx store.Tx) (err error) {
		if events, err = tx.SequenceEvents(ctx, s.Clock.Now(), batch); err != nil || len(events) == 0 {
			return err
		}
		if early && slices.ContainsFunc(events, func(e event.Event) bool { return e.At.After(e.RecordedAt()) }) {
			early = false // once: the clock of another node may be ahead
			return errEarly
		}
		if s.FanOut == nil {
			return nil
		}
		return s.FanOut(ctx, tx, events)
	}
	err := s.Store.Write(ctx, number)
	if errors.Is(err, errEarly) {
		err = s.Store.Write(ctx, number)
	}
	if err == nil && len(events) > 0 && s.Sequenced != nil {
		s.Sequenced(events)
	}
	return len(events), err
}
