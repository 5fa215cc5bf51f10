package household

import (
	"testing"
)

// The vectors of docs/reference/households.md 4.3.
func TestPrice_IsThatOfTheReference(t *testing.T) {
	for _, c := range []struct {
		n                number
		year, month, day int
		want             scaled
	}{
		{1, 2025, 12, 31, 4811643},
		{1, 2026, 6, 30, 4961054},
		{1, 2026, 11, 26, 5084051},
		{21, 2025, 12, 31, 3243392},
		{10, 2026, 10, 27, 3985283}, // section 5
	} {
		if got := price(c.n, date(c.year, c.month, c.day)); got != c.want {
			t.Errorf("%d at %d-%d-%d: %d, want %d", c.n, c.year, c.month, c.day, got, c.want)
		}
	}
}
