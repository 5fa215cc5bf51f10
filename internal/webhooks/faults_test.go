package webhooks_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/event"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
)

// slowLimit is how long an attempt may take where the receiver is too slow: also an answer
// without a fault must come in it.
const slowLimit = time.Second

// faults are what receivers do with the first two requests of each event.
var faults = map[string]func(n int, w http.ResponseWriter) int{
	"errors": func(n int, _ http.ResponseWriter) int { return []int{500, 502, 404}[n%3] },
	"redirect": func(_ int, w http.ResponseWriter) int {
		w.Header().Set("Location", "http://169.254.169.254/")
		return 302
	},
	"reset":   func(_ int, w http.ResponseWriter) int { hijack(w, ""); return 0 },
	"half":    func(_ int, w http.ResponseWriter) int { hijack(w, "HTTP/1.1 2"); return 0 },
	"slow":    func(int, http.ResponseWriter) int { time.Sleep(2 * slowLimit); return 200 },
	"garbage": func(_ int, w http.ResponseWriter) int { hijack(w, "220 mail.example.com ESMTP\r\n"); return 0 },
	"1xx": func(_ int, w http.ResponseWriter) int {
		hijack(w, strings.Repeat("HTTP/1.1 102 Wait\r\n\r\n", 5000))
		return 0
	},
}

func hijack(w http.ResponseWriter, text string) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(text))
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// Nothing is lost, nothing is sent after success, no event has more attempts than
// documented, and events of a resource come in order, whatever the receiver does.
func TestDispatcher_Faults(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEnv(t, t.TempDir())
			// Two failures of an event end within the time that its resource waits.
			var r *receiver
			r = newReceiver(t, func(n int, h hook, w http.ResponseWriter) int {
				if r.count(h.id) <= 2 {
					return fault(n, w)
				}
				return 200
			})
			e := b.endpoint(r.URL)
			limit, events := time.Minute, 12
			if name == "slow" {
				limit, events = slowLimit, 6
			}
			b.start(nil, post.Config{Timeout: limit})
			var all []event.Event
			for i := range events {
				all = append(all, b.add(b.User.ClientID, fmt.Sprint(i%3)))
			}
			b.delivered(e.ID, all)
			b.checkDeliveries(r, e.ID, all)
		})
	}
}

// delivered moves the clock until all events are delivered.
func (b *env) delivered(endpointID string, all []event.Event) {
	b.Helper()
	b.eventually("all delivered", func() bool {
		for _, v := range all {
			if d := b.delivery(endpointID, v.ID); d.Progress != webhook.Delivered {
				if wait := d.DueAt.Sub(b.fast.Now()); d.Attempts > 0 && wait > time.Second {
					b.fast.Jump(wait)
				}
				return false
			}
		}
		return true
	})
}

// checkDeliveries compares what a receiver got with what was recorded.
func (b *env) checkDeliveries(r *receiver, endpointID string, all []event.Event) {
	b.Helper()
	time.Sleep(50 * time.Millisecond) // for what must not come
	last := map[string]int{}
	for i, h := range r.hooks() {
		last[h.id] = i
	}
	attempts, err := b.Store.WebhookAttempts(context.Background(), endpointID, store.Page{Limit: 1000})
	if err != nil {
		b.Fatal(err)
	}
	made, succeeded := map[string]int{}, map[string]time.Time{}
	for _, a := range slices.Backward(attempts) {
		if made[a.EventID]++; !succeeded[a.EventID].IsZero() {
			b.Errorf("attempt %d of %s after its success", a.Number, a.EventID)
		}
		if a.Outcome.Success() {
			succeeded[a.EventID] = a.At
		}
	}
	previous := map[string]int{}
	for _, v := range all {
		if succeeded[v.ID].IsZero() || made[v.ID] > webhook.MaxAttempts {
			b.Errorf("%s: %d attempts, success at %v", v.ID, made[v.ID], succeeded[v.ID])
		}
		if before, ok := previous[v.Resource]; ok && last[v.ID] < before {
			b.Errorf("%s of resource %s came before the one before it", v.ID, v.Resource)
		}
		previous[v.Resource] = last[v.ID]
	}
}

// An endpoint with a certificate that is not valid gets nothing, and what failed is in the log
// of attempts, but not where.
func TestDispatcher_WrongCertificateAndLog(t *testing.T) {
	b := newEnv(t, t.TempDir())
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	e := b.endpoint(s.URL + "/the-path-is-secret")
	b.start(nil, post.Config{})
	v := b.add(b.User.ClientID, "a")
	b.eventually("an attempt", func() bool { return b.delivery(e.ID, v.ID).Attempts == 1 })
	attempts, err := b.service.Attempts(t.Context(), b.User.ClientID, e.ID, store.Page{Limit: 10})
	if err != nil || len(attempts) != 1 || attempts[0].Err != webhook.TLSFailed || attempts[0].NextAt.IsZero() {
		t.Errorf("%+v, %v", attempts, err)
	}
	gone := newReceiver(t, func(int, hook, http.ResponseWriter) int { return 410 })
	f := b.endpoint(gone.URL)
	b.add(b.User.ClientID, "b")
	b.eventually("paused", func() bool { return b.state(f.ID).State == webhook.Paused })
	b.eventually("the pause in the log", func() bool { return strings.Contains(b.log.String(), "GONE") })
	for _, secret := range []string{"the-path-is-secret", s.URL[8:], gone.URL[7:], e.Secret.Reveal(), f.Secret.Reveal()} {
		if strings.Contains(b.log.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}

// A paused endpoint keeps its events; after it was resumed it gets them, oldest first.
func TestDispatcher_PauseAndResume(t *testing.T) {
	b := newEnv(t, t.TempDir())
	r := newReceiver(t, nil)
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	if _, err := b.service.Pause(t.Context(), b.User.ClientID, e.ID); err != nil {
		t.Fatal(err)
	}
	var all []event.Event
	for range 20 {
		all = append(all, b.add(b.User.ClientID, "one"))
	}
	b.eventually("kept", func() bool {
		n, _ := b.Store.PendingDeliveries(context.Background(), e.ID, webhook.Backlog)
		return n == 20
	})
	if n := len(r.hooks()); n != 0 {
		t.Errorf("%d requests while paused", n)
	}
	if _, err := b.service.Resume(t.Context(), b.User.ClientID, e.ID); err != nil {
		t.Fatal(err)
	}
	b.delivered(e.ID, all)
	for i, h := range r.hooks() {
		if h.id != all[i].ID {
			t.Fatalf("%d: %s, want %s", i, h.id, all[i].ID)
		}
	}
}

// After days of failure the endpoint is paused.
func TestDispatcher_PausesAfterDaysOfFailure(t *testing.T) {
	b := newEnv(t, t.TempDir())
	r := newReceiver(t, func(int, hook, http.ResponseWriter) int { return 500 })
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	for day := range 6 {
		v := b.add(b.User.ClientID, fmt.Sprint(day))
		b.eventually("an attempt", func() bool { return b.delivery(e.ID, v.ID).Total >= 1 || b.state(e.ID).State == webhook.Paused })
		b.fast.Jump(24 * time.Hour)
	}
	b.eventually("paused", func() bool { s := b.state(e.ID); return s.State == webhook.Paused && s.Reason == webhook.Failing })
}

// A replay of a range delivers what was delivered before, once, and then it is done.
func TestDispatcher_Replay(t *testing.T) {
	b := newEnv(t, t.TempDir())
	r := newReceiver(t, nil)
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	from := b.fast.Now()
	var all []event.Event
	for i := range 600 { // more than is fed at once
		all = append(all, b.add(b.User.ClientID, fmt.Sprint(i%50)))
	}
	b.delivered(e.ID, all)
	replay, err := b.service.ReplayRange(t.Context(), b.User.ClientID, e.ID, from, b.fast.Now().Add(time.Second))
	if err != nil || replay.Total != 600 {
		t.Fatalf("%+v, %v", replay, err)
	}
	b.eventually("done", func() bool {
		got, remaining, err := b.service.Replay(context.Background(), b.User.ClientID, e.ID)
		return err == nil && remaining == 0 && !got.Running()
	})
	for _, v := range all {
		if n := r.count(v.ID); n != 2 {
			t.Errorf("%s was sent %d times", v.ID, n)
		}
	}
}

// Two nodes share the endpoints: nothing is sent twice, and the events of one resource
// come in order.
func TestDispatcher_TwoNodes(t *testing.T) {
	url := flowtest.Postgres(t)
	b := newEnv(t, url)
	r := newReceiver(t, nil)
	var ids []string
	for range 5 {
		ids = append(ids, b.endpoint(r.URL).ID)
	}
	first := b.start(nil, post.Config{})
	b.start(flowtest.Open(t, url), post.Config{})
	var all []event.Event
	for i := range 100 {
		all = append(all, b.add(b.User.ClientID, fmt.Sprint(i%7)))
		if i == 50 {
			first.stop() // the other one takes over
		}
	}
	for _, id := range ids {
		b.delivered(id, all)
	}
	for _, v := range all {
		if n := r.count(v.ID); n != len(ids) {
			t.Errorf("%s was sent %d times to %d endpoints", v.ID, n, len(ids))
		}
	}
}
