package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // database/sql driver
)

// engine is a database with one table into which rows are inserted. Rows that wait at the
// same time are stored together, in the way in which the store groups them: SQLite takes
// them in one transaction, PostgreSQL in one statement.
type engine struct {
	insert  func(ctx context.Context, rows []limitRow) error
	workers int // inserts at once
	size    int // rows of an insert at most
	close   func()
}

// limitRow is a row to insert. Its error is sent to done.
type limitRow struct {
	id   string
	n    int64
	done chan error
}

func (r limitRow) values() []any { return []any{r.id, "client", "customer-" + r.id, r.n, r.n} }

// The table has the columns and indexes of the users table.
const (
	limitTable = `CREATE TABLE IF NOT EXISTS bench_limit (id TEXT PRIMARY KEY, client TEXT NOT NULL, external TEXT NOT NULL,
		created BIGINT NOT NULL, updated BIGINT NOT NULL, UNIQUE (client, external))`
	limitInsert = `INSERT INTO bench_limit (id, client, external, created, updated) VALUES `
	limitFields = 5
)

// limitStatement returns the statement that inserts n rows.
func limitStatement(n int) string {
	rows := make([]string, n)
	for i := range rows {
		f := i * limitFields
		rows[i] = fmt.Sprintf("($%d, $%d, $%d, $%d, $%d)", f+1, f+2, f+3, f+4, f+5)
	}
	return limitInsert + strings.Join(rows, ", ")
}

func openEngine(ctx context.Context, database, dir string) (*engine, error) {
	if database != "" {
		return openPostgres(ctx, database)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return openSQLite(ctx, dir)
}

func openPostgres(ctx context.Context, url string) (*engine, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, limitTable); err != nil {
		return nil, err
	}
	const workers, size = 4, 32 // as the store creates users
	statements := make([]string, size+1)
	for n := 1; n <= size; n++ {
		statements[n] = limitStatement(n)
	}
	return &engine{close: pool.Close, workers: workers, size: size, insert: func(ctx context.Context, rows []limitRow) error {
		args := make([]any, 0, len(rows)*limitFields)
		for _, r := range rows {
			args = append(args, r.values()...)
		}
		_, err := pool.Exec(ctx, statements[len(rows)], args...)
		return err
	}}, nil
}

func openSQLite(ctx context.Context, dir string) (*engine, error) {
	db, err := sql.Open("sqlite", "file:"+dir+"/limit.db?_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, limitTable); err != nil {
		return nil, err
	}
	statement, err := db.PrepareContext(ctx, limitStatement(1))
	if err != nil {
		return nil, err
	}
	insert := func(ctx context.Context, rows []limitRow) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		one := tx.StmtContext(ctx, statement)
		for _, r := range rows {
			if _, err := one.ExecContext(ctx, r.values()...); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	return &engine{close: func() { _ = db.Close() }, workers: 1, size: 256, insert: insert}, nil
}

// start starts the workers, and returns a function that inserts a row and waits until it
// is committed, and one that ends the workers. n is the number of callers at most.
func (e *engine) start(ctx context.Context, n int) (insert func() error, end func()) {
	var count atomic.Int64
	waiting := make(chan limitRow, n)
	for range e.workers {
		go e.work(ctx, waiting)
	}
	return func() error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		r := limitRow{id.String(), count.Add(1), make(chan error, 1)}
		waiting <- r
		return <-r.done
	}, func() { close(waiting) }
}

// work inserts the rows that wait, until the channel is closed.
func (e *engine) work(ctx context.Context, waiting <-chan limitRow) {
	for first := range waiting {
		rows := []limitRow{first}
		for more := true; more && len(rows) < e.size; {
			select {
			case r, open := <-waiting:
				if more = open; open {
					rows = append(rows, r)
				}
			default:
				more = false
			}
		}
		err := e.insert(ctx, rows)
		for _, r := range rows {
			r.done <- err
		}
	}
}
