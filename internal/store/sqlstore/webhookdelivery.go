package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"samla/internal/event"
	"samla/internal/store"
	"samla/internal/webhook"
)

const deliveryColumns = `d.endpoint_id, d.event_id, d.seq, d.resource, d.lane, d.progress, d.attempts, d.total, d.due_at, d.hold_until`

// deliveryRow reads a delivery, with more columns after its own.
func deliveryRow(r rows, more ...any) (d webhook.Delivery, err error) {
	var lane, attempts, total, due, hold int64
	err = r.Scan(append([]any{&d.EndpointID, &d.EventID, &d.Seq, &d.Resource, &lane, (*string)(&d.Progress), &attempts, &total, &due, &hold}, more...)...)
	d.Lane, d.Attempts, d.Total = webhook.Lane(lane), int(attempts), int(total)
	d.DueAt, d.HoldUntil = fromMicros(due), fromMicros(hold)
	return d, err
}

// WebhookDelivery implements store.WebhookReader.
func (r reader) WebhookDelivery(ctx context.Context, endpointID, eventID string) (webhook.Delivery, error) {
	return one(ctx, r.q, func(r rows) (webhook.Delivery, error) { return deliveryRow(r) },
		`SELECT `+deliveryColumns+` FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.event_id = $2`, endpointID, eventID)
}

// dueDeliveries names an order that the index on due deliveries has. The condition is
// webhook.Delivery.Blocks. It is a scalar subquery with an order, so that it is looked up
// in the index on resources for each delivery: as NOT EXISTS, PostgreSQL compared each
// delivery with all that are pending where its statistics know of few.
const dueDeliveries = `SELECT ` + deliveryColumns + `, v.happened_at, v.body FROM webhook_deliveries d JOIN events v ON v.id = d.event_id
WHERE d.progress = 'PENDING' AND d.endpoint_id = $1 AND d.lane = $2 AND d.due_at <= $3 AND (SELECT b.seq FROM webhook_deliveries b
WHERE b.progress = 'PENDING' AND b.endpoint_id = d.endpoint_id AND b.resource = d.resource AND b.seq < d.seq AND %s AND (b.hold_until = 0 OR b.hold_until > $3)
ORDER BY b.endpoint_id, b.resource, b.seq LIMIT 1) IS NULL
ORDER BY d.endpoint_id, d.lane, d.due_at, d.seq LIMIT $4 + 0`

var (
	dueFresh  = fmt.Sprintf(dueDeliveries, `b.lane < 2`)
	dueReplay = fmt.Sprintf(dueDeliveries, `b.lane = 2`)
)

// DueDeliveries implements store.WebhookReader.
func (r reader) DueDeliveries(ctx context.Context, endpointID string, lane webhook.Lane, now time.Time, limit int) ([]webhook.Delivery, error) {
	text := dueFresh
	if lane == webhook.Replayed {
		text = dueReplay
	}
	return list(ctx, r.q, func(r rows) (webhook.Delivery, error) {
		var at int64
		var body []byte
		d, err := deliveryRow(r, &at, &body)
		d.At, d.Body = fromMicros(at), body
		return d, err
	}, text, endpointID, int64(lane), micros(now), int64(limit))
}

// nextDelivery reads the first entry of each lane in the index. The orders choose it.
const nextDelivery = `SELECT COALESCE(MIN(at), 0) FROM (
SELECT (SELECT due_at FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND lane = 0 AND due_at > $2 ORDER BY endpoint_id, lane, due_at, seq LIMIT 1) AS at
UNION ALL SELECT (SELECT due_at FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND lane = 1 AND due_at > $2 ORDER BY endpoint_id, lane, due_at, seq LIMIT 1)
UNION ALL SELECT (SELECT due_at FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND lane = 2 AND due_at > $2 ORDER BY endpoint_id, lane, due_at, seq LIMIT 1)
UNION ALL SELECT (SELECT hold_until FROM webhook_deliveries WHERE progress = 'PENDING' AND hold_until > 0 AND endpoint_id = $1 AND hold_until > $2 ORDER BY endpoint_id, hold_until LIMIT 1)) AS times`

// NextDelivery implements store.WebhookReader.
func (r reader) NextDelivery(ctx context.Context, endpointID string, now time.Time) (time.Time, error) {
	next, err := one(ctx, r.q, column[int64], nextDelivery, endpointID, micros(now))
	return fromMicros(next), err
}

// PendingDeliveries implements store.WebhookReader.
func (r reader) PendingDeliveries(ctx context.Context, endpointID string, lane webhook.Lane) (int, error) {
	n, err := one(ctx, r.q, column[int64], `SELECT COUNT(*) FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND lane = $2`,
		endpointID, int64(lane))
	return int(n), err
}

const (
	// fanOut adds deliveries. It returns whether they are live and whether their endpoint
	// has a backlog. due_at is the position: it is the time of the recording, so that what
	// was kept is delivered in its order.
	fanOut = `INSERT INTO webhook_deliveries (endpoint_id, event_id, seq, resource, lane, progress, due_at)
SELECT w.id, v.id, v.seq, v.resource, CASE WHEN w.state = 'PAUSED' THEN 1 ELSE 0 END, 'PENDING', v.seq
FROM events v JOIN webhook_endpoints w ON w.client_id = v.client_id
WHERE v.seq > 0 AND v.seq >= $1 AND v.seq <= $2 AND w.state <> 'DELETED'
AND (w.kinds LIKE '% ' || v.kind || ' %' OR (v.kind = 'TEST' AND v.resource = w.id)) ON CONFLICT DO NOTHING
RETURNING endpoint_id, resource, lane`
	// withBacklog selects, of a list of endpoints, those with a backlog.
	withBacklog = `SELECT w.id FROM webhook_endpoints w WHERE (SELECT d.seq FROM webhook_deliveries d
WHERE d.progress = 'PENDING' AND d.endpoint_id = w.id AND d.lane = 1 ORDER BY d.endpoint_id, d.lane, d.due_at, d.seq LIMIT 1) IS NOT NULL AND w.id `
	// pullBacklog makes the backlog of one resource live. The order chooses the index on
	// resources, and the expression keeps the indexes of what is pending from the update.
	pullBacklog = `UPDATE webhook_deliveries SET lane = 0 WHERE endpoint_id = $1 AND progress || '' = 'PENDING' AND event_id IN
(SELECT event_id FROM webhook_deliveries WHERE progress = 'PENDING' AND lane + 0 = 1 AND endpoint_id = $1 AND resource = $2
ORDER BY endpoint_id, resource, seq LIMIT $3 + 0)`
)

// added is a delivery that FanOut has added.
type added struct {
	endpoint, resource string
	lane               int64
}

// FanOut implements store.WebhookWriter. Its cost without endpoints is one look-up for
// each event.
func (t *tx) FanOut(ctx context.Context, events []event.Event, now time.Time) ([]string, error) {
	if len(events) == 0 {
		return nil, nil
	}
	first, last := events[0].Seq, events[len(events)-1].Seq
	if first == 0 {
		return nil, errNoEvent
	}
	all, err := list(ctx, t.q, func(r rows) (a added, err error) { return a, r.Scan(&a.endpoint, &a.resource, &a.lane) }, fanOut, first, last)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if err := t.pullBacklogs(ctx, all); err != nil {
		return nil, err
	}
	var woken []string
	for ids := endpointsOf(all, func(added) bool { return true }); len(ids) > 0; {
		in, args := inList(2, &ids)
		touched, err := list(ctx, t.q, column[string], `UPDATE webhook_endpoints SET `+touchFirst+`
WHERE state <> 'DELETED' AND id `+in+` RETURNING CASE WHEN state = 'ACTIVE' THEN id ELSE '' END`, append([]any{micros(now)}, args...)...)
		if err != nil {
			return nil, err
		}
		woken = append(woken, slices.DeleteFunc(touched, func(id string) bool { return id == "" })...)
	}
	return woken, nil
}

// endpointsOf returns the endpoints of some deliveries, each once.
func endpointsOf(all []added, some func(added) bool) (ids []string) {
	for _, a := range all {
		if some(a) && !slices.Contains(ids, a.endpoint) {
			ids = append(ids, a.endpoint)
		}
	}
	slices.Sort(ids)
	return ids
}

// pullBacklogs lets a live event pull the backlog of its resource with it, which goes
// before it. Its cost follows the events, and not the backlog.
func (t *tx) pullBacklogs(ctx context.Context, all []added) error {
	kept := map[string]bool{}
	for ids := endpointsOf(all, func(a added) bool { return a.lane == int64(webhook.Live) }); len(ids) > 0; {
		in, args := inList(1, &ids)
		found, err := list(ctx, t.q, column[string], withBacklog+in, args...)
		if err != nil {
			return err
		}
		for _, id := range found {
			kept[id] = true
		}
	}
	pulled := map[added]bool{}
	for _, a := range all {
		if a.lane != int64(webhook.Live) || !kept[a.endpoint] || pulled[a] {
			continue
		}
		pulled[a] = true
		if err := t.q.execLater(ctx, pullBacklog, a.endpoint, a.resource, int64(math.MaxInt32)); err != nil {
			return err
		}
	}
	return nil
}

// recordAttempt stores a delivery after an attempt. The expression leaves only the primary
// key to look the row up: an index of what is pending would find all of the endpoint.
const recordAttempt = `UPDATE webhook_deliveries SET progress = $3, attempts = $4, total = $5, due_at = $6, hold_until = $7
WHERE endpoint_id = $1 AND event_id = $2 AND progress || '' = 'PENDING' AND total = $5 - 1`

// RecordAttempt implements store.WebhookWriter.
func (t *tx) RecordAttempt(ctx context.Context, d webhook.Delivery, a webhook.Attempt) error {
	if err := t.q.execLater(ctx, recordAttempt,
		d.EndpointID, d.EventID, string(d.Progress), int64(d.Attempts), int64(d.Total), micros(d.DueAt), micros(d.HoldUntil)); err != nil {
		return err
	}
	return t.q.execLater(ctx, `INSERT INTO webhook_attempts (`+attemptColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.EndpointID, a.EventID, int64(a.Number), micros(a.At), int64(a.Status), string(a.Err), int64(a.Took/time.Microsecond), micros(a.NextAt))
}

const attemptColumns = `id, endpoint_id, event_id, number, happened_at, status, error, took, next_at`

func scanAttempt(r rows) (a webhook.Attempt, err error) {
	var number, at, status, took, next int64
	err = r.Scan(&a.ID, &a.EndpointID, &a.EventID, &number, &at, &status, (*string)(&a.Err), &took, &next)
	a.Number, a.At, a.Status, a.NextAt = int(number), fromMicros(at), int(status), fromMicros(next)
	a.Took = time.Duration(took) * time.Microsecond
	return a, err
}

// WebhookAttempts implements store.WebhookReader.
func (r reader) WebhookAttempts(ctx context.Context, endpointID string, p store.Page) ([]webhook.Attempt, error) {
	after := p.After
	if after == "" {
		after = "~" // behind every id
	}
	return list(ctx, r.q, scanAttempt, `SELECT `+attemptColumns+` FROM webhook_attempts WHERE endpoint_id = $1 AND id < $2
ORDER BY endpoint_id DESC, id DESC LIMIT $3 + 0`, endpointID, after, int64(p.Limit))
}

// moveToBacklog and hastenBacklog look rows up by the primary key only, as recordAttempt.
const moveToBacklog = `UPDATE webhook_deliveries SET lane = 1 WHERE endpoint_id = $1 AND progress || '' = 'PENDING' AND event_id IN
(SELECT event_id FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND lane = 0 ORDER BY endpoint_id, lane, due_at, seq LIMIT $2 + 0)`

// MoveToBacklog implements store.WebhookWriter.
func (t *tx) MoveToBacklog(ctx context.Context, endpointID string, limit int) (int, error) {
	n, err := t.q.exec(ctx, moveToBacklog, endpointID, int64(limit))
	return int(n), err
}

const hastenBacklog = `UPDATE webhook_deliveries SET due_at = CASE WHEN lane = 2 THEN $2 ELSE seq END, hold_until = 0
WHERE endpoint_id = $1 AND progress || '' = 'PENDING' AND event_id IN
(SELECT event_id FROM webhook_deliveries WHERE progress = 'PENDING' AND endpoint_id = $1 AND hold_until > 0 ORDER BY endpoint_id, hold_until LIMIT $3 + 0)`

// HastenBacklog implements store.WebhookWriter.
func (t *tx) HastenBacklog(ctx context.Context, endpointID string, now time.Time, limit int) (int, error) {
	n, err := t.q.exec(ctx, hastenBacklog, endpointID, micros(now), int64(limit))
	return int(n), err
}

// onReplay is webhook.Delivery.Replay, but that what is pending is left to its lane.
const onReplay = ` ON CONFLICT (endpoint_id, event_id) DO UPDATE SET progress = 'PENDING', lane = 2, attempts = 0, due_at = $4, hold_until = 0
WHERE webhook_deliveries.progress <> 'PENDING'`

// ReplayEvent implements store.WebhookWriter.
func (t *tx) ReplayEvent(ctx context.Context, endpointID string, e event.Event, now time.Time) error {
	if e.Seq == 0 {
		return errNoEvent
	}
	if err := t.q.execLater(ctx, `UPDATE webhook_deliveries SET due_at = $3 WHERE endpoint_id = $1 AND event_id = $2 AND progress = 'PENDING'`,
		endpointID, e.ID, micros(now)); err != nil {
		return err
	}
	if err := t.q.execLater(ctx, `INSERT INTO webhook_deliveries (endpoint_id, event_id, seq, resource, lane, progress, due_at)
VALUES ($1, $2, $3, $5, 2, 'PENDING', $4)`+onReplay, endpointID, e.ID, e.Seq, micros(now), e.Resource); err != nil {
		return err
	}
	return t.touch(ctx, endpointID, now)
}

// SweepWebhooks implements store.WebhookWriter.
func (t *tx) SweepWebhooks(ctx context.Context, before time.Time, limit int) (int, error) {
	deliveries, err := t.q.exec(ctx, `DELETE FROM webhook_deliveries WHERE (endpoint_id, event_id) IN
(SELECT endpoint_id, event_id FROM webhook_deliveries WHERE seq < $1 ORDER BY seq LIMIT $2 + 0)`, micros(before), int64(limit))
	if err != nil {
		return 0, err
	}
	// The ids of attempts begin with their time.
	attempts, err := t.q.exec(ctx, `DELETE FROM webhook_attempts WHERE id IN (SELECT id FROM webhook_attempts WHERE id < $1 ORDER BY id LIMIT $2 + 0)`,
		idOfTime(before), int64(limit))
	if err != nil {
		return 0, err
	}
	deleted, err := t.sweepDeletedEndpoint(ctx, limit)
	return int(deliveries+attempts) + deleted, err
}

// idOfTime returns a text that the ids (UUIDs of version 7) of later times are greater than.
func idOfTime(at time.Time) string {
	hex := fmt.Sprintf("%012x", max(at.UnixMilli(), 0))
	return hex[:8] + "-" + hex[8:]
}

// sweepDeletedEndpoint deletes what is left of a deleted endpoint, and then its row.
func (t *tx) sweepDeletedEndpoint(ctx context.Context, limit int) (int, error) {
	ids, err := list(ctx, t.q, column[string], `SELECT id FROM webhook_endpoints WHERE state = 'DELETED' LIMIT 1`)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	id, total := ids[0], int64(0)
	for _, table := range []struct{ name, key string }{{"webhook_deliveries", "event_id"}, {"webhook_attempts", "id"}} {
		n, err := t.q.exec(ctx, `DELETE FROM `+table.name+` WHERE endpoint_id = $1 AND `+table.key+` IN
(SELECT `+table.key+` FROM `+table.name+` WHERE endpoint_id = $1 LIMIT $2 + 0)`, id, int64(limit))
		if err != nil {
			return 0, err
		}
		total += n
	}
	if total > 0 {
		return int(total), nil
	}
	if err := t.q.execLater(ctx, `DELETE FROM webhook_replays WHERE endpoint_id = $1`, id); err != nil {
		return 0, err
	}
	n, err := t.q.exec(ctx, `DELETE FROM webhook_endpoints WHERE id = $1`, id)
	return int(n), err
}
