package bankid

import (
	"errors"
	"strings"

	"samla/internal/sandbox/bankid/order"
)

// Code identifies the reason of an Error.
type Code = string

// The codes. The first three are errorCodes of the relying party API
// (docs/reference/banks.md 12.3). The others are our own, for the phone.
const (
	AlreadyInProgress Code = "alreadyInProgress" // the earlier order is cancelled too
	InvalidParameters Code = "invalidParameters" // an invalid value; an orderRef that is unknown or already collected
	TooManyRequests   Code = "tooManyRequests"   // the service has too many orders

	UnknownOrder Code = "unknownOrder" // no order has this token or waits for this person
	InvalidQR    Code = "invalidQr"    // not a BankID QR text, or its HMAC is wrong
	StaleQR      Code = "staleQr"      // the QR text is too old or from the future
	OrderEnded   Code = "orderEnded"   // the order is already complete or failed
	WrongPerson  Code = "wrongPerson"  // the order requires another person
	PersonNeeded Code = "personNeeded" // neither the order nor the action names a person
)

// Error is an error that the caller can correct. Details is one sentence for a person
// to read; it never contains a token or a personal number.
type Error struct {
	Code    Code
	Details string
}

// Error implements error.
func (e *Error) Error() string { return "bankid: " + e.Code + ": " + e.Details }

// phoneError converts an error of an order in state o to an Error for the phone.
func phoneError(err error, o order.Order) error {
	switch {
	case errors.Is(err, order.ErrEnded):
		return &Error{OrderEnded, strings.TrimSuffix("the order is "+string(o.Status)+"/"+string(o.Hint), "/") + " already; start a new one"}
	case errors.Is(err, order.ErrWrongPerson):
		return &Error{WrongPerson, "the order requires another person; approve as that person or cancel"}
	case errors.Is(err, order.ErrNoPerson):
		return &Error{PersonNeeded, "the order does not expect a certain person; give a personalNumber"}
	}
	return err
}
