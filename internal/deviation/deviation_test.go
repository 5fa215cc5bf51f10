package deviation_test

import (
	"slices"
	"sync"
	"testing"

	"samla/internal/deviation"
)

func TestCounts_AreIncompleteByTheirKinds(t *testing.T) {
	var c deviation.Counts
	c.Add(deviation.UnreadableRow, 0)
	if c.Incomplete() || len(c.Kinds()) != 0 {
		t.Errorf("nothing was counted: %v", c)
	}
	c.Add(deviation.OtherProduct, 2)
	if c.Incomplete() {
		t.Errorf("incomplete: %v", c)
	}
	c.Merge(deviation.Counts{deviation.OtherProduct: 1, deviation.UnreadableRow: 1})
	if !c.Incomplete() || c[deviation.OtherProduct] != 3 {
		t.Errorf("counts %v", c)
	}
	if kinds := c.Kinds(); !slices.Equal(kinds, []deviation.Kind{deviation.OtherProduct, deviation.UnreadableRow}) {
		t.Errorf("kinds %v", kinds)
	}
}

func TestRegister_SumsByCompany(t *testing.T) {
	var r deviation.Register
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			r.Add("se-b", deviation.Counts{deviation.Bounded: 1})
			r.Add("se-a", deviation.Counts{deviation.Bounded: 2, deviation.Unanswered: 1})
			r.Add("se-c", nil)
		})
	}
	wg.Wait()
	want := []deviation.Total{{"se-a", deviation.Bounded, 20}, {"se-a", deviation.Unanswered, 10}, {"se-b", deviation.Bounded, 10}}
	if got := r.Totals(); !slices.Equal(got, want) {
		t.Errorf("totals %v", got)
	}
}
