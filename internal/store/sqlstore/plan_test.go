package sqlstore

import (
	"context"
	"strings"
	"testing"

	"samla/internal/store"
)

// plan returns how SQLite runs a statement.
func plan(t *testing.T, s *Store, text string, args ...any) string {
	t.Helper()
	steps, err := list(context.Background(), s.q, func(r rows) (string, error) {
		var id, parent, unused int64
		var detail string
		err := r.Scan(&id, &parent, &unused, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN `+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}

// TestReclaim_SearchesIndex looks at the plan: at the start of a server with a
// million consents the cost follows those that were leased.
func TestReclaim_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, q := range store.Queues() {
		got := plan(t, s, reclaim(q), int64(1), int64(2))
		if !strings.Contains(got, "USING INDEX "+string(q)+"_wake") && !strings.Contains(got, "USING COVERING INDEX "+string(q)+"_wake") || strings.Contains(got, "SCAN") {
			t.Errorf("%s: %s", q, got)
		}
	}
}
