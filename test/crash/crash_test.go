// Package crash has the crash test: samla serve is killed at random times under load and
// started again, on each store. No acknowledged write may be lost, no flow may get stuck,
// no
// consent may be created twice at a bank, and no login or answer may have two effects at a
// source. No state is committed without its event, and no event without its state. The sandbox with its banks, and a source that records, keep running.
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
	// defaultKills is for make test; make crash sets a higher number.
	defaultKills = 6
	workers      = 90
	// resumeTimeout is how long a flow may make no progress after a kill.
	resumeTimeout = 60 * time.Second
)

var program string

func TestMain(m *testing.M) { os.Exit(process.Main(m, &program)) }

// TestCrash_LosesNoAcknowledgedWrite kills one server on SQLite, and one of two servers on
// a shared PostgreSQL. SAMLA_CRASH_KILLS is the number of kills; SAMLA_CRASH_SEED repeats
// the times of an earlier run.
func TestCrash_LosesNoAcknowledgedWrite(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	kills, seed := envNumber(t, "SAMLA_CRASH_KILLS", defaultKills), envNumber(t, "SAMLA_CRASH_SEED", int(rand.Uint32()))
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
			r.killUnderLoad(rand.New(rand.NewPCG(uint64(seed), 1)), kills, uint64(seed))
			r.verify()
			r.summary(store.name, kills)
		})
	}
}

// envNumber returns the positive number in an environment variable, or a default.
func envNumber(t *testing.T, name string, defaultNumber int) int {
	text := os.Getenv(name)
	if text == "" {
		return defaultNumber
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s must be a positive number", name)
	}
	return n
}

// killUnderLoad kills servers while workers run flows. After the last kill no new flow
// begins, and it waits until the active flows have ended.
func (r *crashTest) killUnderLoad(random *rand.Rand, kills int, seed uint64) {
	r.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var load sync.WaitGroup
	for i := range workers {
		w := &worker{crashTest: r, number: i, random: rand.New(rand.NewPCG(seed, uint64(100+i)))}
		load.Go(func() { w.work(ctx) })
	}
	following, leave := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { r.followEvents(following) })
	defer follower.Wait()
	defer leave()
	for i := range kills {
		gap := 200*time.Millisecond + time.Duration(random.Int64N(int64(1300*time.Millisecond)))
		if i%5 == 4 {
			// Every fifth time there is time for a whole flow, so that its last steps are
			// hit by a kill too.
			gap += time.Duration(random.Int64N(int64(5 * time.Second)))
		}
		time.Sleep(gap)
		victim := r.nodes[random.IntN(len(r.nodes))]
		r.recorder.addKill(victim.kill())
		if i%10 == 9 {
			// A server that is killed during its start must not prevent the next start.
			victim.start()
			time.Sleep(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
			r.recorder.addKill(victim.kill())
		}
		victim.start()
		if err := victim.await(ctx); err != nil {
			r.Fatalf("the server does not start again after kill %d: %v\n%s", i+1, err, victim.process.Log.Tail())
		}
	}
	r.recorder.stopFlows()
	timer := time.AfterFunc(2*resumeTimeout, cancel) // the recorder reports stuck flows
	defer timer.Stop()
	load.Wait()
}
