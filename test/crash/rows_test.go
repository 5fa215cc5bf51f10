package crash

import (
	"context"
	"database/sql"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver
	_ "modernc.org/sqlite"             // database/sql driver
)

// consentRow is a consent in the database. request is the X-Request-ID that opened it at
// the bank, which the API does not return.
type consentRow struct{ id, collectionID, request, status string }

// readConsents reads all consents from the database while the servers are running.
func (r *crashTest) readConsents(ctx context.Context) map[string]consentRow {
	r.Helper()
	driver, source := "pgx", r.database
	if source == "" {
		driver, source = "sqlite", "file:"+filepath.Join(r.dataDir(), "store", "samla.db")+"?_pragma=busy_timeout(15000)&_pragma=query_only(ON)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	all, err := db.QueryContext(ctx, "SELECT id, collection_id, open_request_id, status FROM consents")
	if err != nil {
		r.Fatal(err)
	}
	defer all.Close()
	found := map[string]consentRow{}
	for all.Next() {
		var c consentRow
		if err := all.Scan(&c.id, &c.collectionID, &c.request, &c.status); err != nil {
			r.Fatal(err)
		}
		found[c.id] = c
	}
	if err := all.Err(); err != nil {
		r.Fatal(err)
	}
	return found
}
