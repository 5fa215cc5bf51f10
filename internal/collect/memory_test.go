package collect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever runs take and release, the limit holds but for the oldest run of each company,
// every run ends, and nothing stays taken.
func TestMemory_HoldsItsLimitAndEndsEveryRun(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			const limit, most = 1000, 300
			r := rand.New(rand.NewPCG(seed, 1))
			m := newMemory(limit)
			companies := 1 + r.IntN(4)
			for i := range 30 {
				steps := make([]int, 1+r.IntN(10))
				for j := range steps {
					steps[j] = 1 + r.IntN(most/len(steps))
				}
				pause := time.Duration(1+r.IntN(100)) * time.Millisecond
				go func() {
					room := m.open(fmt.Sprint(i % companies))
					defer room.close()
					for _, n := range steps {
						if err := room.grow(t.Context(), n); err != nil {
							t.Error(err)
						}
						m.mu.Lock()
						if m.used > limit+companies*most {
							t.Errorf("%d bytes are taken", m.used)
						}
						m.mu.Unlock()
						time.Sleep(pause)
						if n%3 == 0 {
							room.shrink(n / 3)
						}
					}
				}()
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if m.used != 0 || len(m.companies) != 0 || m.released != nil {
				t.Errorf("after the end: %+v", m)
			}
		})
	}
}

// Runs at one company leave room for another: half of the limit if they are alone.
func TestMemory_LeavesRoomForOtherCompanies(t *testing.T) {
	m := newMemory(1000)
	oldest, taken := m.open("slow"), 0
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		r := m.open("slow")
		if err := r.grow(ended, 10); err == nil {
			taken += 10
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if taken != 500 {
		t.Errorf("the runs at one company take %d bytes", taken)
	}
	if err := oldest.grow(ended, 400); err != nil {
		t.Errorf("the oldest run does not go on: %v", err)
	}
	first, second := m.open("healthy"), m.open("healthy")
	if first.grow(ended, 40) != nil || second.grow(ended, 10) != nil {
		t.Error("nothing is left for another company")
	}
	oldest.close()
	if err := second.grow(ended, 100); err != nil {
		t.Errorf("after the end of a large one: %v", err)
	}
}

// What is taken for an answer before its size is known is released when it is.
func TestReservation_KeepsTheSizeOfTheAnswer(t *testing.T) {
	m := newMemory(1 << 20)
	r := m.open("se-a")
	for _, size := range []int{100, usualAnswer + 5000, 0} {
		before := r.held
		v, err := r.reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if size > usualAnswer {
			if err := v.more(t.Context(), 2*usualAnswer); err != nil {
				t.Fatal(err)
			}
		}
		v.settle(size)
		if r.held != before+size || m.used != r.held {
			t.Errorf("an answer of %d bytes takes %d", size, r.held-before)
		}
	}
}
