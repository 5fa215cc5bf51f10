package sqlstore

import (
	"context"

	"samla/internal/store"
	"samla/internal/user"
)

const (
	userWorkers = 4  // statements that run at once
	userBatch   = 32 // users in one statement
)

// CreateUser implements store.Store.
func (s *Store) CreateUser(ctx context.Context, u user.User) error { return s.users.do(ctx, u) }

const userFields = 6

// insertUsers are the statements for 1, 2, … users.
var insertUsers = inserts(`INSERT INTO users (`+userColumns+`) VALUES `, userFields, userBatch,
	` ON CONFLICT DO NOTHING RETURNING id`)

// userKey identifies a user that was stored by an earlier try.
type userKey struct{ id, clientID, externalID string }

func scanUserKey(r rows) (k userKey, err error) { return k, r.Scan(&k.id, &k.clientID, &k.externalID) }

// insertUserRows stores the users that do not exist, and sets the outcome of each.
func insertUserRows(ctx context.Context, q querier, batch []*insertion[user.User]) error {
	args := make([]any, 0, len(batch)*userFields)
	for _, r := range batch {
		args = append(args, userArgs(r.row)...)
	}
	found, err := q.query(ctx, insertUsers[len(batch)], args...)
	if err != nil {
		return err
	}
	stored, err := readAll(found, column[string])
	if err != nil {
		return err
	}
	created := make(map[string]bool, len(batch))
	for _, id := range stored {
		created[id] = true
	}
	var refused []string
	for _, r := range batch {
		if !created[r.row.ID] {
			refused = append(refused, r.row.ID)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	earlier := make(map[userKey]bool, len(refused))
	for len(refused) > 0 {
		in, args := inList(1, &refused)
		stored, err := list(ctx, q, scanUserKey, `SELECT id, client_id, external_id FROM users WHERE id `+in, args...)
		if err != nil {
			return err
		}
		for _, k := range stored {
			earlier[k] = true
		}
	}
	for _, r := range batch {
		if !created[r.row.ID] && !earlier[userKey{r.row.ID, r.row.ClientID, r.row.ExternalID}] {
			r.err = store.ErrExists
		}
	}
	return nil
}
