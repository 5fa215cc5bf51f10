package sqlstore

import (
	"hash/maphash"
	"sync"
)

const (
	cacheShards   = 1024
	shardCapacity = 64 // entries of a shard; one more evicts any other
)

// statusCache keeps views of rows. It is coherent under one condition: every writer
// of the rows is in this process, calls beginWrite before its commit and endWrite
// after it. Between the two, nothing is cached for the rows, and neither is what a
// read that began before endWrite has found. So a poll that begins after a commit
// was acknowledged sees it. A nil statusCache keeps nothing.
type statusCache[V any] struct {
	seed   maphash.Seed
	shards [cacheShards]cacheShard[V]
}

type cacheShard[V any] struct {
	mu         sync.Mutex
	writers    int    // between beginWrite and endWrite
	generation uint64 // grows with every beginWrite and endWrite
	views      map[string]V
}

func newStatusCache[V any]() *statusCache[V] { return &statusCache[V]{seed: maphash.MakeSeed()} }

func (c *statusCache[V]) shard(id string) *cacheShard[V] {
	return &c.shards[maphash.String(c.seed, id)%cacheShards]
}

// get returns a cached view, or else the generation to give to put.
func (c *statusCache[V]) get(id string) (v V, generation uint64, ok bool) {
	if c == nil {
		return v, 0, false
	}
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok = s.views[id]
	return v, s.generation, ok
}

// put caches a view that was read after get returned the generation, unless the
// row may have changed since.
func (c *statusCache[V]) put(id string, generation uint64, v V) {
	if c == nil {
		return
	}
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers > 0 || s.generation != generation {
		return
	}
	if s.views == nil {
		s.views = make(map[string]V)
	}
	if len(s.views) >= shardCapacity {
		for other := range s.views {
			delete(s.views, other)
			break
		}
	}
	s.views[id] = v
}

func (c *statusCache[V]) beginWrite(ids []string, all bool) {
	c.change(ids, all, func(s *cacheShard[V], id string) {
		s.writers++
		if all {
			clear(s.views)
		} else {
			delete(s.views, id)
		}
	})
}

func (c *statusCache[V]) endWrite(ids []string, all bool) {
	c.change(ids, all, func(s *cacheShard[V], _ string) { s.writers-- })
}

// change starts a new generation of the shards of the ids, or once of every shard,
// and calls do with each.
func (c *statusCache[V]) change(ids []string, all bool, do func(s *cacheShard[V], id string)) {
	if c == nil {
		return
	}
	locked := func(s *cacheShard[V], id string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.generation++
		do(s, id)
	}
	if all {
		for i := range c.shards {
			locked(&c.shards[i], "")
		}
		return
	}
	for _, id := range ids {
		locked(c.shard(id), id)
	}
}
