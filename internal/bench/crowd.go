package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// crowd runs n workers for d and returns how often they have done it in all.
// Each worker gets its number and makes its own deed, such as a call on a
// connection of its own; within tells the deed that the time is over. The first
// error ends all.
func crowd(ctx context.Context, n int, d time.Duration, worker func(within context.Context, i int) (deed func() error, end func(), err error)) (int, error) {
	within, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var (
		total atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	fail := func(err error) { once.Do(func() { first = err; cancel() }) }
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			deed, end, err := worker(within, i)
			if err != nil {
				fail(err)
				return
			}
			defer end()
			for within.Err() == nil {
				if err := deed(); err != nil {
					fail(err)
					return
				}
				total.Add(1)
			}
		}()
	}
	wg.Wait()
	return int(total.Load()), first
}

// alike makes workers that all do the same.
func alike(deed func() error) func(context.Context, int) (func() error, func(), error) {
	return func(context.Context, int) (func() error, func(), error) { return deed, func() {}, nil }
}

// callers runs n callers for d, each with a connection of its own, and returns
// how many calls they made in all.
func callers(ctx context.Context, address string, n int, d time.Duration, call func(c *conn, caller int) error) (int, error) {
	return crowd(ctx, n, d, func(_ context.Context, i int) (func() error, func(), error) {
		c, err := dial(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		return func() error { return call(c, i) }, func() { _ = c.Close() }, nil
	})
}

// side does n deeds side by side and returns the first error of all.
func side(n int, deed func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = deed(i)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
