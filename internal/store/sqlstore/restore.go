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

// RestoredConsents lists the next authorized consents after an id, at most 500, by id. It
// is for a restore.
func (s *Store) RestoredConsents(ctx context.Context, after consent.ID) ([]consent.Consent, error) {
	return list(ctx, s.q, scanConsent, selectConsent+`WHERE c.status = 'AUTHORIZED' AND c.id > $1 ORDER BY c.id LIMIT 500`, string(after))
}

// OutboxMessages lists the messages of a kind. It is for a restore.
func (s *Store) OutboxMessages(ctx context.Context, kind outbox.Kind) ([]outbox.Message, error) {
	return list(ctx, s.q, scanMessage, `SELECT `+outboxColumns+` FROM duties WHERE kind = $1 ORDER BY id`, string(kind))
}

// eventsAhead is how much the positions of events grow with a restore: more than there
// can have been events since the backup, so that no position is given twice.
const eventsAhead = 1_000_000_000

// EndSessions deletes the keys that sign session tokens: the tokens that were issued since
// the backup, and by keys that were deleted since, are not valid. It ends the sessions of
// operators too.
func (s *Store) EndSessions(ctx context.Context) error {
	return s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `DELETE FROM operator_sessions`); err != nil {
			return err
		}
		_, err := q.exec(ctx, `DELETE FROM signing_keys`)
		return err
	})
}

// FinishRestore marks the restore as finished.
func (s *Store) FinishRestore(ctx context.Context, now time.Time) error {
	return s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `UPDATE event_order SET last = last + $1`, int64(eventsAhead)); err != nil {
			return err
		}
		if err := restartFeeds(ctx, q, now); err != nil {
			return err
		}
		_, err := q.exec(ctx, `UPDATE installation SET restoring = '', generation = generation + 1, restored_at = $1 WHERE restoring <> ''`, micros(now))
		return err
	})
}
