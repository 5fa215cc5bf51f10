package storetest

import (
	"slices"
	"testing"
	"time"

	"samla/internal/event"
	"samla/internal/store"
)

// newEvent returns an event of the fixture's user with every member set.
func (f fixture) newEvent(t event.Type) event.Event {
	return event.Event{ID: newID(), ClientID: f.client.ID, UserID: f.user.ID, Type: t, Version: "2025-01-01", Resource: newID(),
		At: start.Add(time.Second), Body: []byte(`{"a":1}`)}
}

func (f fixture) addEvent(e event.Event) event.Event {
	f.Helper()
	f.write(func(tx store.Tx) error { return tx.AddEvent(f.ctx, e) })
	return e
}

// sequence gives up to limit events their Seq.
func (f fixture) sequence(now time.Time, limit int) (events []event.Event) {
	f.Helper()
	f.write(func(tx store.Tx) (err error) {
		events, err = tx.SequenceEvents(f.ctx, now, limit)
		return err
	})
	return events
}

func (f fixture) events(filter store.EventFilter) []event.Event {
	f.Helper()
	all, err := f.s.Events(f.ctx, filter, 100)
	if err != nil {
		f.Error(err)
	}
	return all
}

func (f fixture) waiting(want bool) {
	f.Helper()
	got, err := f.s.UnsequencedEvents(f.ctx)
	check(f, "events wait", got, err, want)
}

func testEvents(_ *testing.T, f fixture) {
	all := store.EventFilter{ClientID: f.client.ID}
	f.waiting(false)
	a, b, c := f.addEvent(f.newEvent(event.TypeCollection)), f.addEvent(f.newEvent(event.TypeTest)), f.addEvent(f.newEvent(event.TypeCollection))
	f.waiting(true)
	if got := f.events(all); len(got) != 0 {
		f.Errorf("%d events are seen before they have a Seq", len(got))
	}
	_, err := f.s.Event(f.ctx, f.client.ID, a.ID)
	missing(f, "an event without a Seq", a, err)

	now := start.UnixMicro()
	a.Seq, b.Seq, c.Seq = now, now+1, now+2
	check(f, "the first two", f.sequence(start, 2), nil, []event.Event{a, b})
	// A clock that runs behind does not change the order.
	check(f, "the last one", f.sequence(start.Add(-time.Hour), 2), nil, []event.Event{c})
	check(f, "no event", f.sequence(start, 2), nil, nil)
	f.waiting(false)
	last, err := f.s.LastEvent(f.ctx)
	check(f, "the last Seq", last, err, c.Seq)
	got, err := f.s.Event(f.ctx, f.client.ID, a.ID)
	check(f, "one event", got, err, a)
	_, err = f.s.Event(f.ctx, newID(), a.ID)
	missing(f, "an event of another client", a, err)

	d := f.addEvent(f.newEvent(event.TypeTest))
	undone := f.newEvent(event.TypeTest)
	f.fails(store.ErrConflict, func(tx store.Tx) error {
		if err := tx.AddEvent(f.ctx, undone); err != nil {
			return err
		}
		return store.ErrConflict
	})
	d.Seq = start.Add(time.Hour).UnixMicro()
	check(f, "after an hour", f.sequence(start.Add(time.Hour), 9), nil, []event.Event{d})

	for name, test := range map[string]struct {
		filter store.EventFilter
		want   []event.Event
	}{
		"all":              {all, []event.Event{a, b, c, d}},
		"of a user":        {store.EventFilter{ClientID: f.client.ID, UserID: f.user.ID}, []event.Event{a, b, c, d}},
		"of a type":        {store.EventFilter{ClientID: f.client.ID, Type: event.TypeTest}, []event.Event{b, d}},
		"of both":          {store.EventFilter{ClientID: f.client.ID, UserID: f.user.ID, Type: event.TypeCollection}, []event.Event{a, c}},
		"after":            {store.EventFilter{ClientID: f.client.ID, After: b.Seq}, []event.Event{c, d}},
		"before":           {store.EventFilter{ClientID: f.client.ID, Before: c.Seq}, []event.Event{a, b}},
		"between, of type": {store.EventFilter{ClientID: f.client.ID, Type: event.TypeTest, After: a.Seq, Before: d.Seq}, []event.Event{b}},
		"another client's": {store.EventFilter{ClientID: newID(), UserID: f.user.ID}, nil},
		"another user's":   {store.EventFilter{ClientID: f.client.ID, UserID: newID()}, nil},
	} {
		check(f, name, f.events(test.filter), nil, test.want)
	}
	two, err := f.s.Events(f.ctx, all, 2)
	check(f, "two", two, err, []event.Event{a, b})

	swept, err := f.s.SweptEvents(f.ctx)
	check(f, "nothing was deleted", swept, err, 0)
	f.sweep(a.RecordedAt().Add(event.Kept), 0)
	f.sweep(c.RecordedAt().Add(event.Kept), 2)
	check(f, "the oldest two are gone", f.events(all), nil, []event.Event{c, d})
	swept, err = f.s.SweptEvents(f.ctx)
	check(f, "the last that was deleted", swept, err, b.Seq)
	f.sweep(d.RecordedAt().Add(event.Kept+time.Second), 2)
	swept, err = f.s.SweptEvents(f.ctx)
	check(f, "all were deleted", swept, err, d.Seq)
	last, err = f.s.LastEvent(f.ctx)
	check(f, "the last Seq after that", last, err, d.Seq)
}

// sweep deletes what has expired at the time now: events only.
func (f fixture) sweep(now time.Time, want int) {
	f.Helper()
	f.write(func(tx store.Tx) error {
		n, _, err := tx.Sweep(f.ctx, now, 365*24*time.Hour)
		check(f, "swept", n, err, want)
		return err
	})
}

// testEventTwice stores an event twice.
func testEventTwice(_ *testing.T, f fixture) {
	e := f.addEvent(f.newEvent(event.TypeTest))
	if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.AddEvent(f.ctx, e) }); err == nil {
		f.Error("an event was overwritten")
	}
}

// testEventSignal checks that commits with events, and only they, are signalled.
func testEventSignal(_ *testing.T, f fixture) {
	f.addUser(f.client)
	select {
	case <-f.s.EventsAdded():
		f.Error("signalled without an event")
	default:
	}
	together(8, func(int) { f.addEvent(f.newEvent(event.TypeTest)) })
	select {
	case <-f.s.EventsAdded():
	default:
		f.Error("no signal after commits")
	}
}

// testEventsInCommitOrder lets a transaction that drew an earlier place commit after
// another one was seen. A follower must still see both, in the order of the commits.
func testEventsInCommitOrder(_ *testing.T, f fixture) {
	if f.s.Kind() == "sqlite" {
		return // a writer is alone
	}
	early, late := f.newEvent(event.TypeTest), f.newEvent(event.TypeTest)
	added, finish, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- f.s.Write(f.ctx, func(tx store.Tx) error {
			if err := tx.AddEvent(f.ctx, early); err != nil {
				return err
			}
			if _, err := tx.LastEvent(f.ctx); err != nil { // sends what was stored for later
				return err
			}
			close(added)
			<-finish
			return nil
		})
	}()
	<-added
	f.addEvent(late)
	first := f.sequence(start, 9)
	close(finish)
	if err := <-done; err != nil {
		f.Fatal(err)
	}
	f.sequence(start, 9)
	var ids []string
	for _, e := range f.events(store.EventFilter{ClientID: f.client.ID}) {
		ids = append(ids, e.ID)
	}
	if want := []string{late.ID, early.ID}; len(first) != 1 || !slices.Equal(ids, want) {
		f.Errorf("a follower saw %d and then %v, want %v", len(first), ids, want)
	}
}
