package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"samla/internal/store"
)

// due is a due row: its id, and what else its change touches.
type due struct{ id, collectionID string }

func scanDue(r rows) (d due, err error) { return d, r.Scan(&d.id, &d.collectionID) }

// queueColumns lists the queues, with the columns that scanDue reads.
var queueColumns = map[store.Queue]string{
	store.Consents:    `id, collection_id`,
	store.Collections: `id, ''`,
	store.Outbox:      `id, ''`,
}

// Claim implements store.Store. When nothing is due it writes nothing, so that
// an idle queue costs one read.
func (s *Store) Claim(ctx context.Context, q store.Queue, now time.Time, lease time.Duration, limit int) ([]string, error) {
	columns, ok := queueColumns[q]
	if !ok {
		return nil, fmt.Errorf("sqlstore: no queue %q", string(q))
	}
	isDue := `SELECT ` + columns + ` FROM ` + string(q) + ` WHERE wake_at > 0 AND wake_at <= $1 ORDER BY wake_at, id LIMIT $2`
	waiting, err := list(ctx, s.q, scanDue, isDue, micros(now), int64(min(limit, 1)))
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	var ids []string
	err = s.Write(ctx, func(w store.Tx) error {
		t := w.(*tx)
		ids = nil
		taken, err := list(ctx, t.q, scanDue, isDue+t.locks.free, micros(now), int64(limit))
		if err != nil {
			return err
		}
		for _, d := range taken {
			ids = append(ids, d.id)
			t.touchConsent(d.id, d.collectionID)
		}
		for rest := ids; len(rest) > 0; {
			in, args := inList(2, &rest)
			if err := t.q.later(ctx, `UPDATE `+string(q)+` SET wake_at = $1 WHERE id `+in,
				append([]any{micros(now.Add(lease))}, args...)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// Reclaim makes due at the time now what a process that has died may have been at
// work on: every row that is due within the lease. A row that was only waiting
// for its moment is looked at that much early, which does no harm. It is for the
// one process that has the database for itself (Config.Exclusive), before it
// claims.
func (s *Store) Reclaim(ctx context.Context, now time.Time, lease time.Duration) error {
	return s.Write(ctx, func(w store.Tx) error {
		t := w.(*tx)
		t.touchAll()
		for q := range queueColumns {
			if err := t.q.later(ctx, `UPDATE `+string(q)+` SET wake_at = $1 WHERE wake_at > $1 AND wake_at <= $2`,
				micros(now), micros(now.Add(lease))); err != nil {
				return err
			}
		}
		return nil
	})
}

// inSizes are the lengths of IN lists: few, so that each is one prepared
// statement.
var inSizes = [...]int{1, 2, 4, 8, 16, 32, 64}

// inTexts are the lists for parameters from $1 and from $2.
var inTexts = func() (texts [3][len(inSizes)]string) {
	for first := 1; first <= 2; first++ {
		for i, size := range inSizes {
			params := make([]string, size)
			for p := range params {
				params[p] = "$" + strconv.Itoa(first+p)
			}
			texts[first][i] = `IN (` + strings.Join(params, `, `) + `)`
		}
	}
	return texts
}()

// inList takes as many ids as fit into one list and returns its text, with
// parameters from number first (1 or 2) on, and its arguments. Places left over
// repeat the last id.
func inList(first int, ids *[]string) (text string, args []any) {
	size := 0
	for inSizes[size] < len(*ids) && size < len(inSizes)-1 {
		size++
	}
	args = make([]any, inSizes[size])
	for i := range args {
		args[i] = (*ids)[min(i, len(*ids)-1)]
	}
	*ids = (*ids)[min(len(args), len(*ids)):]
	return inTexts[first][size], args
}
