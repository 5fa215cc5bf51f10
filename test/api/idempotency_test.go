package api

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"samla/internal/fault"
	"samla/test/harness"
)

// idempotentCalls returns a call of each of the four routes that accept an
// Idempotency-Key.
func (w *env) idempotentCalls(t *testing.T) map[string]struct {
	client
	path string
	body func() any
} {
	user, session := w.acme.person(t)
	_, signed, made := w.authorizedConsent(t, w.acme)
	return map[string]struct {
		client
		path string
		body func() any
	}{
		"user":       {w.acme, "/users", func() any { return object{"externalId": harness.UniqueID(t)} }},
		"session":    {w.acme, "/users/" + user.UserUUID + "/sessions", func() any { return nil }},
		"consent":    {session, "/consents", func() any { return requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)) }},
		"collection": {signed, "/collections", func() any { return requestBody(demoBank, "", attendedConsent(made.ConsentID)) }},
	}
}

func TestIdempotencyKey_ReplaysResponse(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		for name, c := range w.idempotentCalls(t) {
			body := c.body()
			caller := c.with("Idempotency-Key", "key of "+name)
			first := caller.post(t, c.path, body, nil)
			again := caller.post(t, c.path, body, nil)
			if !bytes.Equal(first.Body, again.Body) || first.Header.Get("Location") != again.Header.Get("Location") {
				t.Errorf("%s: replayed %s, want %s", name, again.Body, first.Body)
			}
			if first.Header.Get("Idempotency-Replayed") != "" || again.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("%s: Idempotency-Replayed %q, then %q", name, first.Header.Get("Idempotency-Replayed"), again.Header.Get("Idempotency-Replayed"))
			}
			if name != "session" { // that call has no body
				caller.Do(t, "POST", c.path, strings.Replace(harness.JSON(t, body), "{", `{"more":1,`, 1)).WantProblem(t, fault.IdempotencyKeyReused)
			}
			// Without the key each call creates something new.
			if fresh := c.post(t, c.path, c.body(), nil); bytes.Equal(fresh.Body, first.Body) {
				t.Errorf("%s: made again %s", name, fresh.Body)
			}
			for _, bad := range []string{"", strings.Repeat("k", 256), "\x7f", "å"} {
				r := c.client
				r.Header = c.Header.Clone()
				r.Header["Idempotency-Key"] = []string{bad}
				if bad == "\x7f" {
					continue // net/http does not send it
				}
				p := r.Do(t, "POST", c.path, c.body()).WantProblem(t, fault.InvalidParameter)
				if len(p.Errors) != 1 || p.Errors[0].Pointer != "@Idempotency-Key" {
					t.Errorf("%q: %+v", bad, p.Errors)
				}
			}
		}
		// The same key on another route, and of another client.
		body := object{"externalId": harness.UniqueID(t)}
		w.acme.with("Idempotency-Key", "one").post(t, "/users", body, nil)
		w.acme.with("Idempotency-Key", "one").Do(t, "POST", "/collections", requestBody(demoBank, "", storedConsent(unknownID))).WantProblem(t, fault.IdempotencyKeyReused)
		if a := w.other.with("Idempotency-Key", "one").post(t, "/users", body, nil); a.Header.Get("Idempotency-Replayed") != "" {
			t.Error("the response of another client was replayed")
		}
		// A failed call does not use up the key.
		bad := w.acme.with("Idempotency-Key", "two")
		bad.Do(t, "POST", "/users", body).WantProblem(t, fault.UserExists)
		bad.post(t, "/users", object{"externalId": harness.UniqueID(t)}, nil)
	})
}

// Of many concurrent calls with one key only one creates something. Each other call gets
// the same response or IDEMPOTENCY_IN_PROGRESS.
func TestIdempotencyKey_ConcurrentCallsCreateOnce(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		for name, c := range w.idempotentCalls(t) {
			body := c.body()
			caller := c.with("Idempotency-Key", "race of "+name)
			responses := make([]harness.Response, 12)
			var group sync.WaitGroup
			for i := range responses {
				group.Go(func() { responses[i] = caller.Do(t, "POST", c.path, body) })
			}
			group.Wait()
			var first []byte
			made := 0
			for _, a := range responses {
				if a.Status == http.StatusConflict {
					a.WantProblem(t, fault.IdempotencyInProgress)
					continue
				}
				a.WantStatus(t, http.StatusCreated, nil)
				if first == nil {
					first = a.Body
				}
				if !bytes.Equal(a.Body, first) {
					t.Errorf("%s: made %s and %s", name, first, a.Body)
				}
				if a.Header.Get("Idempotency-Replayed") == "" {
					made++
				}
			}
			if made != 1 {
				t.Errorf("%s: made %d times", name, made)
			}
		}
	})
}
