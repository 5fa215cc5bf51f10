package bankid

import (
	"errors"

	"samla/internal/sandbox/bankid/order"
)

// User is the person who signed.
type User struct {
	PersonalNumber string // 12 digits
	Name           string // given name and surname
	GivenName      string
	Surname        string
}

// Collected is the state of an order as returned to its relying party.
type Collected struct {
	OrderRef string
	Status   string // "pending", "failed" or "complete"
	HintCode string // empty when complete
	User     *User  // when complete only
	// Request is the request that started the order, with truncated UserVisibleData.
	Request AuthRequest
}

// Collect returns the state of an order. It returns a complete order only once, within
// 3 minutes of its completion, and a failed one only once, within 5 minutes of its
// failure. After that, and for an unknown reference, the error is InvalidParameters
// (docs/reference/banks.md 12.3, 12.4). An error that is not an *Error means that the
// journal failed.
func (s *Service) Collect(orderRef string) (Collected, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byRef[orderRef]
	err := order.ErrNotCollectable
	if r != nil {
		now := s.clock.Now()
		if err := s.follow(r, now); err != nil {
			return Collected{}, err
		}
		err = s.apply(r, order.Collect{}, now)
	}
	switch {
	case errors.Is(err, order.ErrNotCollectable):
		return Collected{}, &Error{InvalidParameters, "no such order, or its result was already collected"}
	case err != nil:
		return Collected{}, err
	}
	c := Collected{
		OrderRef: orderRef, Status: string(r.state.Status), HintCode: string(r.state.Hint), Request: r.request,
	}
	if r.state.Collected {
		s.markCollected(r)
	}
	if r.state.Status == order.Complete {
		c.User = s.user(r.state.Signer)
	}
	return c, nil
}

// Cancel ends a pending order as failed/cancelled. The error is InvalidParameters if no
// pending order has this reference. An error that is not an *Error means that the
// journal failed.
func (s *Service) Cancel(orderRef string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byRef[orderRef]
	err := order.ErrEnded
	if r != nil {
		now := s.clock.Now()
		if err := s.follow(r, now); err != nil {
			return err
		}
		err = s.apply(r, order.Cancel{}, now)
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
