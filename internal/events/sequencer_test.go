package events_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/collection"
	"samla/internal/event"
	"samla/internal/events"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// open opens the database as one node.
func open(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// each runs a test on each engine.
func each(t *testing.T, run func(t *testing.T, dsn string)) {
	for engine, dsn := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
	} {
		t.Run(engine, func(t *testing.T) { run(t, dsn(t)) })
	}
}

const clientID = "client"

func newEvent(resource, body string) event.Event {
	return event.Event{ID: uuid.Must(uuid.NewV7()).String(), ClientID: clientID, Type: event.TypeTest, Version: collection.V20260401,
		Resource: resource, At: start, Body: []byte(body)}
}

func add(t testing.TB, s store.Store, e event.Event) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx store.Tx) error { return tx.AddEvent(t.Context(), e) }); err != nil {
		t.Fatal(err)
	}
}

// run starts a sequencer that the end of the test stops.
func run(t testing.TB, d events.Deps) {
	t.Helper()
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	d.Log = slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { events.NewSequencer(d).Run(ctx) })
	t.Cleanup(func() { stop(); ended.Wait() })
}

// bodies returns the bodies of a list.
func bodies(all []event.Event) (texts []string) {
	for _, e := range all {
		texts = append(texts, string(e.Body))
	}
	return texts
}

// What was committed before the start is numbered at the start, and what comes later after
// its commit, without the poll: the clock stands still.
func TestSequencer_NumbersAtTheStartAndAfterCommits(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		add(t, s, newEvent("r", "before"))
		numbered := make(chan []event.Event, 2)
		run(t, events.Deps{Store: s, Clock: clock.NewManual(start), Sequenced: func(e []event.Event) { numbered <- e }})
		if got := bodies(<-numbered); !cmp.Equal(got, []string{"before"}) {
			t.Errorf("at the start: %q", got)
		}
		add(t, s, newEvent("r", "after"))
		if got := bodies(<-numbered); !cmp.Equal(got, []string{"after"}) {
			t.Errorf("after the commit: %q", got)
		}
	})
}

// Events of a node that died after their commit are numbered by another one.
func TestSequencer_FindsEventsOfOthersWithThePoll(t *testing.T) {
	dsn := flowtest.Postgres(t)
	dead, s := open(t, dsn), open(t, dsn)
	clk := clock.NewManual(start)
	numbered := make(chan []event.Event, 1)
	run(t, events.Deps{Store: s, Clock: clk, Sequenced: func(e []event.Event) { numbered <- e }})
	add(t, dead, newEvent("r", "left"))
	if got := clocktest.Advance(t, "the event", clk, time.Second, numbered); !cmp.Equal(bodies(got), []string{"left"}) {
		t.Errorf("%q", bodies(got))
	}
}

// What FanOut writes is committed with the numbers, or neither is.
func TestSequencer_FanOutIsOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		add(t, s, newEvent("r", "event"))
		refused := errors.New("refused")
		fail := true
		q := events.NewSequencer(events.Deps{Store: s, Clock: clock.NewManual(start), FanOut: func(ctx context.Context, tx store.Tx, all []event.Event) error {
			if got := bodies(all); !cmp.Equal(got, []string{"event"}) || all[0].Seq == 0 {
				t.Errorf("fanned out %+v", all)
			}
			if err := tx.AddClient(ctx, client.Client{ID: all[0].ID, CreatedAt: start}); err != nil || !fail {
				return err
			}
			return refused
		}})
		for _, want := range []error{refused, nil} {
			if err := q.Drain(t.Context()); !errors.Is(err, want) {
				t.Fatal(err)
			}
			all, err := s.Events(t.Context(), store.EventFilter{ClientID: clientID}, 9)
			if err != nil || (len(all) == 0) != (want != nil) {
				t.Errorf("%d events are numbered, %v", len(all), err)
			}
			fail = false
		}
	})
}

// follower reads the list as clients do, and checks what it must hold: a position is never
// filled behind it, and the events of a resource come in the order of their commits.
type follower struct {
	s     store.Store
	after int64
	seen  map[string]int // by resource: the last number
	total int
}

func (f *follower) read(ctx context.Context) error {
	page, err := f.s.Events(ctx, store.EventFilter{ClientID: clientID, After: f.after}, 7)
	for _, e := range page {
		var n int
		if _, err := fmt.Sscan(string(e.Body), &n); err != nil {
			return err
		}
		if e.Seq <= f.after || n != f.seen[e.Resource]+1 {
			return fmt.Errorf("event %d of %s follows %d, at %d after %d", n, e.Resource, f.seen[e.Resource], e.Seq, f.after)
		}
		f.after, f.seen[e.Resource], f.total = e.Seq, n, f.total+1
	}
	return err
}

// Many writers on two nodes, a sequencer on each, followers on each. Writers of one
// resource take turns by the lock of its row, as in the flows, and stay in their
// transaction for a while after they have drawn their place: so later places are committed
// before earlier ones.
func TestSequencer_FollowersMissNothingAndSeeTheOrder(t *testing.T) {
	const resources, writers, each = 6, 24, 15
	dsn := flowtest.Postgres(t)
	nodes := []*sqlstore.Store{open(t, dsn), open(t, dsn)}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var rows []collection.Collection
	for i := range resources {
		c := collection.Collection{ID: fmt.Sprintf("resource-%d", i), ClientID: clientID, Status: collection.Running, CreatedAt: start, StatusChangedAt: start}
		if err := nodes[0].Write(ctx, func(tx store.Tx) error { return tx.AddCollection(ctx, c) }); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, c)
	}
	var inOrder sync.Mutex
	var fanned []int64
	for _, s := range nodes {
		run(t, events.Deps{Store: s, Sequenced: func(all []event.Event) {
			inOrder.Lock()
			defer inOrder.Unlock()
			for _, e := range all {
				fanned = append(fanned, e.Seq)
			}
		}})
	}
	var writing, following sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			s := nodes[w%len(nodes)]
			for i := range each {
				id := rows[(w+i)%resources].ID
				_, err := store.UpdateCollection(ctx, s, id, func(c collection.Collection) (collection.Collection, func(store.Tx) error, error) {
					return c, func(tx store.Tx) error {
						if err := tx.AddEvent(ctx, newEvent(id, fmt.Sprint(c.Rev+1))); err != nil {
							return err
						}
						if _, err := tx.LastEvent(ctx); err != nil { // draws the place now
							return err
						}
						time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
						return nil
					}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 4 {
		following.Go(func() {
			f := follower{s: nodes[i%len(nodes)], seen: map[string]int{}}
			for f.total < writers*each {
				if err := f.read(ctx); err != nil {
					t.Errorf("follower: %v, after %d events", err, f.total)
					cancel()
					return
				}
			}
		})
	}
	writing.Wait()
	following.Wait()
	seen := map[int64]bool{}
	inOrder.Lock()
	defer inOrder.Unlock()
	for _, seq := range fanned {
		seen[seq] = true
	}
	if len(seen) != writers*each || len(fanned) != writers*each {
		t.Errorf("%d events were told, %d of them different, want %d", len(fanned), len(seen), writers*each)
	}
}

// late is a clock that is read before an event is made, and then after it.
type late struct {
	clock.Clock
	times []time.Time
}

func (c *late) Now() time.Time {
	now := c.times[0]
	if len(c.times) > 1 {
		c.times = c.times[1:]
	}
	return now
}

// An event that was made while the sequencer waited for its lock is recorded after it was
// made; one of a node whose clock is ahead is recorded all the same.
func TestSequencer_RecordsNothingBeforeItHappened(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		made := newEvent("r", "a")
		made.At = start.Add(time.Millisecond)
		for name, clk := range map[string]*late{"made meanwhile": {times: []time.Time{start, start.Add(time.Second)}}, "ahead": {times: []time.Time{start}}} {
			e := made
			e.ID = uuid.Must(uuid.NewV7()).String()
			add(t, s, e)
			var got []event.Event
			d := events.Deps{Store: s, Clock: clk, Log: slog.New(slog.DiscardHandler), Sequenced: func(e []event.Event) { got = append(got, e...) }}
			if err := events.NewSequencer(d).Drain(t.Context()); err != nil || len(got) != 1 {
				t.Fatalf("%s: %d events, %v", name, len(got), err)
			}
			if name == "made meanwhile" && got[0].RecordedAt().Before(got[0].At) {
				t.Errorf("%s: recorded at %v, made at %v", name, got[0].RecordedAt(), got[0].At)
			}
		}
	})
}
