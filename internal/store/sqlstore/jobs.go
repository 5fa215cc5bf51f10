package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"samla/internal/store"
)

func checkQueue(q store.Queue) error {
	if !slices.Contains(store.Queues(), q) {
		return fmt.Errorf("sqlstore: unknown queue %q", string(q))
	}
	return nil
}

func scanJob(r rows) (j store.Job, err error) {
	var attempts int64
	err = r.Scan(&j.ID, &j.Company, &attempts)
	j.Attempts = int(attempts)
	return j, err
}

// Claim implements store.Jobs. When nothing is due it writes nothing, so that an
// idle queue costs one read. Companies without room are left out by the query, so
// that their rows never hide those of others.
func (s *Store) Claim(ctx context.Context, q store.Queue, now time.Time, lease time.Duration, limit store.ClaimLimit) ([]store.Job, error) {
	if err := checkQueue(q); err != nil {
		return nil, err
	}
	due, more := s.claimable(q, limit)
	args := func(rows int) []any { return append([]any{micros(now), int64(rows)}, more...) }
	waiting, err := list(ctx, s.q, scanJob, due, args(min(limit.Rows, 1))...)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	until := now.Add(lease)
	var jobs []store.Job
	err = s.db.write(ctx, func(w querier) error {
		found, err := list(ctx, w, scanJob, due+s.db.locks().skipLocked, args(limit.Rows)...)
		if err != nil {
			return err
		}
		jobs = within(limit, found)
		ids := make([]string, len(jobs))
		for i := range jobs {
			jobs[i].Attempts++
			jobs[i].LeaseEnds = fromMicros(micros(until))
			ids[i] = jobs[i].ID
		}
		for len(ids) > 0 {
			in, args := inList(2, &ids)
			if err := w.execLater(ctx, `UPDATE `+string(q)+` SET wake_at = $1, job_attempts = job_attempts + 1 WHERE id `+in,
				append([]any{micros(until)}, args...)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// claimable returns the query for the rows that are due at $1 and that the limit allows,
// with its arguments from $3 on. The index has the company, so that a row of a company
// that is left out costs no look-up.
func (s *Store) claimable(q store.Queue, limit store.ClaimLimit) (text string, args []any) {
	condition := `company NOT IN (SELECT value FROM json_each($3))`
	if s.db.arrays() {
		condition = `company <> ALL ($3::text[])`
	}
	args = []any{s.idList(limit.Full())}
	if o := limit.Overdue; o != nil {
		condition, args = overdue(q, *o)
	}
	return `SELECT id, company, job_attempts FROM ` + string(q) + ` WHERE wake_at > 0 AND wake_at <= $1 AND ` + condition +
		` ORDER BY wake_at, id LIMIT $2 + 0`, args
}

// overdue returns the condition for the rows of a queue that are overdue. A login that is
// not reading needs a handler for a moment only.
func overdue(q store.Queue, o store.Overdue) (condition string, args []any) {
	switch q {
	case store.Consents:
		return `status = 'INITIATED' AND created_at <= $3`, []any{micros(o.Consents)}
	case store.Collections:
		return `(attended = 1 AND created_at <= $3 OR attended = 0 AND (CASE WHEN began_at > 0 THEN began_at ELSE created_at END) <= $4)`, []any{micros(o.Attended), micros(o.Unattended)}
	case store.Dialogues:
		return `NOT EXISTS (SELECT 1 FROM collections c WHERE c.id = dialogues.id AND c.status = 'COLLECTING' AND c.status_changed_at > $3)`,
			[]any{micros(o.Attended)}
	}
	return `1 = 0`, nil
}

// within returns the first rows of each company that the limit allows.
func within(limit store.ClaimLimit, found []store.Job) []store.Job {
	taken := map[string]int{}
	return slices.DeleteFunc(found, func(j store.Job) bool {
		taken[j.Company]++
		return taken[j.Company] > limit.Of(j.Company)
	})
}

// RenewLeases implements store.Jobs.
func (s *Store) RenewLeases(ctx context.Context, q store.Queue, leases []store.Lease, until time.Time) ([]string, error) {
	if err := checkQueue(q); err != nil {
		return nil, err
	}
	byEnd := map[int64][]string{}
	for _, l := range leases {
		if end := micros(l.Until); end > 0 && storable(l.ID) {
			byEnd[end] = append(byEnd[end], l.ID)
		}
	}
	var held []string
	err := s.db.write(ctx, func(w querier) error {
		held = nil
		for end, ids := range byEnd {
			renewed, err := list(ctx, w, column[string], s.renewLeases(q), micros(until), end, s.idList(ids))
			if err != nil {
				return err
			}
			held = append(held, renewed...)
		}
		return nil
	})
	return held, err
}

func (s *Store) renewLeases(q store.Queue) string {
	in := `(SELECT value FROM json_each($3))`
	if s.db.arrays() {
		in = `(SELECT unnest($3::text[]))`
	}
	return `UPDATE ` + string(q) + ` SET wake_at = $1 WHERE wake_at = $2 AND wake_at > 0 AND id IN ` + in + ` RETURNING id`
}

// idList returns a list of any length as one argument: an array where the engine
// has arrays, else JSON.
func (s *Store) idList(ids []string) any {
	if s.db.arrays() {
		return ids
	}
	text, _ := json.Marshal(ids) // strings always marshal
	return string(text)
}

// Reclaim makes due at the time now every row that is due within the lease, because
// a process that has died may have leased it. It counts an attempt: a row that was
// stored as leased was never claimed, but a handler may have died with it. A row that
// was not leased is handled up to one lease too early, which does no harm. Only the process that has the
// database for itself (Config.Exclusive) may call it, before it claims. The cost
// follows the rows found.
func (s *Store) Reclaim(ctx context.Context, now time.Time, lease time.Duration) error {
	return s.db.write(ctx, func(w querier) error {
		for _, q := range store.Queues() {
			if err := w.execLater(ctx, reclaim(q), micros(now), micros(now.Add(lease))); err != nil {
				return err
			}
		}
		return nil
	})
}

// reclaim repeats wake_at > 0, without which the planner cannot use the partial
// index.
func reclaim(q store.Queue) string {
	return `UPDATE ` + string(q) + ` SET wake_at = $1, job_attempts = job_attempts + 1 WHERE wake_at > 0 AND wake_at > $1 AND wake_at <= $2`
}
