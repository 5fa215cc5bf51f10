package sqlstore

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/store"
)

const (
	linkColumns = `id, client_id, user_id, hash, terms, created_at, expires_at, opened_at, flow_id, sealed`
	flowColumns = `id, link_id, client_id, user_id, key_hash, terms, state, company, method, on_device, consent_id, collection_id, question, failure,
signed, created_at, state_at, seen_at, sealed, rev`
)

func scanLink(r rows) (l flow.Link, err error) {
	var terms string
	var created, expires, opened int64
	if err = r.Scan(&l.ID, &l.ClientID, &l.UserID, &l.Hash, &terms, &created, &expires, &opened, &l.FlowID, &l.Sealed); err != nil {
		return l, err
	}
	l.CreatedAt, l.ExpiresAt, l.OpenedAt, l.Sealed = fromMicros(created), fromMicros(expires), fromMicros(opened), fromBlob(l.Sealed)
	return l, decode(terms, &l.Terms)
}

func scanFlow(r rows) (f flow.Flow, err error) {
	var terms, consentID string
	var onDevice, signed, created, stateAt, seen int64
	if err = r.Scan(&f.ID, &f.LinkID, &f.ClientID, &f.UserID, &f.Key, &terms, (*string)(&f.State), &f.Company, &f.Method, &onDevice, &consentID,
		&f.CollectionID, &f.Question, &f.Failure, &signed, &created, &stateAt, &seen, &f.Sealed, &f.Rev); err != nil {
		return f, err
	}
	f.OnDevice, f.Signed, f.ConsentID, f.Sealed = onDevice != 0, signed != 0, consent.ID(consentID), fromBlob(f.Sealed)
	f.CreatedAt, f.StateAt, f.SeenAt = fromMicros(created), fromMicros(stateAt), fromMicros(seen)
	return f, decode(terms, &f.Terms)
}

// ConnectLink implements store.ConnectReader.
func (r reader) ConnectLink(ctx context.Context, clientID, id string) (flow.Link, error) {
	return one(ctx, r.q, scanLink, `SELECT `+linkColumns+` FROM connect_links WHERE id = $1 AND client_id = $2`, id, clientID)
}

// ConnectLinkByHash implements store.ConnectReader.
func (r reader) ConnectLinkByHash(ctx context.Context, hash string) (flow.Link, error) {
	return one(ctx, r.q, scanLink, `SELECT `+linkColumns+` FROM connect_links WHERE hash = $1`, hash)
}

// ConnectFlow implements store.ConnectReader.
func (r reader) ConnectFlow(ctx context.Context, id string) (flow.Flow, error) {
	return one(ctx, r.q, scanFlow, `SELECT `+flowColumns+` FROM connect_flows WHERE id = $1`, id)
}

// ReadingFlows implements store.ConnectReader.
func (r reader) ReadingFlows(ctx context.Context, since time.Time, after string, limit int) ([]flow.Flow, error) {
	return list(ctx, r.q, scanFlow, `SELECT `+flowColumns+` FROM connect_flows WHERE state = 'READING' AND id > $1 AND seen_at >= $2 ORDER BY id LIMIT $3 + 0`,
		after, micros(since), int64(limit))
}

// FrameOrigins implements store.ConnectReader.
func (r reader) FrameOrigins(ctx context.Context, clientID string) ([]string, error) {
	return list(ctx, r.q, scanText, `SELECT origin FROM frame_origins WHERE client_id = $1 ORDER BY origin`, clientID)
}

// AddConnectLink implements store.ConnectWriter.
func (t *tx) AddConnectLink(ctx context.Context, l flow.Link) error {
	terms, err := encode(l.Terms)
	if err != nil {
		return err
	}
	n, err := t.q.exec(ctx, `INSERT INTO connect_links (`+linkColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		l.ID, l.ClientID, l.UserID, l.Hash, terms, micros(l.CreatedAt), micros(l.ExpiresAt), micros(l.OpenedAt), l.FlowID, blob(l.Sealed))
	return requireRow(n, err, store.ErrExists)
}

// OpenConnectLink implements store.ConnectWriter.
func (t *tx) OpenConnectLink(ctx context.Context, l flow.Link) error {
	n, err := t.q.exec(ctx, `UPDATE connect_links SET opened_at = $2, flow_id = $3, sealed = $4 WHERE id = $1 AND opened_at = 0`,
		l.ID, micros(l.OpenedAt), l.FlowID, blob(l.Sealed))
	if err != nil || n > 0 {
		return err
	}
	found, err := list(ctx, t.q, scanText, `SELECT id FROM connect_links WHERE id = $1`, l.ID)
	if err == nil && len(found) == 0 {
		return store.ErrNotFound
	}
	return requireRow(0, err, store.ErrConflict)
}

// AddConnectFlow implements store.ConnectWriter.
func (t *tx) AddConnectFlow(ctx context.Context, f flow.Flow) error {
	terms, err := encode(f.Terms)
	if err != nil {
		return err
	}
	n, err := t.q.exec(ctx, `INSERT INTO connect_flows (`+flowColumns+`)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING`,
		f.ID, f.LinkID, f.ClientID, f.UserID, f.Key, terms, string(f.State), f.Company, f.Method, flag(f.OnDevice), string(f.ConsentID),
		f.CollectionID, f.Question, f.Failure, flag(f.Signed), micros(f.CreatedAt), micros(f.StateAt), micros(f.SeenAt), blob(f.Sealed), f.Rev)
	return requireRow(n, err, store.ErrExists)
}

// PutConnectFlow implements store.ConnectWriter.
func (t *tx) PutConnectFlow(ctx context.Context, f flow.Flow) (flow.Flow, error) {
	n, err := t.q.exec(ctx, `UPDATE connect_flows SET state = $3, company = $4, method = $5, on_device = $6, consent_id = $7, collection_id = $8, question = $9,
failure = $10, signed = $11, state_at = $12, sealed = $13, rev = rev + 1 WHERE id = $1 AND rev = $2`,
		f.ID, f.Rev, string(f.State), f.Company, f.Method, flag(f.OnDevice), string(f.ConsentID), f.CollectionID, f.Question, f.Failure,
		flag(f.Signed), micros(f.StateAt), blob(f.Sealed))
	if err == nil && n > 0 {
		f.Rev++
		return f, nil
	}
	if err != nil {
		return f, err
	}
	if _, err := (reader{t.q}).ConnectFlow(ctx, f.ID); err != nil {
		return f, err
	}
	return f, store.ErrConflict
}

// RecordFlowSeen implements store.ConnectWriter.
func (t *tx) RecordFlowSeen(ctx context.Context, id string, at time.Time) error {
	n, err := t.q.exec(ctx, `UPDATE connect_flows SET seen_at = CASE WHEN seen_at < $2 THEN $2 ELSE seen_at END WHERE id = $1`, id, micros(at))
	return requireRow(n, err, store.ErrNotFound)
}

// EraseConnect implements store.ConnectWriter.
func (t *tx) EraseConnect(ctx context.Context, clientID, userID string, limit int) (int, error) {
	var sum int64
	for _, table := range []string{`connect_links`, `connect_flows`} {
		n, err := t.q.exec(ctx, `DELETE FROM `+table+` WHERE id IN (SELECT id FROM `+table+` WHERE user_id = $1 AND client_id = $2 LIMIT $3 + 0)`,
			userID, clientID, int64(limit))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return int(sum), nil
}

// SweepConnect implements store.ConnectWriter.
func (t *tx) SweepConnect(ctx context.Context, before, idle time.Time, limit int) (int, error) {
	var sum int64
	for _, sweep := range []struct {
		text    string
		at      time.Time
		empties bool
	}{
		{`DELETE FROM connect_links WHERE id IN (SELECT id FROM connect_links WHERE created_at < $1 ORDER BY created_at LIMIT $2 + 0)`, before, false},
		{`DELETE FROM connect_flows WHERE id IN (SELECT id FROM connect_flows WHERE created_at < $1 ORDER BY created_at LIMIT $2 + 0)`, before, false},
		{`UPDATE connect_flows SET sealed = $3 WHERE id IN (SELECT id FROM connect_flows WHERE LENGTH(sealed) > 0 AND seen_at < $1 ORDER BY seen_at LIMIT $2 + 0)`, idle, true},
		{`UPDATE connect_links SET sealed = $3 WHERE id IN (SELECT id FROM connect_links WHERE LENGTH(sealed) > 0 AND expires_at < $1 ORDER BY expires_at LIMIT $2 + 0)`, idle, true},
	} {
		args := []any{micros(sweep.at), int64(limit)}
		if sweep.empties {
			args = append(args, blob(nil))
		}
		n, err := t.q.exec(ctx, sweep.text, args...)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return int(sum), nil
}

// AddFrameOrigin implements store.ConnectWriter.
func (t *tx) AddFrameOrigin(ctx context.Context, clientID, origin string, at time.Time) error {
	n, err := t.q.exec(ctx, `INSERT INTO frame_origins (client_id, origin, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, clientID, origin, micros(at))
	return requireRow(n, err, store.ErrExists)
}

// DeleteFrameOrigin implements store.ConnectWriter.
func (t *tx) DeleteFrameOrigin(ctx context.Context, clientID, origin string) error {
	n, err := t.q.exec(ctx, `DELETE FROM frame_origins WHERE client_id = $1 AND origin = $2`, clientID, origin)
	return requireRow(n, err, store.ErrNotFound)
}
