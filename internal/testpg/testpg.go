// Package testpg gives tests a real PostgreSQL.
//
// It owns the server of a test run: make test starts one for all packages
// (command withpg) and names it in SAMLA_TEST_POSTGRES; a test run by hand gets a
// private one, started by the first caller of its process. It hands on the URL
// of a fresh, empty database to whoever tests a store on it.
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
	// EnvURL names a running server: the URL of its maintenance database, with a
	// role that may create databases.
	EnvURL = "SAMLA_TEST_POSTGRES"
	// EnvRequire set to 1 turns a missing server from a skip into a failure.
	EnvRequire = "SAMLA_TEST_REQUIRE_POSTGRES"
)

// private is the server of this process. It is never closed: its supervisor
// stops it when the process ends.
var private = sync.OnceValues(Start)

// URL makes an empty database and returns its URL (postgres://...), for pgx. The
// database is dropped when tb ends, whoever is still connected.
//
// The test is skipped when no server can be had, unless SAMLA_TEST_REQUIRE_POSTGRES
// is 1: then it fails. It is also skipped under go test -short, which is for
// SQLite only, unless a server is named.
func URL(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(EnvURL)
	if server == "" {
		if testing.Short() {
			tb.Skip("PostgreSQL is left out of short tests")
		}
		own, err := private()
		if errors.Is(err, ErrNoBinaries) && os.Getenv(EnvRequire) != "1" {
			tb.Skip(err)
		}
		if err != nil {
			tb.Fatal(err)
		}
		server = own.URL()
	}
	database, drop, err := create(server)
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

// create makes a database of a new name on the server and returns its URL and
// how to drop it.
func create(server string) (database string, drop func() error, err error) {
	name := "t_" + strings.ToLower(rand.Text())
	at, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("%s is no URL: %w", EnvURL, err)
	}
	// template0 is copied file by file: no connection can be in its way.
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", nil, fmt.Errorf("create a test database: %w", err)
	}
	at.Path = "/" + name
	drop = func() error {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop a test database: %w", err)
		}
		return nil
	}
	return at.String(), drop, nil
}

func execute(server, statement string) error {
	ctx, cancel := bounded()
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}
