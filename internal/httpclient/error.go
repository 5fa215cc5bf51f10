package httpclient

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Kind says why there is no response.
type Kind string

// The kinds of failure.
const (
	ConnectionRefused Kind = "connection refused"
	ConnectionFailed  Kind = "connection failed"
	Timeout           Kind = "no response in time"
	Canceled          Kind = "the caller's context ended"
	ResponseTooLarge  Kind = "response too large"
	NoRoom            Kind = "no memory for the response in time"
	OutsideBaseURL    Kind = "address outside the partner's base URL"
	SigningFailed     Kind = "the request could not be signed"
	CircuitOpen       Kind = "circuit breaker open: no response"
	Overloaded        Kind = "circuit breaker open: slow responses"

	// TLS: what is wrong with the partner's certificate, or with ours.
	ServerCertificateExpired   Kind = "the partner's certificate has expired or is not valid yet"
	ServerCertificateOtherName Kind = "the partner's certificate is for another name"
	ServerCertificateUntrusted Kind = "the partner's certificate is from an unknown authority"
	ServerCertificateInvalid   Kind = "the partner's certificate is not valid"
	CertificateExpired         Kind = "our certificate has expired"
	CertificateUntrusted       Kind = "the partner does not know the authority of our certificate"
	CertificateRejected        Kind = "the partner rejected our certificate"
)

// Error says why there is no response. Its text shows nothing of the request.
// Its cause is for errors.Is and must not be shown. The cause is context.Canceled
// or context.DeadlineExceeded exactly when the caller's context has ended.
type Error struct {
	Kind       Kind
	Status     int           // HTTP status with ResponseTooLarge, else 0
	RetryAfter time.Duration // with Overloaded: when a call may be made again
	cause      error
	notSent    bool
	queued     bool // the time was over before there was a connection: all were in use
}

// NotSent reports whether the partner cannot have received the request, because
// there was no connection to send it on. When NotSent is false, the partner may
// have received and counted it.
func (e *Error) NotSent() bool { return e.notSent }

// Error implements error.
func (e *Error) Error() string { return "httpclient: " + string(e.Kind) }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the *Error in err, or ConnectionFailed when there
// is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ConnectionFailed
}

func outsideBaseURL() *Error { return &Error{Kind: OutsideBaseURL, notSent: true} }

// classify makes an *Error of what net/http returned. caller is the context of
// Do; limited ends with the total limit of the exchange, too.
func classify(caller, limited context.Context, err error) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text is the address
		err = wrapped.Err
	}
	var timeout net.Error
	ofTLS, isTLS := certificateKind(err)
	switch {
	case caller.Err() != nil:
		return &Error{Kind: Canceled, cause: caller.Err()}
	case isTLS:
		return &Error{Kind: ofTLS, cause: err}
	case limited.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Kind: Timeout, cause: os.ErrDeadlineExceeded}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: ConnectionRefused, cause: err}
	}
	return &Error{Kind: ConnectionFailed, cause: err}
}
