package sources

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"samla/internal/sandbox/source"
	"samla/test/harness"
)

// table returns the persons of the table in docs/sandbox.md.
func table(t *testing.T) []source.Person {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "sandbox.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Persons of the sources")
	section, _, _ = strings.Cut(section, "\n## ")
	var list []source.Person
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| `se-") || len(cells) != 6 {
			continue
		}
		plain := func(cell string) string { return strings.Trim(cell, "|` ") }
		p := source.Person{Company: plain(cells[0]), LoginMethod: plain(cells[1]), Who: plain(cells[2]), Shows: cells[3]}
		if cells[4] != "waits" {
			p.Does = strings.Split(plain(cells[4]), "`, `")
		}
		p.Statuses = strings.Split(plain(cells[5]), "`, `")
		list = append(list, p)
	}
	if len(list) < 50 {
		t.Fatalf("%d persons in the table", len(list))
	}
	return list
}

// alone reports whether a person moves the clock, so that nobody else can be there.
func alone(p source.Person) bool {
	return slices.ContainsFunc(p.Does, func(a string) bool { return a == "leave" || a == "stay" })
}

func name(p source.Person) string {
	return strings.Join([]string{p.Company, p.LoginMethod, p.Who, strings.Join(p.Does, ",")}, "/")
}

// TestPersons_ReachTheirStatuses walks the table on each store, and sees every status that
// the server may write.
func TestPersons_ReachTheirStatuses(t *testing.T) {
	persons := table(t)
	for store, database := range harness.Stores {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			seen := &statuses{names: map[string]bool{}}
			t.Run("walk", func(t *testing.T) {
				t.Run("together", func(t *testing.T) {
					t.Parallel()
					w := newEnv(t, database(t))
					t.Run("all", func(t *testing.T) {
						for _, p := range persons {
							if !alone(p) {
								t.Run(name(p), func(t *testing.T) {
									t.Parallel()
									seen.walk(t, w, p)
								})
							}
						}
					})
				})
				t.Run("alone", func(t *testing.T) {
					t.Parallel()
					w := newEnv(t, database(t))
					for _, p := range persons {
						if alone(p) {
							t.Run(name(p), func(t *testing.T) { seen.walk(t, w, p) })
						}
					}
				})
			})
			if seen.walked < len(persons) || t.Failed() {
				return // the flag -run left some out, or something else is wrong
			}
			for _, p := range persons {
				for _, s := range append([]string{"RUNNING"}, p.Statuses...) {
					if !seen.names[s] {
						t.Errorf("nobody was seen in %s", s)
					}
				}
			}
		})
	}
}

// statuses are those that the persons of a store were seen in.
type statuses struct {
	mu     sync.Mutex
	names  map[string]bool
	walked int // persons
}

func (s *statuses) walk(t *testing.T, w *env, p source.Person) {
	t.Helper()
	c := w.start(t, p)
	c.walk()
	c.check()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.walked++
	for _, name := range c.seen {
		s.names[name] = true
	}
}
