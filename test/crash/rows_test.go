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
type consentRow struct{ id, collectionID, request, status, granted string }

// readConsents reads all consents from the database while the servers are running.
func (r *crashTest) readConsents(ctx context.Context) map[string]consentRow {
	r.Helper()
	found := map[string]consentRow{}
	r.rows(ctx, "SELECT id, collection_id, open_request_id, status, granted FROM consents", func(all *sql.Rows) error {
		var c consentRow
		err := all.Scan(&c.id, &c.collectionID, &c.request, &c.status, &c.granted)
		found[c.id] = c
		return err
	})
	return found
}

// readCollections reads the statuses of all collections.
func (r *crashTest) readCollections(ctx context.Context) map[string]string {
	r.Helper()
	found := map[string]string{}
	r.rows(ctx, "SELECT id, status FROM collections", func(all *sql.Rows) error {
		var id, status string
		err := all.Scan(&id, &status)
		found[id] = status
		return err
	})
	return found
}

// rows reads the rows of a query.
func (r *crashTest) rows(ctx context.Context, query string, scan func(*sql.Rows) error) {
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
	all, err := db.QueryContext(ctx, query)
	if err != nil {
		r.Fatal(err)
	}
	defer all.Close()
	for all.Next() {
		if err := scan(all); err != nil {
			r.Fatal(err)
		}
	}
	if err := all.Err(); err != nil {
		r.Fatal(err)
	}
}
