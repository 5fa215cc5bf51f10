package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// interceptor is between the connectors and the banks. It records the connectors'
// requests, collects the violations that the validators find, and injects faults.
type interceptor struct {
	mu         sync.Mutex
	violations []error
	requests   []bankRequest
	faults     []*injectedFault
}

// bankRequest is a request of a connector.
type bankRequest struct {
	method, path string
	target       string // path and query
	consentID    string // the bank's consent id, from the header or the path
	requestID    string
	header       http.Header
}

// attended reports whether the request has PSU headers.
func (a bankRequest) attended() bool {
	for name := range a.header {
		if strings.HasPrefix(name, "Psu-") {
			return true
		}
	}
	return false
}

// isAccountRead reports whether the request reads account data.
func (a bankRequest) isAccountRead() bool { return strings.Contains(a.path, "accounts") }

// injectedFault makes matching requests fail before they reach the bank: with a response
// 500, without a response, or with a delay.
type injectedFault struct {
	matches   func(*http.Request) bool
	remaining int // number of requests; -1: until end is called
	hits      int
	respond   bool
	gate      chan struct{} // if set, the requests wait until it is closed and then continue
}

var errInjected = errors.New("injected connection failure")

// ownWord is a status of one of the sandbox's banks that the standard does not have, as at
// the bank that it is like (docs/reference/families.md 2.6).
const ownWord = "authenticationStarted"

func (w *interceptor) addViolation(err error) {
	if strings.Contains(err.Error(), `"`+ownWord+`"`) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, err)
}

// reportViolations fails the test with the violations. It also fails if there were no
// requests, because then nothing was validated.
func (w *interceptor) reportViolations(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.requests) == 0 {
		t.Error("no requests to a bank: nothing was validated")
	}
	for i, err := range w.violations {
		if i == 20 {
			t.Errorf("and %d more violations", len(w.violations)-i)
			break
		}
		t.Error(err)
	}
}

// dropRequests makes the next n requests of a method whose path contains part fail without
// a response; -1 means all requests until end.
func (w *interceptor) dropRequests(method, part string, n int) *injectedFault {
	return w.inject(&injectedFault{remaining: n}, method, part)
}

// answerError makes requests fail with status 500 until end.
func (w *interceptor) answerError(method, part string) *injectedFault {
	return w.inject(&injectedFault{remaining: -1, respond: true}, method, part)
}

// stall delays requests until end.
func (w *interceptor) stall(method, part string) *injectedFault {
	return w.inject(&injectedFault{remaining: -1, gate: make(chan struct{})}, method, part)
}

func (w *interceptor) inject(c *injectedFault, method, part string) *injectedFault {
	c.matches = func(r *http.Request) bool { return r.Method == method && strings.Contains(r.URL.Path, part) }
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, c)
	return c
}

// awaitHit waits until a request matches the fault.
func (w *env) awaitHit(t *testing.T, c *injectedFault) {
	t.Helper()
	w.awaitHits(t, c, 1)
}

// awaitHits waits until n requests match the fault.
func (w *env) awaitHits(t *testing.T, c *injectedFault, n int) {
	t.Helper()
	w.await(t, "requests that match the fault", func() bool {
		w.interceptor.mu.Lock()
		defer w.interceptor.mu.Unlock()
		return c.hits >= n
	})
}

// end removes a fault and returns how many requests matched it.
func (w *interceptor) end(c *injectedFault) (hits int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.remaining = 0; c.gate != nil {
		close(c.gate)
		c.gate = nil
	}
	return c.hits
}

// requestsFor returns the requests for a bank's consent id.
func (w *interceptor) requestsFor(consent string) []bankRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []bankRequest
	for _, a := range w.requests {
		if a.consentID == consent {
			list = append(list, a)
		}
	}
	return list
}

// record records a request and returns the fault that matches it, if any.
func (w *interceptor) record(r *http.Request) (match *injectedFault, gate chan struct{}) {
	a := bankRequest{method: r.Method, path: r.URL.Path, target: r.URL.RequestURI(), consentID: r.Header.Get("Consent-Id"), requestID: r.Header.Get("X-Request-Id"), header: r.Header.Clone()}
	if _, rest, found := strings.Cut(r.URL.Path, "/v1/consents/"); found && a.consentID == "" {
		a.consentID, _, _ = strings.Cut(rest, "/")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, a)
	for _, c := range w.faults {
		if c.remaining != 0 && c.matches(r) {
			c.remaining--
			c.hits++
			return c, c.gate
		}
	}
	return nil, nil
}

func (w *interceptor) transport(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		match, gate := w.record(r)
		switch {
		case match == nil:
		case gate != nil:
			select {
			case <-gate:
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		case match.respond:
			header := http.Header{"X-Request-Id": r.Header["X-Request-Id"]}
			return &http.Response{StatusCode: http.StatusInternalServerError, Header: header, Body: http.NoBody, Request: r}, nil
		default:
			return nil, errInjected
		}
		return next.RoundTrip(r)
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// all returns all requests so far.
func (w *interceptor) all() []bankRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}
