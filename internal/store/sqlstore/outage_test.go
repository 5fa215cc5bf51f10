package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"samla/internal/clock/clocktest"
	"samla/internal/store"
	"samla/internal/testpg"
	"samla/internal/user"
)

func TestOutageOf_ClassifiesErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want store.Outage
	}{
		{nil, ""}, {errors.New("x"), ""}, {store.ErrConflict, ""}, {context.Canceled, ""},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), store.TimedOut},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), store.Unreachable},
		{errClosed, store.Unreachable},
		{&pgconn.PgError{Code: "53100"}, store.DiskFull}, {&pgconn.PgError{Code: "53300"}, store.Locked},
		{&pgconn.PgError{Code: "55P03"}, store.Locked}, {&pgconn.PgError{Code: "57P01"}, store.Unreachable},
		{&pgconn.PgError{Code: "57014"}, store.TimedOut}, {&pgconn.PgError{Code: "23505"}, ""}, {&pgconn.PgError{Code: "42601"}, ""},
	} {
		if got := OutageOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// addUsers writes until the database refuses.
func addUsers(t *testing.T, s *Store) error {
	t.Helper()
	for i := range 10_000 {
		id := fmt.Sprintf("u-%05d", i)
		err := s.Write(t.Context(), func(tx store.Tx) error {
			return tx.AddUser(t.Context(), user.User{ID: id, ClientID: "c", ExternalID: id, CreatedAt: began})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A disk that is full makes the database not ready, with the reason, until there is
// room again.
func TestPing_ReportsFullDisk(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: t.TempDir(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages string) {
		t.Helper()
		// A pragma, not execute: it must be outside of a transaction.
		if _, err := s.db.(*sqlite).conn.ExecContext(t.Context(), `PRAGMA max_page_count = `+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // means the present size
	failed := addUsers(t, s)
	if OutageOf(failed) != store.DiskFull {
		t.Fatalf("a write to a full disk: %v", failed)
	}
	for range 2 {
		if err := s.Ping(t.Context()); OutageOf(err) != store.DiskFull {
			t.Errorf("ping: %v", err)
		}
	}
	limit("1000000")
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping after there is room: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("second ping after there is room: %v", err)
	}
}

// A write that waits for a lock of another process ends with the caller's context or
// soon after, and is an outage.
func TestWrite_EndsWhenAnotherProcessLocksTheDatabase(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Config{DSN: dir, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other, err := Open(t.Context(), Config{DSN: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- other.Write(context.Background(), func(tx store.Tx) error {
			if err := tx.AddUser(context.Background(), user.User{ID: "u", ClientID: "c", ExternalID: "e", CreatedAt: began}); err != nil {
				return err
			}
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	ended := make(chan error, 1)
	go func() { ended <- s.Write(context.Background(), func(store.Tx) error { return nil }) }()
	if err := clocktest.Receive(t, "the end of the wait for the lock", ended); OutageOf(err) != store.Locked {
		t.Error(err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(store.Tx) error { return nil }); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// A locked table holds no caller longer than its context lasts; one that creates a user,
// who may be stored by then, until its batch ends.
func TestPostgres_EndsWaitForLockedTableWithTheContext(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: testpg.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.db.write(context.Background(), func(q querier) error {
			if _, err := q.exec(context.Background(), `LOCK TABLE users, consents, collections IN ACCESS EXCLUSIVE MODE`); err != nil {
				return err
			}
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	const within = 300 * time.Millisecond
	u := user.User{ID: "u", ClientID: "c", ExternalID: "e", CreatedAt: began}
	for name, call := range map[string]func(context.Context) error{
		"read": func(ctx context.Context) error { _, err := s.User(ctx, "c", "u"); return err },
		"poll": func(ctx context.Context) error { _, err := s.ConsentStatus(ctx, "k"); return err },
		"list": func(ctx context.Context) error {
			_, err := s.ConsentsOf(ctx, "c", "u", store.Page{Limit: 5})
			return err
		},
		"write": func(ctx context.Context) error {
			return s.Write(ctx, func(tx store.Tx) error { return tx.AddUser(ctx, u) })
		},
		"create": func(ctx context.Context) error { return s.CreateUser(ctx, u) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		ended := make(chan error, 1)
		go func() { ended <- call(ctx) }()
		if err := clocktest.Receive(t, "the end of "+name, ended); OutageOf(err) != store.TimedOut {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
