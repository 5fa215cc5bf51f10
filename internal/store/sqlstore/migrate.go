package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"
)

// The migrations are written for SQLite. A released one is never changed, and
// each must leave a database on which the binary before it still works: tables
// and columns (with a default) are added in one release and used, or dropped, in
// a later one.
//
//go:embed migrations/*.sql
var migrations embed.FS

// postgresTypes makes a migration one for PostgreSQL. Texts are compared byte by
// byte there too, whatever the locale of the database.
var postgresTypes = strings.NewReplacer(` TEXT`, ` TEXT COLLATE "C"`, ` BLOB`, ` BYTEA`)

// migrate applies what is missing. The caller holds a lock against other
// processes.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if dialect == goose.DialectPostgres {
		files = translated{files}
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("sqlstore: read the migrations: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	for _, m := range done {
		log.InfoContext(ctx, "migrated", "version", m.Source.Version, "took", m.Duration)
	}
	return nil
}

// translated is a directory of migrations in PostgreSQL's words.
type translated struct{ fs.FS }

// Open implements fs.FS.
func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return translatedFile{f, strings.NewReader(postgresTypes.Replace(string(text)))}, nil
}

type translatedFile struct {
	fs.File
	text io.Reader
}

// Read implements fs.File.
func (f translatedFile) Read(p []byte) (int, error) { return f.text.Read(p) }
