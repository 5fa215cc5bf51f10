package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// runWorkers runs n workers concurrently for d and returns the total number of
// completed operations. newWorker is called once per worker with the worker's index and
// a context that ends after d; it returns the worker's operation, which is repeated, and
// a function that frees its resources. The first error ends all workers.
func runWorkers(ctx context.Context, n int, d time.Duration, newWorker func(within context.Context, i int) (operation func() error, end func(), err error)) (int, error) {
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
			operation, end, err := newWorker(within, i)
			if err != nil {
				fail(err)
				return
			}
			defer end()
			for within.Err() == nil {
				if err := operation(); err != nil {
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

// sameOperation returns a newWorker function for workers that share one operation.
func sameOperation(operation func() error) func(context.Context, int) (func() error, func(), error) {
	return func(context.Context, int) (func() error, func(), error) { return operation, func() {}, nil }
}

// runCallers runs n workers for d, each with its own connection, and returns the total
// number of calls.
func runCallers(ctx context.Context, address string, n int, d time.Duration, call func(c *conn, caller int) error) (int, error) {
	return runWorkers(ctx, n, d, func(_ context.Context, i int) (func() error, func(), error) {
		c, err := dial(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		return func() error { return call(c, i) }, func() { _ = c.Close() }, nil
	})
}

// parallel calls f concurrently with 0 to n-1 and returns the first error by index.
func parallel(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = f(i)
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
