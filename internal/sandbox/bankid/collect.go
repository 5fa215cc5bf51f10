package bankid

import (
	"errors"

	"samla/internal/sandbox/bankid/order"
)

// User is who signed.
type User struct {
	PersonalNumber string // 12 digits
	Name           string // given name and surname
	GivenName      string
	Surname        string
}

// Collected is an order as its relying party sees it.
type Collected struct {
	OrderRef string
	Status   string // "pending", "failed" or "complete"
	HintCode string // empty when complete
	User     *User  // when complete only
	// Request is what started the order, its UserVisibleData shortened.
	Request AuthRequest
}

// Collect tells where an order stands. A complete order is told once within
// 3 minutes of its completion, a failed one once within 5 minutes of its
// failure; then, and for a reference that never was, the answer is
// InvalidParameters (docs/reference/banks.md 12.3, 12.4). Any other error says that the end
// could not be written down (Keep).
func (s *Service) Collect(orderRef string) (Collected, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byRef[orderRef]
	err := order.ErrGone
	if r != nil {
		err = s.apply(r, order.Collect{}, s.clock.Now())
	}
	switch {
	case errors.Is(err, order.ErrGone):
		return Collected{}, &Error{InvalidParameters, "no such order, or its result is used up"}
	case err != nil:
		return Collected{}, err
	}
	c := Collected{
		OrderRef: orderRef, Status: string(r.state.Status), HintCode: string(r.state.Hint), Request: r.request,
	}
	if r.state.Collected {
		s.spend(r)
	}
	if r.state.Status == order.Complete {
		c.User = s.user(r.state.Signer)
	}
	return c, nil
}

// Cancel ends a pending order as failed/cancelled. InvalidParameters when there
// is none; any other error says that it could not be written down (Keep).
func (s *Service) Cancel(orderRef string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byRef[orderRef]
	err := order.ErrEnded
	if r != nil {
		err = s.apply(r, order.Cancel{}, s.clock.Now())
	}
	if errors.Is(err, order.ErrEnded) {
		return &Error{InvalidParameters, "no such order, or it has ended"}
	}
	return err
}

func (s *Service) user(personalNumber string) *User {
	var given, surname string
	if s.Names != nil {
		given, surname = s.Names(personalNumber)
	}
	if given == "" && surname == "" {
		given, surname = "Test", "Person"
	}
	return &User{PersonalNumber: personalNumber, Name: given + " " + surname, GivenName: given, Surname: surname}
}
