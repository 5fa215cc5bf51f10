package httpclient

import (
	"sync"
	"time"
)

// The limits of a circuit breaker.
const (
	maxFailures = 20              // calls in a row without a response that open the circuit
	maxSlow     = 20              // slow calls in a row that open it, while as many are in flight
	openFor     = 5 * time.Second // the pause before a trial
	trialPause  = time.Second     // when a call that is refused during a trial may try again
)

// breaker is a circuit breaker: it spares a partner that does not respond or is
// overloaded, and our callers its timeouts. It is closed at first and lets every call
// through. After maxFailures calls in a row without a response it opens and lets none
// through. After maxSlow calls in a row that were slow it opens too, but only if that many
// were in flight at once: then the partner has more to do than it can, and a caller may
// wait. A partner that is slow with few calls at a time is not spared. When openFor
// has passed it is half-open: it lets one call through, the trial, which closes it if there
// is a response, and opens it again if there is none.
type breaker struct {
	mu        sync.Mutex
	state     circuit
	inFlight  int
	failures  int       // in a row, while closed
	slow      int       // without a quick response, in a row, while closed
	peak      int       // the most in flight since the first of these
	overload  bool      // it was opened by slow calls
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
	noOutcome  outcome = iota // nothing: the caller's context ended, or it waited for a connection or memory of ours
	responded                 // it is there, whatever the status of the response
	slowly                    // it is there, but the response took longer than Limits.Slow
	noResponse                // it cannot be reached or does not respond
)

// outcomeOf returns what the error of a call says about the partner. Any status
// is a response: a server error may be about one resource, and costs us little.
func outcomeOf(err error) outcome {
	if err == nil {
		return responded
	}
	if e, ok := err.(*Error); ok && e.queued {
		return noOutcome
	}
	switch KindOf(err) {
	case Canceled, NoRoom:
		return noOutcome
	case ResponseTooLarge, CertificateRejected, CertificateExpired, CertificateUntrusted:
		return responded
	}
	return noResponse
}

// allow reports whether a call may be made now, and whether it is the trial. The caller
// must pass the outcome of an allowed call to record. A call that is not allowed gets the
// error that says why.
func (b *breaker) allow(now time.Time) (trial bool, refused *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.state == open && !now.Before(b.openUntil):
		b.state, trial = halfOpen, true
	case b.state != closed:
		return false, b.refusal(now)
	}
	b.inFlight++
	b.peak = max(b.peak, b.inFlight)
	return trial, nil
}

// refusal returns the error of a call that is not allowed.
func (b *breaker) refusal(now time.Time) *Error {
	switch {
	case !b.overload:
		return &Error{Kind: CircuitOpen, notSent: true}
	case b.state == open:
		return &Error{Kind: Overloaded, notSent: true, RetryAfter: b.openUntil.Sub(now)}
	}
	return &Error{Kind: Overloaded, notSent: true, RetryAfter: trialPause}
}

// record takes the outcome of a call. A call that was allowed before the circuit
// opened can close it, but not keep it open longer.
func (b *breaker) record(trial bool, o outcome, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slow == 0 {
		b.peak = b.inFlight
	}
	b.inFlight--
	switch {
	case o == responded, o == slowly && trial:
		b.state, b.failures, b.slow = closed, 0, 0
	case o == noOutcome && trial && b.state == halfOpen:
		b.state, b.openUntil = open, now // the next call is the trial
	case o == noResponse && trial && b.state == halfOpen:
		b.open(false, now)
	case o != noOutcome && b.state == closed:
		b.slow++
		if b.failures++; o == slowly {
			b.failures = 0 // it is there
		}
		switch {
		case b.failures >= maxFailures:
			b.open(false, now)
		case b.slow >= maxSlow && b.peak >= maxSlow:
			b.open(true, now)
		}
	}
}

func (b *breaker) open(overload bool, now time.Time) {
	b.state, b.overload, b.openUntil = open, overload, now.Add(openFor)
	b.failures, b.slow = 0, 0
}
