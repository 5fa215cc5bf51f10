package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Inspection is what a database says of itself.
type Inspection struct {
	Kind    string // "sqlite" or "postgres"
	Version string // of the engine
	Applied int64  // the newest migration that was applied; 0 = the database is empty
	Known   int64  // the newest migration that this binary knows
	Oldest  int64  // the newest migration that a binary must know; 0 = the database does not say
	Now     time.Time
	Free    uint64 // bytes that are left for a SQLite database; 0 = not known
}

// NewestMigration returns the number of the newest migration that this binary knows: the
// version of the schema.
func NewestMigration() int64 {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		panic("sqlstore: the migrations are not embedded")
	}
	number, _, _ := strings.Cut(filepath.Base(files[len(files)-1]), "_")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic("sqlstore: a migration has no number: " + err.Error())
	}
	return n
}

// Schema names the schema that Open makes: the SHA-256 of all migrations, in hexadecimal
// digits.
func Schema() string {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic("sqlstore: the migrations are not embedded")
	}
	hash := sha256.New()
	for _, name := range files {
		content, err := fs.ReadFile(migrations, name)
		if err != nil {
			panic("sqlstore: " + err.Error())
		}
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Inspect reads what a database says of itself, and changes nothing: it applies no
// migration, unlike Open. Error: one that wraps fs.ErrNotExist where there is no SQLite
// database.
func Inspect(ctx context.Context, dsn string) (i Inspection, err error) {
	i.Kind, i.Known = "sqlite", NewestMigration()
	driver, tables, version, now := "sqlite", `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = `, `SELECT sqlite_version()`,
		`SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
	if strings.Contains(dsn, "://") {
		i.Kind, driver, version = "postgres", "pgx", `SHOW server_version`
		tables, now = `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = `, `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint`
	} else {
		file := dsn
		if filepath.Ext(dsn) != ".db" {
			file = filepath.Join(dsn, "samla.db")
		}
		if _, err := os.Stat(file); err != nil {
			return i, fmt.Errorf("sqlstore: %w", err)
		}
		i.Free = freeSpace(filepath.Dir(file))
		dsn = "file:" + (&url.URL{Path: file}).EscapedPath() + "?mode=ro&_pragma=busy_timeout(6000)&_pragma=query_only(ON)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return i, fmt.Errorf("sqlstore: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var micro int64
	if err := db.QueryRowContext(ctx, version).Scan(&i.Version); err != nil {
		return i, fmt.Errorf("sqlstore: %w", err)
	}
	if err := db.QueryRowContext(ctx, now).Scan(&micro); err != nil {
		return i, fmt.Errorf("sqlstore: %w", err)
	}
	i.Now = time.UnixMicro(micro).UTC()
	for _, read := range []struct {
		table, text string
		into        *int64
	}{
		{"goose_db_version", `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`, &i.Applied},
		{"schema_support", `SELECT COALESCE(MAX(oldest), 0) FROM schema_support`, &i.Oldest},
	} {
		var exists int
		if err := db.QueryRowContext(ctx, tables+"'"+read.table+"'").Scan(&exists); err != nil {
			return i, fmt.Errorf("sqlstore: %w", err)
		}
		if exists == 0 {
			continue
		}
		if err := db.QueryRowContext(ctx, read.text).Scan(read.into); err != nil {
			return i, fmt.Errorf("sqlstore: %w", err)
		}
	}
	return i, nil
}
