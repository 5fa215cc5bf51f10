package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"samla/internal/store"
)

// gooseTable is the table of applied migrations: it belongs to a database, not to its
// content.
const gooseTable = "goose_db_version"

var _ store.Snapshots = (*Store)(nil)

// Schema implements store.Snapshots.
func (s *Store) Schema(ctx context.Context) (int64, error) {
	return one(ctx, s.q, column[int64], `SELECT MAX(version_id) FROM `+gooseTable)
}

// Snapshot implements store.Snapshots.
func (s *Store) Snapshot(ctx context.Context, w store.SnapshotWriter) error {
	return s.db.snapshot(ctx, func(c catalog) error {
		tables, err := ordered(ctx, c)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := c.copy(ctx, t, w); err != nil {
				return fmt.Errorf("copy table %s: %w", t, err)
			}
		}
		return nil
	})
}

// catalog is a transaction that sees one state of the whole database.
type catalog interface {
	tables(ctx context.Context) ([]string, error)
	// references lists the tables that each table refers to.
	references(ctx context.Context, tables []string) (map[string][]string, error)
	copy(ctx context.Context, table string, w store.SnapshotWriter) error
}

// ordered lists the tables, each after those that it refers to.
func ordered(ctx context.Context, c catalog) ([]string, error) {
	all, err := c.tables(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t string) bool { return t == gooseTable })
	slices.Sort(all)
	refs, err := c.references(ctx, all)
	if err != nil {
		return nil, err
	}
	var done []string
	for len(done) < len(all) {
		before := len(done)
		for _, t := range all {
			ready := !slices.ContainsFunc(refs[t], func(r string) bool { return r != t && !slices.Contains(done, r) })
			if ready && !slices.Contains(done, t) {
				done = append(done, t)
			}
		}
		if len(done) == before {
			return nil, errors.New("sqlstore: tables refer to each other in a circle")
		}
	}
	return done, nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// snapshot runs fn in a transaction that reads one state. A connection of its own keeps
// it from taking one of the readers' for as long as it lasts.
func (s *sqlite) snapshot(ctx context.Context, fn func(catalog) error) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// The driver's transactions would lock the database against writers.
	if _, err := conn.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return err
	}
	err = fn(sqliteCatalog{conn})
	_, end := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	return errors.Join(err, end)
}

type sqliteCatalog struct{ conn *sql.Conn }

func (c sqliteCatalog) names(ctx context.Context, text string, args ...any) ([]string, error) {
	found, err := c.conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return readAll(sqliteRows{found}, column[string])
}

func (c sqliteCatalog) tables(ctx context.Context) ([]string, error) {
	return c.names(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'`)
}

func (c sqliteCatalog) references(ctx context.Context, tables []string) (map[string][]string, error) {
	refs := map[string][]string{}
	for _, t := range tables {
		var err error
		if refs[t], err = c.names(ctx, `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`, t); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

func (c sqliteCatalog) copy(ctx context.Context, table string, w store.SnapshotWriter) error {
	found, err := c.conn.QueryContext(ctx, `SELECT * FROM `+quote(table))
	if err != nil {
		return err
	}
	defer found.Close()
	names, err := found.Columns()
	if err != nil {
		return err
	}
	if err := w.Table(store.SnapshotTable{Name: table, Columns: names}); err != nil {
		return err
	}
	values, dest := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	for found.Next() {
		if err := errors.Join(found.Scan(dest...), w.Row(values)); err != nil {
			return err
		}
	}
	return found.Err()
}

func (p *postgres) snapshot(ctx context.Context, fn func(catalog) error) error {
	return pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error { return fn(postgresCatalog{tx}) })
}

type postgresCatalog struct{ tx pgx.Tx }

func (c postgresCatalog) tables(ctx context.Context) ([]string, error) {
	found, err := c.tx.Query(ctx, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[string])
}

func (c postgresCatalog) references(ctx context.Context, _ []string) (map[string][]string, error) {
	found, err := c.tx.Query(ctx, `SELECT a.relname::text, b.relname::text FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid
JOIN pg_class b ON b.oid = c.confrelid WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace`)
	if err != nil {
		return nil, err
	}
	refs := map[string][]string{}
	var from, to string
	_, err = pgx.ForEachRow(found, []any{&from, &to}, func() error {
		refs[from] = append(refs[from], to)
		return nil
	})
	return refs, err
}

func (c postgresCatalog) copy(ctx context.Context, table string, w store.SnapshotWriter) error {
	found, err := c.tx.Query(ctx, `SELECT * FROM `+quote(table))
	if err != nil {
		return err
	}
	defer found.Close()
	t := store.SnapshotTable{Name: table}
	for _, f := range found.FieldDescriptions() {
		t.Columns = append(t.Columns, f.Name)
	}
	if err := w.Table(t); err != nil {
		return err
	}
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return err
		}
		if err := w.Row(values); err != nil {
			return err
		}
	}
	return found.Err()
}
