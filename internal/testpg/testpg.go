// Package testpg provides a real PostgreSQL server for tests.
//
// make test starts one server for all packages (command withpg) and passes its URL in
// SAMLA_TEST_POSTGRES. Without that variable the first call of URL in a test process
// starts a server for that process. Each call of URL creates an empty database, each call
// of Copy one like another that all test processes share.
package testpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

const (
	// EnvURL is the environment variable with the URL of a running server's maintenance
	// database. Its role must be allowed to create databases.
	EnvURL = "SAMLA_TEST_POSTGRES"
	// EnvRequire is an environment variable. If it is 1, a test fails instead of being
	// skipped when there is no server.
	EnvRequire = "SAMLA_TEST_REQUIRE_POSTGRES"
)

// processServer starts the server of this process. It is never closed, because its
// supervisor stops it when the process ends.
var processServer = sync.OnceValues(Start)

// URL creates an empty database and returns its URL (postgres://...). The database is
// dropped at the end of tb, even if there are open connections.
//
// If there are no server programs, the test is skipped, or fails if
// SAMLA_TEST_REQUIRE_POSTGRES is 1. With go test -short and without SAMLA_TEST_POSTGRES
// it is skipped too.
func URL(tb testing.TB) string {
	tb.Helper()
	// template0 has no connections, which would block CREATE DATABASE.
	return createFor(tb, serverFor(tb), "template0")
}

// serverFor returns the maintenance database of the server, or skips or fails tb as URL says.
func serverFor(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(EnvURL)
	if server == "" {
		if testing.Short() {
			tb.Skip("no PostgreSQL in short tests")
		}
		own, err := processServer()
		if errors.Is(err, ErrNoBinaries) && os.Getenv(EnvRequire) != "1" {
			tb.Skip(err)
		}
		if err != nil {
			tb.Fatal(err)
		}
		server = own.URL()
	}
	return server
}

// createFor creates a database that is dropped at the end of tb.
func createFor(tb testing.TB, server, template string) string {
	tb.Helper()
	database, drop, err := create(server, template)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := drop(); err != nil {
			tb.Error(err)
		}
	})
	return database
}

// create creates a database with a random name. It returns its URL and a function that
// drops it.
func create(server, template string) (database string, drop func() error, err error) {
	name := "t_" + strings.ToLower(rand.Text())
	if database, err = urlOf(server, name); err != nil {
		return "", nil, err
	}
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		return "", nil, fmt.Errorf("create a test database: %w", err)
	}
	drop = func() error {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop a test database: %w", err)
		}
		return nil
	}
	return database, drop, nil
}

// urlOf returns the URL of a database of the server.
func urlOf(server, name string) (string, error) {
	at, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("%s is not a URL: %w", EnvURL, err)
	}
	at.Path = "/" + name
	return at.String(), nil
}

func execute(server, statement string) error {
	ctx, cancel := withTimeout()
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// AwaitLock returns when a transaction of the database waits for a row lock of
// another one, or with the error of ctx. PostgreSQL gives no signal of it.
func AwaitLock(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for waiting := 0; waiting == 0; {
		err := conn.QueryRow(ctx, `SELECT COUNT(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			return err
		}
	}
	return nil
}
