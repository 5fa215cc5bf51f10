package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/ledger"
	"samla/internal/store"
)

const (
	feedRowFields = 10
	feedBatch     = 32 // rows in one statement
)

var (
	putFeedRows = inserts(`INSERT INTO feed_rows (id, account_id, pos, born, removed_at, pending, day, source, marks, sealed) VALUES `,
		feedRowFields, feedBatch, ` ON CONFLICT (id) DO UPDATE SET pos = excluded.pos, born = excluded.born, removed_at = excluded.removed_at,
pending = excluded.pending, day = excluded.day, marks = excluded.marks, sealed = excluded.sealed`)

	errMarks = errors.New("sqlstore: the marks of a row of a feed have another form")
)

// Feed implements store.FeedReader.
func (r reader) Feed(ctx context.Context, accountID string) (store.FeedHead, error) {
	return one(ctx, r.q, scanFeed, `SELECT f.account_id, f.user_id, f.generation, f.pos, f.swept, f.rev, f.parent, f.sealed, k.sealed
FROM feeds AS f JOIN feed_keys AS k ON k.user_id = f.user_id WHERE f.account_id = $1 AND f.dropped_at = 0`, accountID)
}

// AccountFeed implements store.FeedReader.
func (r reader) AccountFeed(ctx context.Context, clientID, accountID string) (store.FeedHead, error) {
	return one(ctx, r.q, scanAccountFeed, `SELECT a.id, a.user_id, COALESCE(f.generation, 0), COALESCE(f.pos, 0), COALESCE(f.swept, 0), COALESCE(f.rev, 0),
COALESCE(f.parent, ''), f.sealed, k.sealed, COALESCE((SELECT string_agg(l.lineage, ',') FROM account_lineages AS l WHERE l.account_id = a.id), '')
FROM accounts AS a LEFT JOIN feeds AS f ON f.account_id = a.id AND f.dropped_at = 0
LEFT JOIN feed_keys AS k ON k.user_id = a.user_id WHERE a.id = $1 AND a.client_id = $2`, accountID, clientID)
}

func scanFeed(r rows) (h store.FeedHead, err error) {
	err = r.Scan(feedDest(&h)...)
	h.Sealed = fromBlob(h.Sealed)
	return h, err
}

func feedDest(h *store.FeedHead) []any {
	return []any{&h.AccountID, &h.UserID, &h.Generation, &h.Pos, &h.Swept, &h.Rev, &h.Parent, &h.Sealed, &h.Key}
}

func scanAccountFeed(r rows) (h store.FeedHead, err error) {
	var lineages string
	if err = r.Scan(append(feedDest(&h), &lineages)...); err != nil {
		return h, err
	}
	h.Sealed = fromBlob(h.Sealed)
	if lineages != "" {
		for id := range strings.SplitSeq(lineages, ",") {
			h.Lineages = append(h.Lineages, consent.ID(id))
		}
		slices.Sort(h.Lineages)
	}
	return h, nil
}

// FeedKey implements store.FeedReader.
func (r reader) FeedKey(ctx context.Context, userID string) ([]byte, error) {
	return one(ctx, r.q, column[[]byte], `SELECT sealed FROM feed_keys WHERE user_id = $1`, userID)
}

// FeedPage implements store.FeedReader.
func (r reader) FeedPage(ctx context.Context, accountID string, after, base int64, limit int) ([]store.FeedRow, error) {
	return list(ctx, r.q, scanFeedPage, selectFeedPage, accountID, after, base, int64(limit))
}

const (
	selectFeedPage = `SELECT id, pos, born, removed_at, sealed FROM feed_rows
WHERE account_id = $1 AND pos > $2 AND (removed_at = 0 OR pos > $3) ORDER BY pos LIMIT $4 + 0`
	selectFeedRows = `SELECT id, pos, born, removed_at, pending, day, source, marks FROM feed_rows WHERE account_id = $1`
	selectSwept    = `SELECT account_id, MAX(pos) FROM
(SELECT account_id, pos FROM feed_rows WHERE removed_at > 0 AND removed_at < $1 ORDER BY removed_at LIMIT $2 + 0) AS old
GROUP BY account_id ORDER BY account_id`
	selectDropped = `SELECT account_id FROM feeds WHERE dropped_at > 0 ORDER BY dropped_at LIMIT 1`
	deleteDropped = `DELETE FROM feed_rows WHERE id IN (SELECT id FROM feed_rows WHERE account_id = $1 LIMIT $2 + 0)`
)

func scanFeedPage(r rows) (row store.FeedRow, err error) {
	var removed int64
	err = r.Scan(&row.ID, &row.Pos, &row.Born, &removed, &row.Sealed)
	row.RemovedAt, row.Removed, row.Sealed = fromMicros(removed), removed != 0, fromBlob(row.Sealed)
	return row, err
}

// FeedRows implements store.FeedReader.
func (r reader) FeedRows(ctx context.Context, accountID string, days []int64) ([]store.FeedRow, error) {
	if days == nil {
		return list(ctx, r.q, scanFeedRow, selectFeedRows, accountID)
	}
	var all []store.FeedRow
	for len(days) > 0 {
		in, args := inList(2, &days)
		found, err := list(ctx, r.q, scanFeedRow, selectFeedRows+` AND day `+in, append([]any{accountID}, args...)...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func scanFeedRow(r rows) (row store.FeedRow, err error) {
	var removed, pending int64
	var marks []byte
	if err = r.Scan(&row.ID, &row.Pos, &row.Born, &removed, &pending, &row.DayMark, &row.Source, &marks); err != nil {
		return row, err
	}
	row.RemovedAt, row.Removed, row.Pending = fromMicros(removed), removed != 0, pending != 0
	row.Marks, err = decodeMarks(marks)
	return row, err
}

// MergedFeeds implements store.FeedReader.
func (r reader) MergedFeeds(ctx context.Context, accountID string) ([]string, error) {
	return list(ctx, r.q, column[string], `SELECT account_id FROM feeds WHERE parent = $1 AND parent <> '' AND dropped_at = 0 ORDER BY account_id`, accountID)
}

// AddFeedKey implements store.FeedWriter.
func (t *tx) AddFeedKey(ctx context.Context, userID string, sealed []byte) ([]byte, error) {
	if _, err := t.q.exec(ctx, `INSERT INTO feed_keys (user_id, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING`, userID, blob(sealed)); err != nil {
		return nil, err
	}
	return t.FeedKey(ctx, userID)
}

// PutFeed implements store.FeedWriter.
func (t *tx) PutFeed(ctx context.Context, h store.FeedHead, changed []store.FeedRow) error {
	var n int64
	var err error
	if h.Rev == 0 {
		n, err = t.q.exec(ctx, `INSERT INTO feeds (account_id, user_id, generation, pos, rev, parent, sealed) VALUES ($1, $2, $3, $4, 1, $5, $6) ON CONFLICT DO NOTHING`,
			h.AccountID, h.UserID, h.Generation, h.Pos, h.Parent, blob(h.Sealed))
	} else {
		n, err = t.q.exec(ctx, `UPDATE feeds SET generation = $3, pos = $4, parent = $5, sealed = $6, rev = rev + 1
WHERE account_id = $1 AND rev = $2 AND dropped_at = 0`, h.AccountID, h.Rev, h.Generation, h.Pos, h.Parent, blob(h.Sealed))
	}
	if err := requireRow(n, err, store.ErrConflict); err != nil {
		return err
	}
	for len(changed) > 0 {
		n := min(len(changed), feedBatch)
		args := make([]any, 0, n*feedRowFields)
		for i := range changed[:n] {
			row := &changed[i]
			args = append(args, row.ID, h.AccountID, row.Pos, row.Born, micros(row.RemovedAt), flag(row.Pending), row.DayMark, row.Source,
				encodeMarks(&row.Marks), blob(row.Sealed))
		}
		if err := t.q.execLater(ctx, putFeedRows[n], args...); err != nil {
			return err
		}
		changed = changed[n:]
	}
	return nil
}

// MoveFeedRows implements store.FeedWriter.
func (t *tx) MoveFeedRows(ctx context.Context, to string, shift int64, ids []string) error {
	for len(ids) > 0 {
		in, args := inList(3, &ids)
		if err := t.q.execLater(ctx, `UPDATE feed_rows SET account_id = $1, pos = pos + $2, born = born + $2 WHERE id `+in,
			append([]any{to, shift}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// AdoptFeeds implements store.FeedWriter.
func (t *tx) AdoptFeeds(ctx context.Context, from, to string) error {
	return t.q.execLater(ctx, `UPDATE feeds SET parent = $2, rev = rev + 1 WHERE parent = $1 AND parent <> ''`, from, to)
}

// RestartFeeds implements store.FeedWriter.
func (t *tx) RestartFeeds(ctx context.Context, now time.Time) error {
	return restartFeeds(ctx, t.q, now)
}

// restartFeeds does what ledger.Head.Restart says, with all feeds.
func restartFeeds(ctx context.Context, q querier, now time.Time) error {
	_, err := q.exec(ctx, `UPDATE feeds SET generation = CASE WHEN generation < $1 THEN $1 ELSE generation + 1 END, rev = rev + 1`, now.UnixMilli())
	return err
}

// The marks of a row are stored one after the other, with 8 bytes each for the numbers.
const marksSize = 16 + 4*8

func encodeMarks(m *ledger.Marks) []byte {
	b := append(make([]byte, 0, marksSize), m.Form[:]...)
	for _, v := range []uint64{m.Bank, m.Amount, m.Text, m.Name} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func decodeMarks(b []byte) (m ledger.Marks, err error) {
	if len(b) != marksSize {
		return m, errMarks
	}
	copy(m.Form[:], b)
	for i, v := range []*uint64{&m.Bank, &m.Amount, &m.Text, &m.Name} {
		*v = binary.BigEndian.Uint64(b[16+8*i:])
	}
	return m, nil
}

// droppedAt is when a feed was dropped, where the time does not matter: before others.
var droppedAt = time.UnixMicro(1)

// DropFeeds implements store.FeedWriter.
func (t *tx) DropFeeds(ctx context.Context, accountIDs []string, at time.Time) error {
	for rest := accountIDs; len(rest) > 0; {
		same := rest
		for _, condition := range []string{`parent = '' AND account_id `, `parent `} {
			of := same
			in, args := inList(2, &of)
			if err := t.q.execLater(ctx, `UPDATE feeds SET dropped_at = $1, rev = rev + 1 WHERE dropped_at = 0 AND `+condition+in,
				append([]any{micros(at)}, args...)...); err != nil {
				return err
			}
			rest = of
		}
	}
	return nil
}

// EraseFeedsOfUser implements store.FeedWriter.
func (t *tx) EraseFeedsOfUser(ctx context.Context, userID string, at time.Time) error {
	if err := t.q.execLater(ctx, `UPDATE feeds SET dropped_at = $2, rev = rev + 1 WHERE dropped_at = 0 AND user_id = $1`, userID, micros(at)); err != nil {
		return err
	}
	return t.q.execLater(ctx, `DELETE FROM feed_keys WHERE user_id = $1`, userID)
}

// EraseDroppedFeeds implements store.FeedWriter.
func (t *tx) EraseDroppedFeeds(ctx context.Context, limit int) (int, error) {
	deleted := 0
	for deleted < limit {
		ids, err := list(ctx, t.q, column[string], selectDropped+t.locks.skipLocked)
		if err != nil || len(ids) == 0 {
			return deleted, err
		}
		n, err := t.q.exec(ctx, deleteDropped, ids[0], int64(limit-deleted))
		if err != nil {
			return deleted, err
		}
		if n < int64(limit-deleted) {
			if _, err := t.q.exec(ctx, `DELETE FROM feeds WHERE account_id = $1`, ids[0]); err != nil {
				return deleted, err
			}
			n++
		}
		deleted += int(n)
	}
	return deleted, nil
}

// SweepFeeds implements store.FeedWriter. It locks the feeds before it deletes their
// rows, as PutFeed does.
func (t *tx) SweepFeeds(ctx context.Context, before time.Time, limit int) (int, error) {
	old, err := list(ctx, t.q, scanOldFeedRow, selectSwept, micros(before), int64(limit))
	if err != nil {
		return 0, err
	}
	deleted := 0
	for _, o := range old {
		if _, err := t.q.exec(ctx, `UPDATE feeds SET swept = $2 WHERE account_id = $1 AND swept < $2`, o.account, o.pos); err != nil {
			return 0, err
		}
		n, err := t.q.exec(ctx, `DELETE FROM feed_rows WHERE account_id = $1 AND pos <= $2 AND removed_at > 0 AND removed_at < $3`,
			o.account, o.pos, micros(before))
		if err != nil {
			return 0, err
		}
		deleted += int(n)
	}
	return deleted, nil
}

// oldFeedRow is the last of an account's rows that were removed long ago.
type oldFeedRow struct {
	account string
	pos     int64
}

func scanOldFeedRow(r rows) (o oldFeedRow, err error) {
	err = r.Scan(&o.account, &o.pos)
	return o, err
}
