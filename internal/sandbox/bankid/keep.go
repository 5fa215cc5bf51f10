package bankid

import (
	"fmt"
	"time"

	"samla/internal/sandbox/bankid/order"
	"samla/internal/sandbox/journal"
)

// entry is one line of the journal (package journal): a new order with its
// request, or the new state of an earlier one. It holds QR secrets and personal
// numbers, of the sandbox only.
type entry struct {
	Ref     string       `json:"ref"`
	Order   *Order       `json:"order,omitempty"`
	Request *AuthRequest `json:"request,omitempty"`
	State   order.Order  `json:"state"`
}

// Keep makes the orders survive a restart, in the file at path: it takes up what
// an earlier run left there, and from now on each change is in the file before
// its answer. Orders go on with the times they had. The one difference is that
// an end that was told may be told once more after a restart: the relying party
// may have been killed before it wrote down what it heard. Call it before the
// first other call. Errors: those of journal.Open.
//
// Once a line cannot be written, every call that would change an order fails
// with that error, which is no *Error, and changes nothing.
func (s *Service) Keep(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.journal, err = journal.Open(path, s.take, s.entries); err != nil {
		return fmt.Errorf("bankid: %w", err)
	}
	return nil
}

// Close closes the journal; what changes afterwards is not kept. A second Close
// does nothing.
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

// apply lets e happen to the order, writes down what it leads to and keeps it.
// What time alone does is not written: it is the same after a restart.
func (s *Service) apply(r *record, e order.Event, now time.Time) error {
	next, err := order.Apply(r.state, e, now)
	if err == nil && next != r.state.Settle(now) {
		if err := s.journal.Write(entry{Ref: r.OrderRef, State: next}); err != nil {
			return fmt.Errorf("bankid: %w", err)
		}
	}
	r.state = next
	return err
}

// begin writes a new order down and keeps it.
func (s *Service) begin(r *record) error {
	if err := s.journal.Write(r.entry()); err != nil {
		return fmt.Errorf("bankid: %w", err)
	}
	s.keep(r)
	return nil
}

func (r *record) entry() entry {
	return entry{Ref: r.OrderRef, Order: &r.Order, Request: &r.request, State: r.state}
}

// entries yields what restores the orders, all of which take has found young
// enough.
func (s *Service) entries(yield func(entry) bool) {
	for e := s.spent.Front(); e != nil; e = e.Next() {
		told := e.Value.(*record).entry()
		told.State.Collected = true
		if !yield(told) {
			return
		}
	}
	for e := s.byAge.Front(); e != nil; e = e.Next() {
		if !yield(e.Value.(*record).entry()) {
			return
		}
	}
}

// take is one line of an earlier run. Orders too old to matter are left out, and
// with them their later lines.
func (s *Service) take(e entry) {
	r := s.byRef[e.Ref]
	switch {
	case r != nil:
		r.state = e.State
	case e.Ref == "" || e.Order == nil || e.Request == nil || e.Order.OrderRef != e.Ref || s.clock.Now().Sub(e.Order.StartedAt) >= order.Life:
		return
	default:
		r = &record{Order: *e.Order, request: *e.Request, state: e.State}
		s.keep(r)
	}
	if r.state.Collected {
		r.state.Collected = false // it may be told once more
		s.spend(r)
	}
}
