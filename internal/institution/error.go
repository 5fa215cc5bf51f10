package institution

import (
	"errors"
	"fmt"
	"time"

	"samla/internal/fault"
)

// ErrorKind classifies the failure of an exchange with a bank. The set is closed:
// services decide by it.
type ErrorKind string

// The kinds of failure.
const (
	Unreachable         ErrorKind = "UNREACHABLE"        // no connection, no answer in time, 5xx: try again later
	Busy                ErrorKind = "BUSY"               // 429 that is not about the daily limit of a consent: wait RetryAfter
	Preparing           ErrorKind = "PREPARING"          // the bank makes the answer ready: ask again after RetryAfter
	AccessExceeded      ErrorKind = "ACCESS_EXCEEDED"    // the daily limit of the consent is used up
	ConsentGone         ErrorKind = "CONSENT_GONE"       // revoked, or unknown to the bank
	ConsentOver         ErrorKind = "CONSENT_OVER"       // expired at the bank
	TokenRefused        ErrorKind = "TOKEN_REFUSED"      // the access token is not accepted, or not any more: a refresh may help
	SCARequired         ErrorKind = "SCA_REQUIRED"       // the person has to sign again
	PersonRefused       ErrorKind = "PERSON_REFUSED"     // the bank refuses the person: unknown, no customer, or blocked
	NotCovered          ErrorKind = "NOT_COVERED"        // the consent does not cover this account or kind of data
	Conflict            ErrorKind = "CONFLICT"           // another authentication of the person is in progress
	Refused             ErrorKind = "REFUSED"            // the bank refuses the request: a fault of ours or of the configuration
	CertificateRejected ErrorKind = "CERTIFICATE"        // the bank refuses our certificate or signature: the operator must act
	MalformedResponse   ErrorKind = "MALFORMED_RESPONSE" // the response cannot be understood
	QuestionOver        ErrorKind = "QUESTION_OVER"      // the question of a dialogue is not open any more
	SessionGone         ErrorKind = "SESSION_GONE"       // the session of a login has ended, or is not known
	TurnNeeded          ErrorKind = "TURN_NEEDED"        // the login has to go on before more can be read
	ForeignAddress      ErrorKind = "FOREIGN_ADDRESS"    // a redirect, or a link outside the base URL of the bank; it was not followed
)

// ErrorKinds lists all kinds.
func ErrorKinds() []ErrorKind {
	return []ErrorKind{Unreachable, Busy, Preparing, AccessExceeded, ConsentGone, ConsentOver, TokenRefused, SCARequired, PersonRefused, NotCovered,
		Conflict, Refused, CertificateRejected, MalformedResponse, QuestionOver, SessionGone, TurnNeeded, ForeignAddress}
}

// Error is the failure of one exchange with a bank. Of the request and the
// response it contains only codes and documented names: no identifiers and no texts.
type Error struct {
	Kind       ErrorKind     `json:"kind"`
	Reason     Reason        `json:"reason,omitempty"`     // why, more exactly; "" = not known
	HTTPStatus int           `json:"httpStatus,omitempty"` // 0 without a response
	Code       string        `json:"code,omitempty"`       // a documented error code of the bank; may be empty
	Parameter  string        `json:"parameter,omitempty"`  // the one of our parameters that a refusal names; may be empty
	RequestID  string        `json:"requestId,omitempty"`  // X-Request-ID of the exchange; the bank finds it in its logs
	RetryAfter time.Duration `json:"retryAfter,omitempty"` // from the Retry-After header; 0 = not given
	// NotSent reports that the bank cannot have received the request, so that it
	// can be sent again even where the bank counts what it receives (RTS art.
	// 36(5)(b)). False means that the bank may have received it.
	NotSent bool `json:"notSent,omitempty"`
	// NotCounted reports that the bank has received the request, and by its own answer
	// gave no access to data that it could count: it names a fault in the form of the
	// request, or is still preparing the answer.
	NotCounted bool `json:"notCounted,omitempty"`
	// Detail is what a malformed response breaks: members by their documented names, and
	// their rules. It has no value and no name that the institution chose; may be empty.
	Detail string `json:"detail,omitempty"`
	Cause  error  `json:"-"` // for errors.Is; Error does not print it
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("institution: %s", e.Kind)
	if e.Reason != "" {
		s += " " + string(e.Reason)
	}
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
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the *Error in err. For any other error it returns
// Unreachable, which is retried.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unreachable
}

// ReasonOf returns the reason of the *Error in err, or "".
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// Transient reports whether the same call can succeed later.
func (k ErrorKind) Transient() bool { return k == Unreachable || k == Busy || k == Preparing }

// Attribution returns who caused a failure of this kind, or who has to act.
func (k ErrorKind) Attribution() fault.Attribution {
	switch k {
	case Unreachable, Busy, MalformedResponse, ForeignAddress:
		return fault.ByBank
	case CertificateRejected, Refused:
		return fault.BySamla
	default:
		return fault.ByUser
	}
}
