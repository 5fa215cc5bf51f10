package account_test

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// households is how many are generated: few in the ordinary suite, and 10 000 in the step
// households of the Makefile.
func households(t *testing.T) int {
	if text := os.Getenv("SAMLA_HOUSEHOLDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 300
}

// Of generated households nothing is linked wrongly, and of what has a number of its own
// almost all is linked (docs/decisions/2026-11-27-accounts-that-last.md has the figures).
func TestHouseholds_AccountsAreLinkedRightly(t *testing.T) {
	var all scored
	var mu sync.Mutex
	var wg sync.WaitGroup
	n, next := households(t), make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range next {
				ta := live(t, seed)
				mu.Lock()
				if wrong := ta.score(&all); len(wrong) > 0 {
					t.Errorf("household %d: %v", seed, wrong)
				}
				mu.Unlock()
			}
		})
	}
	for seed := range n {
		next <- uint64(seed)
	}
	close(next)
	wg.Wait()
	precision, recall := float64(all.both)/float64(all.together), float64(all.both)/float64(all.truly)
	t.Logf("%d households, %d accounts in truth, seen %d times: precision %.6f, recall %.4f of pairs; %d accounts once (%.4f); of the other %d, %d name each other as possible",
		all.households, all.things, all.seen, precision, recall, all.whole, float64(all.whole)/float64(all.things), all.parted, all.suggested)
	for _, way := range slices.Sorted(maps.Keys(all.ways)) {
		t.Logf("%-32s %.4f of %d", way, float64(all.ways[way][1])/float64(all.ways[way][0]), all.ways[way][0])
	}
	if precision < 1 {
		t.Errorf("precision %.6f", precision)
	}
	for _, way := range slices.Sorted(maps.Keys(all.ways)) {
		// Accounts of which an institution says nothing lasting are kept apart, and so are
		// those of two institutions one of which hides the number.
		least := 0.85
		switch way {
		case "no numbers, changing ids", "no numbers, counters":
			least = 0
		case "two institutions":
			least = 0.4
		case "numbers, lasting ids", "numbers, changing ids", "numbers, counters", "IBANs, lasting ids", "IBANs, changing ids", "national numbers, changing ids", "no numbers, lasting ids":
			least = 1
		}
		if got := float64(all.ways[way][1]) / float64(all.ways[way][0]); got < least {
			t.Errorf("%s: recall %.4f, want %.2f", way, got, least)
		}
	}
}
