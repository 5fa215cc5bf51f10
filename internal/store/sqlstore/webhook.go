package sqlstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"samla/internal/store"
	"samla/internal/webhook"
)

const endpointColumns = `id, client_id, state, reason, kinds, created_at, changed_at, failing_since, sealed, rev, dirty`

func scanEndpoint(r rows) (e webhook.Endpoint, err error) {
	var kinds string
	var created, changed, failing int64
	err = r.Scan(&e.ID, &e.ClientID, (*string)(&e.State), (*string)(&e.Reason), &kinds, &created, &changed, &failing, &e.Sealed, &e.Rev, &e.Dirty)
	e.Events, e.Sealed = webhook.DecodeEvents(kinds), fromBlob(e.Sealed)
	e.CreatedAt, e.ChangedAt, e.FailingSince = fromMicros(created), fromMicros(changed), fromMicros(failing)
	return e, err
}

// WebhookEndpoint implements store.WebhookReader.
func (r reader) WebhookEndpoint(ctx context.Context, id string) (webhook.Endpoint, error) {
	return one(ctx, r.q, scanEndpoint, `SELECT `+endpointColumns+` FROM webhook_endpoints WHERE id = $1 AND state <> 'DELETED'`, id)
}

// WebhookEndpoints implements store.WebhookReader.
func (r reader) WebhookEndpoints(ctx context.Context, clientID string) ([]webhook.Endpoint, error) {
	return list(ctx, r.q, scanEndpoint, `SELECT `+endpointColumns+` FROM webhook_endpoints
WHERE client_id = $1 AND state <> 'DELETED' ORDER BY client_id, id`, clientID)
}

// WebhookVersion implements store.WebhookReader.
func (r reader) WebhookVersion(ctx context.Context, id string) (rev, dirty int64, err error) {
	v, err := one(ctx, r.q, func(r rows) (v [2]int64, err error) { return v, r.Scan(&v[0], &v[1]) },
		`SELECT rev, dirty FROM webhook_endpoints WHERE id = $1 AND state <> 'DELETED'`, id)
	return v[0], v[1], err
}

// AddWebhookEndpoint implements store.WebhookWriter.
func (t *tx) AddWebhookEndpoint(ctx context.Context, e webhook.Endpoint) error {
	n, err := t.q.exec(ctx, `INSERT INTO webhook_endpoints (`+endpointColumns+`, company, wake_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $2, 0) ON CONFLICT DO NOTHING`,
		e.ID, e.ClientID, string(e.State), string(e.Reason), webhook.EncodeEvents(e.Events), micros(e.CreatedAt), micros(e.ChangedAt),
		micros(e.FailingSince), blob(e.Sealed), e.Rev, e.Dirty)
	return requireRow(n, err, store.ErrExists)
}

// touch makes an endpoint due at $2, or tells the node that has it.
const touch = `dirty = dirty + 1, wake_at = CASE WHEN job_attempts = 0 OR wake_at = 0 THEN $2 ELSE wake_at END`

// touchAdded is touch for those who add deliveries. A paused endpoint does not become due,
// but its row is written too: who resumes it waits for them, or is waited for and woken.
const touchAdded = `dirty = dirty + 1, wake_at = CASE WHEN state = 'ACTIVE' AND (job_attempts = 0 OR wake_at = 0) THEN $2 ELSE wake_at END`

// touchFirst is touchAdded with the time as its first argument.
var touchFirst = strings.ReplaceAll(touchAdded, `$2`, `$1`)

// PutWebhookEndpoint implements store.WebhookWriter.
func (t *tx) PutWebhookEndpoint(ctx context.Context, e webhook.Endpoint) (webhook.Endpoint, error) {
	n, err := t.q.exec(ctx, `UPDATE webhook_endpoints SET rev = rev + 1, state = $4, reason = $5, kinds = $6, changed_at = $7,
failing_since = $8, sealed = $9, `+touch+` WHERE id = $1 AND rev = $3 AND state <> 'DELETED'`,
		e.ID, int64(1), e.Rev, string(e.State), string(e.Reason), webhook.EncodeEvents(e.Events), micros(e.ChangedAt), micros(e.FailingSince), blob(e.Sealed))
	if err == nil && n == 0 {
		if _, err = t.WebhookEndpoint(ctx, e.ID); err == nil {
			err = store.ErrConflict
		}
	}
	if err != nil {
		return webhook.Endpoint{}, err
	}
	e.Rev++
	e.Dirty++
	return e, nil
}

// SetWebhookFailing implements store.WebhookWriter.
func (t *tx) SetWebhookFailing(ctx context.Context, id string, since time.Time) error {
	return t.q.execLater(ctx, `UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1 AND state = 'ACTIVE'`, id, micros(since))
}

// DeleteWebhookEndpoint implements store.WebhookWriter.
func (t *tx) DeleteWebhookEndpoint(ctx context.Context, clientID, id string) error {
	if !storable(clientID, id) {
		return store.ErrNotFound
	}
	n, err := t.q.exec(ctx, `UPDATE webhook_endpoints SET rev = rev + 1, state = 'DELETED', sealed = $3, wake_at = 0
WHERE id = $1 AND client_id = $2 AND state <> 'DELETED'`, id, clientID, blob(nil))
	return requireRow(n, err, store.ErrNotFound)
}

// ReleaseWebhook implements store.WebhookWriter.
func (t *tx) ReleaseWebhook(ctx context.Context, id string, lease time.Time, dirty int64, next time.Time) (bool, error) {
	n, err := t.q.exec(ctx, `UPDATE webhook_endpoints SET wake_at = $4, job_attempts = 0, job_error = '' WHERE id = $1 AND wake_at = $2 AND dirty = $3`,
		id, micros(lease), dirty, micros(next))
	return n > 0, err
}

// WebhookFigures implements store.WebhookReader.
func (r reader) WebhookFigures(ctx context.Context, now time.Time) (webhook.Figures, error) {
	f, err := one(ctx, r.q, func(r rows) (f webhook.Figures, err error) {
		var active, paused int64
		err = r.Scan(&active, &paused)
		f.Active, f.Paused = int(active), int(paused)
		return f, err
	}, `SELECT COALESCE(SUM(CASE WHEN state = 'ACTIVE' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'PAUSED' THEN 1 ELSE 0 END), 0) FROM webhook_endpoints`)
	if err != nil {
		return f, err
	}
	var oldest int64
	_, err = one(ctx, r.q, func(r rows) (none struct{}, err error) {
		var pending int64
		err = r.Scan(&pending, &oldest)
		f.Pending = int(pending)
		return none, err
	}, `SELECT COUNT(*), COALESCE(MIN(due_at), 0) FROM webhook_deliveries d WHERE progress = 'PENDING'
AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = d.endpoint_id AND e.state = 'ACTIVE')`)
	if oldest > 0 {
		f.Oldest = max(now.Sub(fromMicros(oldest)), 0)
	}
	return f, err
}

const replayColumns = `endpoint_id, id, after_seq, before_seq, total, queued, started_at, ended_at`

func scanReplay(r rows) (p webhook.Replay, err error) {
	var total, queued, started, ended int64
	err = r.Scan(&p.EndpointID, &p.ID, &p.After, &p.Before, &total, &queued, &started, &ended)
	p.Total, p.Queued, p.StartedAt, p.EndedAt = int(total), int(queued), fromMicros(started), fromMicros(ended)
	return p, err
}

// WebhookReplay implements store.WebhookReader.
func (r reader) WebhookReplay(ctx context.Context, endpointID string) (webhook.Replay, error) {
	return one(ctx, r.q, scanReplay, `SELECT `+replayColumns+` FROM webhook_replays WHERE endpoint_id = $1`, endpointID)
}

// replayable selects the events between two positions that an endpoint gets.
const replayable = ` FROM events v JOIN webhook_endpoints w ON w.client_id = v.client_id
WHERE w.id = $1 AND v.seq > 0 AND v.seq > $2 AND v.seq < $3 AND w.kinds LIKE '% ' || v.kind || ' %'`

// CountReplay implements store.WebhookReader.
func (r reader) CountReplay(ctx context.Context, endpointID string, after, before int64) (int, error) {
	total, err := one(ctx, r.q, column[int64], `SELECT COUNT(*)`+replayable, endpointID, after, before)
	return int(total), err
}

// anyReplay is no id of a replay.
const anyReplay = "*"

// AddWebhookReplay implements store.WebhookWriter.
func (t *tx) AddWebhookReplay(ctx context.Context, p webhook.Replay, after *string) (webhook.Replay, error) {
	if _, err := t.WebhookEndpoint(ctx, p.EndpointID); err != nil {
		return p, err
	}
	total, err := t.CountReplay(ctx, p.EndpointID, p.After, p.Before)
	if err != nil {
		return p, err
	}
	p.Total, p.Queued, p.EndedAt = total, 0, time.Time{}
	before := anyReplay
	if after != nil {
		before = *after
	}
	n, err := t.q.exec(ctx, `INSERT INTO webhook_replays (`+replayColumns+`) VALUES ($1, $2, $3, $4, $5, 0, $6, 0)
ON CONFLICT (endpoint_id) DO UPDATE SET id = $2, after_seq = $3, before_seq = $4, total = $5, queued = 0, started_at = $6, ended_at = 0
WHERE webhook_replays.ended_at > 0 AND ($7 = '`+anyReplay+`' OR webhook_replays.id = $7)`, p.EndpointID, p.ID, p.After, p.Before, int64(total), micros(p.StartedAt), before)
	if err := requireRow(n, err, store.ErrExists); err != nil {
		if last, wrong := t.WebhookReplay(ctx, p.EndpointID); wrong == nil && errors.Is(err, store.ErrExists) && !last.Running() {
			err = store.ErrConflict
		}
		return p, err
	}
	return p, t.touch(ctx, p.EndpointID, p.StartedAt)
}

func (t *tx) touch(ctx context.Context, id string, now time.Time) error {
	return t.q.execLater(ctx, `UPDATE webhook_endpoints SET `+touchAdded+` WHERE id = $1 AND state <> 'DELETED'`, id, micros(now))
}

// FeedReplay implements store.WebhookWriter.
func (t *tx) FeedReplay(ctx context.Context, endpointID string, now time.Time, limit int) (webhook.Replay, error) {
	p, err := one(ctx, t.q, scanReplay, `SELECT `+replayColumns+` FROM webhook_replays WHERE endpoint_id = $1 AND ended_at = 0`+t.locks.forUpdate, endpointID)
	if err != nil {
		return p, err
	}
	seqs, err := list(ctx, t.q, column[int64], `SELECT v.seq`+replayable+` ORDER BY v.client_id, v.seq LIMIT $4 + 0`, endpointID, p.After, p.Before, int64(limit))
	if err != nil {
		return p, err
	}
	if len(seqs) == 0 {
		pending, err := t.PendingDeliveries(ctx, endpointID, webhook.Replayed)
		if err != nil || pending > 0 {
			return p, err
		}
		p.EndedAt = now
		return p, t.q.execLater(ctx, `UPDATE webhook_replays SET ended_at = $2 WHERE endpoint_id = $1`, endpointID, micros(now))
	}
	last := seqs[len(seqs)-1]
	err = t.q.execLater(ctx, `INSERT INTO webhook_deliveries (endpoint_id, event_id, seq, resource, lane, progress, due_at)
SELECT w.id, v.id, v.seq, v.resource, 2, 'PENDING', $4`+replayable+onReplay, endpointID, p.After, last+1, micros(now))
	if err != nil {
		return p, err
	}
	p.After, p.Queued = last, p.Queued+len(seqs)
	return p, t.q.execLater(ctx, `UPDATE webhook_replays SET after_seq = $2, queued = $3 WHERE endpoint_id = $1`, endpointID, p.After, int64(p.Queued))
}

// errNoEvent is for the impossible.
var errNoEvent = errors.New("sqlstore: an event without a position cannot be delivered")
