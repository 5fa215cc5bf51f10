// Package lru provides a bounded cache with least-recently-used eviction. Its
// entries expire by a clock, and concurrent calls for one missing key share one
// load.
package lru

import (
	"container/list"
	"context"
	"sync"
	"time"

	"samla/internal/clock"
)

// Cache holds at most size values, or values that weigh at most size together, each
// for at most age. It evicts the least recently used value first. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	clk    clock.Clock
	size   int
	age    time.Duration
	weight func(V) int // nil: each value weighs 1

	mu      sync.Mutex
	entries map[K]*list.Element // of *entry[K, V]
	order   *list.List          // most recently used in front
	used    int                 // the weight of all
	flights map[K]*flight[V]
}

type entry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
	// retry: load was cancelled by its own caller's context, or panicked. Its
	// result is not valid for the calls that wait; they start over.
	retry bool
}

// New returns an empty cache. Both size and age must be positive.
func New[K comparable, V any](clk clock.Clock, size int, age time.Duration) *Cache[K, V] {
	return &Cache[K, V]{
		clk: clk, size: size, age: age,
		entries: map[K]*list.Element{}, order: list.New(), flights: map[K]*flight[V]{},
	}
}

// NewWeighed returns an empty cache of values that weigh at most size together. A value
// that weighs more than size is not cached.
func NewWeighed[K comparable, V any](clk clock.Clock, size int, age time.Duration, weight func(V) int) *Cache[K, V] {
	c := New[K, V](clk, size, age)
	c.weight = weight
	return c
}

// Peek returns the cached value of k without loading it, and reports whether
// there is one. It counts as a use of k.
func (c *Cache[K, V]) Peek(k K) (V, bool) {
	now := c.clk.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peek(k, now)
}

func (c *Cache[K, V]) peek(k K, now time.Time) (V, bool) {
	if el, ok := c.entries[k]; ok {
		e := el.Value.(*entry[K, V])
		if now.Before(e.until) {
			c.order.MoveToFront(el)
			return e.value, true
		}
		c.remove(el)
	}
	var none V
	return none, false
}

// Get returns the cached value of k, or else calls load and caches what it
// returns. Concurrent calls for one key share one load. Errors are not cached.
// A value's age counts from the time before its load began.
func (c *Cache[K, V]) Get(ctx context.Context, k K, load func(context.Context) (V, error)) (V, error) {
	for {
		now := c.clk.Now()
		c.mu.Lock()
		if v, ok := c.peek(k, now); ok {
			c.mu.Unlock()
			return v, nil
		}
		f, joined := c.flights[k]
		if !joined {
			f = &flight[V]{done: make(chan struct{})}
			c.flights[k] = f
		}
		c.mu.Unlock()
		if !joined {
			return c.runLoad(ctx, k, f, now, load)
		}
		select {
		case <-f.done:
			if !f.retry {
				return f.value, f.err
			}
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
	}
}

func (c *Cache[K, V]) runLoad(ctx context.Context, k K, f *flight[V], now time.Time,
	load func(context.Context) (V, error)) (V, error) {
	f.retry = true // stays true when load panics
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[k] == f { // otherwise k was dropped during the load: the value may be outdated
			delete(c.flights, k)
			if f.err == nil && !f.retry {
				c.put(k, f.value, now)
			}
		}
		close(f.done)
	}()
	f.value, f.err = load(ctx)
	f.retry = f.err != nil && ctx.Err() != nil
	return f.value, f.err
}

// Put caches v as the value of k; its age counts from now.
func (c *Cache[K, V]) Put(k K, v V) {
	now := c.clk.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(k, v, now)
}

func (c *Cache[K, V]) put(k K, v V, now time.Time) {
	if el, ok := c.entries[k]; ok {
		c.remove(el)
	}
	w := c.weightOf(v)
	if w > c.size {
		return
	}
	for c.used+w > c.size {
		c.remove(c.order.Back())
	}
	// What is least recently used and too old goes too, so that a value that is not
	// asked for does not stay.
	for back := c.order.Back(); back != nil && !now.Before(back.Value.(*entry[K, V]).until); back = c.order.Back() {
		c.remove(back)
	}
	c.entries[k] = c.order.PushFront(&entry[K, V]{k, v, now.Add(c.age)})
	c.used += w
}

func (c *Cache[K, V]) weightOf(v V) int {
	if c.weight == nil {
		return 1
	}
	return c.weight(v)
}

func (c *Cache[K, V]) remove(el *list.Element) {
	e := el.Value.(*entry[K, V])
	delete(c.entries, e.key)
	c.order.Remove(el)
	c.used -= c.weightOf(e.value)
}

// Drop removes k. The result of a load that is in progress is not cached, and
// calls that begin after Drop do not share that load.
func (c *Cache[K, V]) Drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, k)
	if el, ok := c.entries[k]; ok {
		c.remove(el)
	}
}

// Clear drops every key, as Drop does.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.flights)
	clear(c.entries)
	c.order.Init()
	c.used = 0
}

// Len returns the number of cached values, including expired ones.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
