package sqlstore

import (
	"context"

	"samla/internal/store"
	"samla/internal/user"
)

const (
	newcomerLanes = 4  // statements under way at once
	newcomerBatch = 32 // users in one statement
)

// newcomers stores users whose transaction holds nothing else. On PostgreSQL,
// where every commit costs round trips, those that come at the same time share
// one INSERT; SQLite shares its commits anyway.
type newcomers struct {
	q querier
	*gather[*newcomer]
}

// newcomer is one user to be stored and, when done is closed, the outcome.
type newcomer struct {
	user.User
	done chan struct{}
	err  error
}

func newNewcomers(q querier) *newcomers {
	n := &newcomers{q: q}
	n.gather = &gather[*newcomer]{lanes: newcomerLanes, size: newcomerBatch, run: n.insert}
	return n
}

// CreateUser implements store.Store.
func (s *Store) CreateUser(ctx context.Context, u user.User) error {
	if s.newcomers == nil {
		return s.Write(ctx, func(tx store.Tx) error { return tx.AddUser(ctx, u) })
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &newcomer{User: u, done: make(chan struct{})}
	s.newcomers.add(c)
	<-c.done // the outcome is known soon, and must not be guessed
	return c.err
}

const userFields = 6

// insertUsers are the statements for 1, 2, … users.
var insertUsers = inserts(`INSERT INTO users (`+userColumns+`) VALUES `, userFields, newcomerBatch,
	` ON CONFLICT DO NOTHING RETURNING id`)

func (n *newcomers) insert(batch []*newcomer) {
	stored, err := n.store(batch)
	if err != nil && len(batch) > 1 {
		// One of them may have spoilt it for all: each has its own outcome.
		for _, c := range batch {
			n.insert([]*newcomer{c})
		}
		return
	}
	for _, c := range batch {
		switch {
		case err != nil:
			c.err = err
		case !stored[c.ID]:
			c.err = store.ErrExists
		}
		close(c.done)
	}
}

// store inserts those who are new and tells their ids.
func (n *newcomers) store(batch []*newcomer) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := make([]any, 0, len(batch)*userFields)
	for _, c := range batch {
		args = append(args, userArgs(c.User)...)
	}
	found, err := n.q.query(ctx, insertUsers[len(batch)], args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	stored := make(map[string]bool, len(batch))
	for found.Next() {
		var id string
		if err := found.Scan(&id); err != nil {
			return nil, err
		}
		stored[id] = true
	}
	return stored, found.Err()
}
