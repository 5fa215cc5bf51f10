package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// Kind says why there is no answer.
type Kind string

// The kinds of failure.
const (
	Refused     Kind = "connection refused"
	Timeout     Kind = "no answer in time"
	Failed      Kind = "connection failed"
	Cancelled   Kind = "cancelled"
	Untrusted   Kind = "partner's certificate does not verify"
	Unwelcome   Kind = "partner refused our certificate"
	TooLarge    Kind = "answer too large"
	Foreign     Kind = "address outside the partner's base URL"
	Unsigned    Kind = "request could not be signed"
	CircuitOpen Kind = "not sent after many calls without a response"
)

// Error says why there is no response. Its text tells nothing about the request.
// Its cause is for errors.Is and must not be shown. It is context.Canceled or
// context.DeadlineExceeded exactly when the context of the caller has ended.
type Error struct {
	Kind    Kind
	Status  int // HTTP status with TooLarge, else 0
	cause   error
	notSent bool
}

// NotSent reports whether the partner cannot have received the request, because
// there was no connection to send it on. When NotSent is false, the partner may
// have received and counted it.
func (e *Error) NotSent() bool { return e.notSent }

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

// classify makes an *Error of what net/http returned. caller is the context of
// Do; limited ends with the limit of the exchange, too.
func classify(caller, limited context.Context, err error) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text is the address
		err = wrapped.Err
	}
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case caller.Err() != nil:
		return &Error{Kind: Cancelled, cause: caller.Err()}
	case errors.As(err, &untrusted):
		return &Error{Kind: Untrusted, cause: err}
	case alerted(err):
		return &Error{Kind: Unwelcome, cause: err}
	case limited.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Kind: Timeout, cause: os.ErrDeadlineExceeded}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: Refused, cause: err}
	}
	return &Error{Kind: Failed, cause: err}
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
