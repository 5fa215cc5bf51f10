package sqlstore

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"samla/internal/event"
	"samla/internal/store"
)

const eventColumns = `id, client_id, user_id, kind, version, resource, happened_at, body, seq`

func scanEvent(r rows) (e event.Event, err error) {
	var at int64
	err = r.Scan(&e.ID, &e.ClientID, &e.UserID, (*string)(&e.Type), &e.Version, &e.Resource, &at, &e.Body, &e.Seq)
	e.At = fromMicros(at)
	return e, err
}

// Event implements store.EventReader.
func (r reader) Event(ctx context.Context, clientID, id string) (event.Event, error) {
	return one(ctx, r.q, scanEvent, `SELECT `+eventColumns+` FROM events WHERE id = $1 AND client_id = $2 AND seq > 0`, id, clientID)
}

// Events implements store.EventReader. The cost follows the events returned, except
// where a user and a type are asked for: then it follows the events of the user.
func (r reader) Events(ctx context.Context, f store.EventFilter, limit int) ([]event.Event, error) {
	text, args := listEvents(f, limit)
	return list(ctx, r.q, scanEvent, text, args...)
}

// listEvents returns the query of a list of events. Its conditions and its order name
// the index that is to be read.
func listEvents(f store.EventFilter, limit int) (text string, args []any) {
	before := f.Before
	if before == 0 {
		before = math.MaxInt64
	}
	args = []any{f.After, before, int64(limit), f.ClientID}
	text = `SELECT ` + eventColumns + ` FROM events WHERE seq > 0 AND seq > $1 AND seq < $2 AND `
	switch {
	case f.UserID != "" && f.Type != "":
		text += `client_id = $4 AND user_id = $5 AND user_id <> '' AND kind = $6 ORDER BY user_id, seq`
		args = append(args, f.UserID, string(f.Type))
	case f.UserID != "":
		text += `client_id = $4 AND user_id = $5 AND user_id <> '' ORDER BY user_id, seq`
		args = append(args, f.UserID)
	case f.Type != "":
		text += `client_id = $4 AND kind = $5 ORDER BY client_id, kind, seq`
		args = append(args, string(f.Type))
	default:
		text += `client_id = $4 ORDER BY client_id, seq`
	}
	return text + ` LIMIT $3 + 0`, args
}

// LastEvent implements store.EventReader.
func (r reader) LastEvent(ctx context.Context) (int64, error) {
	return one(ctx, r.q, column[int64], `SELECT last FROM event_order`)
}

// SweptEvents implements store.EventReader.
func (r reader) SweptEvents(ctx context.Context) (int64, error) {
	return one(ctx, r.q, column[int64], `SELECT last FROM events_swept`)
}

// UnsequencedEvents implements store.EventReader.
func (r reader) UnsequencedEvents(ctx context.Context) (bool, error) {
	n, err := one(ctx, r.q, column[int64], `SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE seq = 0 LIMIT 1) AS waiting`)
	return n > 0, err
}

// AddEvent implements store.EventWriter.
func (t *tx) AddEvent(ctx context.Context, e event.Event) error {
	t.addsEvents = true
	return t.q.execLater(ctx, `INSERT INTO events (`+eventColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		e.ID, e.ClientID, e.UserID, string(e.Type), e.Version, e.Resource, micros(e.At), blob(e.Body))
}

// sequence numbers the waiting events that the statement sees.
const sequence = `UPDATE events SET seq = $1 + waiting.n
FROM (SELECT ord AS o, ROW_NUMBER() OVER (ORDER BY ord) AS n FROM (SELECT ord FROM events WHERE seq = 0 ORDER BY ord LIMIT $2 + 0) AS oldest) AS waiting
WHERE events.ord = waiting.o RETURNING ` + eventColumns

// SequenceEvents implements store.EventWriter. The lock comes in a statement of its own:
// what the next statement sees contains all that an earlier holder has numbered. An event
// of a resource that is committed after another one of it has a greater ord, because it
// drew it under the lock of the resource's row; and a statement that sees it sees the
// other one too.
func (t *tx) SequenceEvents(ctx context.Context, now time.Time, limit int) ([]event.Event, error) {
	last, err := one(ctx, t.q, column[int64], `SELECT last FROM event_order`+t.locks.forUpdate)
	if err != nil {
		return nil, err
	}
	last = max(last, micros(now)-1)
	events, err := list(ctx, t.q, scanEvent, sequence, last, int64(limit))
	if err != nil || len(events) == 0 {
		return nil, err
	}
	slices.SortFunc(events, func(a, b event.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return events, t.q.execLater(ctx, `UPDATE event_order SET last = $1`, events[len(events)-1].Seq)
}

// sweepEvents deletes events that were recorded before the given time, and notes the
// position up to which the list has lost some.
func (t *tx) sweepEvents(ctx context.Context, before time.Time) (int64, error) {
	gone, err := list(ctx, t.q, column[int64], `DELETE FROM events WHERE ord IN
(SELECT ord FROM events WHERE seq > 0 AND seq < $1 ORDER BY seq LIMIT $2 + 0) RETURNING seq`, micros(before), int64(sweepRows))
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	return int64(len(gone)), t.q.execLater(ctx, `UPDATE events_swept SET last = CASE WHEN last < $1 THEN $1 ELSE last END`, slices.Max(gone))
}

// EventsAdded implements store.EventSignal.
func (s *Store) EventsAdded() <-chan struct{} { return s.events }
