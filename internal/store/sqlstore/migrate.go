package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

// The migrations are written for SQLite. A released migration is never changed.
// The binary before a migration must work after it: tables and columns (with a
// default) are added in one release, and used or dropped in a later one.
//
//go:embed migrations/*.sql
var migrations embed.FS

// postgresTypes translates a migration to PostgreSQL. Texts are compared byte by
// byte there too, whatever the locale of the database.
var postgresTypes = strings.NewReplacer(` INTEGER PRIMARY KEY AUTOINCREMENT`, ` BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY`, ` TEXT`, ` TEXT COLLATE "C"`, ` BLOB`, ` BYTEA`)

// ErrNewer means that a newer release has migrated the database in a way that this
// binary cannot serve. The release before the newest one can.
var ErrNewer = errors.New("a newer release has changed the database, start that release")

// migrate applies the migrations that are missing. The caller holds a lock
// that keeps other processes out. Error: ErrNewer.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, cfg Config) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if dialect == goose.DialectPostgres {
		files = postgresFS{files}
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("sqlstore: read the migrations: %w", err)
	}
	if err := checkSupport(ctx, db, dialect, provider.ListSources()); err != nil {
		return err
	}
	newest := provider.ListSources()[len(provider.ListSources())-1].Version
	if cfg.schema > newest {
		return fmt.Errorf("%w (it needs migration %d, this binary knows %d)", ErrNewer, cfg.schema, newest)
	}
	done, err := provider.UpTo(ctx, cmp.Or(cfg.schema, newest))
	if err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	for _, m := range done {
		cfg.Logger.InfoContext(ctx, "migrated", "version", m.Source.Version, "took", m.Duration)
	}
	return nil
}

// VisitsMigration is the migration that binaries must know on a database whose persons are
// sent to pages of institutions. The binary before it would show them the address of the
// institution in place of ours, and lose tokens.
const VisitsMigration = 19

// RaiseOldest lets only binaries start on the database from now on that know a migration,
// and reports whether that is news: it is new, and the database has been collected into, so
// that an older binary can run on it. Those that run go on.
func (s *Store) RaiseOldest(ctx context.Context, migration int64) (raised bool, err error) {
	err = s.db.write(ctx, func(q querier) error {
		before, err := one(ctx, q, column[int64], `SELECT MAX(oldest) FROM schema_support`)
		if err != nil || before >= migration {
			return err
		}
		flows, err := one(ctx, q, column[int64], `SELECT (SELECT COUNT(*) FROM (SELECT 1 AS n FROM consents LIMIT 1) AS c)
			+ (SELECT COUNT(*) FROM (SELECT 1 AS n FROM collections LIMIT 1) AS d)`)
		if err != nil {
			return err
		}
		raised = flows > 0
		_, err = q.exec(ctx, `UPDATE schema_support SET oldest = $1 WHERE oldest < $1`, migration)
		return err
	})
	return raised, err
}

// supportTables counts the tables schema_support.
var supportTables = map[goose.Dialect]string{
	goose.DialectSQLite3:  `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_support'`,
	goose.DialectPostgres: `SELECT COUNT(to_regclass('schema_support'))`,
}

// checkSupport returns ErrNewer if the schema supports only binaries that know later
// migrations than these. A database of before migration 6 has no such table, and
// supports every binary since.
func checkSupport(ctx context.Context, db *sql.DB, dialect goose.Dialect, known []*goose.Source) error {
	var exists int
	if err := db.QueryRowContext(ctx, supportTables[dialect]).Scan(&exists); err != nil || exists == 0 {
		return err
	}
	var oldest int64
	if err := db.QueryRowContext(ctx, `SELECT MAX(oldest) FROM schema_support`).Scan(&oldest); err != nil {
		return fmt.Errorf("sqlstore: read the supported schema: %w", err)
	}
	if newest := known[len(known)-1].Version; oldest > newest {
		return fmt.Errorf("%w (it needs migration %d, this binary knows %d)", ErrNewer, oldest, newest)
	}
	return nil
}

// postgresFS translates a directory of migrations to PostgreSQL.
type postgresFS struct{ fs.FS }

// Open implements fs.FS.
func (p postgresFS) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return postgresFile{f, strings.NewReader(postgresTypes.Replace(string(text)))}, nil
}

type postgresFile struct {
	fs.File
	text io.Reader
}

// Read implements fs.File.
func (f postgresFile) Read(p []byte) (int, error) { return f.text.Read(p) }
