package sqlstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/testpg"
)

// each opens a store of each engine.
func each(t *testing.T, run func(*testing.T, *Store)) {
	for engine, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": testpg.URL,
	} {
		t.Run(engine, func(t *testing.T) {
			s, err := Open(t.Context(), Config{DSN: database(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			run(t, s)
		})
	}
}

func execute(t *testing.T, s *Store, text string, args ...any) {
	t.Helper()
	if err := s.db.write(t.Context(), func(q querier) error {
		_, err := q.exec(t.Context(), text, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, s *Store, c collection.Collection) {
	t.Helper()
	c.ClientID, c.CreatedAt, c.StatusChangedAt = "client", began, began
	if err := s.Write(t.Context(), func(tx store.Tx) error { return tx.AddCollection(t.Context(), c) }); err != nil {
		t.Fatal(err)
	}
}

var began = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// The binary before migration 4 stores products without naming their form. It may
// still run beside this one.
func TestMigration4_BinaryBeforeWritesForm1(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		add(t, s, collection.Collection{ID: "c-1", Status: collection.Completed})
		for _, sealed := range []string{"first", "second"} {
			execute(t, s, `INSERT INTO products (collection_id, sealed) VALUES ($1, $2)
ON CONFLICT (collection_id) DO UPDATE SET sealed = excluded.sealed`, "c-1", []byte(sealed))
			if p, err := s.Products(t.Context(), "c-1"); err != nil || p.Form != 1 || string(p.Sealed) != sealed {
				t.Errorf("products of form %d, %v", p.Form, err)
			}
		}
	})
}

// Binaries before migration 4 left the keys of collections that belong to no user.
func TestMigration4_DestroysKeysThatNothingNeeds(t *testing.T) {
	text, err := migrations.ReadFile("migrations/00004_product_form.sql")
	if err != nil {
		t.Fatal(err)
	}
	statement := string(text[strings.Index(string(text), "UPDATE data_keys"):])
	each(t, func(t *testing.T, s *Store) {
		later := began.AddDate(0, 0, 30)
		for _, test := range []struct {
			collection.Collection
			want error
		}{
			{collection.Collection{ID: "running", Status: collection.Login}, nil},
			{collection.Collection{ID: "completed", Status: collection.Completed, DataUntil: later}, nil},
			{collection.Collection{ID: "failed", Status: collection.Failed}, seal.ErrKeyDestroyed},
			{collection.Collection{ID: "erased", Status: collection.Completed, DataUntil: later, ErasedAt: began}, seal.ErrKeyDestroyed},
		} {
			add(t, s, test.Collection)
			if _, err := s.AddDataKey(t.Context(), test.ID, []byte("wrapped")); err != nil {
				t.Fatal(err)
			}
			execute(t, s, statement)
			if _, err := s.DataKey(t.Context(), test.ID); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", test.ID, err)
			}
		}
		if _, err := s.AddDataKey(t.Context(), "a user", []byte("wrapped")); err != nil {
			t.Fatal(err)
		}
		execute(t, s, statement)
		if _, err := s.DataKey(t.Context(), "a user"); err != nil {
			t.Errorf("a user's key: %v", err)
		}
	})
}

// A binary that a newer schema does not support must not write to it. The release
// before the newest one must start, for an upgrade node by node and back.
func TestOpen_RefusesSchemaOfMuchNewerRelease(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": testpg.URL,
	} {
		t.Run(engine, func(t *testing.T) {
			dsn := database(t)
			s, err := Open(t.Context(), Config{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			// The release after this one applies migration 99 and still supports this.
			execute(t, s, `INSERT INTO goose_db_version (version_id, is_applied) SELECT 99, is_applied FROM goose_db_version WHERE version_id = 1`)
			s.Close()
			if s, err = Open(t.Context(), Config{DSN: dsn}); err != nil {
				t.Fatalf("a schema that supports this binary: %v", err)
			}
			execute(t, s, `UPDATE schema_support SET oldest = 99`)
			s.Close()
			if _, err = Open(t.Context(), Config{DSN: dsn}); !errors.Is(err, ErrNewer) {
				t.Errorf("a schema that does not: %v", err)
			}
		})
	}
}

// Binaries before migration 6 left account ids in the rows of erased users.
func TestMigration6_RemovesAccountIDsOfErasedUsers(t *testing.T) {
	text, err := migrations.ReadFile("migrations/00006_support.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, statements, _ := strings.Cut(string(text), "VALUES (4);")
	each(t, func(t *testing.T, s *Store) {
		const scope = `{"accountIds":["SE4550000000058398257466"],"balances":true,"transactions":false}`
		for id, anonymized := range map[string]int64{"erased": 1, "active": 0} {
			execute(t, s, `INSERT INTO users (id, client_id, external_id, created_at, updated_at, anonymized_at) VALUES ($1, 'c', $1, 1, 1, $2)`, id, anonymized)
			add(t, s, collection.Collection{ID: "c-" + id, UserID: id, Status: collection.Completed, Filter: []string{"SE4550000000058398257466"}})
			execute(t, s, `INSERT INTO consents (id, client_id, user_id, collection_id, company, login_method, status, step, requested, granted, created_at,
status_changed_at, authorize_by, expires_at, sca_expires_at, revoked_at, failure, open_request_id, authorise_request_id, sealed, rev, wake_at)
VALUES ($1, 'c', $2, '', '', '', 'REVOKED', '', $3, $3, 1, 1, 1, 1, 1, 1, '', '', '', '', 1, 0)`, "k-"+id, id, scope)
		}
		for statement := range strings.SplitSeq(strings.TrimSpace(statements), ";\n") {
			execute(t, s, strings.TrimSuffix(strings.TrimSpace(statement), ";"))
		}
		for id, want := range map[string][2]string{"erased": {`{"accountIds":null,"balances":true,"transactions":false}`, ""}, "active": {scope, "IBAN"}} {
			granted, err := one(t.Context(), s.q, column[string], `SELECT granted FROM consents WHERE id = $1`, "k-"+id)
			if err != nil || granted != want[0] {
				t.Errorf("%s: scope %s, %v", id, granted, err)
			}
			accounts, err := one(t.Context(), s.q, column[string], `SELECT accounts FROM collections WHERE id = $1`, "c-"+id)
			if err != nil || (accounts == "") != (want[1] == "") {
				t.Errorf("%s: accounts %q, %v", id, accounts, err)
			}
		}
	})
}

// A new database wraps under epoch keys at once, and the binary before refuses it. One
// that the binary before has used is left to it until an operator begins.
func TestMigration16_LeavesUsedDatabaseToTheBinaryBefore(t *testing.T) {
	text, err := migrations.ReadFile("migrations/00016_epochs.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := strings.Split(string(text[strings.Index(string(text), "INSERT INTO installation"):]), ";")
	each(t, func(t *testing.T, s *Store) {
		oldest := func() int64 {
			t.Helper()
			n, err := one(t.Context(), s.q, column[int64], `SELECT MAX(oldest) FROM schema_support`)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if i, err := s.Installation(t.Context()); err != nil || i.BegunAt.IsZero() || oldest() != 16 {
			t.Errorf("a new database: %+v, binaries from %d on, %v", i, oldest(), err)
		}
		execute(t, s, `INSERT INTO clients (id, name, created_at) VALUES ('c', 'acme', 1)`)
		execute(t, s, `DELETE FROM installation`)
		execute(t, s, `UPDATE schema_support SET oldest = 4`)
		execute(t, s, statements[0])
		execute(t, s, statements[1])
		if i, err := s.Installation(t.Context()); err != nil || !i.BegunAt.IsZero() || oldest() != 4 {
			t.Errorf("a used database: %+v, binaries from %d on, %v", i, oldest(), err)
		}
		if err := s.BeginEpochs(t.Context(), began); err != nil {
			t.Fatal(err)
		}
		if i, err := s.Installation(t.Context()); err != nil || !i.BegunAt.Equal(began) || oldest() != 16 {
			t.Errorf("begun: %+v, binaries from %d on, %v", i, oldest(), err)
		}
	})
}
