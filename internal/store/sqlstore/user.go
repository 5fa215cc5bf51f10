package sqlstore

import (
	"context"

	"samla/internal/store"
	"samla/internal/user"
)

const (
	userColumns = `id, client_id, external_id, created_at, updated_at, anonymized_at`

	selectUser = `SELECT ` + userColumns + ` FROM users WHERE id = $1 AND client_id = $2`
)

func scanUser(r rows) (user.User, error) {
	var u user.User
	var created, updated, anonymized int64
	err := r.Scan(&u.ID, &u.ClientID, &u.ExternalID, &created, &updated, &anonymized)
	u.CreatedAt, u.UpdatedAt, u.AnonymizedAt = fromMicros(created), fromMicros(updated), fromMicros(anonymized)
	return u, err
}

// User implements store.UserReader.
func (r reader) User(ctx context.Context, clientID, id string) (user.User, error) {
	return one(ctx, r.q, scanUser, selectUser, id, clientID)
}

// UserByExternalID implements store.UserReader.
func (r reader) UserByExternalID(ctx context.Context, clientID, externalID string) (user.User, error) {
	return one(ctx, r.q, scanUser,
		`SELECT `+userColumns+` FROM users WHERE client_id = $1 AND external_id = $2 AND anonymized_at = 0`,
		clientID, externalID)
}

// AddUser implements store.UserWriter.
func (t *tx) AddUser(ctx context.Context, u user.User) error {
	n, err := t.q.exec(ctx, `INSERT INTO users (`+userColumns+`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		userArgs(u)...)
	return requireRow(n, err, store.ErrExists)
}

func userArgs(u user.User) []any {
	return []any{u.ID, u.ClientID, u.ExternalID, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.AnonymizedAt)}
}

// PutUser implements store.UserWriter. A user has no revision: all columns that can change
// are compared.
func (t *tx) PutUser(ctx context.Context, old, u user.User) error {
	t.changesAll()
	n, err := t.q.exec(ctx, `UPDATE users SET external_id = $3, updated_at = $4, anonymized_at = $5
WHERE id = $1 AND client_id = $2 AND external_id = $6 AND updated_at = $7 AND anonymized_at = $8
AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.client_id = $2
AND other.external_id = $3 AND other.anonymized_at = 0 AND other.id <> $1 AND CAST($5 AS BIGINT) = 0)`,
		old.ID, old.ClientID, u.ExternalID, micros(u.UpdatedAt), micros(u.AnonymizedAt),
		old.ExternalID, micros(old.UpdatedAt), micros(old.AnonymizedAt))
	if err != nil || n > 0 {
		return err
	}
	stored, err := t.User(ctx, old.ClientID, old.ID)
	switch {
	case err != nil:
		return err
	case stored.ExternalID != old.ExternalID || micros(stored.UpdatedAt) != micros(old.UpdatedAt) ||
		micros(stored.AnonymizedAt) != micros(old.AnonymizedAt):
		return store.ErrConflict
	}
	return store.ErrExists
}

// LockUser implements store.UserWriter.
func (t *tx) LockUser(ctx context.Context, clientID, id string) (user.User, error) {
	return one(ctx, t.q, scanUser, selectUser+t.locks.forShare, id, clientID)
}
