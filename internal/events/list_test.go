package events_test

import (
	"encoding/base64"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/events"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

// world is a store with a clock, a sequencer and a list.
type world struct {
	s    *sqlstore.Store
	clk  *clock.Manual
	seq  *events.Sequencer
	list *events.List
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, clk := open(t, t.TempDir()), clock.NewManual(start)
	return &world{s, clk, events.NewSequencer(events.Deps{Store: s, Clock: clk}), &events.List{Store: s, Clock: clk}}
}

// happen stores and numbers events with these bodies.
func (w *world) happen(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		add(t, w.s, newEvent("r", text))
	}
	if err := w.seq.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) sweep(t testing.TB) {
	t.Helper()
	if err := w.s.Write(t.Context(), func(tx store.Tx) error {
		_, _, err := tx.Sweep(t.Context(), w.clk.Now(), time.Hour)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) page(t testing.TB, q events.Query) events.Page {
	t.Helper()
	q.ClientID = clientID
	p, err := w.list.Page(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestList_PagesAndGoesOn(t *testing.T) {
	w := newWorld(t)
	first := w.page(t, events.Query{Limit: 2})
	if len(first.Events) != 0 || first.More || first.Cursor == "" {
		t.Errorf("of nothing: %+v", first)
	}
	w.happen(t, "1", "2", "3")
	for _, cursor := range []string{"", first.Cursor} {
		p := w.page(t, events.Query{Limit: 2, Cursor: cursor})
		if !cmp.Equal(bodies(p.Events), []string{"1", "2"}) || !p.More {
			t.Errorf("first page after %q: %q, %v", cursor, bodies(p.Events), p.More)
		}
		p = w.page(t, events.Query{Limit: 2, Cursor: p.Cursor})
		if !cmp.Equal(bodies(p.Events), []string{"3"}) || p.More {
			t.Errorf("second page: %q, %v", bodies(p.Events), p.More)
		}
		first = p
	}
	w.happen(t, "4")
	if p := w.page(t, events.Query{Limit: 1, Cursor: first.Cursor}); !cmp.Equal(bodies(p.Events), []string{"4"}) || p.More {
		t.Errorf("later: %q, %v", bodies(p.Events), p.More)
	}
}

func TestList_SelectsATimeOfRecording(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"1", "2", "3", "4"} {
		w.happen(t, text)
		w.clk.Advance(time.Hour)
	}
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	for _, test := range []struct {
		from, to time.Time
		want     []string
	}{
		{at(1), time.Time{}, []string{"2", "3", "4"}}, {time.Time{}, at(2), []string{"1", "2"}}, {at(1), at(3), []string{"2", "3"}},
		{at(1).Add(time.Microsecond), at(2), nil}, {at(100), time.Time{}, nil}, {time.Time{}, time.Unix(-1, 0), nil},
		{time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), []string{"1", "2", "3", "4"}},
	} {
		p := w.page(t, events.Query{From: test.from, To: test.to, Limit: 9})
		if !cmp.Equal(bodies(p.Events), test.want) {
			t.Errorf("from %v to %v: %q, want %q", test.from, test.to, bodies(p.Events), test.want)
		}
		// The cursor is one that is accepted, and goes on where the range ended.
		if again := w.page(t, events.Query{From: test.from, To: test.to, Limit: 9, Cursor: p.Cursor}); len(again.Events) != 0 || again.More {
			t.Errorf("after that: %q", bodies(again.Events))
		}
	}
	if p := w.page(t, events.Query{Limit: 9, Cursor: w.page(t, events.Query{To: at(2), Limit: 9}).Cursor}); !cmp.Equal(bodies(p.Events), []string{"3", "4"}) {
		t.Errorf("after a range: %q", bodies(p.Events))
	}
}

func TestList_RefusesCursorsThatNoPageHad(t *testing.T) {
	w := newWorld(t)
	w.happen(t, "1")
	encode := func(plain string) string { return base64.RawURLEncoding.EncodeToString([]byte(plain)) }
	future := encode(strconv.FormatInt(start.Add(time.Minute).UnixMicro(), 10))
	for _, cursor := range []string{"%", "=", "a", encode("x"), encode("-1"), encode("+1"), encode("01"), encode(" 1"), encode("1.0"),
		encode("99999999999999999999"), encode("9223372036854775807"), encode("1\x00"), uuid.NewString(), future, encode("1") + "="} {
		_, err := w.list.Page(t.Context(), events.Query{ClientID: clientID, Cursor: cursor, Limit: 1})
		if f := fault.From(err); f == nil || f.Code != fault.InvalidParameter || f.Fields[0].Pointer != "?cursor" {
			t.Errorf("%q: %v", cursor, err)
		}
	}
	for _, to := range []time.Time{start, start.Add(-time.Hour)} {
		_, err := w.list.Page(t.Context(), events.Query{ClientID: clientID, From: start, To: to, Limit: 1})
		if f := fault.From(err); f == nil || f.Code != fault.InvalidParameter || f.Fields[0].Pointer != "?to" {
			t.Errorf("to %v: %v", to, err)
		}
	}
}

// A follower that was away too long is told, instead of missing events. One that has seen
// everything, or only waits, is not.
func TestList_CursorExpiresWhenEventsAfterItAreDeleted(t *testing.T) {
	w := newWorld(t)
	before := w.page(t, events.Query{Limit: 1}).Cursor
	w.happen(t, "1", "2")
	one, two := w.page(t, events.Query{Limit: 1}).Cursor, w.page(t, events.Query{Limit: 2}).Cursor
	w.clk.Advance(event.Kept + time.Second)
	w.sweep(t)
	w.happen(t, "3")
	for _, cursor := range []string{before, one} {
		if _, err := w.list.Page(t.Context(), events.Query{ClientID: clientID, Cursor: cursor, Limit: 1}); !errors.Is(err, fault.New(fault.CursorExpired)) {
			t.Errorf("a cursor before what was deleted: %v", err)
		}
	}
	for _, cursor := range []string{"", two} {
		if p := w.page(t, events.Query{Cursor: cursor, Limit: 9}); !cmp.Equal(bodies(p.Events), []string{"3"}) {
			t.Errorf("%q: %q", cursor, bodies(p.Events))
		}
	}
}

// However events, sweeps and reads follow one another, a follower has every event in order,
// or is told that it must start again.
func TestList_FollowerHasEverythingOrIsTold(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		client := uuid.NewString()
		w.clk.Advance(2 * event.Kept) // nothing is left of the run before
		w.sweep(t)
		var all []string   // that happened
		var have int       // how many of them the follower has seen or been told to have missed
		cursor := ""       // of the follower
		var deleted []bool // whether all[i] may be gone
		var times []time.Time
		rt.Repeat(map[string]func(*rapid.T){
			"happen": func(rt *rapid.T) {
				for range rapid.IntRange(1, 4).Draw(rt, "events") {
					text := strconv.Itoa(len(all))
					all, deleted, times = append(all, text), append(deleted, false), append(times, w.clk.Now())
					e := newEvent("r", text)
					e.ClientID = client
					add(t, w.s, e)
				}
				if err := w.seq.Drain(t.Context()); err != nil {
					rt.Fatal(err)
				}
			},
			"sweep": func(*rapid.T) {
				w.sweep(t)
				for i := range all {
					deleted[i] = deleted[i] || times[i].Before(w.clk.Now().Add(-event.Kept))
				}
			},
			"time": func(rt *rapid.T) {
				w.clk.Advance(time.Duration(rapid.IntRange(1, 20*24).Draw(rt, "hours")) * time.Hour)
			},
			"read": func(rt *rapid.T) {
				p, err := w.list.Page(t.Context(), events.Query{ClientID: client, Cursor: cursor, Limit: rapid.IntRange(1, 5).Draw(rt, "limit")})
				if errors.Is(err, fault.New(fault.CursorExpired)) {
					if have == len(all) || !deleted[have] {
						rt.Fatalf("told to start again, although nothing after %d was deleted", have)
					}
					cursor = ""
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				if cursor == "" { // starts again, or for the first time
					for have = 0; have < len(all) && deleted[have]; have++ {
					}
				}
				for _, e := range p.Events {
					if string(e.Body) != all[have] {
						rt.Fatalf("got %s, want %s", e.Body, all[have])
					}
					have++
				}
				if !p.More && have != len(all) {
					rt.Fatalf("has %d of %d, and no more follow", have, len(all))
				}
				cursor = p.Cursor
			},
		})
	})
}
