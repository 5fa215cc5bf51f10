package sqlstore

import (
	"context"

	"samla/internal/store"
)

const (
	statusWorkers = 1  // queries of one kind that run at once; with more, queries are smaller and answers fewer
	statusBatch   = 64 // polls in one query
)

// statusBatcher reads views of one kind by id. Concurrent calls share queries. A
// call joins only a query that was not sent before it came, so it sees everything
// that was committed before.
type statusBatcher[V any] struct {
	q        querier
	text     string // a query that ends before its IN list
	scan     func(rows) (id string, v V, err error)
	cache    *statusCache[V]  // nil where other processes write too
	versions *versionCache[V] // nil where the engine has no arrays
	*batcher[*statusRequest[V]]
}

// statusRequest is the call of one caller. view and err are valid when done is
// closed.
type statusRequest[V any] struct {
	id   string
	done chan struct{}
	view V
	err  error
	next *statusRequest[V] // another one of the same batch with the same id
}

func newStatusBatcher[V any](q querier, text string, scan func(rows) (string, V, error)) *statusBatcher[V] {
	b := &statusBatcher[V]{q: q, text: text, scan: scan}
	b.batcher = &batcher[*statusRequest[V]]{workers: statusWorkers, size: statusBatch, run: b.answer}
	return b
}

func (b *statusBatcher[V]) get(ctx context.Context, id string) (V, error) {
	view, generation, ok := b.cache.get(id)
	if ok {
		return view, nil
	}
	if !storable(id) { // the query would fail for the other callers
		return view, store.ErrNotFound
	}
	r := &statusRequest[V]{id: id, done: make(chan struct{})}
	b.add(r)
	select {
	case <-r.done:
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
	if r.err == nil {
		b.cache.put(id, generation, r.view)
	}
	return r.view, r.err
}

// answer answers a batch.
func (b *statusBatcher[V]) answer(batch []*statusRequest[V]) {
	byID := make(map[string]*statusRequest[V], len(batch))
	ids := make([]string, 0, len(batch))
	for _, r := range batch {
		first, twice := byID[r.id]
		if !twice {
			ids = append(ids, r.id)
		}
		r.err, r.next = store.ErrNotFound, first
		byID[r.id] = r
	}
	if err := b.read(ids, byID); err != nil {
		for _, r := range batch {
			r.err = err
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

// read reads the views of ids and sets them in the requests.
func (b *statusBatcher[V]) read(ids []string, byID map[string]*statusRequest[V]) error {
	ctx, cancel := context.WithTimeout(context.Background(), detachedTimeout)
	defer cancel()
	set := func(id string, v V) {
		for r := byID[id]; r != nil; r = r.next {
			r.view, r.err = v, nil
		}
	}
	ids, err := b.versions.read(ctx, b.q, ids, set)
	if err != nil || len(ids) == 0 {
		return err
	}
	in, args := inList(1, &ids)
	found, err := b.q.query(ctx, b.text+in, args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		id, v, err := b.scan(found)
		if err != nil {
			return err
		}
		b.versions.put(id, v)
		set(id, v)
	}
	return found.Err()
}
