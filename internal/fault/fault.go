// Package fault owns the closed set of error codes: what each means, who has to
// act and what to do. Domain and services return a *Fault; package wire is
// the one place that turns it into a problem document.
//
// A fault's text is shown to callers: never put a personal number, token, key,
// IBAN or a lower layer's error text into it. The cause is for the log only.
package fault

import (
	"errors"
	"time"
)

// Field is one broken rule of a request (member errors of docs/reference/api.md 1.6).
type Field struct {
	Pointer string    // RFC 6901 JSON pointer into the body, or "?name" for a query parameter
	Code    FieldCode // which kind of rule
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

	UserID            string    // UserExists: the existing user
	SupportedVersions []string  // UnsupportedVersion
	NextAllowedAt     time.Time // BackgroundRefreshLimit
	RetryAfter        time.Duration
	Allow             string // MethodNotAllowed: value of the header Allow

	cause error
}

// New makes a fault of the given code.
func New(c Code) *Fault { return &Fault{Code: c} }

// Detailed makes a fault of the given code with additional detail.
func Detailed(c Code, details string) *Fault { return &Fault{Code: c, Details: details} }

// Param makes an InvalidParameter fault for one field.
func Param(pointer string, code FieldCode, message string) *Fault {
	return Params(Field{Pointer: pointer, Code: code, Message: message})
}

// Params makes an InvalidParameter fault for several fields.
func Params(fields ...Field) *Fault { return &Fault{Code: InvalidParameter, Fields: fields} }

// Wrap makes an Internal fault that keeps its cause for the log.
func Wrap(cause error) *Fault { return &Fault{Code: Internal, cause: cause} }

// Error tells the code and, when there is one, the detail. It never tells the
// cause: that is read with errors.Unwrap by whoever writes the log.
func (f *Fault) Error() string {
	if f.Details != "" {
		return string(f.Code) + ": " + f.Details
	}
	return string(f.Code)
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// Is makes errors.Is(err, fault.New(code)) true for any fault of that code.
func (f *Fault) Is(target error) bool {
	var t *Fault
	return errors.As(target, &t) && t.Code == f.Code
}

// From finds the fault in err. An error that holds none becomes an Internal
// fault with err as its cause; nil stays nil.
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

// CodeOf returns the code of the fault in err, Internal for another error and
// the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}
