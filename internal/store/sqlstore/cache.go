package sqlstore

import (
	"hash/maphash"
	"sync"
)

const (
	cacheShards  = 1024
	shardEntries = 64 // of a shard; one more pushes any other out
)

// cache remembers rows between their changes. It is coherent when every writer
// of the rows, in this one process, calls hold before it commits and release
// after: between the two, and for reads that began before the release, nothing is
// remembered. So whoever begins a poll when a commit is done sees it. A nil cache
// remembers nothing.
type cache[V any] struct {
	seed   maphash.Seed
	shards [cacheShards]shard[V]
}

type shard[V any] struct {
	mu   sync.Mutex
	held int    // writers between hold and release
	age  uint64 // grows with every hold and release
	rows map[string]V
}

func newCache[V any]() *cache[V] { return &cache[V]{seed: maphash.MakeSeed()} }

func (c *cache[V]) shard(id string) *shard[V] {
	return &c.shards[maphash.String(c.seed, id)%cacheShards]
}

// get returns a remembered row, or else the age to give to put.
func (c *cache[V]) get(id string) (v V, age uint64, known bool) {
	if c == nil {
		return v, 0, false
	}
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	v, known = s.rows[id]
	return v, s.age, known
}

// put remembers a row that was read after the get that gave the age, unless it
// may have changed since.
func (c *cache[V]) put(id string, age uint64, v V) {
	if c == nil {
		return
	}
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held > 0 || s.age != age {
		return
	}
	if s.rows == nil {
		s.rows = make(map[string]V)
	}
	if len(s.rows) >= shardEntries {
		for other := range s.rows {
			delete(s.rows, other)
			break
		}
	}
	s.rows[id] = v
}

func (c *cache[V]) hold(ids []string, all bool) {
	c.each(ids, all, func(s *shard[V], id string) {
		s.held++
		if all {
			clear(s.rows)
		} else {
			delete(s.rows, id)
		}
	})
}

func (c *cache[V]) release(ids []string, all bool) {
	c.each(ids, all, func(s *shard[V], _ string) { s.held-- })
}

// each visits the shards of the ids, or every shard once.
func (c *cache[V]) each(ids []string, all bool, visit func(*shard[V], string)) {
	if c == nil {
		return
	}
	aged := func(s *shard[V], id string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.age++
		visit(s, id)
	}
	if all {
		for i := range c.shards {
			aged(&c.shards[i], "")
		}
		return
	}
	for _, id := range ids {
		aged(c.shard(id), id)
	}
}
