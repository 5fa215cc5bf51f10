package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"samla/internal/store"
)

// ErrNotEmpty means that a backup would be loaded into a database that has content.
var ErrNotEmpty = errors.New("the database is not empty: a restore needs a new one")

// LoadConfig says what is loaded.
type LoadConfig struct {
	Schema int64  // of the snapshot
	Backup string // id of the backup
	At     int64  // when it was made, in Unix microseconds
}

// content are the tables that have no row in a database that was never used.
var content = []string{"clients", "users", "consents", "collections", "data_keys", "signing_keys", "duties"}

// Load makes a database, fills it with a snapshot in one transaction, and closes it. The
// database is migrated to the schema of the snapshot first; the next Open migrates it
// further. It is marked as restoring (store.Installation). Errors: ErrNotEmpty, ErrNewer
// for a snapshot of a schema that this binary does not know, ErrInUse.
func Load(ctx context.Context, cfg Config, l LoadConfig, from store.SnapshotReader) (err error) {
	cfg.schema = l.Schema
	s, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	have, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	if have != l.Schema {
		return fmt.Errorf("the backup has schema %d and the database schema %d: a restore needs a new database", l.Schema, have)
	}
	for _, table := range content {
		if used, err := exists(ctx, s.q, `SELECT 1 FROM `+table+` LIMIT 1`); err != nil {
			return err
		} else if used {
			return ErrNotEmpty
		}
	}
	var tables []string
	if err := s.db.snapshot(ctx, func(c catalog) error {
		tables, err = ordered(ctx, c)
		return err
	}); err != nil {
		return err
	}
	return s.db.load(ctx, func(into loader) error { return loadTables(ctx, into, tables, l, from) })
}

// loader is a transaction that fills tables.
type loader interface {
	exec(ctx context.Context, text string, args ...any) error
	// fill inserts rows until next returns io.EOF.
	fill(ctx context.Context, t store.SnapshotTable, next func() ([]any, error)) error
	// settle makes what is drawn from sequences greater than what was inserted.
	settle(ctx context.Context, tables []string) error
}

func loadTables(ctx context.Context, into loader, tables []string, l LoadConfig, from store.SnapshotReader) error {
	for _, t := range slices.Backward(tables) { // what the migrations have put there
		if err := into.exec(ctx, `DELETE FROM `+quote(t)); err != nil {
			return err
		}
	}
	for {
		t, err := from.Table()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !slices.Contains(tables, t.Name) {
			return fmt.Errorf("the backup has a table %q that its schema has not", t.Name)
		}
		if err := into.fill(ctx, t, from.Row); err != nil {
			return fmt.Errorf("load table %s: %w", t.Name, err)
		}
	}
	if err := into.settle(ctx, tables); err != nil {
		return err
	}
	return into.exec(ctx, `UPDATE installation SET restoring = $1, backup_at = $2`, l.Backup, l.At)
}

func (s *sqlite) load(ctx context.Context, fn func(loader) error) error {
	if _, err := s.conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := fn(sqliteLoader{s.conn}); err != nil {
		_, end := s.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return errors.Join(err, end)
	}
	_, err := s.conn.ExecContext(ctx, `COMMIT`)
	return err
}

type sqliteLoader struct{ conn *sql.Conn }

func (l sqliteLoader) exec(ctx context.Context, text string, args ...any) error {
	_, err := l.conn.ExecContext(ctx, text, args...)
	return err
}

func (l sqliteLoader) fill(ctx context.Context, t store.SnapshotTable, next func() ([]any, error)) error {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quote(c)
	}
	text := `INSERT INTO ` + quote(t.Name) + ` (` + strings.Join(names, ", ") + `) VALUES (?` + strings.Repeat(", ?", len(names)-1) + `)`
	insert, err := l.conn.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer insert.Close()
	for {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
}

func (l sqliteLoader) settle(context.Context, []string) error { return nil } // SQLite does it

func (p *postgres) load(ctx context.Context, fn func(loader) error) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error { return fn(postgresLoader{tx}) })
}

type postgresLoader struct{ tx pgx.Tx }

func (l postgresLoader) exec(ctx context.Context, text string, args ...any) error {
	_, err := l.tx.Exec(ctx, text, args...)
	return err
}

func (l postgresLoader) fill(ctx context.Context, t store.SnapshotTable, next func() ([]any, error)) error {
	_, err := l.tx.CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return row, err
	}))
	return err
}

func (l postgresLoader) settle(ctx context.Context, _ []string) error {
	found, err := l.tx.Query(ctx, `SELECT table_name::text, column_name::text, pg_get_serial_sequence(quote_ident(table_name), column_name)
FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'`)
	if err != nil {
		return err
	}
	type identity struct{ Table, Column, Sequence string }
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[identity])
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := l.exec(ctx, `SELECT setval($1::text::regclass, (SELECT COALESCE(MAX(`+quote(i.Column)+`), 0) + 1 FROM `+quote(i.Table)+`), false)`, i.Sequence); err != nil {
			return err
		}
	}
	return nil
}
