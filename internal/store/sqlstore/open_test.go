package sqlstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
)

func TestOpen_CreatesFilesForOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, sqlstore.Config{DSN: dir, Exclusive: true})
	addClient(t, s)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(path), info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func addClient(t *testing.T, s store.Store) client.Client {
	t.Helper()
	c := client.Client{ID: newID(), Name: "x", CreatedAt: began}
	if err := s.Write(t.Context(), func(tx store.Tx) error { return tx.AddClient(t.Context(), c) }); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpen_RefusesSecondServer(t *testing.T) {
	dir := t.TempDir()
	server, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dir, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dir, Exclusive: true}); !errors.Is(err, sqlstore.ErrInUse) {
		t.Errorf("a second server: %v", err)
	}
	// A command and the server read each other's rows.
	command := open(t, sqlstore.Config{DSN: dir})
	for from, to := range map[store.Store]store.Store{server: command, command: server} {
		c := addClient(t, from)
		if _, err := to.Client(t.Context(), c.ID); err != nil {
			t.Error(err)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, sqlstore.Config{DSN: dir, Exclusive: true})
}

func TestOpen_RunsConcurrently(t *testing.T) {
	start := func(t *testing.T, dsn string) {
		var all sync.WaitGroup
		stores := make([]*sqlstore.Store, 6)
		for i := range stores {
			all.Go(func() {
				var err error
				if stores[i], err = sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, s := range stores {
			if s == nil {
				continue
			}
			addClient(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) { start(t, filepath.Join(t.TempDir(), "new")) })
	t.Run("Postgres", func(t *testing.T) { start(t, testpg.URL(t)) })
}

func TestOpen_RefusesBadDatabases(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{
		"empty": "", "no database": text, "below a file": filepath.Join(text, "x"),
		"no such server": "postgres:///x?host=" + t.TempDir(), "no URL": "postgres://%zz",
	} {
		if s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn}); err == nil {
			t.Errorf("%s was opened", name)
			_ = s.Close()
		}
	}
}

func TestClose_MakesCallsFail(t *testing.T) {
	for name, cfg := range engines(t) {
		s, err := sqlstore.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Write(t.Context(), func(tx store.Tx) error { return nil }); err == nil {
			t.Errorf("%s: a write after Close", name)
		}
		if _, err := s.ConsentStatus(t.Context(), consent.ID(newID())); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: a poll after Close: %v", name, err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Errorf("%s: a ping after Close", name)
		}
	}
}

func engines(t *testing.T) map[string]sqlstore.Config {
	all := map[string]sqlstore.Config{"sqlite": {DSN: t.TempDir()}}
	if !testing.Short() {
		all["postgres"] = sqlstore.Config{DSN: testpg.URL(t)}
	}
	return all
}

// An idle queue is read four times a second, which must not write to the disk.
func TestClaim_WritesNothingWhenIdle(t *testing.T) {
	dir := t.TempDir()
	s := open(t, sqlstore.Config{DSN: dir, Exclusive: true})
	addClient(t, s)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "samla.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	for range 10 {
		if _, err := s.Claim(t.Context(), store.Consents, began, time.Minute, store.ClaimLimit{Rows: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if after := size(); after != before {
		t.Errorf("the log grew from %d to %d bytes", before, after)
	}
}

func TestDestroyDataKey_RemovesBytesFromFile(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dir})
	if err != nil {
		t.Fatal(err)
	}
	const wrapped = "the bytes of a wrapped key"
	if _, err := s.AddDataKey(context.Background(), "somebody", []byte(wrapped)); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), "somebody", began) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), wrapped) {
			t.Errorf("%s still has the key (%v)", filepath.Base(file), err)
		}
	}
}
