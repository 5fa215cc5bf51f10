package webhooks_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
)

func TestDispatcher_DeliversSigned(t *testing.T) {
	b := newEnv(t, t.TempDir())
	r := newReceiver(t, nil)
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	v := b.add(b.User.ClientID, "c1")
	b.eventually("delivered", b.progress(e.ID, v.ID, webhook.Delivered))
	got := r.hooks()
	if len(got) != 1 || got[0].body != string(v.Body) {
		t.Fatalf("%+v", got)
	}
	if err := webhook.Verify(got[0].header, e.Secret, time.Now(), []byte(got[0].body)); err != nil {
		t.Error(err)
	}
	log, err := b.service.Attempts(t.Context(), b.User.ClientID, e.ID, store.Page{Limit: 10})
	if err != nil || len(log) != 1 || log[0].Status != 204 || log[0].Number != 1 || log[0].EventID != v.ID || !log[0].NextAt.IsZero() {
		t.Errorf("%+v, %v", log, err)
	}
}

// All attempts of the schedule are made, and no more.
func TestDispatcher_MakesDocumentedAttempts(t *testing.T) {
	b := newEnv(t, t.TempDir())
	r := newReceiver(t, func(int, hook, http.ResponseWriter) int { return 500 })
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	v := b.add(b.User.ClientID, "c1")
	for n := 1; n < webhook.MaxAttempts; n++ {
		b.eventually(fmt.Sprint("attempt ", n), func() bool { return b.delivery(e.ID, v.ID).Attempts == n })
		b.fast.Jump(b.delivery(e.ID, v.ID).DueAt.Sub(b.fast.Now()))
	}
	b.eventually("dead", b.progress(e.ID, v.ID, webhook.Dead))
	if n := r.count(v.ID); n != 8 {
		t.Errorf("%d attempts", n)
	}
	if s := b.state(e.ID); s.FailingSince.IsZero() || s.State != webhook.Active {
		t.Errorf("%+v", s)
	}
}

// Events of a resource come in their order, also while the first waits for its retry; those
// of another one do not wait.
func TestDispatcher_KeepsOrderOfResource(t *testing.T) {
	b := newEnv(t, t.TempDir())
	fails := true
	r := newReceiver(t, func(n int, h hook, _ http.ResponseWriter) int {
		if h.body == `{"collectionId":"a","status":"COMPLETED"}` && fails {
			return 503
		}
		return 200
	})
	e := b.endpoint(r.URL)
	b.start(nil, post.Config{})
	a1, a2, b1 := b.add(b.User.ClientID, "a"), b.add(b.User.ClientID, "a"), b.add(b.User.ClientID, "b")
	b.eventually("b", b.progress(e.ID, b1.ID, webhook.Delivered))
	b.eventually("a1 failed", func() bool { return b.delivery(e.ID, a1.ID).Attempts == 1 })
	if n := r.count(a2.ID); n != 0 {
		t.Errorf("a2 was sent %d times", n)
	}
	r.mu.Lock()
	fails = false
	r.mu.Unlock()
	b.fast.Jump(b.delivery(e.ID, a1.ID).DueAt.Sub(b.fast.Now()))
	b.eventually("a2", b.progress(e.ID, a2.ID, webhook.Delivered))
	var order []string
	for _, h := range r.hooks() {
		if h.id != b1.ID {
			order = append(order, h.id)
		}
	}
	if !slices.Equal(order, []string{a1.ID, a1.ID, a2.ID}) {
		t.Errorf("order %v", order)
	}
}

// What waits for a retry keeps later events of its resource for ten minutes, no longer.
func TestDispatcher_HoldsResourceForTenMinutes(t *testing.T) {
	b := newEnv(t, t.TempDir())
	var first string
	r := newReceiver(t, func(_ int, h hook, _ http.ResponseWriter) int {
		if h.id == first {
			return 500
		}
		return 200
	})
	e := b.endpoint(r.URL)
	first = b.add(b.User.ClientID, "a").ID
	second := b.add(b.User.ClientID, "a").ID
	b.start(nil, post.Config{})
	b.eventually("two attempts", func() bool {
		if d := b.delivery(e.ID, first); d.Attempts == 1 {
			b.fast.Jump(d.DueAt.Sub(b.fast.Now()))
		}
		return b.delivery(e.ID, first).Attempts == 2
	})
	hold := b.delivery(e.ID, first).HoldUntil
	b.fast.Jump(hold.Sub(b.fast.Now()) - time.Minute)
	b.eventually("three attempts", func() bool { return b.delivery(e.ID, first).Attempts == 3 })
	if b.delivery(e.ID, second).Progress != webhook.Pending {
		t.Error("the second did not wait")
	}
	b.fast.Jump(time.Minute)
	b.eventually("the second", b.progress(e.ID, second, webhook.Delivered))
	if b.delivery(e.ID, first).Attempts != 3 {
		t.Errorf("%d attempts of the first", b.delivery(e.ID, first).Attempts)
	}
}

// A receiver that hangs, with many events, delays no other client's.
func TestDispatcher_SlowReceiverDelaysNobody(t *testing.T) {
	b := newEnv(t, t.TempDir())
	release := make(chan struct{})
	slow := newReceiver(t, func(int, hook, http.ResponseWriter) int { <-release; return 200 })
	defer close(release)
	for i := range 3 {
		b.endpoint(slow.URL + fmt.Sprint("/", i))
	}
	for i := range 50 {
		b.add(b.User.ClientID, fmt.Sprint(i))
	}
	b.start(nil, post.Config{})
	b.eventually("all connections of the slow one", func() bool { return len(slow.hooks()) == 12 })
	other := b.addClient()
	quick := newReceiver(t, nil)
	e, err := b.service.Create(t.Context(), other, quick.URL, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range 20 {
		b.add(other, fmt.Sprint(i))
	}
	b.eventually("the quick one", func() bool { return len(quick.hooks()) == 20 })
	t.Logf("20 events beside a hanging receiver: %v", time.Since(began))
	_ = e
	if n := len(slow.hooks()); n > 12 {
		t.Errorf("%d requests at the slow receiver at once, want at most 4 an endpoint", n)
	}
}
