package sqlstore

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"samla/internal/audit"
	"samla/internal/store"
	"samla/internal/testpg"
)

// TestAuditPlaces_FindsByIndex looks at the plans on both engines, over many entries: what a
// page of the audit log costs follows the entries that it looks at.
func TestAuditPlaces_FindsByIndex(t *testing.T) {
	selections := []struct {
		of                   store.AuditSelection
		inSQLite, inPostgres string
	}{
		{store.AuditSelection{}, "SEARCH audit_log USING INDEX sqlite_autoindex_audit_log_1 (seq>? AND seq<?)", "Index Scan Backward using audit_log_pkey"},
		{store.AuditSelection{UserID: "user 7"}, "SEARCH audit_log USING INDEX audit_log_user (user_id=? AND seq>? AND seq<?)", "Index Scan Backward using audit_log_user"},
		{store.AuditSelection{Kind: audit.UserErased}, "SEARCH audit_log USING INDEX audit_log_kind (kind=? AND seq>? AND seq<?)", "Index Scan Backward using audit_log_kind"},
	}
	db, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range selections {
		text, args := auditPlaces(s.of, 0, 1<<40, 50)
		if got := plan(t, db, text, args...); !strings.Contains(got, s.inSQLite) || strings.Contains(got, "SCAN") || strings.Contains(got, "TEMP") {
			t.Errorf("SQLite: %s", got)
		}
	}
	if got := plan(t, db, auditEnds); strings.Count(got, "SEARCH audit_log") != 2 {
		t.Errorf("SQLite: %s", got)
	}

	url := testpg.URL(t)
	served, err := Open(t.Context(), Config{DSN: url})
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `INSERT INTO audit_log (`+chainColumns+`) SELECT i, 'id ' || i, i, 'client', 'user ' || i % 500, '', CASE i % 20 WHEN 0 THEN 'USER_ERASED' ELSE 'DATA_READ' END, '', '', 0, '', ''
FROM generate_series(1, 50000) AS i`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `ANALYZE audit_log`); err != nil {
		t.Fatal(err)
	}
	for _, s := range selections {
		text, args := auditPlaces(s.of, 0, 1<<40, 50)
		found, err := conn.Query(t.Context(), `EXPLAIN `+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(lines, "\n"); !strings.Contains(got, s.inPostgres) || strings.Contains(got, "Sort") {
			t.Errorf("PostgreSQL: %s", got)
		}
	}
}
