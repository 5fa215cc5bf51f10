package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// Kind says why there is no answer.
type Kind string

// The kinds of failure.
const (
	Refused   Kind = "connection refused"
	Timeout   Kind = "no answer in time"
	Failed    Kind = "connection failed"
	Cancelled Kind = "cancelled"
	Untrusted Kind = "partner's certificate does not verify"
	Unwelcome Kind = "partner refused our certificate"
	TooLarge  Kind = "answer too large"
	Foreign   Kind = "address outside the partner's base URL"
	Unsigned  Kind = "request could not be signed"
	Broken    Kind = "partner is resting after many failures"
)

// Error says why there is no answer. Its text never tells what was asked; its
// cause is for errors.Is and must not be shown.
type Error struct {
	Kind   Kind
	Status int // HTTP status with TooLarge, else 0
	cause  error
}

// Error implements error.
func (e *Error) Error() string { return "httpclient: " + string(e.Kind) }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the *Error in err, or Failed.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failed
}

func classify(ctx context.Context, err error) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text is the address
		err = wrapped.Err
	}
	e := &Error{Kind: Failed, cause: err}
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		e.Kind, e.cause = Cancelled, context.Canceled
	case errors.As(err, &untrusted):
		e.Kind = Untrusted
	case alerted(err):
		e.Kind = Unwelcome
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		e.Kind = Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Kind = Refused
	}
	return e
}

// alerted tells a TLS alert of the partner about our certificate. crypto/tls
// gives alerts no exported type, only this operation and their texts.
func alerted(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return false
	}
	text := op.Err.Error()
	for _, about := range []string{"certificate", "access denied", "handshake failure"} {
		if strings.Contains(text, about) {
			return true
		}
	}
	return false
}
