package bench

import (
	"testing"

	"samla/internal/ident"
)

func TestPersonalNumber_IsValidAndUnique(t *testing.T) {
	seen := map[string]bool{}
	for n := range 1000 {
		number := personalNumber(n)
		if _, err := ident.ParsePersonalNumber12(number); err != nil {
			t.Fatalf("person %d: %v", n, err)
		}
		if seen[number] {
			t.Fatalf("person %d is there twice", n)
		}
		seen[number] = true
	}
}
