package institution

import (
	"errors"
	"fmt"
	"time"

	"samla/internal/fault"
)

// ErrorKind is what a failure at a bank comes down to; the closed set that
// services decide by.
type ErrorKind string

// The kinds of failure.
const (
	Unreachable    ErrorKind = "UNREACHABLE"     // no connection, no answer in time, 5xx: try again later
	Busy           ErrorKind = "BUSY"            // 429 without a consent's limit being meant: wait RetryAfter
	AccessExceeded ErrorKind = "ACCESS_EXCEEDED" // the consent was read too often today
	ConsentGone    ErrorKind = "CONSENT_GONE"    // withdrawn or unknown at the bank
	ConsentOver    ErrorKind = "CONSENT_OVER"    // expired at the bank
	SCARequired    ErrorKind = "SCA_REQUIRED"    // the person must sign again
	PersonRefused  ErrorKind = "PERSON_REFUSED"  // the bank does not know the person, or not as a customer
	NotCovered     ErrorKind = "NOT_COVERED"     // this account or kind of data cannot be read
	Conflict       ErrorKind = "CONFLICT"        // another authentication of the person is going on
	Refused        ErrorKind = "REFUSED"         // the bank refuses what we ask: a fault of ours or of the set-up
	CertificateBad ErrorKind = "CERTIFICATE"     // our certificate or signature is refused: the operator must act
	Garbled        ErrorKind = "GARBLED"         // the answer cannot be understood
	ForeignAddress ErrorKind = "FOREIGN_ADDRESS" // the bank named a link on another host; it was not followed
)

// Error is a failure of one exchange with a bank. It repeats nothing of what
// was sent or answered but codes: no identifiers, no texts.
type Error struct {
	Kind       ErrorKind
	HTTPStatus int           // 0 when there was no answer
	Code       string        // the bank's own code, from its documented set; may be empty
	RequestID  string        // X-Request-ID of the exchange, to ask the bank by
	RetryAfter time.Duration // what the bank asked for, 0 = nothing
	// NotSent reports that the bank cannot have received the request, so that it
	// can be sent again even where the bank counts what it receives (RTS art.
	// 36(5)(b)). False means that the bank may have received it.
	NotSent bool
	Cause   error // for errors.Is; its text is not shown
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("institution: %s", e.Kind)
	if e.HTTPStatus != 0 {
		s += fmt.Sprintf(" (HTTP %d", e.HTTPStatus)
		if e.Code != "" {
			s += " " + e.Code
		}
		s += ")"
	}
	if e.RequestID != "" {
		s += " request " + e.RequestID
	}
	return s
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the bank error in err; Unreachable for any other
// error, because what is not known may pass.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unreachable
}

// Passing reports whether the same call may well succeed later.
func (k ErrorKind) Passing() bool { return k == Unreachable || k == Busy }

// Attribution says who caused a failure of this kind or has to act.
func (k ErrorKind) Attribution() fault.Attribution {
	switch k {
	case Unreachable, Busy, Garbled, ForeignAddress:
		return fault.ByBank
	case CertificateBad, Refused:
		return fault.BySamla
	default:
		return fault.ByUser
	}
}
