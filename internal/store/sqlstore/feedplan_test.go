package sqlstore

import (
	"strings"
	"testing"
)

// TestFeed_SearchesIndex looks at the plans: the cost of a page follows its rows, that of
// a comparison the days, and that of a sweep what is old.
func TestFeed_SearchesIndex(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, test := range []struct {
		text, index string
		args        []any
	}{
		{selectFeedPage, "feed_rows_pos (account_id=? AND pos>?)", []any{"a", int64(1), int64(1), int64(9)}},
		{selectFeedRows + ` AND day IN ($2, $3)`, "feed_rows_day (account_id=? AND day=?)", []any{"a", int64(1), int64(1)}},
		{selectSwept, "feed_rows_removed (removed_at>? AND removed_at<?)", []any{int64(1), int64(9)}},
		{selectDropped, "feeds_dropped (dropped_at>?)", nil},
		{deleteDropped, "(account_id=?)", []any{"a", int64(9)}},
	} {
		got := plan(t, s, test.text, test.args...)
		if !strings.Contains(got, test.index) || strings.Contains(got, "SCAN feed") {
			t.Errorf("%s: %s", test.text, got)
		}
	}
}
