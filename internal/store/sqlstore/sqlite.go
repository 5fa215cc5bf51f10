package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"samla/internal/store"
)

// oldestSQLite is the first version in which the reset of a WAL cannot lose a
// transaction while a reader begins.
var oldestSQLite = [...]int{3, 51, 3}

// sqlite is a database in one file. One connection writes, others read.
type sqlite struct {
	lock    *os.File // nil unless Config.Exclusive is set
	writer  *sql.DB
	conn    *sql.Conn // the only one of writer
	readers *sql.DB
	group   *groupCommit
	w       sqliteWriter
	r       sqliteReader
}

// busyTimeout is how long a connection waits for the lock of another process. It is
// shorter than the time of a request, so that the request is answered.
const busyTimeout = 6 * time.Second

// pragmas of every connection, in this order; the driver runs busy_timeout
// first.
var pragmas = []string{"busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
	"secure_delete(ON)", "temp_store(MEMORY)"}

func openSQLite(ctx context.Context, cfg Config) (_ engine, err error) {
	file, err := prepareFile(cfg.DSN)
	if err != nil {
		return nil, err
	}
	s := &sqlite{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if cfg.Exclusive {
		if s.lock, err = lockFile(file+".lock", false); err != nil {
			return nil, err
		}
	}
	if s.writer, err = sql.Open("sqlite", sqliteURL(file, "")); err != nil {
		return nil, err
	}
	s.writer.SetMaxOpenConns(1)
	if err := checkVersion(ctx, s.writer); err != nil {
		return nil, err
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	if err := s.migrate(ctx, file, cfg); err != nil {
		return nil, err
	}
	if s.conn, err = s.writer.Conn(ctx); err != nil {
		return nil, err
	}
	if s.readers, err = sql.Open("sqlite", sqliteURL(file, "query_only(ON)")); err != nil {
		return nil, err
	}
	n := cfg.Readers
	if n <= 0 {
		n = 4
	}
	s.readers.SetMaxOpenConns(n)
	s.readers.SetMaxIdleConns(n)
	s.r.db = s.readers
	s.w = sqliteWriter{conn: s.conn, stmts: map[string]*sql.Stmt{}}
	s.group = s.newGroupCommit()
	if cfg.Observer != nil {
		s.group.committed = cfg.Observer.Commit
	}
	return s, nil
}

// prepareFile creates the directory and an empty file, which only the owner can
// read, and returns the file's name.
func prepareFile(path string) (string, error) {
	if path == "" {
		return "", errors.New("sqlstore: no database given")
	}
	file := fileOf(path)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("sqlstore: %w", err)
	}
	// A file that exists is not opened here, because closing it would release the
	// locks that SQLite holds on it in this process.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return file, nil
	}
	if err != nil {
		return "", fmt.Errorf("sqlstore: %w", err)
	}
	return file, f.Close()
}

// fileOf returns the file of the database that a DSN names.
func fileOf(path string) string {
	if filepath.Ext(path) != ".db" {
		return filepath.Join(path, "samla.db")
	}
	return path
}

// Beside returns the path of a file or directory beside the file of the SQLite database
// that a DSN names.
func Beside(dsn, name string) string { return filepath.Join(filepath.Dir(fileOf(dsn)), name) }

func sqliteURL(file, more string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": pragmas}
	if more != "" {
		q["_pragma"] = append(append([]string(nil), pragmas...), more)
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

func checkVersion(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return fmt.Errorf("SQLite: %w", err)
	}
	if !newEnough(version) {
		return fmt.Errorf("SQLite %s is too old, 3.51.3 or later is needed", version)
	}
	return nil
}

func newEnough(version string) bool {
	parts := strings.Split(version, ".")
	for i, want := range oldestSQLite {
		if i >= len(parts) {
			return false
		}
		have, err := strconv.Atoi(parts[i])
		if err != nil || have != want {
			return err == nil && have > want
		}
	}
	return true
}

func (s *sqlite) migrate(ctx context.Context, file string, cfg Config) error {
	lock, err := lockFile(file+".migrate", true)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, goose.DialectSQLite3, s.writer, cfg), lock.Close())
}

func (s *sqlite) newGroupCommit() *groupCommit {
	do := func(text string) func() error {
		return func() error {
			_, err := s.w.exec(context.Background(), text)
			return err
		}
	}
	rollbackTo, release := do(`ROLLBACK TO one`), do(`RELEASE one`)
	return &groupCommit{
		begin: do(`BEGIN IMMEDIATE`), commit: do(`COMMIT`), rollback: do(`ROLLBACK`),
		savepoint: do(`SAVEPOINT one`), release: release,
		rollbackTo: func() error {
			if err := rollbackTo(); err != nil {
				return err
			}
			return release()
		},
	}
}

func (s *sqlite) reads() querier { return &s.r }

func (s *sqlite) write(ctx context.Context, fn func(querier) error) error {
	return s.group.run(ctx, func() error { return fn(&s.w) })
}

func (s *sqlite) kind() string { return "sqlite" }

func (s *sqlite) arrays() bool { return false }

func (s *sqlite) locks() locks { return locks{} }

func (s *sqlite) ping(ctx context.Context) error {
	_, err := one(ctx, &s.r, column[int64], `SELECT COUNT(*) FROM (SELECT 1 FROM clients LIMIT 1) AS c`)
	return err
}

// close closes what was opened. The last connection moves the WAL into the file.
func (s *sqlite) close() error {
	if s.group != nil {
		s.group.close()
	}
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.conn != nil {
		for _, stmt := range s.w.stmts {
			errs = append(errs, stmt.Close())
		}
		errs = append(errs, s.conn.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// sqliteRows are the rows of database/sql without the error of Close, which Err
// returns too.
type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }

// sqliteWriter runs statements on the writer's connection. The group commit lets
// one caller use it at a time. A caller's context is checked between statements
// only, because it must not interrupt a transaction that others share.
type sqliteWriter struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (w *sqliteWriter) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if stmt, ok := w.stmts[text]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(context.Background(), text)
	if err == nil {
		w.stmts[text] = stmt
	}
	return stmt, err
}

func (w *sqliteWriter) exec(ctx context.Context, text string, args ...any) (int64, error) {
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (w *sqliteWriter) execLater(ctx context.Context, text string, args ...any) error {
	_, err := w.exec(ctx, text, args...)
	return err
}

func (w *sqliteWriter) query(ctx context.Context, text string, args ...any) (rows, error) {
	stmt, err := w.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	found, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{found}, nil
}

// sqliteReader runs queries on any of the readers' connections. It does not watch
// the context during a query, unless it is told to (store.Watch): that would cost more than
// most queries.
type sqliteReader struct {
	db    *sql.DB
	stmts sync.Map // text -> *sql.Stmt
}

var errReadOnly = errors.New("sqlstore: write outside of a transaction")

func (r *sqliteReader) exec(context.Context, string, ...any) (int64, error) { return 0, errReadOnly }

func (r *sqliteReader) execLater(context.Context, string, ...any) error { return errReadOnly }

func (r *sqliteReader) query(ctx context.Context, text string, args ...any) (rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stmt, ok := r.stmts.Load(text)
	if !ok {
		fresh, err := r.db.PrepareContext(context.Background(), text)
		if err != nil {
			return nil, err
		}
		if stmt, ok = r.stmts.LoadOrStore(text, fresh); ok {
			_ = fresh.Close()
		}
	}
	if store.Watched(ctx) {
		found, err := stmt.(*sql.Stmt).QueryContext(ctx, args...)
		if err != nil {
			return nil, err
		}
		return &watchedRows{Rows: found, ctx: ctx}, nil
	}
	found, err := stmt.(*sql.Stmt).QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{found}, nil
}
