package sqlstore

import (
	"context"
	"time"

	"samla/internal/store"
	"samla/internal/user"
)

const (
	userWorkers = 4  // statements that run at once
	userBatch   = 32 // users in one statement
)

// userBatcher creates users whose transaction has nothing else in it: concurrent calls
// share one INSERT. On PostgreSQL every commit costs round trips; on SQLite, where
// concurrent transactions share a commit by themselves, each costs two savepoints.
type userBatcher struct {
	write func(context.Context, func(querier) error) error
	*batcher[*userRequest]
}

// userRequest is a user to create. err is valid when done is closed.
type userRequest struct {
	user.User
	done chan struct{}
	err  error
}

func newUserBatcher(write func(context.Context, func(querier) error) error) *userBatcher {
	b := &userBatcher{write: write}
	b.batcher = &batcher[*userRequest]{workers: userWorkers, size: userBatch, run: b.create}
	return b
}

// CreateUser implements store.Store.
func (s *Store) CreateUser(ctx context.Context, u user.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &userRequest{User: u, done: make(chan struct{})}
	s.users.add(r)
	<-r.done // not ctx: the user may be stored by then, and the caller must know
	return r.err
}

// createTimeout bounds a batch. A caller waits for at most two: the one before it, and
// its own.
const createTimeout = 4 * time.Second

// create stores the users of a batch and answers their callers. When the statement
// fails, each user is tried once more by itself, because one of them may have
// spoiled it for the others. It may also have failed after its commit, when the
// connection was lost: the second try then finds the users stored.
func (b *userBatcher) create(batch []*userRequest) {
	ctx, cancel := context.WithTimeout(context.Background(), createTimeout)
	defer cancel()
	if err := b.insert(ctx, batch); err != nil {
		for _, r := range batch {
			if err := b.insert(ctx, []*userRequest{r}); err != nil {
				r.err = err
			}
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

const userFields = 6

// insertUsers are the statements for 1, 2, … users.
var insertUsers = inserts(`INSERT INTO users (`+userColumns+`) VALUES `, userFields, userBatch,
	` ON CONFLICT DO NOTHING RETURNING id`)

// userKey identifies a user that was stored by an earlier try.
type userKey struct{ id, clientID, externalID string }

func scanUserKey(r rows) (k userKey, err error) { return k, r.Scan(&k.id, &k.clientID, &k.externalID) }

// insert stores the users that do not exist, and sets the outcome of each. A user
// that is in the way of itself was stored by an earlier try.
func (b *userBatcher) insert(ctx context.Context, batch []*userRequest) error {
	return b.write(ctx, func(q querier) error { return insertBatch(ctx, q, batch) })
}

func insertBatch(ctx context.Context, q querier, batch []*userRequest) error {
	args := make([]any, 0, len(batch)*userFields)
	for _, r := range batch {
		args = append(args, userArgs(r.User)...)
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
		if !created[r.ID] {
			refused = append(refused, r.ID)
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
		if !created[r.ID] && !earlier[userKey{r.ID, r.ClientID, r.ExternalID}] {
			r.err = store.ErrExists
		}
	}
	return nil
}
