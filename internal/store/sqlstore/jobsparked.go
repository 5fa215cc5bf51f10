package sqlstore

import (
	"context"
	"strings"
	"time"

	"samla/internal/store"
)

// maxReason is the longest reason that is kept, in bytes.
const maxReason = 500

func reason(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}

// RetryJob implements store.Jobs.
func (s *Store) RetryJob(ctx context.Context, q store.Queue, j store.Job, at time.Time, why string) error {
	return s.setJob(ctx, q, `wake_at = $2, job_attempts = $3, job_error = $4 WHERE id = $1 AND wake_at > 0 AND job_attempts <= $3`,
		j.ID, max(micros(at), 1), int64(j.Attempts), reason(why))
}

// ParkJob implements store.Jobs.
func (s *Store) ParkJob(ctx context.Context, q store.Queue, j store.Job, now time.Time, why string) error {
	return s.setJob(ctx, q, `wake_at = 0, parked_at = $2, job_attempts = $3, job_error = $4 WHERE id = $1 AND wake_at > 0 AND job_attempts = $3`,
		j.ID, max(micros(now), 1), int64(j.Attempts), reason(why))
}

// setJob changes the columns of a row that belong to its job.
func (s *Store) setJob(ctx context.Context, q store.Queue, set string, args ...any) error {
	if err := checkQueue(q); err != nil {
		return err
	}
	return s.db.write(ctx, func(w querier) error {
		return w.execLater(ctx, `UPDATE `+string(q)+` SET `+set, args...)
	})
}

// ParkedJobs implements store.Jobs.
func (s *Store) ParkedJobs(ctx context.Context, q store.Queue, limit int) ([]store.ParkedJob, error) {
	if err := checkQueue(q); err != nil {
		return nil, err
	}
	return list(ctx, s.q, scanParked, `SELECT id, job_attempts, parked_at, job_error FROM `+string(q)+` WHERE parked_at > 0 ORDER BY parked_at, id LIMIT $1 + 0`, int64(limit))
}

func scanParked(r rows) (p store.ParkedJob, err error) {
	var attempts, at int64
	err = r.Scan(&p.ID, &attempts, &at, &p.Reason)
	p.Attempts, p.ParkedAt = int(attempts), fromMicros(at)
	return p, err
}

// QueueFigures implements store.Jobs.
func (s *Store) QueueFigures(ctx context.Context, q store.Queue, now time.Time) (f store.QueueFigures, err error) {
	if err := checkQueue(q); err != nil {
		return f, err
	}
	oldest, parked := int64(0), int64(0)
	_, err = one(ctx, s.q, func(r rows) (none struct{}, err error) {
		var due int64
		err = r.Scan(&due, &oldest, &parked)
		f.Due, f.Parked = int(due), int(parked)
		return none, err
	}, `SELECT COUNT(*), COALESCE(MIN(wake_at), 0), (SELECT COUNT(*) FROM (SELECT 1 FROM `+string(q)+` WHERE parked_at > 0 LIMIT $2 + 0) AS p)
FROM (SELECT wake_at FROM `+string(q)+` WHERE wake_at > 0 AND wake_at <= $1 ORDER BY wake_at LIMIT $2 + 0) AS d`, micros(now), int64(store.MostCounted))
	if oldest > 0 {
		f.OldestDue = max(now.Sub(fromMicros(oldest)), 0)
	}
	return f, err
}

// ParkedJob implements store.Jobs.
func (s *Store) ParkedJob(ctx context.Context, q store.Queue, id string) (store.ParkedJob, error) {
	if err := checkQueue(q); err != nil {
		return store.ParkedJob{}, err
	}
	if !storable(id) {
		return store.ParkedJob{}, store.ErrNotFound
	}
	return one(ctx, s.q, scanParked, `SELECT id, job_attempts, parked_at, job_error FROM `+string(q)+` WHERE id = $1 AND parked_at > 0`, id)
}

// ResumeJob implements store.Jobs.
func (s *Store) ResumeJob(ctx context.Context, q store.Queue, id string, now time.Time) error {
	return s.unpark(ctx, q, id, now, 0)
}

// DropJob implements store.Jobs.
func (s *Store) DropJob(ctx context.Context, q store.Queue, id string, now time.Time) error {
	return s.unpark(ctx, q, id, now, store.Dropped)
}

// unpark makes a parked row due with a number of attempts.
func (s *Store) unpark(ctx context.Context, q store.Queue, id string, now time.Time, attempts int64) error {
	if err := checkQueue(q); err != nil {
		return err
	}
	if !storable(id) {
		return store.ErrNotFound
	}
	return s.db.write(ctx, func(w querier) error {
		n, err := w.exec(ctx, `UPDATE `+string(q)+` SET wake_at = $2, parked_at = 0, job_attempts = $3, job_error = ''
WHERE id = $1 AND parked_at > 0`, id, max(micros(now), 1), attempts)
		return requireRow(n, err, store.ErrNotFound)
	})
}
