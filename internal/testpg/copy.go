package testpg

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Copy creates a copy of a prepared database and returns its URL. The copy is dropped at
// the end of tb. name is a part of the name of the prepared database, in small letters and
// digits; all processes that use the server share it, so a name stands for one content.
// prepare is called once with the URL of an empty database; it leaves no connection open.
// The prepared database is not dropped. Skips and failures are those of URL.
func Copy(tb testing.TB, name string, prepare func(database string) error) string {
	tb.Helper()
	server := serverFor(tb)
	template := "samla_template_" + name
	made, _ := templates.LoadOrStore(server+" "+template, sync.OnceValue(func() error {
		return makeTemplate(server, template, prepare)
	}))
	if err := made.(func() error)(); err != nil {
		tb.Fatal(err)
	}
	return createFor(tb, server, template)
}

// templates has the result of makeTemplate by server and template.
var templates sync.Map

// templateLock is the advisory lock of processes that make a template.
const templateLock = 7320519

// makeTemplate makes a prepared database, unless it exists. It exists under its name only
// when it is complete.
func makeTemplate(server, name string, prepare func(database string) error) (err error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }() // ends the lock too
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return err
	}
	unfinished := name + "_unfinished"
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+unfinished+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+unfinished+" TEMPLATE template0"); err != nil {
		return err
	}
	database, err := urlOf(server, unfinished)
	if err != nil {
		return err
	}
	if err := prepare(database); err != nil {
		return fmt.Errorf("prepare the database of tests: %w", err)
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+name)
	return err
}
