package users_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/collection"
	"samla/internal/consent"
)

const iban = "SE4550000000058398257466"

// The account ids in scopes are IBANs at many banks, and are stored unsealed. After
// an erasure no live row has one, whatever state the row was in.
func TestErase_RemovesAccountIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		n := nodes(t, database, 1)[0]
		u := n.create("a", "customer-4711")
		scope := consent.Scope{AccountIDs: []string{iban}, Balances: true}
		named := func(in *consent.Consent) { in.Requested, in.Granted = scope, &scope }
		var consents []consent.Consent
		var collections []collection.Collection
		for _, status := range consent.Statuses() {
			consents = append(consents, n.consent(u.ID, status, "bank-1", named))
		}
		for _, status := range collection.Statuses() {
			collections = append(collections, n.collection(u.ID, status, func(c *collection.Collection) {
				inside := n.consent(u.ID, consent.AwaitingAuthorization, "bank-1", func(in *consent.Consent) {
					named(in)
					in.CollectionID = c.ID
					if status.Terminal() {
						in.Status = consent.Revoked
					}
				})
				c.Mode, c.ConsentID, c.Filter = collection.OneTime, inside.ID, scope.AccountIDs
				consents = append(consents, inside)
			}))
		}
		if err := n.Erase(t.Context(), "a", u.ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range consents {
			got, err := n.Store.Consent(t.Context(), c.ID)
			if err != nil || got.Requested.AccountIDs != nil || !got.Requested.Balances || got.Granted == nil || got.Granted.AccountIDs != nil || !got.Granted.Balances {
				t.Errorf("a consent that was %s has the scope %+v, %+v, %v", c.Status, got.Requested, got.Granted, err)
			}
		}
		for _, c := range collections {
			if got, err := n.Store.Collection(t.Context(), c.ID); err != nil || got.Filter != nil {
				t.Errorf("a collection that was %s has the accounts %v, %v", c.Status, got.Filter, err)
			}
		}
		checkNowhere(t, database, iban)
	})
}

// checkNowhere checks that no column of an SQLite database has a text.
func checkNowhere(t *testing.T, folder, text string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*.db"))
	if len(files) == 0 {
		return // PostgreSQL has the same rows
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables []string
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if len(tables) < 10 || rows.Err() != nil {
		t.Fatal(tables, rows.Err())
	}
	for _, table := range tables {
		checkTable(t, db, table, text)
	}
}

func checkTable(t *testing.T, db *sql.DB, table, text string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, dest := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if strings.Contains(fmt.Sprintf("%s", v), text) {
				t.Errorf("%s.%s has the text", table, names[i])
			}
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
}
