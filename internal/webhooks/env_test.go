package webhooks_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/event"
	"samla/internal/events"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
	"samla/internal/webhooks"
)

// env is a store with a client, and nodes that deliver.
type env struct {
	*flowtest.Env
	fast    *clock.Fast
	service *webhooks.Service
	log     *syncBuffer
}

// node is a running sequencer and dispatcher.
type node struct {
	*webhooks.Dispatcher
	stop func()
}

const limit = time.Minute // generous: until a test gives up

func newEnv(t *testing.T, dsn string) *env {
	t.Helper()
	b := &env{Env: flowtest.New(t, dsn), fast: clock.NewFast(time.Now(), 1), log: &syncBuffer{}}
	b.service = b.newService(nil)
	return b
}

func (b *env) newService(woken func(string)) *webhooks.Service {
	return webhooks.New(webhooks.Deps{Store: b.Store, Vault: b.Vault, Clock: b.fast, IDs: b.IDs, Random: rand.Reader,
		Targets: webhook.LoopbackTargets, Woken: woken})
}

// start starts a node on a store of its own; nil = that of the env.
func (b *env) start(s store.Store, c post.Config) *node {
	b.Helper()
	if s == nil {
		s = b.Store
	}
	if c.Targets == "" {
		c.Targets = webhook.LoopbackTargets
	}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	d := webhooks.NewDispatcher(webhooks.DispatcherDeps{Store: s, Vault: b.Vault, Clock: b.fast, IDs: b.IDs, Log: log, Client: post.New(c)})
	b.service.Woken = d.Wake
	q := events.NewSequencer(events.Deps{Store: s, Clock: b.fast, Log: log, FanOut: d.FanOut, Sequenced: d.Sequenced})
	ctx, cancel := context.WithCancel(context.Background())
	var sequencer sync.WaitGroup
	sequencer.Go(func() { q.Run(ctx) })
	d.Start(ctx)
	stop := sync.OnceFunc(func() {
		cancel()
		sequencer.Wait()
		stop, done := context.WithTimeout(context.Background(), limit)
		defer done()
		if err := d.Stop(stop); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(stop)
	return &node{d, stop}
}

// endpoint creates an endpoint of the env's client.
func (b *env) endpoint(url string, types ...string) webhooks.Endpoint {
	b.Helper()
	e, err := b.service.Create(context.Background(), b.User.ClientID, url, types, nil)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// add adds an event of a resource.
func (b *env) add(clientID, resource string) event.Event {
	b.Helper()
	e := event.Event{ID: b.IDs.New(), ClientID: clientID, Type: event.TypeCollection, Version: collection.V20260401, Resource: resource,
		At: b.fast.Now(), Body: []byte(`{"collectionId":"` + resource + `","status":"COMPLETED"}`)}
	if err := b.Store.Write(context.Background(), func(tx store.Tx) error { return tx.AddEvent(context.Background(), e) }); err != nil {
		b.Fatal(err)
	}
	return e
}

// eventually waits until a condition holds.
func (b *env) eventually(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("not within %v: %s\n%s", limit, what, b.log.String())
		}
	}
}

func (b *env) delivery(endpointID, eventID string) webhook.Delivery {
	d, _ := b.Store.WebhookDelivery(context.Background(), endpointID, eventID)
	return d
}

func (b *env) progress(endpointID, eventID string, want webhook.Progress) func() bool {
	return func() bool { return b.delivery(endpointID, eventID).Progress == want }
}

func (b *env) state(id string) webhook.Endpoint {
	e, err := b.Store.WebhookEndpoint(context.Background(), id)
	if err != nil {
		b.Error(err)
	}
	return e
}

// receiver is a receiver that keeps what it got. answer says what it answers, with a
// status or by itself (0).
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []hook
	answer func(n int, h hook, w http.ResponseWriter) int
}

type hook struct {
	id, body string
	header   http.Header
	at       time.Time
}

func newReceiver(t *testing.T, answer func(n int, h hook, w http.ResponseWriter) int) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	h := hook{q.Header.Get(webhook.HeaderEventID), string(body), q.Header, time.Now()}
	r.mu.Lock()
	r.got = append(r.got, h)
	n := len(r.got)
	r.mu.Unlock()
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(n, h, w)
	}
	if status != 0 {
		w.WriteHeader(status)
	}
}

func (r *receiver) hooks() []hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) count(id string) (n int) {
	for _, h := range r.hooks() {
		if h.id == id {
			n++
		}
	}
	return n
}

// syncBuffer is a log that is written by several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b = append(s.b, p...)
	return len(p), nil
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.b)
}

// addClient adds another client.
func (b *env) addClient() string {
	b.Helper()
	c := client.Client{ID: b.IDs.New(), Name: "other", CreatedAt: b.fast.Now()}
	b.Write(func(tx store.Tx) error { return tx.AddClient(context.Background(), c) })
	return c.ID
}
