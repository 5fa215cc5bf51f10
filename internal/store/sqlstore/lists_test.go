package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/testpg"
)

const (
	busyClient = "client-busy"
	busyUser   = "user-busy"
	busyRows   = 7000 // collections of busyUser; the others of the client have 10 a user
)

// load stores n collections of busyClient, in one statement: at 30 companies, one
// in twenty failed, one in a thousand running, the others completed. Two companies
// have failed collections only, the oldest ones.
func load(tb testing.TB, s *Store, n int) {
	tb.Helper()
	ctx := context.Background()
	err := s.db.write(ctx, func(q querier) error {
		if _, err := q.exec(ctx, `WITH RECURSIVE numbers (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
INSERT INTO users (id, client_id, external_id, created_at, updated_at, anonymized_at)
SELECT CASE WHEN n = 0 THEN '`+busyUser+`' ELSE 'user-' || CAST(n AS TEXT) END, '`+busyClient+`', CAST(n AS TEXT), 1, 1, 0 FROM numbers`,
			int64(n/10)); err != nil {
			return err
		}
		_, err := q.exec(ctx, `WITH RECURSIVE numbers (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
INSERT INTO collections (id, client_id, user_id, consent_id, company, login_method, mode, attended, accounts, status, created_at,
status_changed_at, polled_at, data_until, keep_until, erased_at, sealed, rev, wake_at)
SELECT '018f0000-0000-7000-8000-' || SUBSTR(CAST(1000000000000 + n AS TEXT), 2), '`+busyClient+`',
CASE WHEN n % 2 = 0 AND n < 2 * `+fmt.Sprint(busyRows)+` THEN '`+busyUser+`' WHEN n < 10 THEN 'user-1' ELSE 'user-' || CAST(n / 10 AS TEXT) END, 'consent',
CASE WHEN n < 100 THEN 'company-old-' || CAST(n % 2 AS TEXT) ELSE 'company-' || CAST(n % 28 AS TEXT) END, '', 'STORED', 1, '',
CASE WHEN n < 100 OR n % 20 = 7 THEN 'FAILED' WHEN n % 1000 = 8 THEN 'RUNNING' ELSE 'COMPLETED' END,
1, 1, 1, 0, 0, 0, $2, 1, 0 FROM numbers`, int64(n-1), make([]byte, 300))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	err = s.db.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `WITH RECURSIVE numbers (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
INSERT INTO consents (id, client_id, user_id, collection_id, company, login_method, status, step, requested, granted, created_at,
status_changed_at, authorize_by, expires_at, sca_expires_at, revoked_at, failure, open_request_id, authorise_request_id, sealed, rev, wake_at)
SELECT '018f0000-0000-7000-8000-' || SUBSTR(CAST(1000000000000 + n AS TEXT), 2), '`+busyClient+`',
CASE WHEN n % 2 = 0 AND n < 2000 THEN '`+busyUser+`' WHEN n < 10 THEN 'user-1' ELSE 'user-' || CAST(n / 10 AS TEXT) END, '', 'company', '',
CASE WHEN n % 100 = 0 THEN 'AUTHORIZED' ELSE 'EXPIRED' END, 'END', '{}', '', 1, 1, 0, 0, 0, 0, '', '', '', $2, 1, 0 FROM numbers`,
			int64(n/4-1), make([]byte, 300))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if s.Kind() == "postgres" {
		if _, err := s.q.exec(ctx, `ANALYZE`); err != nil {
			tb.Fatal(err)
		}
	}
}

// lists are all combinations of what a list can be restricted to.
func lists() map[string]func() (string, []any) {
	all := map[string]func() (string, []any){}
	for scope, user := range map[string]string{"client": "", "user": busyUser} {
		for name, in := range map[string][]collection.Status{"": nil, "/completed": {collection.Completed}, "/running": {collection.Running},
			"/failed or running": {collection.Failed, collection.Running}, "/none": {collection.KYCForm}, "/all": collection.Statuses()} {
			for _, latest := range []bool{false, true} {
				for _, after := range []string{"", "018f0000-0000-7000-8000-000000005000"} {
					what := scope + name
					if latest {
						what += "/latest"
					}
					if after != "" {
						what += "/after"
					}
					f, p := store.CollectionFilter{ClientID: busyClient, UserID: user, In: in, Latest: latest}, store.Page{After: after, Limit: 20}
					all[what] = func() (string, []any) { return listCollections(f, p, summaryColumns) }
				}
			}
		}
	}
	return all
}

// bounded are the ways to read an index that cost no more than the rows they return:
// one row, the page of an owner or of a status, the next company and status. The
// id takes part in the last: SQLite begins at the rows that are equal.
var bounded = []string{
	" (id=?)", " (client_id=? AND id=?)", " (client_id>? AND (client_id,id)<(?,?))",
	" (client_id=? AND status>? AND (status,id)<(?,?))",
	" (client_id=? AND (company,status,id)>(?,?,?))",
	" (client_id=? AND (company,status,id)<(?,?,?))",
	" consents_live (client_id=?)",
}

// TestLists_SearchIndexes: SQLite walks no table and no index, it goes to the rows
// of a page, or to the first row of a company, a status or both.
func TestLists_SearchIndexes(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const rows = 20_000
	load(t, s, rows)
	queries := lists()
	queries["live consents"] = func() (string, []any) { return liveConsents, []any{busyUser, busyClient, int64(20)} }
	for what, query := range queries {
		text, args := query()
		for step := range strings.SplitSeq(plan(t, s, text, args...), "; ") {
			fields := strings.Fields(step)
			if len(fields) < 2 || !slices.Contains([]string{"k", "c", "collections", "consents"}, fields[1]) {
				continue
			}
			asClient := strings.ReplaceAll(step, "user_id", "client_id")
			if fields[0] != "SEARCH" || !slices.ContainsFunc(bounded, func(b string) bool { return strings.HasSuffix(asClient, b) }) {
				t.Errorf("%s: %s", what, step)
			}
		}
	}
}

// TestLists_VisitFewRows runs the lists on PostgreSQL, which counts the rows that a
// plan visits: at the first execution of a prepared statement, and after several,
// when PostgreSQL may choose a plan that was not made for the arguments.
func TestLists_VisitFewRows(t *testing.T) {
	url := testpg.URL(t)
	s, err := Open(t.Context(), Config{DSN: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const rows, maxRows = 20_000, 250
	load(t, s, rows)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	queries := lists()
	queries["live consents"] = func() (string, []any) { return liveConsents, []any{busyUser, busyClient, int64(20)} }
	for what, query := range queries {
		text, args := query()
		maxBlocks := 250.
		if strings.Contains(what, "latest") {
			maxBlocks = 1_000
		}
		explained(t, conn, text, args, func(n int, root planNode, plan []byte) {
			if got := root.visited(); got > maxRows {
				t.Errorf("%s, execution %d: %.0f of %d rows were read, want %d at most\n%s", what, n, got, rows, maxRows, plan)
			}
			if got := root.Hit + root.Read; got > maxBlocks {
				t.Errorf("%s, execution %d: %.0f blocks were read, want %.0f at most\n%s", what, n, got, maxBlocks, plan)
			}
		})
	}
}

// explained prepares a statement, executes it seven times, and calls check with how
// PostgreSQL did it the first and the last time.
func explained(t *testing.T, conn *pgx.Conn, text string, args []any, check func(execution int, root planNode, plan []byte)) {
	t.Helper()
	exec := func(statement string) []byte {
		answers, err := conn.PgConn().Exec(t.Context(), statement).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if got := answers[0].Rows; len(got) > 0 {
			return got[0][0]
		}
		return nil
	}
	values := make([]string, len(args))
	for i, arg := range args {
		values[i] = fmt.Sprintf("'%v'", arg)
	}
	exec(`DEALLOCATE ALL`)
	exec(`PREPARE list AS ` + text)
	execute := `EXECUTE list (` + strings.Join(values, `, `) + `)`
	for n := 1; n <= 7; n++ {
		if n > 1 && n < 7 {
			exec(execute)
			continue
		}
		result := exec(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ` + execute)
		var plans []struct{ Plan planNode }
		if err := json.Unmarshal(result, &plans); err != nil {
			t.Fatal(err)
		}
		check(n, plans[0].Plan, result)
	}
}

// planNode is a node of PostgreSQL's EXPLAIN (ANALYZE, FORMAT JSON).
type planNode struct {
	Relation string     `json:"Relation Name"`
	Rows     float64    `json:"Actual Rows"`
	Loops    float64    `json:"Actual Loops"`
	Removed  float64    `json:"Rows Removed by Filter"`
	Hit      float64    `json:"Shared Hit Blocks"`
	Read     float64    `json:"Shared Read Blocks"`
	Plans    []planNode `json:"Plans"`
}

// visited counts the rows that scans of tables have read.
func (n planNode) visited() (rows float64) {
	if n.Relation != "" {
		rows = (n.Rows + n.Removed) * n.Loops
	}
	for _, below := range n.Plans {
		rows += below.visited()
	}
	return rows
}

// BenchmarkLists compares each list over a million collections with the same list
// over ten thousand.
func BenchmarkLists(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			var stores [2]*Store
			for i, rows := range []int{10_000, 1_000_000} {
				dsn := b.TempDir()
				if engine == "postgres" {
					dsn = testpg.URL(b)
				}
				s, err := Open(b.Context(), Config{DSN: dsn})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				load(b, s, rows)
				stores[i] = s
			}
			queries := lists()
			for _, what := range slices.Sorted(maps.Keys(queries)) {
				text, args := queries[what]()
				b.Run(what, func(b *testing.B) {
					var took [2]time.Duration
					for b.Loop() {
						for i, s := range stores {
							begun := time.Now()
							if _, err := list(b.Context(), s.q, scanCollection, text, args...); err != nil {
								b.Fatal(err)
							}
							took[i] += time.Since(begun)
						}
					}
					b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "us/1M")
					b.ReportMetric(float64(took[1])/float64(took[0]), "1M/10k")
				})
			}
		})
	}
}
