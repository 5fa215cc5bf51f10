package order

import (
	"errors"
	"time"
)

// Errors of Apply.
var (
	// ErrEnded: the order is already complete or failed.
	ErrEnded = errors.New("the order has ended")
	// ErrNotCollectable: the result was already collected, or the time to collect it is
	// over.
	ErrNotCollectable = errors.New("the order's result was collected or has expired")
	// ErrWrongPerson: the order requires another person.
	ErrWrongPerson = errors.New("the order requires another person")
	// ErrNoPerson: neither the order nor the event names the person who approves.
	ErrNoPerson = errors.New("no person is named to approve the order")
)

// Event is something that happens to an order: Open, Approve, FailApproval, Decline, Cancel or
// Collect.
type Event interface {
	// apply returns the state after the event, or an error. The caller has advanced o
	// to now.
	apply(o Order, now time.Time) (Order, error)
}

// Apply advances o to now and applies e. Errors: ErrEnded for every event except
// Collect, ErrNotCollectable for Collect, ErrWrongPerson for Open, Approve and
// FailApproval, ErrNoPerson for Approve and FailApproval. With an error it returns the
// advanced order, so that the caller can store the result in either case.
func Apply(o Order, e Event, now time.Time) (Order, error) {
	o = o.Advance(now)
	if _, collect := e.(Collect); o.Status != Pending && !collect {
		return o, ErrEnded
	}
	next, err := e.apply(o, now)
	if err != nil {
		return o, err
	}
	return next, nil
}

// Open opens the order on a phone, by QR code or autostart. By is the person of the
// phone, or empty. Opening again only sets the person.
type Open struct{ By string }

func (e Open) apply(o Order, now time.Time) (Order, error) {
	if e.By != "" {
		o.Signer = e.By
	}
	if o.Requirement != "" && o.DefaultSigner() != o.Requirement {
		return o, ErrWrongPerson
	}
	if !o.Opened() {
		o.OpenedAt, o.Hint = now, Started
	}
	return o, nil
}

// Approve signs the order as the person By, or as Order.DefaultSigner if By is empty. It
// opens the order first if needed. It does not compare the signer with Order.Expected;
// the relying party must do that.
type Approve struct{ By string }

func (e Approve) apply(o Order, now time.Time) (Order, error) {
	o, err := sign(o, e.By, now)
	if err != nil {
		return o, err
	}
	return o.end(Complete, "", now), nil
}

// FailApproval is an approval by a person whose BankID is not valid: the order fails with
// Hint, such as "certificateErr" (docs/reference/banks.md 12.2).
type FailApproval struct {
	By   string
	Hint Hint
}

func (e FailApproval) apply(o Order, now time.Time) (Order, error) {
	o, err := sign(o, e.By, now)
	if err != nil {
		return o, err
	}
	return o.end(Failed, e.Hint, now), nil
}

func sign(o Order, by string, now time.Time) (Order, error) {
	o, err := Open{By: by}.apply(o, now)
	if err != nil {
		return o, err
	}
	o.Signer = o.DefaultSigner()
	if o.Signer == "" {
		return o, ErrNoPerson
	}
	return o, nil
}

// Decline is the person's refusal on the phone.
type Decline struct{}

func (Decline) apply(o Order, now time.Time) (Order, error) {
	return o.end(Failed, UserCancel, now), nil
}

// Cancel ends the order on behalf of the relying party, or because of a second order for
// the same person.
type Cancel struct{}

func (Cancel) apply(o Order, now time.Time) (Order, error) {
	return o.end(Failed, Cancelled, now), nil
}

// Collect marks the result of an ended order as collected, which is possible once. It
// does not change a pending order.
type Collect struct{}

func (Collect) apply(o Order, now time.Time) (Order, error) {
	if o.Status == Pending {
		return o, nil
	}
	if !o.collectable(now) {
		return o, ErrNotCollectable
	}
	o.Collected = true
	return o, nil
}
