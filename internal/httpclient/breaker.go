package httpclient

import (
	"sync"
	"time"
)

// The limits of a circuit breaker.
const (
	maxFailures = 20              // calls in a row without a response that open the circuit
	openFor     = 5 * time.Second // the pause before a trial
)

// breaker is a circuit breaker: it spares a partner that does not respond, and
// our callers its timeouts. It is closed at first and lets every call through.
// After maxFailures calls in a row without a response it opens and lets none
// through. When openFor has passed it is half-open: it lets one call through, the
// trial, whose outcome closes it or opens it again.
type breaker struct {
	mu        sync.Mutex
	state     circuit
	failures  int       // in a row, while closed
	openUntil time.Time // while open
}

type circuit int

const (
	closed circuit = iota
	open
	halfOpen // a trial is on its way
)

// outcome is what a call says about the partner.
type outcome int

const (
	noOutcome  outcome = iota // nothing, because the caller's context ended
	responded                 // it is there, whatever the status of the response
	noResponse                // it cannot be reached or does not respond
)

// outcomeOf returns what the error of a call says about the partner. Any status
// is a response: a server error may be about one resource, and costs us little.
func outcomeOf(err error) outcome {
	if err == nil {
		return responded
	}
	switch KindOf(err) {
	case Canceled:
		return noOutcome
	case ResponseTooLarge, CertificateRejected, CertificateExpired, CertificateUntrusted:
		return responded
	}
	return noResponse
}

// allow reports whether a call may be made now, and whether it is the trial. The
// caller must pass the outcome of an allowed call to record.
func (b *breaker) allow(now time.Time) (trial, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.state == closed:
		return false, true
	case b.state == open && !now.Before(b.openUntil):
		b.state = halfOpen
		return true, true
	}
	return false, false
}

// record takes the outcome of a call. A call that was allowed before the circuit
// opened can close it, but not keep it open longer.
func (b *breaker) record(trial bool, o outcome, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case o == responded:
		b.state, b.failures = closed, 0
	case o == noResponse && b.state == closed:
		if b.failures++; b.failures == maxFailures {
			b.state, b.openUntil = open, now.Add(openFor)
		}
	case o == noResponse && trial && b.state == halfOpen:
		b.state, b.openUntil = open, now.Add(openFor)
	case o == noOutcome && trial && b.state == halfOpen:
		b.state, b.openUntil = open, now // the next call is the trial
	}
}
