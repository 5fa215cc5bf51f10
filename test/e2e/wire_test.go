package e2e

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// wire is what passes between the connectors and the banks: it keeps what was
// asked, collects what the oracle finds, and can be cut.
type wire struct {
	mu         sync.Mutex
	violations []error
	asked      []asked
	cuts       []*cut
}

// asked is one request that a connector sent.
type asked struct {
	method, path string
	consent      string // the bank's consent id, of the header or the path
	requestID    string
	header       http.Header
}

// attended reports whether the request says anything of a person.
func (a asked) attended() bool {
	for name := range a.header {
		if strings.HasPrefix(name, "Psu-") {
			return true
		}
	}
	return false
}

// reads reports whether the request reads account data.
func (a asked) reads() bool { return strings.Contains(a.path, "accounts") }

// cut makes the next requests that it matches fail before they leave: with an
// answer 500 in the bank's place, or without any.
type cut struct {
	matches func(*http.Request) bool
	left    int // -1 = until mended
	hits    int
	answer  bool
	gate    chan struct{} // when set, the requests wait for it and then go on
}

var errCut = errors.New("the wire is cut")

func (w *wire) violation(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, err)
}

// check reports what the oracle has found; a world in which nothing was said
// shows nothing.
func (w *wire) check(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.asked) == 0 {
		t.Error("no bank was asked for anything: the oracle's silence shows nothing")
	}
	for i, err := range w.violations {
		if i == 20 {
			t.Errorf("and %d more violations", len(w.violations)-i)
			break
		}
		t.Error(err)
	}
}

// breaks cuts the wire for the next n requests of a method whose path holds
// part, -1 for all until mend.
func (w *wire) breaks(method, part string, n int) *cut {
	return w.add(&cut{left: n}, method, part)
}

// fails lets a gateway answer 500 in the bank's place.
func (w *wire) fails(method, part string) *cut {
	return w.add(&cut{left: -1, answer: true}, method, part)
}

// stalls holds requests up until the gate is closed.
func (w *wire) stalls(method, part string) *cut {
	return w.add(&cut{left: -1, gate: make(chan struct{})}, method, part)
}

func (w *wire) add(c *cut, method, part string) *cut {
	c.matches = func(r *http.Request) bool { return r.Method == method && strings.Contains(r.URL.Path, part) }
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = append(w.cuts, c)
	return c
}

// caught waits until a cut has met a request.
func (w *world) caught(t *testing.T, c *cut) {
	t.Helper()
	w.until(t, "a request to meet the cut", func() bool {
		w.wire.mu.Lock()
		defer w.wire.mu.Unlock()
		return c.hits > 0
	})
}

// mend ends a cut and tells how many requests it has met.
func (w *wire) mend(c *cut) (hits int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.left = 0; c.gate != nil {
		close(c.gate)
		c.gate = nil
	}
	return c.hits
}

// under lists what was asked under a bank's consent id.
func (w *wire) under(consent string) []asked {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []asked
	for _, a := range w.asked {
		if a.consent == consent {
			list = append(list, a)
		}
	}
	return list
}

// note keeps a request and finds the cut that it meets, if any.
func (w *wire) note(r *http.Request) (met *cut, gate chan struct{}) {
	a := asked{method: r.Method, path: r.URL.Path, consent: r.Header.Get("Consent-Id"), requestID: r.Header.Get("X-Request-Id"), header: r.Header.Clone()}
	if _, rest, found := strings.Cut(r.URL.Path, "/v1/consents/"); found && a.consent == "" {
		a.consent, _, _ = strings.Cut(rest, "/")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, a)
	for _, c := range w.cuts {
		if c.left != 0 && c.matches(r) {
			c.left--
			c.hits++
			return c, c.gate
		}
	}
	return nil, nil
}

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		met, gate := w.note(r)
		switch {
		case met == nil:
		case gate != nil:
			select {
			case <-gate:
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		case met.answer:
			echo := http.Header{"X-Request-Id": r.Header["X-Request-Id"]}
			return &http.Response{StatusCode: http.StatusInternalServerError, Header: echo, Body: http.NoBody, Request: r}, nil
		default:
			return nil, errCut
		}
		return next.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
