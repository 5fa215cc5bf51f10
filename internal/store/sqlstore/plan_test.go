package sqlstore

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
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

// TestClaim_SearchesIndex looks at the plan: the cost follows the rows that are due.
func TestClaim_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, q := range store.Queues() {
		for _, limit := range []store.ClaimLimit{{}, {Overdue: &store.Overdue{}}} {
			text, args := s.claimable(q, limit)
			got := plan(t, s, text, append([]any{int64(1), int64(2)}, args...)...)
			if !strings.Contains(got, "USING INDEX "+string(q)+"_wake_company (wake_at>? AND wake_at<?)") {
				t.Errorf("%s: %s", q, got)
			}
		}
	}
}

// TestEraseScopes_SearchesIndex looks at the plans: the cost follows the consents of
// one user and the collections of one piece.
func TestEraseScopes_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const primaryKey = "sqlite_autoindex_consents_1"
	for _, test := range []struct {
		text, index string
		args        []any
	}{
		{userScopes, "consents_user", []any{"user", "after", int64(1)}},
		{innerScopes(`IN ($1, $2)`), primaryKey, []any{"a", "b"}},
		{eraseScopes + `IN ($1, $2)`, primaryKey, []any{"a", "b"}},
		{`SELECT c.id` + authorizedConsents, "consents_live", []any{"user", "client", int64(1)}},
	} {
		got := plan(t, s, test.text, test.args...)
		if !strings.Contains(got, "USING INDEX "+test.index) || strings.Contains(got, "SCAN") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", test.text, got)
		}
	}
}

// TestLineage_SearchesIndex looks at the plans: the cost follows the consents of one
// lineage.
func TestLineage_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, test := range []struct {
		text, index string
		args        []any
	}{
		{lineageConsents, "sqlite_autoindex_consents_1", []any{"lineage"}},
		{unattendedSince, "collections_unattended", []any{"lineage", int64(1), int64(1)}},
		{unattendedRunning, "collections_unattended", []any{"lineage", int64(1), int64(1)}},
		{lastReads(1), "collections_consent", []any{"lineage", "COMPLETED"}},
	} {
		got := plan(t, s, test.text, test.args...)
		if !strings.Contains(got, "INDEX "+test.index) || !strings.Contains(got, "INDEX consents_lineage") || strings.Contains(got, "SCAN k") || strings.Contains(got, "SCAN c") || strings.Contains(got, "SCAN l") {
			t.Errorf("%s: %s", test.text, got)
		}
	}
}

// SQLite prepares a statement with LIMIT $1 each time that it runs.
func TestQueries_HideTheirLimitFromThePlan(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	limit := regexp.MustCompile(`LIMIT \$\d+( \+ 0)?`)
	found := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") || name == "query.go" {
			continue
		}
		for _, m := range limit.FindAllStringSubmatch(string(text), -1) {
			if found++; m[1] == "" {
				t.Errorf("%s: %s", name, m[0])
			}
		}
	}
	if found == 0 {
		t.Error("no query has a limit")
	}
}

// TestDueDeliveries_SearchesIndex looks at the plans: the cost follows the deliveries
// that are due, however many wait, were made, or belong to other endpoints.
func TestDueDeliveries_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, text := range []string{dueFresh, dueReplay} {
		got := plan(t, s, text, "e", int64(0), int64(1), int64(10))
		for _, want := range []string{"webhook_deliveries_due (endpoint_id=? AND lane=? AND due_at<?)", "webhook_deliveries_resource (endpoint_id=? AND resource=? AND seq<?)",
			"events_id (id=?)"} {
			if !strings.Contains(got, want) || strings.Contains(got, "TEMP B-TREE") {
				t.Errorf("%s: %s", want, got)
			}
		}
	}
}

// TestConsole_FindsByIndex looks at the plans: the cost of the page of a user and of a journey
// follows what the user has, not what is stored.
func TestConsole_FindsByIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	user := store.RowFilter{UserID: "user"}
	page := store.Page{Limit: 50}
	for _, test := range []struct {
		of      func() (string, []any)
		indexes []string
	}{
		{func() (string, []any) { return consentRows(user, page) }, []string{"INDEX consents_user (user_id=?)", "INDEX collections_user", "sqlite_autoindex_consents_1 (id=?"}},
		{func() (string, []any) { return journeys(store.JourneyFilter{FlowID: "flow"}, page) }, []string{"SEARCH l USING INDEX sqlite_autoindex_connect_links_1 (id=?"}},
		{func() (string, []any) { return journeys(store.JourneyFilter{RowFilter: user, CollectionID: "k"}, page) }, []string{"SEARCH l USING INDEX connect_links_user (user_id=?"}},
	} {
		text, args := test.of()
		got := plan(t, s, text, args...)
		for _, want := range test.indexes {
			if !strings.Contains(got, want) || strings.Contains(got, "SCAN") {
				t.Errorf("%s: %s: %s", want, text, got)
			}
		}
	}
}
