package order

import (
	"errors"
	"time"
)

// Why an event was refused.
var (
	// ErrEnded: the order is complete or failed; nothing moves it any more.
	ErrEnded = errors.New("the order has ended")
	// ErrGone: its result was collected, or the time to collect it is over.
	ErrGone = errors.New("the order's result is used up or too old")
	// ErrWrongPerson: BankID was told to demand somebody else.
	ErrWrongPerson = errors.New("the order demands another person")
	// ErrNobody: an approval needs a person, and nobody names one.
	ErrNobody = errors.New("nobody is named to approve the order")
)

// Event is something that happens to an order: Open, Approve, Refuse, Decline, Cancel or
// Collect.
type Event interface {
	// on is given a settled order and returns the next one, or an error and the
	// order as it was.
	on(o Order, now time.Time) (Order, error)
}

// Apply settles o at now and lets e happen to it. Errors: ErrEnded from every
// event but Collect, ErrGone from Collect, ErrWrongPerson from Open, Approve and
// Refuse, ErrNobody from Approve and Refuse. With an error the order returned is
// the settled one, so that it can be stored either way.
func Apply(o Order, e Event, now time.Time) (Order, error) {
	o = o.Settle(now)
	if _, collect := e.(Collect); o.Status != Pending && !collect {
		return o, ErrEnded
	}
	next, err := e.on(o, now)
	if err != nil {
		return o, err
	}
	return next, nil
}

// Open is a phone that takes the order, by QR code or autostart. By is the
// person whose phone it is, or empty. Opening again does nothing but may name
// the person.
type Open struct{ By string }

func (e Open) on(o Order, now time.Time) (Order, error) {
	if e.By != "" {
		o.Signer = e.By
	}
	if o.Requirement != "" && o.Person() != o.Requirement {
		return o, ErrWrongPerson
	}
	if !o.Opened() {
		o.OpenedAt, o.Hint = now, Started
	}
	return o, nil
}

// Approve is the person By, or if empty Order.Person, who signs. An order that
// no phone has taken is opened first. Whom the relying party expects is not
// asked: comparing is its own duty.
type Approve struct{ By string }

func (e Approve) on(o Order, now time.Time) (Order, error) {
	o, err := sign(o, e.By, now)
	if err != nil {
		return o, err
	}
	return o.end(Complete, "", now), nil
}

// Refuse is an approval by a person whose BankID does not hold: the order fails
// with Why, e.g. "certificateErr" (docs/reference/banks.md 12.2).
type Refuse struct {
	By  string
	Why Hint
}

func (e Refuse) on(o Order, now time.Time) (Order, error) {
	o, err := sign(o, e.By, now)
	if err != nil {
		return o, err
	}
	return o.end(Failed, e.Why, now), nil
}

func sign(o Order, by string, now time.Time) (Order, error) {
	o, err := Open{By: by}.on(o, now)
	if err != nil {
		return o, err
	}
	o.Signer = o.Person()
	if o.Signer == "" {
		return o, ErrNobody
	}
	return o, nil
}

// Decline is the person who says no on the phone.
type Decline struct{}

func (Decline) on(o Order, now time.Time) (Order, error) {
	return o.end(Failed, UserCancel, now), nil
}

// Cancel is the relying party that gives up, or a second order for the same
// person.
type Cancel struct{}

func (Cancel) on(o Order, now time.Time) (Order, error) {
	return o.end(Failed, Cancelled, now), nil
}

// Collect is the relying party that asks. A pending order stays as it is; the
// end of an order is told once.
type Collect struct{}

func (Collect) on(o Order, now time.Time) (Order, error) {
	if o.Status == Pending {
		return o, nil
	}
	if !o.collectable(now) {
		return o, ErrGone
	}
	o.Collected = true
	return o, nil
}
