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

// posts lists the four routes with an Idempotency-Key, with who calls and what.
func (w *world) posts(t *testing.T) map[string]struct {
	client
	path string
	body func() any
} {
	user, session := w.acme.person(t)
	_, signed, made := w.authorized(t, w.acme)
	return map[string]struct {
		client
		path string
		body func() any
	}{
		"user":       {w.acme, "/users", func() any { return object{"externalId": harness.ID(t)} }},
		"session":    {w.acme, "/users/" + user.UserUUID + "/sessions", func() any { return nil }},
		"consent":    {session, "/consents", func() any { return ask(demo, same, scope(), number(stranger)) }},
		"collection": {signed, "/collections", func() any { return ask(demo, "", attended(made.ConsentID)) }},
	}
}

func TestIdempotency(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		for name, c := range w.posts(t) {
			body := c.body()
			caller := c.with("Idempotency-Key", "key of "+name)
			first := caller.post(t, c.path, body, nil)
			again := caller.post(t, c.path, body, nil)
			if !bytes.Equal(first.Body, again.Body) || first.Header.Get("Location") != again.Header.Get("Location") {
				t.Errorf("%s: replayed %s instead of %s", name, again.Body, first.Body)
			}
			if first.Header.Get("Idempotency-Replayed") != "" || again.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("%s: Idempotency-Replayed %q, then %q", name, first.Header.Get("Idempotency-Replayed"), again.Header.Get("Idempotency-Replayed"))
			}
			if name != "session" { // has no body
				caller.Do(t, "POST", c.path, strings.Replace(harness.Text(t, body), "{", `{"more":1,`, 1)).Fails(t, fault.IdempotencyKeyReused)
			}
			// Without the key each call makes something new.
			if fresh := c.post(t, c.path, c.body(), nil); bytes.Equal(fresh.Body, first.Body) {
				t.Errorf("%s: made again %s", name, fresh.Body)
			}
			for _, bad := range []string{"", strings.Repeat("k", 256), "\x7f", "å"} {
				r := c.client
				r.Header = c.Header.Clone()
				r.Header["Idempotency-Key"] = []string{bad}
				if bad == "\x7f" {
					continue // no client can send it
				}
				r.Do(t, "POST", c.path, c.body()).Fails(t, fault.InvalidParameter)
			}
		}
		// Another route, and another client's same key.
		body := object{"externalId": harness.ID(t)}
		w.acme.with("Idempotency-Key", "one").post(t, "/users", body, nil)
		w.acme.with("Idempotency-Key", "one").Do(t, "POST", "/collections", ask(demo, "", stored(nobody))).Fails(t, fault.IdempotencyKeyReused)
		if a := w.other.with("Idempotency-Key", "one").post(t, "/users", body, nil); a.Header.Get("Idempotency-Replayed") != "" {
			t.Error("another client's answer was replayed")
		}
		// What failed made nothing: the key is free.
		bad := w.acme.with("Idempotency-Key", "two")
		bad.Do(t, "POST", "/users", body).Fails(t, fault.UserExists)
		bad.post(t, "/users", object{"externalId": harness.ID(t)}, nil)
	})
}

// Of many calls with one key at the same time one makes something, and each
// other one is told so or gets the same answer.
func TestConcurrentDuplicates(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		for name, c := range w.posts(t) {
			body := c.body()
			caller := c.with("Idempotency-Key", "race of "+name)
			answers := make([]harness.Answer, 12)
			var group sync.WaitGroup
			for i := range answers {
				group.Go(func() { answers[i] = caller.Do(t, "POST", c.path, body) })
			}
			group.Wait()
			var first []byte
			made := 0
			for _, a := range answers {
				if a.Status == http.StatusConflict {
					a.Fails(t, fault.IdempotencyInProgress)
					continue
				}
				a.Is(t, http.StatusCreated, nil)
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
