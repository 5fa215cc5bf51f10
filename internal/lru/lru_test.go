package lru_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/lru"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func TestCache_ExpiresValueAtItsAge(t *testing.T) {
	clk := clock.NewManual(start)
	c := lru.New[string, int](clk, 10, time.Minute)
	v, err := c.Get(t.Context(), "k", func(context.Context) (int, error) {
		clk.Advance(20 * time.Second) // the age counts from the beginning of the load
		return 1, nil
	})
	if v != 1 || err != nil {
		t.Fatal(v, err)
	}
	clk.Advance(40*time.Second - 1)
	if _, ok := c.Peek("k"); !ok {
		t.Error("value expired before its age")
	}
	clk.Advance(1)
	if _, ok := c.Peek("k"); ok {
		t.Error("value is cached past its age")
	}
}

func TestCache_DoesNotCacheErrors(t *testing.T) {
	c := lru.New[string, int](clock.NewManual(start), 10, time.Minute)
	broken := errors.New("broken")
	if _, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if v, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 2, nil }); v != 2 || err != nil {
		t.Fatal(v, err)
	}
}

func TestCache_SharesOneLoadBetweenCallers(t *testing.T) {
	c := lru.New[string, int](clock.NewManual(start), 10, time.Minute)
	var loads atomic.Int32
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			v, err := c.Get(t.Context(), "k", func(context.Context) (int, error) {
				loads.Add(1)
				<-release
				return 7, nil
			})
			if v != 7 || err != nil {
				t.Error(v, err)
			}
		})
	}
	close(release)
	wg.Wait()
	if loads.Load() != 1 {
		t.Errorf("%d loads", loads.Load())
	}
}

func TestCache_WaitersLoadAgainAfterCancelledLoad(t *testing.T) {
	c := lru.New[string, int](clock.NewManual(start), 10, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	began := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.Get(ctx, "k", func(ctx context.Context) (int, error) {
			close(began)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	<-began
	wg.Go(func() {
		if v, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 3, nil }); v != 3 || err != nil {
			t.Error(v, err)
		}
	})
	cancel()
	wg.Wait()
}

func TestCache_DoesNotCacheKeyDroppedDuringLoad(t *testing.T) {
	for name, drop := range map[string]func(*lru.Cache[string, int]){
		"Drop":  func(c *lru.Cache[string, int]) { c.Drop("k") },
		"Clear": func(c *lru.Cache[string, int]) { c.Clear() },
	} {
		c := lru.New[string, int](clock.NewManual(start), 10, time.Minute)
		if _, err := c.Get(t.Context(), "k", func(context.Context) (int, error) {
			drop(c)
			return 1, nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Peek("k"); ok {
			t.Errorf("%s: the dropped value is cached", name)
		}
	}
}

func TestCache_LoadsAgainAfterPanic(t *testing.T) {
	c := lru.New[string, int](clock.NewManual(start), 10, time.Minute)
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Get(t.Context(), "k", func(context.Context) (int, error) { panic("boom") })
	}()
	if v, err := c.Get(t.Context(), "k", func(context.Context) (int, error) { return 4, nil }); v != 4 || err != nil {
		t.Fatal(v, err)
	}
}

// The cache is compared with a plain list in the order of use.
func TestCache_EvictsLeastRecentlyUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "size")
		c := lru.New[int, int](clock.NewManual(start), size, time.Hour)
		var model []int // most recently used last
		touch := func(k int) bool {
			for i, m := range model {
				if m == k {
					model = append(append(model[:i:i], model[i+1:]...), k)
					return true
				}
			}
			return false
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := rapid.IntRange(0, 7).Draw(t, "key")
			if rapid.Bool().Draw(t, "put") {
				c.Put(k, k*10)
				if !touch(k) {
					model = append(model, k)
				}
				if len(model) > size {
					model = model[1:]
				}
			} else if v, ok := c.Peek(k); ok != touch(k) || (ok && v != k*10) {
				t.Fatalf("Peek(%d) = %d, %v; model %v", k, v, ok, model)
			}
			if c.Len() != len(model) {
				t.Fatalf("%d values, model %v", c.Len(), model)
			}
		}
	})
}

func TestCache_HoldsNoMoreThanItsWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		clk := clock.NewManual(start)
		c := lru.NewWeighed[int](clk, size, time.Minute, func(weight int) int { return weight })
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k, weight := rapid.IntRange(0, 7).Draw(t, "key"), rapid.IntRange(0, 25).Draw(t, "weight")
			if rapid.IntRange(0, 9).Draw(t, "drop") == 0 {
				c.Drop(k)
			} else {
				c.Put(k, weight)
				if v, ok := c.Peek(k); ok != (weight <= size) || ok && v != weight {
					t.Fatalf("%d of %d: %d, %t", weight, size, v, ok)
				}
			}
			sum := 0
			for k := range 8 {
				v, _ := c.Peek(k)
				sum += v
			}
			if sum > size {
				t.Fatalf("%d of %d", sum, size)
			}
		}
	})
}

func TestCache_DropsOldValuesThatAreNotUsed(t *testing.T) {
	clk := clock.NewManual(start)
	c := lru.New[string, int](clk, 10, time.Minute)
	c.Put("a", 1)
	c.Put("b", 1)
	clk.Advance(time.Minute)
	c.Put("c", 1)
	if c.Len() != 1 {
		t.Errorf("%d values", c.Len())
	}
}
