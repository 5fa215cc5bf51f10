package docdiff_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/wire/docdiff"
)

// recorder records errors instead of failing the test.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Error(a ...any)            { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }

func TestCheckPublished_FailsForBreakingChangesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "published.json")
	if err := os.WriteFile(path, []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(current string) []string {
		r := &recorder{TB: t}
		docdiff.CheckPublished(r, path, []byte(current))
		return r.errors
	}
	removed := strings.Replace(base, `"note": { "type": "string" }, `, ``, 1)
	added := strings.Replace(base, `"note"`, `"more": {}, "note"`, 1)
	if got := check(base); len(got) > 0 {
		t.Error(got)
	}
	if got := check(added); len(got) > 0 {
		t.Error(got)
	}
	if got := check(removed); len(got) != 1 || !strings.HasPrefix(got[0], "breaks clients: Loan.note (response): is removed. ") {
		t.Error(got)
	}
	t.Setenv(docdiff.PublishVariable, "1")
	if got := check(removed); len(got) > 0 {
		t.Error(got)
	}
	t.Setenv(docdiff.PublishVariable, "")
	if got := check(removed); len(got) > 0 {
		t.Errorf("after it was published: %v", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := check(base); len(got) != 1 {
		t.Errorf("without the file: %v", got)
	}
}
