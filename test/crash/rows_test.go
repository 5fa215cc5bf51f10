package crash

import (
	"context"
	"database/sql"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	_ "modernc.org/sqlite"             // the driver
)

// row is what the database holds of a consent. The id of the request that opened
// it at the bank is told nowhere else.
type row struct{ id, collectionID, request, status string }

// rows reads all consents beside the running servers.
func (r *run) rows(ctx context.Context) map[string]row {
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
	found := map[string]row{}
	for all.Next() {
		var c row
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
