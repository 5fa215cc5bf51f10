// Package order is the state machine of one simulated BankID order, as a pure function:
// (order, event, time) -> (order, error). Package bankid stores the orders and passes
// the time.
//
//	            open              reading time           approve
//	created -> pending/          pending/ ------------> pending/ ------> complete
//	           outstanding- ---> started                userSign
//	           Transaction          |                      |
//	               | 30 s           +--- 3 min from the start of the order ---> failed/expiredTransaction
//	               v                +--- the person declines -----------------> failed/userCancel
//	       failed/startFailed       +--- cancel, or a second order -----------> failed/cancelled
//	                                +--- the person's BankID is not valid ----> failed/<hint>
//
// Source: docs/reference/banks.md 12.4.
package order

import "time"

// Status is the status of an order (docs/reference/banks.md 12.1).
type Status string

// The three statuses.
const (
	Pending  Status = "pending"
	Failed   Status = "failed"
	Complete Status = "complete"
)

// Hint is the hintCode of a pending or failed order (docs/reference/banks.md 12.2).
type Hint string

// The hints that the state machine sets. FailApproval can set any other.
const (
	Outstanding        Hint = "outstandingTransaction"
	Started            Hint = "started"
	UserSign           Hint = "userSign"
	StartFailed        Hint = "startFailed"
	ExpiredTransaction Hint = "expiredTransaction"
	UserCancel         Hint = "userCancel"
	Cancelled          Hint = "cancelled"
)

// The time limits of docs/reference/banks.md 12.4. A time that is exactly at the limit
// is too late.
const (
	OpenWithin   = 30 * time.Second // from the start of the order to its opening
	FinishWithin = 3 * time.Minute  // from the start of the order to its end
	KeepComplete = 3 * time.Minute  // from completion; then the result cannot be collected
	KeepFailed   = 5 * time.Minute  // from failure; then the result cannot be collected
	// ReadingTime is how long an opened order has the hint "started" before "userSign",
	// when the phone asks for the security code. BankID does not document a value; this
	// one is our own.
	ReadingTime = time.Second
	// MaxAge is the age at which no order is pending or collectable any more.
	MaxAge = FinishWithin + KeepFailed
)

// Order is the state of one order. New returns a valid one; the zero value is not valid.
type Order struct {
	Status Status `json:"status"`
	Hint   Hint   `json:"hint,omitempty"` // empty once complete
	// Expected and Requirement are 12-digit personal numbers or empty. They are
	// described at bankid.AuthRequest.
	Expected    string `json:"expected,omitempty"`
	Requirement string `json:"requirement,omitempty"`
	// Signer is the person named when the order was opened, and after completion the
	// person who signed. It is empty as long as no person was named.
	Signer    string    `json:"signer,omitempty"`
	StartedAt time.Time `json:"startedAt"`
	OpenBy    time.Time `json:"openBy,omitzero"`     // when it fails unless it is opened; zero: OpenWithin after StartedAt
	OpenedAt  time.Time `json:"openedAt,omitzero"`   // zero until opened
	EndedAt   time.Time `json:"endedAt,omitzero"`    // zero while pending; after a timeout it is the time limit
	Collected bool      `json:"collected,omitempty"` // the result was collected
}

// New returns an order that starts at now.
func New(expected, requirement string, now time.Time) Order {
	return Order{Status: Pending, Hint: Outstanding, Expected: expected, Requirement: requirement, StartedAt: now}
}

// Opened reports whether the order has been opened on a phone.
func (o Order) Opened() bool { return !o.OpenedAt.IsZero() }

// DefaultSigner returns the person who signs if the approval names none: the person who
// opened the order, or else Requirement, or else Expected. It may be empty.
func (o Order) DefaultSigner() string {
	for _, p := range []string{o.Signer, o.Requirement, o.Expected} {
		if p != "" {
			return p
		}
	}
	return ""
}

// Advance applies the time limits up to now. Intermediate calls do not change the result.
func (o Order) Advance(now time.Time) Order {
	if o.Status != Pending {
		return o
	}
	if !o.Opened() {
		limit := o.OpenBy
		if limit.IsZero() {
			limit = o.StartedAt.Add(OpenWithin)
		}
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

// collectable reports whether the result of an ended order can still be collected at now.
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
