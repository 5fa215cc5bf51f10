package persona_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/sandbox/persona"
)

// The persons with habits are no personas, and docs/sandbox.md has a row for each.
func TestHabits_AreOfPersonsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sandbox.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range persona.All() {
		seen[p.Number] = true
	}
	for _, h := range persona.Habits() {
		if seen[h.Number] || !luhn(h.Number[2:]) || !persona.Valid(h.Number) {
			t.Errorf("%s: not a number of its own", h.Shows)
		}
		seen[h.Number] = true
		if !strings.Contains(string(text), "| `"+h.Number+"` | "+h.Shows+" | ") {
			t.Errorf("%s: no row in docs/sandbox.md", h.Shows)
		}
		if got, ok := persona.HabitOf(h.Number); !ok || got != h {
			t.Errorf("%s: HabitOf returns another", h.Shows)
		}
	}
	if _, ok := persona.HabitOf(persona.Default); ok {
		t.Error("the default person acts on their own")
	}
}
