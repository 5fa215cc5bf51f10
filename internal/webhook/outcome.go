package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const statusGone = http.StatusGone

// Error is why an attempt got no status. The set is closed: no error shows an address, a
// header or a body of the receiver.
type Error string

// The errors of attempts.
const (
	NoError          Error = ""
	AddressRefused   Error = "ADDRESS_REFUSED"   // the name leads to no address that may be called
	NameNotResolved  Error = "NAME_NOT_RESOLVED" // DNS
	ConnectionFailed Error = "CONNECTION_FAILED" // refused, unreachable
	TLSFailed        Error = "TLS_FAILED"        // certificate, version
	ConnectionClosed Error = "CONNECTION_CLOSED" // before a status
	TimedOut         Error = "TIMED_OUT"         // no status within Timeout
	InvalidAnswer    Error = "INVALID_ANSWER"    // no HTTP, or too long
	NotSent          Error = "NOT_SENT"          // this server could not make the request
	RedirectIgnored  Error = "REDIRECT_IGNORED"  // 3xx, with its status
	StatusNot2xx     Error = "STATUS_NOT_2XX"    // another status, which is given
)

// Errors lists the closed set.
func Errors() []Error {
	return []Error{AddressRefused, NameNotResolved, ConnectionFailed, TLSFailed, ConnectionClosed, TimedOut, InvalidAnswer,
		NotSent, RedirectIgnored, StatusNot2xx}
}

// Timeout is how long an attempt may take until its status line: name resolution,
// connection and TLS included.
const Timeout = 10 * time.Second

// Outcome is the result of one attempt.
type Outcome struct {
	Status     int           // of the answer; 0: none
	Err        Error         // NoError for success
	RetryAfter time.Duration // asked for by a 429 or 503; 0 = not
	Took       time.Duration // until the status line, or the failure
}

// Success reports whether the receiver has the event: a 2xx status line.
func (o Outcome) Success() bool { return o.Err == NoError && o.Status >= 200 && o.Status <= 299 }

// OutcomeOf returns the outcome of a final status. header is that of the answer; nil if
// it was not read.
func OutcomeOf(status int, header http.Header, now time.Time) Outcome {
	o := Outcome{Status: status}
	switch {
	case status >= 200 && status <= 299:
	case status >= 300 && status <= 399:
		o.Err = RedirectIgnored
	default:
		o.Err = StatusNot2xx
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		o.RetryAfter = retryAfter(header.Get("Retry-After"), now)
	}
	return o
}

// LongestRetryAfter bounds what a receiver can ask for: a longer wait counts as this.
const LongestRetryAfter = 24 * time.Hour

// retryAfter reads a Retry-After (RFC 9110 10.2.3). A value that is none is 0.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil { // a number too large for 64 bits is a number
			return LongestRetryAfter
		}
		return time.Duration(min(seconds, uint64(LongestRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), LongestRetryAfter)
	}
	return 0
}
