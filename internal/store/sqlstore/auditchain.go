package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/store"
)

const (
	chainColumns = `seq, id, happened_at, client_id, user_id, consent_id, kind, detail, prev, user_seq, user_prev, hash`
	chainFields  = 12
	chainBatch   = 32 // rows in one statement
)

func scanRow(r rows) (row chain.Row, err error) {
	var at int64
	var prev, userPrev, hash []byte
	l := &row.Link
	err = r.Scan(&l.Seq, &l.ID, &at, &l.ClientID, &l.UserID, &l.ConsentID, &l.Kind, &l.Detail, &prev, &l.UserSeq, &userPrev, &hash)
	l.At, l.Detail = fromMicros(at), fromBlob(l.Detail)
	// A hash of a wrong length is left as zero: verification finds it.
	copy(l.Prev[:], prev)
	copy(l.UserPrev[:], userPrev)
	copy(row.Stored[:], hash)
	return row, err
}

// AuditRows implements store.AuditReader.
func (r reader) AuditRows(ctx context.Context, after int64, limit int) ([]chain.Row, error) {
	return list(ctx, r.q, scanRow, `SELECT `+chainColumns+` FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2 + 0`, after, int64(limit))
}

// AuditRowsOf implements store.AuditReader.
func (r reader) AuditRowsOf(ctx context.Context, userID string, after int64, limit int) ([]chain.Row, error) {
	return list(ctx, r.q, scanRow, `SELECT `+chainColumns+` FROM audit_log WHERE user_id = $1 AND user_id <> '' AND seq > $2
ORDER BY seq LIMIT $3 + 0`, userID, after, int64(limit))
}

// AuditHashes implements store.AuditReader.
func (r reader) AuditHashes(ctx context.Context, after int64, limit int) ([]chain.Row, error) {
	return list(ctx, r.q, func(r rows) (row chain.Row, err error) {
		var hash []byte
		err = r.Scan(&row.Seq, &hash)
		copy(row.Stored[:], hash)
		return row, err
	}, `SELECT seq, hash FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2 + 0`, after, int64(limit))
}

// AuditUsers implements store.AuditReader.
func (r reader) AuditUsers(ctx context.Context, userIDs []string) (map[string]chain.UserEnd, error) {
	type end struct {
		id string
		chain.UserEnd
	}
	ends := make(map[string]chain.UserEnd, len(userIDs))
	for len(userIDs) > 0 {
		in, args := inList(1, &userIDs)
		found, err := list(ctx, r.q, func(r rows) (e end, err error) {
			var hash []byte
			err = r.Scan(&e.id, &e.Count, &hash)
			copy(e.Hash[:], hash)
			return e, err
		}, `SELECT user_id, entries, hash FROM audit_users WHERE user_id `+in, args...)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			ends[e.id] = e.UserEnd
		}
	}
	return ends, nil
}

// LockAuditChain implements store.AuditWriter.
func (t *tx) LockAuditChain(ctx context.Context) (bool, error) {
	locked, err := list(ctx, t.q, column[int64], `SELECT id FROM audit_chain WHERE id = 1`+t.locks.skipLocked)
	return len(locked) == 1, err
}

var (
	insertRowsTexts = inserts(`INSERT INTO audit_log (`+chainColumns+`) VALUES `, chainFields, chainBatch, ``)
	insertEndsTexts = inserts(`INSERT INTO audit_users (user_id, entries, hash) VALUES `, 3, chainBatch,
		` ON CONFLICT (user_id) DO UPDATE SET entries = excluded.entries, hash = excluded.hash`)
)

// AppendAuditRows implements store.AuditWriter.
func (t *tx) AppendAuditRows(ctx context.Context, all []chain.Row, ends map[string]chain.UserEnd) error {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	for len(all) > 0 {
		some := all[:min(len(all), chainBatch)]
		all = all[len(some):]
		args := make([]any, 0, len(some)*chainFields)
		for i := range some {
			l := &some[i].Link
			args = append(args, l.Seq, l.ID, micros(l.At), l.ClientID, l.UserID, l.ConsentID, l.Kind, blob(l.Detail),
				l.Prev[:], l.UserSeq, l.UserPrev[:], some[i].Stored[:])
		}
		if err := t.q.execLater(ctx, insertRowsTexts[len(some)], args...); err != nil {
			return err
		}
	}
	var args []any
	flush := func() error {
		n := len(args) / 3
		if n == 0 {
			return nil
		}
		err := t.q.execLater(ctx, insertEndsTexts[n], args...)
		args = nil
		return err
	}
	for id, end := range ends {
		if args = append(args, id, end.Count, append([]byte{}, end.Hash[:]...)); len(args) == 3*chainBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	for len(ids) > 0 {
		in, args := inList(1, &ids)
		if err := t.q.execLater(ctx, `DELETE FROM evidence WHERE id `+in, args...); err != nil {
			return err
		}
	}
	return nil
}

// RemoveAuditRows implements store.AuditWriter.
func (t *tx) RemoveAuditRows(ctx context.Context, through int64) error {
	return t.q.execLater(ctx, `DELETE FROM audit_log WHERE seq <= $1`, through)
}

func scanHead(r rows) (s chain.Signed, err error) {
	var text []byte
	if err = r.Scan(&text); err == nil {
		if err = json.Unmarshal(text, &s); err != nil {
			err = fmt.Errorf("sqlstore: a stored head of the audit log: %w", err)
		}
	}
	return s, err
}

// LastAuditHead implements store.AuditReader.
func (r reader) LastAuditHead(ctx context.Context, p chain.Purpose) (chain.Signed, error) {
	return one(ctx, r.q, scanHead, `SELECT signed FROM audit_heads WHERE purpose = $1 ORDER BY entries DESC LIMIT 1`, string(p))
}

// AuditHeads implements store.AuditReader.
func (r reader) AuditHeads(ctx context.Context, p chain.Purpose, after int64, limit int) ([]chain.Signed, error) {
	return list(ctx, r.q, scanHead, `SELECT signed FROM audit_heads WHERE purpose = $1 AND entries > $2 ORDER BY entries LIMIT $3 + 0`,
		string(p), after, int64(limit))
}

// PutAuditHead implements store.AuditWriter.
func (t *tx) PutAuditHead(ctx context.Context, s chain.Signed) error {
	return t.q.execLater(ctx, `INSERT INTO audit_heads (purpose, entries, signed) VALUES ($1, $2, $3)
ON CONFLICT (purpose, entries) DO UPDATE SET signed = excluded.signed`, string(s.Purpose), s.Count, s.AppendJSON(nil))
}

// RemoveAuditHeads implements store.AuditWriter.
func (t *tx) RemoveAuditHeads(ctx context.Context, p chain.Purpose, first, last int64) error {
	return t.q.execLater(ctx, `DELETE FROM audit_heads WHERE purpose = $1 AND entries >= $2 AND entries <= $3`, string(p), first, last)
}

// auditKeyID is the id of the row of the only key.
const auditKeyID = "1"

// AuditKey implements store.AuditReader.
func (r reader) AuditKey(ctx context.Context) (store.AuditKey, error) {
	return one(ctx, r.q, func(r rows) (k store.AuditKey, err error) {
		var created int64
		err = r.Scan(&created, &k.Sealed, &k.Public)
		k.CreatedAt = fromMicros(created)
		return k, err
	}, `SELECT created_at, sealed, public_key FROM audit_keys WHERE id = $1`, auditKeyID)
}

// AddAuditKey implements store.AuditWriter.
func (t *tx) AddAuditKey(ctx context.Context, k store.AuditKey) error {
	n, err := t.q.exec(ctx, `INSERT INTO audit_keys (id, created_at, sealed, public_key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		auditKeyID, micros(k.CreatedAt), blob(k.Sealed), blob(k.Public))
	return requireRow(n, err, store.ErrExists)
}

// auditPlaces selects entries by the index of what they are selected by.
func auditPlaces(s store.AuditSelection, from, before int64, limit int) (text string, args []any) {
	c := conditions{args: []any{from, before, int64(limit)}, all: []string{`seq >= $1`, `seq < $2`}}
	switch {
	case s.UserID != "":
		c.is(`user_id`, s.UserID)
		c.all = append(c.all, `user_id <> ''`)
	case s.Kind != "":
		c.is(`kind`, string(s.Kind))
		c.all = append(c.all, `kind NOT IN (`+quoted(audit.Frequent())+`)`)
	}
	return `SELECT seq, ` + auditColumns + ` FROM audit_log WHERE ` + strings.Join(c.all, ` AND `) + ` ORDER BY seq DESC LIMIT $3 + 0`, c.args
}

// AuditPlaces implements store.AuditReader.
func (r reader) AuditPlaces(ctx context.Context, s store.AuditSelection, from, before int64, limit int) ([]store.AuditPlace, error) {
	text, args := auditPlaces(s, from, before, limit)
	return list(ctx, r.q, func(r rows) (p store.AuditPlace, err error) {
		var at int64
		e := &p.Entry
		err = r.Scan(&p.Seq, &e.ID, &at, &e.ClientID, &e.UserID, (*string)(&e.ConsentID), &e.Kind, &e.Detail)
		e.At, e.Detail = fromMicros(at), fromBlob(e.Detail)
		return p, err
	}, text, args...)
}

// auditEnds are the first and the last number. MIN and MAX in one SELECT would read all rows.
const auditEnds = `SELECT COALESCE((SELECT MIN(seq) FROM audit_log), 1), COALESCE((SELECT MAX(seq) FROM audit_log), 0)`

// AuditSeqAt implements store.AuditReader: a binary search by the primary key. An index of the
// times would cost each entry more than this costs.
func (r reader) AuditSeqAt(ctx context.Context, at time.Time) (int64, error) {
	ends, err := one(ctx, r.q, func(r rows) (n [2]int64, err error) { return n, r.Scan(&n[0], &n[1]) }, auditEnds)
	low, high := ends[0], ends[1]+1
	for err == nil && low < high {
		middle := low + (high-low)/2
		var then int64
		then, err = one(ctx, r.q, column[int64], `SELECT happened_at FROM audit_log WHERE seq >= $1 ORDER BY seq LIMIT 1`, middle)
		if err == nil && then < micros(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, err
}
