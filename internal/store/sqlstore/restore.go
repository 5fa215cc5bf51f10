package sqlstore

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/outbox"
)

// InFlight lists the collections that go on, and the consents outside of collections that
// wait for their authorization. It is for a restore, when nobody else writes.
func (s *Store) InFlight(ctx context.Context) (collections []string, consents []consent.ID, err error) {
	if collections, err = list(ctx, s.q, column[string], `SELECT id FROM collections WHERE status IN (`+quoted(running)+`) ORDER BY id`); err != nil {
		return nil, nil, err
	}
	consents, err = list(ctx, s.q, column[consent.ID],
		`SELECT id FROM consents WHERE status IN ('INITIATED', 'AWAITING_AUTHORIZATION') AND collection_id = '' ORDER BY id`)
	return collections, consents, err
}

// OutboxMessages lists the messages of a kind. It is for a restore.
func (s *Store) OutboxMessages(ctx context.Context, kind outbox.Kind) ([]outbox.Message, error) {
	return list(ctx, s.q, scanMessage, `SELECT `+outboxColumns+` FROM duties WHERE kind = $1 ORDER BY id`, string(kind))
}

// eventsAhead is how much the positions of events grow with a restore: more than there
// can have been events since the backup, so that no position is given twice.
const eventsAhead = 1_000_000_000

// EndSessions deletes the keys that sign session tokens: the tokens that were issued since
// the backup, and by keys that were deleted since, are not valid.
func (s *Store) EndSessions(ctx context.Context) error {
	return s.db.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `DELETE FROM signing_keys`)
		return err
	})
}

// EndEndpoint ends what a client has ended since the backup: it deletes an endpoint of
// webhooks, or pauses one whose secret is not the newest.
func (s *Store) EndEndpoint(ctx context.Context, id string, deleted bool, now time.Time) error {
	args := []any{id, micros(now)}
	text := `UPDATE webhook_endpoints SET state = 'PAUSED', reason = 'BY_CLIENT', changed_at = $2, rev = rev + 1 WHERE id = $1 AND state = 'ACTIVE'`
	if deleted {
		text, args = `UPDATE webhook_endpoints SET state = 'DELETED', sealed = $2, wake_at = 0, rev = rev + 1 WHERE id = $1`, []any{id, blob(nil)}
	}
	return s.db.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, text, args...)
		return err
	})
}

// FinishRestore marks the restore as finished.
func (s *Store) FinishRestore(ctx context.Context, now time.Time) error {
	return s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `UPDATE event_order SET last = last + $1`, int64(eventsAhead)); err != nil {
			return err
		}
		// As ledger.Head.Restart: who follows a feed starts again.
		if _, err := q.exec(ctx, `UPDATE feeds SET generation = CASE WHEN generation < $1 THEN $1 ELSE generation + 1 END, rev = rev + 1`, now.UnixMilli()); err != nil {
			return err
		}
		_, err := q.exec(ctx, `UPDATE installation SET restoring = '', generation = generation + 1, restored_at = $1 WHERE restoring <> ''`, micros(now))
		return err
	})
}
