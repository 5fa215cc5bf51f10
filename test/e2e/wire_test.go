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

// cut makes the next requests that it matches fail before they leave.
type cut struct {
	matches func(*http.Request) bool
	left    int // -1 = until mended
	hits    int
}

var errCut = errors.New("the wire is cut")

func (w *wire) violation(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, err)
}

// check reports what the oracle has found; a world in which nothing was said
// shows nothing.
func (w *wire) check(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	c := &cut{left: n, matches: func(r *http.Request) bool {
		return r.Method == method && strings.Contains(r.URL.Path, part)
	}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = append(w.cuts, c)
	return c
}

func (w *wire) mend(c *cut) (hits int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.left = 0
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

func (w *wire) note(r *http.Request) error {
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
			return errCut
		}
	}
	return nil
}

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if err := w.note(r); err != nil {
			return nil, err
		}
		return next.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
