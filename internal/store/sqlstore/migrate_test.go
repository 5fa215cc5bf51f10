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
