package bankid

import (
	"fmt"
	"time"

	"samla/internal/sandbox/bankid/order"
	"samla/internal/sandbox/journal"
)

// entry is one line of the journal (package journal): a new order with its request, or
// the new state of an existing order. It contains QR secrets and personal numbers of
// test persons.
type entry struct {
	Ref     string       `json:"ref"`
	Order   *Order       `json:"order,omitempty"`
	Request *AuthRequest `json:"request,omitempty"`
	State   order.Order  `json:"state"`
}

// OpenJournal loads the orders of an earlier run from the file at path, and from now on
// writes each change to it before the call that made the change returns. Orders keep
// their times over a restart. The only difference is that Collect may return a result
// once more after a restart, because the relying party may have been killed before it
// stored the result. Call OpenJournal before any other method. Its errors are those of
// journal.Open.
//
// After a failed write, every call that would change an order returns that error, which
// is not an *Error, and changes nothing.
func (s *Service) OpenJournal(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.journal, err = journal.Open(path, s.replay, s.entries); err != nil {
		return fmt.Errorf("bankid: %w", err)
	}
	return nil
}

// Close closes the journal. Later changes are in memory only. A second Close does
// nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	s.journal = nil
	if err := j.Close(); err != nil {
		return fmt.Errorf("bankid: %w", err)
	}
	return nil
}

// apply applies e to the order and writes the new state to the journal. Changes caused
// only by time are not written, because they are computed again after a restart.
func (s *Service) apply(r *record, e order.Event, now time.Time) error {
	next, err := order.Apply(r.state, e, now)
	if err == nil && next != r.state.Advance(now) {
		if err := s.journal.Write(entry{Ref: r.OrderRef, State: next}); err != nil {
			return fmt.Errorf("bankid: %w", err)
		}
	}
	r.state = next
	return err
}

// addNew writes a new order to the journal and adds it.
func (s *Service) addNew(r *record) error {
	if err := s.journal.Write(r.entry()); err != nil {
		return fmt.Errorf("bankid: %w", err)
	}
	s.add(r)
	return nil
}

func (r *record) entry() entry {
	return entry{Ref: r.OrderRef, Order: &r.Order, Request: &r.request, State: r.state}
}

// entries yields the entries that restore the orders.
func (s *Service) entries(yield func(entry) bool) {
	for e := s.collected.Front(); e != nil; e = e.Next() {
		entry := e.Value.(*record).entry()
		entry.State.Collected = true
		if !yield(entry) {
			return
		}
	}
	for e := s.uncollected.Front(); e != nil; e = e.Next() {
		if !yield(e.Value.(*record).entry()) {
			return
		}
	}
}

// replay applies one entry of an earlier run. It ignores the entries of expired orders.
func (s *Service) replay(e entry) {
	r := s.byRef[e.Ref]
	switch {
	case r != nil:
		r.state = e.State
	case e.Ref == "" || e.Order == nil || e.Request == nil || e.Order.OrderRef != e.Ref || s.clock.Now().Sub(e.Order.StartedAt) >= order.MaxAge:
		return
	default:
		r = &record{Order: *e.Order, request: *e.Request, state: e.State}
		s.add(r)
	}
	if r.state.Collected {
		r.state.Collected = false // the result may be collected once more
		s.markCollected(r)
	}
}
