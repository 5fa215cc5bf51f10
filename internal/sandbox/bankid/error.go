package bankid

import (
	"errors"
	"strings"

	"samla/internal/sandbox/bankid/order"
)

// Code names why a call was refused.
type Code = string

// The codes. The first three go to the relying party as errorCode (docs/reference/banks.md
// 12.3); the others are for whoever holds the phone and are ours.
const (
	AlreadyInProgress Code = "alreadyInProgress" // the earlier order is cancelled too
	InvalidParameters Code = "invalidParameters" // a value out of its rules; an orderRef that is unknown or used up
	TooManyRequests   Code = "tooManyRequests"   // more orders alive than the service holds

	UnknownOrder Code = "unknownOrder" // no order in progress has this token, or waits for this person
	InvalidQR    Code = "invalidQr"    // not a BankID QR text, or its HMAC is wrong
	StaleQR      Code = "staleQr"      // a QR text of another moment; scan the one shown now
	OrderEnded   Code = "orderEnded"   // complete or failed already
	WrongPerson  Code = "wrongPerson"  // BankID was told to demand somebody else
	PersonNeeded Code = "personNeeded" // nobody is named to approve
)

// Error is a refusal. Details is one sentence for people; it never holds a
// token or a personal number.
type Error struct {
	Code    Code
	Details string
}

// Error implements error.
func (e *Error) Error() string { return "bankid: " + e.Code + ": " + e.Details }

// phoneError says the refusal of an order in state o in the words of the phone.
func phoneError(err error, o order.Order) error {
	switch {
	case errors.Is(err, order.ErrEnded):
		return &Error{OrderEnded, strings.TrimSuffix("the order is "+string(o.Status)+"/"+string(o.Hint), "/") + " already; start a new one"}
	case errors.Is(err, order.ErrWrongPerson):
		return &Error{WrongPerson, "the order demands another person; approve as that person or cancel"}
	case errors.Is(err, order.ErrNobody):
		return &Error{PersonNeeded, "the order expects nobody in particular; name a personalNumber"}
	}
	return err
}
