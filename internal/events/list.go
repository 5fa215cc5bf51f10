package events

import (
	"context"
	"encoding/base64"
	"strconv"
	"time"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/fault"
	"samla/internal/store"
)

// List reads the list of events (docs/reference/api.md 7.4).
type List struct {
	Store store.EventReader
	Clock clock.Clock
}

// Query selects a page of the list. Zero members do not restrict.
type Query struct {
	ClientID string // required
	UserID   string
	Type     event.Type
	From, To time.Time // recorded at From or later, and before To
	Cursor   string    // that of an earlier page
	Limit    int       // required
}

// Page is a part of the list, oldest first.
type Page struct {
	Events []event.Event
	Cursor string // goes on after this page, now or when there is more
	More   bool   // more events follow already
}

// Page reads a page. A client that goes on with its cursor misses no event that the query
// selects. Faults: InvalidParameter for a cursor that no page had, and for an empty range
// of time; CursorExpired when events after the cursor were deleted.
func (l *List) Page(ctx context.Context, q Query) (Page, error) {
	f, err := q.filter()
	if err != nil {
		return Page{}, err
	}
	after, err := parseCursor(q.Cursor)
	if err != nil {
		return Page{}, err
	}
	// Read before the list: the list then has all events up to it.
	last, err := l.Store.LastEvent(ctx)
	if err != nil {
		return Page{}, err
	}
	if after > max(last, l.Clock.Now().UnixMicro()) {
		return Page{}, invalidCursor()
	}
	f.After = max(f.After, after)
	events, err := l.Store.Events(ctx, f, q.Limit+1)
	if err != nil {
		return Page{}, err
	}
	// Read after the list: what was deleted before the list was read is known here.
	swept, err := l.Store.SweptEvents(ctx)
	if err != nil {
		return Page{}, err
	}
	if q.Cursor != "" && after < swept {
		return Page{}, fault.New(fault.CursorExpired)
	}
	p := Page{Events: events}
	if p.More = len(events) > q.Limit; p.More {
		p.Events = events[:q.Limit]
	}
	p.Cursor = cursor(p.next(after, f.Before, last))
	return p, nil
}

// filter returns what the store is asked for.
func (q Query) filter() (store.EventFilter, error) {
	f := store.EventFilter{ClientID: q.ClientID, UserID: q.UserID, Type: q.Type}
	if !q.From.IsZero() {
		f.After = q.From.UnixMicro() - 1
	}
	if !q.To.IsZero() {
		if !q.To.After(q.From) {
			return f, fault.Param("?to", fault.Invalid, "must be later than from")
		}
		f.Before = max(q.To.UnixMicro(), 1) // 0 does not restrict
	}
	return f, nil
}

// next returns the position that the page has come to: its last event if more follow, else
// all that was numbered before the list was read. An idle follower moves on with it, so
// that its cursor does not expire. after is where the page began, before where the query
// ends (0: nowhere), last what was numbered last before the list was read.
func (p Page) next(after, before, last int64) int64 {
	if n := len(p.Events); n > 0 {
		after = p.Events[n-1].Seq
	}
	if p.More {
		return after
	}
	if before != 0 {
		last = min(last, before-1)
	}
	return max(after, last)
}

// cursor is a position as clients see it. It tells them nothing but a time.
func cursor(seq int64) string {
	return base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, seq, 10))
}

func parseCursor(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	plain, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, invalidCursor()
	}
	seq, err := strconv.ParseInt(string(plain), 10, 64)
	if err != nil || seq < 0 || cursor(seq) != text {
		return 0, invalidCursor()
	}
	return seq, nil
}

func invalidCursor() error {
	return fault.Param("?cursor", fault.Invalid, "must be the member cursor of an earlier answer of this route")
}
