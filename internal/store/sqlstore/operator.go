package sqlstore

import (
	"context"
	"errors"
	"time"

	"samla/internal/operator"
	"samla/internal/store"
)

const operatorColumns = `id, name, role, created_at, removed_at, enrol, enrol_by, sealed, rev`

func operatorFields(a *operator.Account, created, removed, enrolBy *int64) []any {
	return []any{&a.ID, &a.Name, (*string)(&a.Role), created, removed, &a.Enrol, enrolBy, &a.Sealed, &a.Rev}
}

func operatorTimes(a *operator.Account, created, removed, enrolBy int64) {
	a.Created, a.Removed, a.EnrolBy, a.Sealed = fromMicros(created), fromMicros(removed), fromMicros(enrolBy), fromBlob(a.Sealed)
}

func scanOperator(r rows) (a operator.Account, err error) {
	var created, removed, enrolBy int64
	err = r.Scan(operatorFields(&a, &created, &removed, &enrolBy)...)
	operatorTimes(&a, created, removed, enrolBy)
	return a, err
}

// Operator implements store.OperatorReader.
func (r reader) Operator(ctx context.Context, id string) (operator.Account, error) {
	return one(ctx, r.q, scanOperator, `SELECT `+operatorColumns+` FROM operators WHERE id = $1`, id)
}

// OperatorByName implements store.OperatorReader.
func (r reader) OperatorByName(ctx context.Context, name string) (operator.Account, error) {
	return one(ctx, r.q, scanOperator, `SELECT `+operatorColumns+` FROM operators WHERE name = $1 AND removed_at = 0`, name)
}

// OperatorByEnrol implements store.OperatorReader.
func (r reader) OperatorByEnrol(ctx context.Context, hash string) (operator.Account, error) {
	return one(ctx, r.q, scanOperator, `SELECT `+operatorColumns+` FROM operators WHERE enrol = $1 AND enrol <> ''`, hash)
}

const listOperators = `SELECT ` + operatorColumns + ` FROM operators WHERE removed_at = 0 ORDER BY name`

// Operators implements store.OperatorReader.
func (r reader) Operators(ctx context.Context) ([]operator.Account, error) {
	return list(ctx, r.q, scanOperator, listOperators)
}

// LockOperators implements store.OperatorWriter.
func (t *tx) LockOperators(ctx context.Context) ([]operator.Account, error) {
	return list(ctx, t.q, scanOperator, listOperators+t.locks.forUpdate)
}

// AddOperator implements store.OperatorWriter.
func (t *tx) AddOperator(ctx context.Context, a operator.Account) error {
	n, err := t.q.exec(ctx, `INSERT INTO operators (`+operatorColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		a.ID, a.Name, string(a.Role), micros(a.Created), micros(a.Removed), a.Enrol, micros(a.EnrolBy), blob(a.Sealed), a.Rev)
	return requireRow(n, err, store.ErrExists)
}

// PutOperator implements store.OperatorWriter.
func (t *tx) PutOperator(ctx context.Context, a operator.Account) (operator.Account, error) {
	n, err := t.q.exec(ctx, `UPDATE operators SET role = $3, removed_at = $4, enrol = $5, enrol_by = $6, sealed = $7, rev = rev + 1 WHERE id = $1 AND rev = $2`,
		a.ID, a.Rev, string(a.Role), micros(a.Removed), a.Enrol, micros(a.EnrolBy), blob(a.Sealed))
	if err == nil && n == 0 {
		if _, err = t.Operator(ctx, a.ID); err == nil {
			err = store.ErrConflict
		}
	}
	if err != nil {
		return operator.Account{}, err
	}
	a.Rev++
	return a, nil
}

const sessionColumns = `s.id, s.operator_id, s.began_at, s.seen_at, s.ended_at, s.agent, s.method`

func sessionFields(s *operator.Session, began, seen, ended *int64) []any {
	return []any{&s.ID, &s.OperatorID, began, seen, ended, &s.Agent, (*string)(&s.By)}
}

func scanOperatorSession(r rows) (s operator.Session, err error) {
	var began, seen, ended int64
	err = r.Scan(sessionFields(&s, &began, &seen, &ended)...)
	s.Began, s.Seen, s.Ended = fromMicros(began), fromMicros(seen), fromMicros(ended)
	return s, err
}

type sessionOf struct {
	operator.Session
	account operator.Account
}

func scanSessionOf(r rows) (s sessionOf, err error) {
	var began, seen, ended, created, removed, enrolBy int64
	err = r.Scan(append(sessionFields(&s.Session, &began, &seen, &ended), operatorFields(&s.account, &created, &removed, &enrolBy)...)...)
	s.Began, s.Seen, s.Ended = fromMicros(began), fromMicros(seen), fromMicros(ended)
	operatorTimes(&s.account, created, removed, enrolBy)
	return s, err
}

// OperatorSession implements store.OperatorReader.
func (r reader) OperatorSession(ctx context.Context, hash string) (operator.Session, operator.Account, error) {
	s, err := one(ctx, r.q, scanSessionOf, `SELECT `+sessionColumns+`, o.id, o.name, o.role, o.created_at, o.removed_at, o.enrol, o.enrol_by, o.sealed, o.rev
FROM operator_sessions s JOIN operators o ON o.id = s.operator_id WHERE s.hash = $1`, hash)
	return s.Session, s.account, err
}

// OperatorSessions implements store.OperatorReader.
func (r reader) OperatorSessions(ctx context.Context, operatorID string) ([]operator.Session, error) {
	const from = `SELECT ` + sessionColumns + ` FROM operator_sessions s WHERE s.ended_at = 0 `
	const order = `ORDER BY s.began_at DESC, s.id DESC`
	if operatorID == "" {
		return list(ctx, r.q, scanOperatorSession, from+order)
	}
	return list(ctx, r.q, scanOperatorSession, from+`AND s.operator_id = $1 `+order, operatorID)
}

// AddOperatorSession implements store.OperatorWriter.
func (t *tx) AddOperatorSession(ctx context.Context, hash string, s operator.Session) error {
	n, err := t.q.exec(ctx, `INSERT INTO operator_sessions (hash, id, operator_id, began_at, seen_at, ended_at, agent, method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		hash, s.ID, s.OperatorID, micros(s.Began), micros(s.Seen), micros(s.Ended), s.Agent, string(s.By))
	return requireRow(n, err, store.ErrExists)
}

// SeeOperatorSession implements store.OperatorWriter.
func (t *tx) SeeOperatorSession(ctx context.Context, id string, at time.Time) error {
	return t.q.execLater(ctx, `UPDATE operator_sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2`, id, micros(at))
}

// EndOperatorSessions implements store.OperatorWriter.
func (t *tx) EndOperatorSessions(ctx context.Context, operatorID, id, except string, at time.Time) (int, error) {
	const end = `UPDATE operator_sessions SET ended_at = $3 WHERE operator_id = $1 AND id <> $2 AND ended_at = 0`
	if id == "" {
		n, err := t.q.exec(ctx, end, operatorID, except, micros(at))
		return int(n), err
	}
	n, err := t.q.exec(ctx, end+` AND id = $4`, operatorID, except, micros(at), id)
	return int(n), err
}

// SignInAttempts implements store.OperatorReader.
func (r reader) SignInAttempts(ctx context.Context, key string) (operator.Attempts, error) {
	a, err := one(ctx, r.q, func(r rows) (a operator.Attempts, err error) {
		var wrong, last int64
		err = r.Scan(&wrong, &last)
		a.Wrong, a.Last = int(wrong), fromMicros(last)
		return a, err
	}, `SELECT wrong, last_at FROM operator_attempts WHERE name = $1`, key)
	if errors.Is(err, store.ErrNotFound) {
		return operator.Attempts{}, nil
	}
	return a, err
}

// PutSignInAttempts implements store.OperatorWriter.
func (t *tx) PutSignInAttempts(ctx context.Context, key string, before, next operator.Attempts) error {
	var n int64
	var err error
	switch {
	case next.Wrong == 0:
		n, err = t.q.exec(ctx, `DELETE FROM operator_attempts WHERE name = $1 AND wrong = $2 AND last_at = $3`, key, int64(before.Wrong), micros(before.Last))
	case before.Wrong == 0:
		n, err = t.q.exec(ctx, `INSERT INTO operator_attempts (name, wrong, last_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, key, int64(next.Wrong), micros(next.Last))
	default:
		n, err = t.q.exec(ctx, `UPDATE operator_attempts SET wrong = $4, last_at = $5 WHERE name = $1 AND wrong = $2 AND last_at = $3`,
			key, int64(before.Wrong), micros(before.Last), int64(next.Wrong), micros(next.Last))
	}
	return requireRow(n, err, store.ErrConflict)
}

// sweepOperators deletes sessions whose time is over, and attempts that are forgiven.
func (t *tx) sweepOperators(ctx context.Context, now time.Time) (int64, error) {
	sessions, err := t.q.exec(ctx, `DELETE FROM operator_sessions WHERE hash IN
(SELECT hash FROM operator_sessions WHERE began_at < $1 ORDER BY began_at LIMIT $2 + 0)`, micros(now.Add(-operator.AbsoluteLife)), int64(sweepRows))
	if err != nil {
		return 0, err
	}
	attempts, err := t.q.exec(ctx, `DELETE FROM operator_attempts WHERE name IN
(SELECT name FROM operator_attempts WHERE last_at < $1 ORDER BY last_at LIMIT $2 + 0)`, micros(now.Add(-operator.Forgiven)), int64(sweepRows))
	return sessions + attempts, err
}
