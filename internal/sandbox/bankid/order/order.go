// Package order owns the life of one simulated BankID order as pure code:
// (order, event, time) -> (order, error). It knows no clock, lock or network;
// package bankid keeps the orders and hands them the time.
//
//	            open              reading time           approve
//	created -> pending/          pending/ ------------> pending/ ------> complete
//	           outstanding- ---> started                userSign
//	           Transaction          |                      |
//	               | 30 s           +--- 3 min from the start of the order ---> failed/expiredTransaction
//	               v                +--- the person says no -----------------> failed/userCancel
//	       failed/startFailed       +--- cancel, or a second order -----------> failed/cancelled
//	                                +--- the person's BankID does not hold ---> failed/<hint>
//
// Source: docs/reference/banks.md 12.4.
package order

import "time"

// Status is what collect answers first (docs/reference/banks.md 12.1).
type Status string

// The three statuses.
const (
	Pending  Status = "pending"
	Failed   Status = "failed"
	Complete Status = "complete"
)

// Hint is the hintCode beside a pending or failed status (docs/reference/banks.md 12.2). A
// refusal carries any hint its event names; these are those an order reaches by
// itself.
type Hint string

// The hints of the machine.
const (
	Outstanding        Hint = "outstandingTransaction"
	Started            Hint = "started"
	UserSign           Hint = "userSign"
	StartFailed        Hint = "startFailed"
	ExpiredTransaction Hint = "expiredTransaction"
	UserCancel         Hint = "userCancel"
	Cancelled          Hint = "cancelled"
)

// The limits of docs/reference/banks.md 12.4. A moment that is exactly a limit away is too late.
const (
	OpenWithin   = 30 * time.Second // from the start of the order to its opening
	FinishWithin = 3 * time.Minute  // from the start of the order to its end
	KeepComplete = 3 * time.Minute  // from completion to the last moment of collection
	KeepFailed   = 5 * time.Minute  // from failure to the last moment of collection
	// ReadingTime is how long an opened order shows "started" before the phone
	// asks for the code ("userSign"). It is ours: BankID gives no figure.
	ReadingTime = time.Second
	// Life is the longest any order can matter; after it, it may be forgotten.
	Life = FinishWithin + KeepFailed
)

// Order is one order's state. The zero value is no order: use New.
type Order struct {
	Status Status `json:"status"`
	Hint   Hint   `json:"hint,omitempty"` // empty once complete
	// Expected and Requirement are 12-digit personal numbers or empty; see
	// bankid.AuthRequest for the difference.
	Expected    string `json:"expected,omitempty"`
	Requirement string `json:"requirement,omitempty"`
	// Signer is the person whose phone opened it, and after completion the one
	// who signed; empty while nobody was named.
	Signer    string    `json:"signer,omitempty"`
	StartedAt time.Time `json:"startedAt"`
	OpenedAt  time.Time `json:"openedAt,omitzero"`   // zero until opened
	EndedAt   time.Time `json:"endedAt,omitzero"`    // zero while pending; a time-out ends at its limit, not when it was noticed
	Collected bool      `json:"collected,omitempty"` // its end has been told, which happens once
}

// New starts an order at now.
func New(expected, requirement string, now time.Time) Order {
	return Order{Status: Pending, Hint: Outstanding, Expected: expected, Requirement: requirement, StartedAt: now}
}

// Opened tells whether a phone has the order, or had it before it ended.
func (o Order) Opened() bool { return !o.OpenedAt.IsZero() }

// Person is who signs if the phone names nobody: who opened it by name, else
// who BankID was told to demand, else who the relying party expects.
func (o Order) Person() string {
	for _, p := range []string{o.Signer, o.Requirement, o.Expected} {
		if p != "" {
			return p
		}
	}
	return ""
}

// Settle moves the order by time alone, to what it is at now. Settling often or
// seldom leads to the same order.
func (o Order) Settle(now time.Time) Order {
	if o.Status != Pending {
		return o
	}
	if limit := o.StartedAt.Add(OpenWithin); !o.Opened() {
		if !now.Before(limit) {
			return o.end(Failed, StartFailed, limit)
		}
		return o
	}
	if limit := o.StartedAt.Add(FinishWithin); !now.Before(limit) {
		return o.end(Failed, ExpiredTransaction, limit)
	}
	if !now.Before(o.OpenedAt.Add(ReadingTime)) {
		o.Hint = UserSign
	}
	return o
}

// collectable tells whether an ended order's result can still be told at now.
func (o Order) collectable(now time.Time) bool {
	keep := KeepFailed
	if o.Status == Complete {
		keep = KeepComplete
	}
	return !o.Collected && now.Before(o.EndedAt.Add(keep))
}

func (o Order) end(s Status, h Hint, at time.Time) Order {
	o.Status, o.Hint, o.EndedAt = s, h, at
	return o
}
