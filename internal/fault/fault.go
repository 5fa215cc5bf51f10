// Package fault owns the closed set of error codes: what each means, who has to act
// and what to do. The domain and the services return a *Fault; only package wire turns
// it into a problem document.
//
// Callers see the text of a fault: it never contains a personal number, a token, a key,
// an IBAN or the error text of a lower layer. The cause is for the log only.
package fault

import (
	"errors"
	"time"
)

// Field is one violation in a request (member errors of docs/reference/api.md 1.6).
type Field struct {
	Pointer string    // RFC 6901 JSON pointer into the body, "?name" for a query parameter, or "@Name" for a header
	Code    FieldCode // kind of rule that is violated
	Message string    // for people; repeats no value of the request
}

// FieldCode is the closed set of errors[].code.
type FieldCode string

// The field codes of docs/reference/api.md 1.6.
const (
	Required     FieldCode = "REQUIRED"
	Invalid      FieldCode = "INVALID"
	UnknownType  FieldCode = "UNKNOWN_TYPE"
	TooLong      FieldCode = "TOO_LONG"
	NotSupported FieldCode = "NOT_SUPPORTED"
	NotAllowed   FieldCode = "NOT_ALLOWED"
)

// Fault is an error with a code of the closed set. Optional members are set by
// the codes that document them.
type Fault struct {
	Code    Code
	Details string  // additional detail for people, may be empty
	Fields  []Field // InvalidParameter
	Remedy  string  // what to do next, in one sentence; "" = that of the code

	UserID            string    // UserExists: the existing user
	ConsentID         string    // ConsentRenewalPending: the consent that waits
	SupportedVersions []string  // UnsupportedVersion
	NextAllowedAt     time.Time // BackgroundRefreshLimit
	RetryAfter        time.Duration
	Allow             string // MethodNotAllowed: value of the header Allow

	cause error
}

// New returns a fault with a code.
func New(c Code) *Fault { return &Fault{Code: c} }

// Detailed returns a fault with a code and details.
func Detailed(c Code, details string) *Fault { return &Fault{Code: c, Details: details} }

// Param returns an InvalidParameter fault for one field.
func Param(pointer string, code FieldCode, message string) *Fault {
	return Params(Field{Pointer: pointer, Code: code, Message: message})
}

// Params returns an InvalidParameter fault for several fields.
func Params(fields ...Field) *Fault { return &Fault{Code: InvalidParameter, Fields: fields} }

// Wrap returns an Internal fault with a cause for the log.
func Wrap(cause error) *Fault { return &Fault{Code: Internal, cause: cause} }

// Error returns the code and the details. It does not contain the cause, which the log
// reads with errors.Unwrap.
func (f *Fault) Error() string {
	if f.Details != "" {
		return string(f.Code) + ": " + f.Details
	}
	return string(f.Code)
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// Is reports whether target is a fault with the same code, for errors.Is(err,
// fault.New(code)).
func (f *Fault) Is(target error) bool {
	var t *Fault
	return errors.As(target, &t) && t.Code == f.Code
}

// From returns the fault in err. For an error without a fault it returns an Internal
// fault with err as its cause, for nil it returns nil.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return Wrap(err)
}

// CodeOf returns the code of the fault in err, Internal for any other error, and "" for
// nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}
