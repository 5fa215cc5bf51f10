// Package crash holds the crash test: samla serve is killed at random instants
// under load and started again, on each store, and nothing that it has
// acknowledged may be missing, stand still or be done twice at a bank. The
// sandbox with its banks lives on, as banks do.
package crash

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"samla/internal/testpg"
	"samla/test/process"
)

const (
	// killsByDefault is for make test; make crash asks for more.
	killsByDefault = 6
	workers        = 90
	// resumeWithin is how long a flow may stand still after a crash.
	resumeWithin = 60 * time.Second
)

var program string

func TestMain(m *testing.M) { os.Exit(process.Main(m, &program)) }

// TestCrash kills one server on SQLite, and one or the other of two servers that
// share a PostgreSQL. SAMLA_CRASH_KILLS says how often, SAMLA_CRASH_SEED repeats
// the instants of an earlier run.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	kills, seed := number(t, "SAMLA_CRASH_KILLS", killsByDefault), number(t, "SAMLA_CRASH_SEED", int(rand.Uint32()))
	for _, store := range []struct {
		name     string
		nodes    int
		database func(testing.TB) string
	}{
		{"sqlite", 1, func(testing.TB) string { return "" }},
		{"postgres", 2, testpg.URL},
	} {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			r := setUp(t, store.database(t), store.nodes)
			r.storm(rand.New(rand.NewPCG(uint64(seed), 1)), kills, uint64(seed))
			r.verify()
			r.summary(store.name, kills)
		})
	}
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s must be a number", name)
	}
	return n
}

// storm kills servers under load. After the last kill no new flow begins, and
// those under way are watched to their end.
func (r *run) storm(instants *rand.Rand, kills int, seed uint64) {
	r.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var load sync.WaitGroup
	for i := range workers {
		w := &worker{run: r, number: i, chance: rand.New(rand.NewPCG(seed, uint64(100+i)))}
		load.Go(func() { w.work(ctx) })
	}
	for i := range kills {
		gap := 200*time.Millisecond + time.Duration(instants.Int64N(int64(1300*time.Millisecond)))
		if i%5 == 4 {
			// Now and then there is time for a whole flow, so that later steps are hit.
			gap += time.Duration(instants.Int64N(int64(5 * time.Second)))
		}
		time.Sleep(gap)
		victim := r.nodes[instants.IntN(len(r.nodes))]
		r.books.killed(victim.kill())
		if i%10 == 9 {
			// A server that dies while it starts must not be in the way of the next.
			victim.start()
			time.Sleep(time.Duration(instants.Int64N(int64(200 * time.Millisecond))))
			r.books.killed(victim.kill())
		}
		victim.start()
		if err := victim.await(ctx); err != nil {
			r.Fatalf("the server does not start again after kill %d: %v\n%s", i+1, err, victim.process.Log.Tail())
		}
	}
	r.books.end()
	over := time.AfterFunc(2*resumeWithin, cancel) // stuck flows are told by the books
	defer over.Stop()
	load.Wait()
}
