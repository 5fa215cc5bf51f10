package sqlstore

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/quota"
	"samla/internal/store"
)

const (
	scheduleNames = `id, client_id, user_id, company, per_day, state, reason, failures, due_at, read_at, recent, complete_at, reading, queued, queued_at, rev, wake_at`

	selectSchedule = `SELECT ` + scheduleNames + ` FROM schedules WHERE id = $1`

	insertSchedule = `INSERT INTO schedules (` + scheduleNames + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`

	updateSchedule = `UPDATE schedules SET company = $3, per_day = $4, state = $5, reason = $6, failures = $7, due_at = $8, read_at = $9,
recent = $10, complete_at = $11, reading = $12, queued = $13, queued_at = $14, wake_at = $15,
job_attempts = 0, job_error = '', parked_at = 0, rev = rev + 1 WHERE id = $1 AND rev = $2`
)

func scanSchedule(r rows) (s quota.Schedule, err error) {
	var perDay, failures, due, read, complete, queued, wake int64
	var recent string
	err = r.Scan((*string)(&s.Lineage), &s.ClientID, &s.UserID, &s.Company, &perDay, (*string)(&s.State), (*string)(&s.Reason), &failures,
		&due, &read, &recent, &complete, &s.Reading, &s.Queued, &queued, &s.Rev, &wake)
	if err != nil {
		return s, err
	}
	s.PerDay, s.Failures = int(perDay), int(failures)
	s.DueAt, s.ReadAt, s.CompleteAt = fromMicros(due), fromMicros(read), fromMicros(complete)
	s.QueuedAt, s.WakeAt = fromMicros(queued), fromMicros(wake)
	if recent == "" {
		return s, nil
	}
	var times []int64
	err = decode(recent, &times)
	for _, us := range times {
		s.Recent = append(s.Recent, fromMicros(us))
	}
	return s, err
}

// encodeTimes writes times as a list of numbers; none as the empty text.
func encodeTimes(times []time.Time) (string, error) {
	if len(times) == 0 {
		return "", nil
	}
	us := make([]int64, len(times))
	for i, at := range times {
		us[i] = micros(at)
	}
	return encode(us)
}

// Schedule implements store.PlanReader.
func (r reader) Schedule(ctx context.Context, lineage consent.ID) (quota.Schedule, error) {
	return one(ctx, r.q, scanSchedule, selectSchedule, string(lineage))
}

// SchedulesOf implements store.PlanReader.
func (r reader) SchedulesOf(ctx context.Context, clientID, userID string) ([]quota.Schedule, error) {
	return list(ctx, r.q, scanSchedule, `SELECT `+scheduleNames+` FROM schedules WHERE user_id = $1 AND client_id = $2 ORDER BY id`, userID, clientID)
}

// LockSchedule implements store.PlanWriter.
func (t *tx) LockSchedule(ctx context.Context, lineage consent.ID) (quota.Schedule, error) {
	return one(ctx, t.q, scanSchedule, selectSchedule+t.locks.forUpdate, string(lineage))
}

// AddSchedule implements store.PlanWriter.
func (t *tx) AddSchedule(ctx context.Context, s quota.Schedule) error {
	recent, err := encodeTimes(s.Recent)
	if err != nil {
		return err
	}
	n, err := t.q.exec(ctx, insertSchedule, string(s.Lineage), s.ClientID, s.UserID, s.Company, int64(s.PerDay), string(s.State),
		string(s.Reason), int64(s.Failures), micros(s.DueAt), micros(s.ReadAt), recent, micros(s.CompleteAt), s.Reading, s.Queued,
		micros(s.QueuedAt), s.Rev, micros(s.WakeAt))
	return requireRow(n, err, store.ErrExists)
}

// PutSchedule implements store.PlanWriter.
func (t *tx) PutSchedule(ctx context.Context, s quota.Schedule) error {
	recent, err := encodeTimes(s.Recent)
	if err != nil {
		return err
	}
	n, err := t.q.exec(ctx, updateSchedule, string(s.Lineage), s.Rev, s.Company, int64(s.PerDay), string(s.State), string(s.Reason),
		int64(s.Failures), micros(s.DueAt), micros(s.ReadAt), recent, micros(s.CompleteAt), s.Reading, s.Queued, micros(s.QueuedAt),
		micros(s.WakeAt))
	if err != nil {
		return err
	}
	if n == 0 {
		return t.conflict(ctx, "schedules", string(s.Lineage))
	}
	return nil
}

// DeleteSchedule implements store.PlanWriter.
func (t *tx) DeleteSchedule(ctx context.Context, s quota.Schedule) error {
	n, err := t.q.exec(ctx, `DELETE FROM schedules WHERE id = $1 AND rev = $2`, string(s.Lineage), s.Rev)
	if err == nil && n == 0 {
		return t.conflict(ctx, "schedules", string(s.Lineage))
	}
	return err
}

// WakeSchedule implements store.PlanWriter.
func (t *tx) WakeSchedule(ctx context.Context, lineage consent.ID, now time.Time) error {
	return t.q.execLater(ctx, `UPDATE schedules SET wake_at = $2, rev = rev + 1 WHERE id = $1 AND wake_at > $2`, string(lineage), micros(now))
}
