package sqlstore

import (
	"runtime"
	"sync"
)

// batcher lets concurrent callers share statements. Requests that arrive while
// all workers are busy wait and go together, at most size in one batch. A request
// does not wait while a worker is idle. run answers the requests of a batch. It
// runs on a goroutine of the batcher, so that no caller's end ends it.
type batcher[T any] struct {
	workers, size int
	run           func([]T)
	// gathers makes a worker let the goroutines run that are ready, before it takes a
	// batch, as long as that makes the batch larger. It is for statements that cost much
	// more than another request in them does. On an idle machine it takes no time.
	gathers bool

	mu      sync.Mutex
	running int
	waiting []T
}

// add queues a request and starts a worker unless all are running.
func (b *batcher[T]) add(request T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, request)
	if b.running < b.workers {
		b.running++
		go b.work()
	}
}

// work runs batches until no request waits.
func (b *batcher[T]) work() {
	for {
		if b.gathers {
			b.gather()
		}
		b.mu.Lock()
		n := min(len(b.waiting), b.size)
		if n == 0 {
			b.running--
			b.mu.Unlock()
			return
		}
		batch := b.waiting[:n:n]
		b.waiting = b.waiting[n:]
		b.mu.Unlock()
		b.run(batch)
	}
}

// gather yields the processor while that brings more requests.
func (b *batcher[T]) gather() {
	for last := 0; ; {
		b.mu.Lock()
		n := len(b.waiting)
		b.mu.Unlock()
		if n <= last || n >= b.size {
			return
		}
		last = n
		runtime.Gosched()
	}
}
