package qr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The path has the modules of the code, no more and no fewer.
func TestPath_HasTheModulesOfTheCode(t *testing.T) {
	for _, text := range []string{"", "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8", strings.Repeat("x", 500)} {
		data, side, err := Path(text)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := encode(text)
		drawn := map[[2]int]bool{}
		for _, run := range strings.Split(strings.TrimSuffix(data, "z"), "z") {
			var x, y, n, back int
			if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back {
				t.Fatalf("%q: %v", run, err)
			}
			for i := range n {
				drawn[[2]int{x + i, y}] = true
			}
		}
		for y := range side {
			for x := range side {
				if drawn[[2]int{x, y}] != (x >= border && y >= border && x < side-border && y < side-border && c.dark(x-border, y-border)) {
					t.Fatalf("%d characters: module %d, %d", len(text), x, y)
				}
			}
		}
	}
	if _, _, err := Path(strings.Repeat("x", 5000)); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}
