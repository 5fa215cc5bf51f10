package bankid

import (
	"time"

	"samla/internal/sandbox/bankid/order"
)

// Habit is what a phone does with an order without anybody who acts on it.
type Habit struct {
	// OpenAfter and ActAfter are times from the start of the order; 0: never.
	OpenAfter, ActAfter time.Duration
	Action              Action // Approve or Decline
	By                  string // who approves, 12 digits; empty: the expected person
}

// follow applies the habit of the expected person up to now. Every call that reads or
// changes an order follows the habit first, so that the outcome depends only on times and
// not on when somebody asks. The error is one of the journal.
func (s *Service) follow(r *record, now time.Time) error {
	if s.Habit == nil || r.request.Expected == "" || r.state.Status != order.Pending {
		return nil
	}
	h, ok := s.Habit(r.request.Expected)
	if !ok {
		return nil
	}
	if at := r.StartedAt.Add(h.OpenAfter); h.OpenAfter > 0 && !now.Before(at) && !r.state.Opened() {
		if err := s.happen(r, order.Open{}, at); err != nil {
			return err
		}
	}
	at := r.StartedAt.Add(h.ActAfter)
	if h.ActAfter <= 0 || now.Before(at) {
		return nil
	}
	e, err := s.event(PhoneAction{Action: h.Action, PersonalNumber: h.By}, r)
	if err != nil {
		return nil // a habit without an action
	}
	return s.happen(r, e, at)
}

// happen applies what a person does. It ignores that the order has ended or requires
// another person: then it is as if the person had done nothing.
func (s *Service) happen(r *record, e order.Event, at time.Time) error {
	if _, err := order.Apply(r.state, e, at); err != nil {
		return nil
	}
	return s.apply(r, e, at)
}
