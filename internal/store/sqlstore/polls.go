package sqlstore

import (
	"context"

	"samla/internal/store"
)

const (
	pollWorkers = 1  // queries of one kind that run at once; with more, queries are smaller and answers fewer
	pollBatch   = 64 // polls in one query
)

// polls answers single-row reads of one kind. Concurrent ones share queries; a
// poll joins only a query that has not been sent, and so sees all that was
// committed before it came.
type polls[V any] struct {
	q      querier
	text   string // a query that ends before its IN list
	scan   func(rows) (id string, v V, err error)
	cache  *cache[V]  // nil where others write too
	stamps *stamps[V] // nil where they cannot be asked for
	*batcher[*poll[V]]
}

// poll is one caller's question and, when done is closed, its answer.
type poll[V any] struct {
	id   string
	done chan struct{}
	v    V
	err  error
	next *poll[V] // another one in the same query with the same id
}

func newPolls[V any](q querier, text string, scan func(rows) (string, V, error)) *polls[V] {
	p := &polls[V]{q: q, text: text, scan: scan}
	p.batcher = &batcher[*poll[V]]{workers: pollWorkers, size: pollBatch, run: p.answer}
	return p
}

func (p *polls[V]) get(ctx context.Context, id string) (V, error) {
	v, seen, known := p.cache.get(id)
	if known {
		return v, nil
	}
	if !storable(id) { // it would spoil the query for the others in it
		return v, store.ErrNotFound
	}
	c := &poll[V]{id: id, done: make(chan struct{})}
	p.add(c)
	select {
	case <-c.done:
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
	if c.err == nil {
		p.cache.put(id, seen, c.v)
	}
	return c.v, c.err
}

// answer runs one query. It belongs to no caller, so no caller's end ends it.
func (p *polls[V]) answer(batch []*poll[V]) {
	byID := make(map[string]*poll[V], len(batch))
	ids := make([]string, 0, len(batch))
	for _, c := range batch {
		first, twice := byID[c.id]
		if !twice {
			ids = append(ids, c.id)
		}
		c.err, c.next = store.ErrNotFound, first
		byID[c.id] = c
	}
	if err := p.read(ids, byID); err != nil {
		for _, c := range batch {
			c.err = err
		}
	}
	for _, c := range batch {
		close(c.done)
	}
}

func (p *polls[V]) read(ids []string, byID map[string]*poll[V]) error {
	ctx, cancel := context.WithTimeout(context.Background(), detachedTimeout)
	defer cancel()
	ids, err := p.stamps.recall(ctx, p.q, ids, func(id string, v V) { tell(byID[id], v) })
	if err != nil || len(ids) == 0 {
		return err
	}
	in, args := inList(1, &ids)
	found, err := p.q.query(ctx, p.text+in, args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		id, v, err := p.scan(found)
		if err != nil {
			return err
		}
		p.stamps.remember(id, v)
		tell(byID[id], v)
	}
	return found.Err()
}

// tell answers everybody who asked for one id.
func tell[V any](c *poll[V], v V) {
	for ; c != nil; c = c.next {
		c.v, c.err = v, nil
	}
}
