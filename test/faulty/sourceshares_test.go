package faulty

import (
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/test/harness"
)

// A source that takes seven seconds an answer, or never answers, must not disturb the
// logins and collections at another source, however many are under way.
func TestSlowSource_DoesNotDelayHealthySource(t *testing.T) {
	skipIfShort(t)
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			e := startSources(t, database(t), clock.System(), nil, "se-slow", "se-hangs", "se-healthy")
			alone, _ := e.loginTimes(t, *rounds)
			slow, hangs := e.sources["se-slow"], e.sources["se-hangs"]
			slow.on(func(w http.ResponseWriter, r *http.Request) {
				if slow.sleep(r, 7*time.Second) {
					slow.healthy(w, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
				}
			}, "sessions", "turn", "pages", "end")
			hangs.on(hangs.hangs, "turn", "pages", "end")
			for range 100 {
				e.login(t, "se-slow")
				e.login(t, "se-hangs")
			}
			before := e.sources["se-healthy"].count("end")
			beside, slowest := e.loginTimes(t, *rounds)
			t.Logf("a login and collection at the healthy source: %v alone, %v beside 100 at the slow and 100 at the hanging source (slowest %v): ratio %.2f; at most %d and %d calls there",
				alone, beside, slowest, float64(beside)/float64(alone), slow.most.Load(), hangs.most.Load())
			// Without shares one waits for answers of seven seconds, one after the other. A busy
			// machine is slow without them too.
			if slowest > 10*alone+6*time.Second {
				t.Errorf("a login at the healthy source takes up to %v, %v without the others", slowest, alone)
			}
			for end := time.Now().Add(time.Minute); e.sources["se-healthy"].count("end") < before+*rounds; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("sessions at the healthy source are not ended")
				}
			}
		})
	}
}

// loginTimes returns the mean and the longest time of collections at the healthy source,
// one after the other.
func (e *sourceEnv) loginTimes(t *testing.T, n int) (mean, slowest time.Duration) {
	t.Helper()
	began := time.Now()
	for range n {
		one := time.Now()
		seen := e.follow(t, e.login(t, "se-healthy"), time.Minute)
		if last := seen[len(seen)-1]; last != "COMPLETED" {
			t.Fatalf("a collection at the healthy source: %v", seen)
		}
		slowest = max(slowest, time.Since(one))
	}
	return time.Since(began) / time.Duration(n), slowest
}

// manyProducts answers with a page of as many products as fit into a size, and a next page.
func manyProducts(size int) http.HandlerFunc {
	const product = `{"type":"OCCUPATIONAL_PENSION","productNumber":"1"},`
	head := `{"products":[` + strings.Repeat(product, size/len(product)) + product[:len(product)-1] + `],"next":"`
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, head+time.Now().Format("150405.000000000")+strings.Repeat("x", int(n.Add(1)%7))+`"}`)
	}
}

// largeTurns answers with a turn as large as it may be, another one each time.
func largeTurns() http.HandlerFunc {
	image := `"qrText":"` + strings.Repeat("q", 1000) + `"`
	return counting(`{"turn":{"id":"w%d","type":"WAIT","for":"BANKID",` + image + `,"message":"` + strings.Repeat("%d", 200) + `","pollAfter":250}}`)
}

// Sources whose pages are huge and never end, and whose turns are large and always new,
// cost a bounded amount of memory.
func TestMemory_OfIllSourcesIsBounded(t *testing.T) {
	skipIfShort(t)
	dir := t.TempDir()
	e := startSources(t, dir, clock.System(), nil, "se-products", "se-turns")
	e.sources["se-products"].on(manyProducts(*pageMiB<<20), "pages")
	e.sources["se-turns"].on(largeTurns(), "turn")
	debug.FreeOSMemory() // what earlier tests have left
	resetPeak()
	before := peak(t)
	began := time.Now()
	for range 100 {
		e.login(t, "se-turns")
	}
	var wg sync.WaitGroup
	var partial atomic.Int64
	for range *memoryOf {
		id := e.login(t, "se-products")
		wg.Go(func() {
			if seen := e.follow(t, id, 8*time.Minute); seen[len(seen)-1] == "COMPLETED_PARTIAL" {
				partial.Add(1)
			}
		})
	}
	wg.Wait()
	t.Logf("%d collections of pages of %d MiB of products and 100 logins of large turns: %v, %d pages, %d turns, peak %d MiB (before %d), store %d MiB",
		*memoryOf, *pageMiB, time.Since(began).Round(time.Second), e.sources["se-products"].count("pages"), e.sources["se-turns"].count("turn"),
		peak(t), before, sizeOf(t, dir))
	if int(partial.Load()) != *memoryOf {
		t.Errorf("%d of %d collections are COMPLETED_PARTIAL", partial.Load(), *memoryOf)
	}
	if peak(t) > before+500 && !raceDetector {
		t.Errorf("a peak of %d MiB", peak(t))
	}
}
