package faulty

import (
	"flag"
	"net/http"
	"testing"
	"time"

	"samla/test/harness"
)

// rounds is the number of collections that are measured. For a figure, take some hundred:
//
//	go test ./test/faulty -run SlowBank -v -rounds 300
var rounds = flag.Int("rounds", 15, "number of collections that are measured")

// A bank that takes seven seconds an answer must not disturb the collections at another
// bank, however many are under way.
func TestSlowBank_DoesNotDelayHealthyBank(t *testing.T) {
	skipIfShort(t)
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			e := start(t, database(t), nil, "se-slow", "se-healthy")
			slow, healthy := e.sign(t, "se-slow"), e.sign(t, "se-healthy")
			alone, _ := e.times(t, healthy, *rounds)
			e.banks["se-slow"].fail(func(w http.ResponseWriter, r *http.Request) {
				if e.banks["se-slow"].sleep(r, 7*time.Second) {
					e.banks["se-slow"].answer(w, r)
				}
			})
			for range 200 {
				e.collect(t, "se-slow", slow, true)
			}
			beside, slowest := e.times(t, healthy, *rounds)
			t.Logf("a collection at the healthy bank: %v alone, %v beside 200 at the slow bank (slowest %v): ratio %.2f; at most %d calls at the slow bank",
				alone, beside, slowest, float64(beside)/float64(alone), e.banks["se-slow"].most.Load())
			// Without shares one waits for the slow bank, for many seconds. A busy machine is slow
			// without it too.
			if slowest > 10*alone+4*time.Second {
				t.Errorf("a collection at the healthy bank takes up to %v, %v without the slow one", slowest, alone)
			}
		})
	}
}

// times returns the mean and the longest time of collections, one after the other.
func (e *env) times(t *testing.T, consent string, n int) (mean, slowest time.Duration) {
	t.Helper()
	began := time.Now()
	for range n {
		one := time.Now()
		if status := e.waitCollection(t, e.collect(t, "se-healthy", consent, true), 60*time.Second); status != "COMPLETED" {
			t.Fatalf("a collection at the healthy bank is %s", status)
		}
		slowest = max(slowest, time.Since(one))
	}
	return time.Since(began) / time.Duration(n), slowest
}
