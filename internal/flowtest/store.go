package flowtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
)

// Open opens a store and closes it at the end of the test.
func Open(tb testing.TB, database string) store.Store {
	tb.Helper()
	Prepare(tb, database)
	s, err := sqlstore.Open(tb.Context(), sqlstore.Config{DSN: database})
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

// migrated returns the file of a database that has all migrations and nothing else. They
// are run once in a process: they take longer than most tests.
var migrated = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "samla-flowtest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := sqlstore.Open(context.Background(), sqlstore.Config{DSN: dir})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(sqlstore.Beside(dir, "samla.db"))
})

// Postgres creates a database of PostgreSQL that has all migrations, as testpg.Copy does. A
// test that is about migrations, or about a new database, uses testpg.URL.
func Postgres(tb testing.TB) string {
	tb.Helper()
	return testpg.Copy(tb, sqlstore.Schema()[:16], func(database string) error {
		s, err := sqlstore.Open(context.Background(), sqlstore.Config{DSN: database})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

// Prepare makes a new database of SQLite a migrated one.
func Prepare(tb testing.TB, database string) {
	tb.Helper()
	if strings.Contains(database, "://") {
		return
	}
	if filepath.Ext(database) != ".db" {
		database = filepath.Join(database, "samla.db")
	}
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		tb.Fatal(err)
	}
	file, err := migrated()
	if err != nil {
		tb.Fatal(err)
	}
	f, err := os.OpenFile(database, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return // it is in use
	}
	if err != nil {
		tb.Fatal(err)
	}
	_, err = f.Write(file)
	if err = errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
}
