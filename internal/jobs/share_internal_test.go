package jobs

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Whatever the companies take and release, one that has nothing gets a slot as long
// as there are more slots than companies that have some, and all get the same in the end.
func TestSlots_LeaveRoomForEachCompany(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		companies := 1 + r.IntN(8)
		s := NewSlots(1 + r.IntN(200))
		for range 2000 {
			c := fmt.Sprint("c", r.IntN(companies))
			switch {
			case r.IntN(3) > 0 && s.MayTake(c):
				s.Take(c)
			case s.of[c] > 0:
				s.Release(c)
			}
			if s.taken > s.all {
				t.Fatalf("seed %d: %d of %d slots are taken", seed, s.taken, s.all)
			}
			if s.all > 2*len(s.of) && !s.MayTake("other") && s.Free() > 0 {
				t.Fatalf("seed %d: no room for another company: %+v", seed, s)
			}
		}
	}
	for _, companies := range []int{1, 2, 3, 7} {
		s := NewSlots(128)
		for range 1000 {
			for c := range companies {
				if s.MayTake(fmt.Sprint(c)) {
					s.Take(fmt.Sprint(c))
				}
			}
		}
		for c, taken := range s.of {
			if want := 128 / (companies + 1); taken < want || taken > want+1 {
				t.Errorf("%d companies: %s has %d slots, want %d", companies, c, taken, want)
			}
		}
	}
	if s := (NewSlots(1)); !s.MayTake("a") {
		t.Error("the only slot cannot be taken")
	}
}

func TestSlots_LimitOfAClaim(t *testing.T) {
	s := NewSlots(12)
	for range 5 {
		s.Take("a")
	}
	s.Take("b")
	l, full := s.Limit(6) // 6 are free
	if l.Rows != 6 || l.Other != 3 || l.Company["a"] != 1 || l.Company["b"] != 3 || full {
		t.Errorf("%+v, %v", l, full)
	}
	s.Take("a")
	if l, full = s.Limit(5); l.Company["a"] != 0 || l.Company["b"] != 2 || l.Other != 3 || !full {
		t.Errorf("%+v, %v", l, full)
	}
}
