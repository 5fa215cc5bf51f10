package sqlstore

import (
	"context"
	"time"

	"samla/internal/session"
	"samla/internal/store"
)

const visitColumns = `id, client_id, user_id, link, language, created_at, open_by, secret, opened_at, seen_at, ended_at, archive, archive_at, person, rev`

func scanVisit(r rows) (session.Visit, error) {
	var v session.Visit
	var created, openBy, opened, seen, ended, archiveAt int64
	err := r.Scan(&v.ID, &v.ClientID, &v.UserID, &v.Link, &v.Language, &created, &openBy, &v.Key, &opened, &seen, &ended, (*string)(&v.Archive), &archiveAt, &v.Person, &v.Rev)
	v.CreatedAt, v.OpenBy, v.OpenedAt, v.SeenAt = fromMicros(created), fromMicros(openBy), fromMicros(opened), fromMicros(seen)
	v.EndedAt, v.ArchiveAt = fromMicros(ended), fromMicros(archiveAt)
	return v, err
}

// Visit implements store.VisitReader.
func (r reader) Visit(ctx context.Context, id string) (session.Visit, error) {
	return one(ctx, r.q, scanVisit, `SELECT `+visitColumns+` FROM permission_visits WHERE id = $1`, id)
}

// VisitByLink implements store.VisitReader.
func (r reader) VisitByLink(ctx context.Context, hash string) (session.Visit, error) {
	return one(ctx, r.q, scanVisit, `SELECT `+visitColumns+` FROM permission_visits WHERE link = $1`, hash)
}

// VisitsByKey implements store.VisitReader.
func (r reader) VisitsByKey(ctx context.Context, hash string) ([]session.Visit, error) {
	return list(ctx, r.q, scanVisit, `SELECT `+visitColumns+` FROM permission_visits WHERE secret = $1 AND secret <> '' ORDER BY id`, hash)
}

// UsersOfPerson implements store.VisitReader.
func (r reader) UsersOfPerson(ctx context.Context, person string, limit int) ([]store.UserRef, error) {
	return list(ctx, r.q, func(r rows) (u store.UserRef, err error) {
		err = r.Scan(&u.ClientID, &u.UserID)
		return u, err
	}, `SELECT DISTINCT client_id, user_id FROM consents WHERE person = $1 AND person <> '' AND user_id IS NOT NULL ORDER BY client_id, user_id LIMIT $2 + 0`, person, int64(limit))
}

// OnlyPerson implements store.VisitReader.
func (r reader) OnlyPerson(ctx context.Context, clientID, userID, person string) (bool, error) {
	others, err := one(ctx, r.q, column[int64], `SELECT (SELECT COUNT(*) FROM consents WHERE user_id = $1 AND client_id = $2 AND granted <> '' AND person <> $3)
+ (SELECT COUNT(*) FROM collections WHERE user_id = $1 AND client_id = $2 AND consent_id = '')`, userID, clientID, person)
	return err == nil && others == 0, err
}

// PersonKey implements store.VisitReader.
func (r reader) PersonKey(ctx context.Context) ([]byte, error) {
	return one(ctx, r.q, func(r rows) (sealed []byte, err error) {
		err = r.Scan(&sealed)
		return sealed, err
	}, `SELECT sealed FROM person_keys WHERE id = '1'`)
}

// AddPersonKey implements store.VisitWriter.
func (t *tx) AddPersonKey(ctx context.Context, sealed []byte) error {
	n, err := t.q.exec(ctx, `INSERT INTO person_keys (id, sealed) VALUES ('1', $1) ON CONFLICT DO NOTHING`, blob(sealed))
	return requireRow(n, err, store.ErrExists)
}

// Archive implements store.VisitReader.
func (r reader) Archive(ctx context.Context, visitID string) ([]byte, error) {
	return one(ctx, r.q, func(r rows) (sealed []byte, err error) {
		err = r.Scan(&sealed)
		return sealed, err
	}, `SELECT sealed FROM permission_archives WHERE visit_id = $1`, visitID)
}

// ArchiveSize implements store.VisitReader.
func (r reader) ArchiveSize(ctx context.Context, visitID string) (int, error) {
	return one(ctx, r.q, column[int], `SELECT LENGTH(sealed) FROM permission_archives WHERE visit_id = $1`, visitID)
}

// AddVisit implements store.VisitWriter.
func (t *tx) AddVisit(ctx context.Context, v session.Visit) error {
	n, err := t.q.exec(ctx, `INSERT INTO permission_visits (`+visitColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
		v.ID, v.ClientID, v.UserID, v.Link, v.Language, micros(v.CreatedAt), micros(v.OpenBy), v.Key, micros(v.OpenedAt), micros(v.SeenAt), micros(v.EndedAt),
		string(v.Archive), micros(v.ArchiveAt), v.Person, v.Rev)
	return requireRow(n, err, store.ErrExists)
}

// PutVisit implements store.VisitWriter.
func (t *tx) PutVisit(ctx context.Context, v session.Visit) (session.Visit, error) {
	n, err := t.q.exec(ctx, `UPDATE permission_visits SET secret = $3, opened_at = $4, seen_at = $5, ended_at = $6, archive = $7, archive_at = $8, rev = rev + 1 WHERE id = $1 AND rev = $2`,
		v.ID, v.Rev, v.Key, micros(v.OpenedAt), micros(v.SeenAt), micros(v.EndedAt), string(v.Archive), micros(v.ArchiveAt))
	if err == nil && n == 0 {
		if _, err = t.Visit(ctx, v.ID); err == nil {
			err = store.ErrConflict
		}
	}
	if err != nil {
		return session.Visit{}, err
	}
	v.Rev++
	return v, nil
}

// PutArchive implements store.VisitWriter.
func (t *tx) PutArchive(ctx context.Context, visitID string, sealed []byte, at time.Time) error {
	return t.q.execLater(ctx, `INSERT INTO permission_archives (visit_id, made_at, sealed) VALUES ($1, $2, $3)
ON CONFLICT (visit_id) DO UPDATE SET made_at = excluded.made_at, sealed = excluded.sealed`, visitID, micros(at), blob(sealed))
}

// EraseVisits implements store.VisitWriter.
func (t *tx) EraseVisits(ctx context.Context, clientID, userID string) error {
	if err := t.q.execLater(ctx, `UPDATE consents SET person = '', purpose = '', rev = rev + 1 WHERE user_id = $2 AND client_id = $1 AND (person <> '' OR purpose <> '')`, clientID, userID); err != nil {
		return err
	}
	if err := t.q.execLater(ctx, `DELETE FROM permission_archives WHERE visit_id IN (SELECT id FROM permission_visits WHERE client_id = $1 AND user_id = $2)`, clientID, userID); err != nil {
		return err
	}
	return t.q.execLater(ctx, `DELETE FROM permission_visits WHERE client_id = $1 AND user_id = $2`, clientID, userID)
}

// sweepVisits deletes archives and visits whose time is over.
func (t *tx) sweepVisits(ctx context.Context, now time.Time) (int64, error) {
	archives, err := t.q.exec(ctx, `DELETE FROM permission_archives WHERE visit_id IN
(SELECT visit_id FROM permission_archives WHERE made_at < $1 ORDER BY made_at LIMIT $2 + 0)`, micros(now.Add(-session.ArchiveLife)), int64(sweepRows))
	if err != nil {
		return 0, err
	}
	visits, err := t.q.exec(ctx, `DELETE FROM permission_visits WHERE id IN
(SELECT id FROM permission_visits WHERE created_at < $1 ORDER BY created_at LIMIT $2 + 0)`, micros(now.Add(-session.VisitKept)), int64(sweepRows))
	return archives + visits, err
}
