package sqlstore

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"samla/internal/testpg"
)

// TestWebhooks_VisitFewRows runs the statements of a delivery on PostgreSQL while an
// endpoint has many pending deliveries of which the statistics do not know: there are
// none yet, or they are of a time when nothing was pending.
func TestWebhooks_VisitFewRows(t *testing.T) {
	url := testpg.URL(t)
	s, err := Open(t.Context(), Config{DSN: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	exec := func(statements ...string) {
		for _, text := range statements {
			if _, err := conn.Exec(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	const maxRows, limit = 300, 64
	exec(`ALTER TABLE webhook_deliveries SET (autovacuum_enabled = off)`, `ALTER TABLE events SET (autovacuum_enabled = off)`,
		`INSERT INTO clients (id, name, created_at) VALUES ('c', '', 0)`,
		`INSERT INTO webhook_endpoints (id, client_id, company, state, reason, kinds, created_at, changed_at, failing_since, sealed, rev, wake_at)
VALUES ('w', 'c', 'c', 'ACTIVE', '', ' COLLECTION ', 0, 0, 0, '', 1, 0)`,
		`INSERT INTO events (id, client_id, user_id, kind, version, resource, happened_at, body, seq)
SELECT 'v' || n, 'c', '', 'COLLECTION', '', 'r' || n % 500, n, '', n FROM generate_series(1, 6000) AS n`)
	fill := func() {
		exec(`INSERT INTO webhook_deliveries (endpoint_id, event_id, seq, resource, lane, progress, due_at, hold_until)
SELECT 'w', id, seq, resource, 1, 'PENDING', seq, CASE WHEN seq % 10 = 0 THEN 9000 ELSE 0 END FROM events`)
	}
	for _, known := range []string{"no statistics", "statistics of an idle endpoint"} {
		if known != "no statistics" {
			exec(`UPDATE webhook_deliveries SET progress = 'DELIVERED'`, `VACUUM ANALYZE`, `DELETE FROM webhook_deliveries`)
		}
		fill()
		for what, query := range map[string]struct {
			text string
			args []any
		}{
			"due":        {dueFresh, []any{"w", int64(1), int64(5000), int64(limit)}},
			"record":     {recordAttempt, []any{"w", "v4000", "DELIVERED", int64(1), int64(1), int64(0), int64(0)}},
			"backlog":    {withBacklog + `IN ($1)`, []any{"w"}},
			"pull":       {pullBacklog, []any{"w", "r7", int64(1000)}},
			"next":       {nextDelivery, []any{"w", int64(5000)}},
			"hasten":     {hastenBacklog, []any{"w", int64(1), int64(limit)}},
			"to backlog": {strings.ReplaceAll(moveToBacklog, `lane = 0`, `lane = 1`), []any{"w", int64(limit)}},
		} {
			explained(t, conn, query.text, query.args, func(n int, root planNode, plan []byte) {
				if got := root.visited(); got > maxRows {
					t.Errorf("%s, %s, execution %d: %.0f rows were read, want %d at most\n%s", known, what, n, got, maxRows, plan)
				}
			})
		}
	}
}
