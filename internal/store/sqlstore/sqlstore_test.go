package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/store/storetest"
)

func open(tb testing.TB, cfg sqlstore.Config) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.Open(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		dir := t.TempDir()
		flowtest.Prepare(t, dir)
		return open(t, sqlstore.Config{DSN: dir})
	})
}

// The store of a server has a status cache.
func TestSQLiteExclusive(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		file := filepath.Join(t.TempDir(), "a b%.db")
		flowtest.Prepare(t, file)
		return open(t, sqlstore.Config{DSN: file, Exclusive: true})
	})
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, sqlstore.Config{DSN: flowtest.Postgres(t)}) })
}
