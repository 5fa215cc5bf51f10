package sqlstore

import (
	"context"

	"samla/internal/store"
	"samla/internal/user"
)

const userColumns = `id, client_id, external_id, created_at, updated_at, anonymized_at`

func scanUser(r rows) (user.User, error) {
	var u user.User
	var created, updated, gone int64
	err := r.Scan(&u.ID, &u.ClientID, &u.ExternalID, &created, &updated, &gone)
	u.CreatedAt, u.UpdatedAt, u.AnonymizedAt = moment(created), moment(updated), moment(gone)
	return u, err
}

// User implements store.Reader.
func (r reader) User(ctx context.Context, clientID, id string) (user.User, error) {
	return one(ctx, r.q, scanUser, `SELECT `+userColumns+` FROM users WHERE id = $1 AND client_id = $2`, id, clientID)
}

// UserByExternalID implements store.Reader.
func (r reader) UserByExternalID(ctx context.Context, clientID, externalID string) (user.User, error) {
	return one(ctx, r.q, scanUser,
		`SELECT `+userColumns+` FROM users WHERE client_id = $1 AND external_id = $2 AND anonymized_at = 0`,
		clientID, externalID)
}

// AddUser implements store.Tx.
func (t *tx) AddUser(ctx context.Context, u user.User) error {
	n, err := t.q.exec(ctx, `INSERT INTO users (`+userColumns+`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		userArgs(u)...)
	return must(n, err, store.ErrExists)
}

func userArgs(u user.User) []any {
	return []any{u.ID, u.ClientID, u.ExternalID, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.AnonymizedAt)}
}

// PutUser implements store.Tx. It writes what can change of a user of this
// client; ErrExists when another living user has the external id.
func (t *tx) PutUser(ctx context.Context, u user.User) error {
	t.touchAll()
	n, err := t.q.exec(ctx, `UPDATE users SET external_id = $3, updated_at = $4, anonymized_at = $5
WHERE id = $1 AND client_id = $2 AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.client_id = $2
AND other.external_id = $3 AND other.anonymized_at = 0 AND other.id <> $1 AND CAST($5 AS BIGINT) = 0)`,
		u.ID, u.ClientID, u.ExternalID, micros(u.UpdatedAt), micros(u.AnonymizedAt))
	if err != nil || n > 0 {
		return err
	}
	if _, err := t.User(ctx, u.ClientID, u.ID); err != nil {
		return err
	}
	return store.ErrExists
}
