package sqlstore

import (
	"context"
	"time"
)

// sharedInserts stores rows whose transaction has nothing else in it: concurrent calls
// share one INSERT. On PostgreSQL every commit costs round trips; on SQLite, where
// concurrent transactions share a commit by themselves, each costs two savepoints.
type sharedInserts[T any] struct {
	write  func(context.Context, func(querier) error) error
	insert func(context.Context, querier, []*insertion[T]) error
	*batcher[*insertion[T]]
}

// insertion is a row to insert. err is valid when done is closed.
type insertion[T any] struct {
	row  T
	done chan struct{}
	err  error
}

// newSharedInserts returns sharedInserts. insert stores the rows that do not exist and
// sets the outcome of each. A row that is in the way of itself was stored by an earlier
// try.
func newSharedInserts[T any](workers, size int, write func(context.Context, func(querier) error) error,
	insert func(context.Context, querier, []*insertion[T]) error) *sharedInserts[T] {
	s := &sharedInserts[T]{write: write, insert: insert}
	s.batcher = &batcher[*insertion[T]]{workers: workers, size: size, run: s.store}
	return s
}

// do stores a row.
func (s *sharedInserts[T]) do(ctx context.Context, row T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &insertion[T]{row: row, done: make(chan struct{})}
	s.add(r)
	<-r.done // not ctx: the row may be stored by then, and the caller must know
	return r.err
}

// insertTimeout bounds a batch. A caller waits for at most two: the one before it, and
// its own.
const insertTimeout = 4 * time.Second

// store stores the rows of a batch and answers their callers. When the statement fails,
// each row is tried once more by itself, because one of them may have spoiled it for the
// others. It may also have failed after its commit, when the connection was lost: the
// second try then finds the rows stored.
func (s *sharedInserts[T]) store(batch []*insertion[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), insertTimeout)
	defer cancel()
	if err := s.try(ctx, batch); err != nil {
		for _, r := range batch {
			if err := s.try(ctx, []*insertion[T]{r}); err != nil {
				r.err = err
			}
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

func (s *sharedInserts[T]) try(ctx context.Context, batch []*insertion[T]) error {
	return s.write(ctx, func(q querier) error { return s.insert(ctx, q, batch) })
}
