package sqlstore

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Requests of goroutines that are ready to run go into the batch that a worker is about
// to take.
func TestBatcher_GathersWhatIsReady(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const requests, rounds = 20, 50
	batches := 0
	for range rounds {
		var done sync.WaitGroup
		var taken atomic.Int64
		b := &batcher[int]{workers: 1, size: 64, gathers: true, run: func(batch []int) {
			batches++
			taken.Add(int64(len(batch)))
			for range batch {
				done.Done()
			}
		}}
		done.Add(requests)
		for range requests {
			go b.add(0)
		}
		done.Wait()
		if n := taken.Load(); n != requests {
			t.Fatalf("%d of %d requests were answered", n, requests)
		}
	}
	if batches > 2*rounds {
		t.Errorf("%d batches of %d rounds", batches, rounds)
	}
}
