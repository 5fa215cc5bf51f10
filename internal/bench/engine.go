package bench

import (
	"context"
	"database/sql"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // database/sql driver
)

// engine is a database with one table into which rows are inserted, one per transaction.
type engine struct {
	insert func(ctx context.Context, id string, n int64) error
	close  func()
}

// The table has the columns and indexes of the users table.
const (
	limitTable = `CREATE TABLE IF NOT EXISTS bench_limit (id TEXT PRIMARY KEY, client TEXT NOT NULL, external TEXT NOT NULL,
		created BIGINT NOT NULL, updated BIGINT NOT NULL, UNIQUE (client, external))`
	limitInsert = `INSERT INTO bench_limit (id, client, external, created, updated) VALUES ($1, $2, $3, $4, $5)`
)

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
	return &engine{close: pool.Close, insert: func(ctx context.Context, id string, n int64) error {
		_, err := pool.Exec(ctx, limitInsert, id, "client", "customer-"+id, n, n)
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
	statement, err := db.PrepareContext(ctx, limitInsert)
	if err != nil {
		return nil, err
	}
	return &engine{close: func() { _ = db.Close() }, insert: func(ctx context.Context, id string, n int64) error {
		_, err := statement.ExecContext(ctx, id, "client", "customer-"+id, n, n)
		return err
	}}, nil
}

// inserts returns a function for measure that runs n callers, each of which inserts and
// commits rows.
func (e *engine) inserts(n int) func(context.Context, time.Duration) (int, error) {
	var rows atomic.Int64
	return func(ctx context.Context, d time.Duration) (int, error) {
		return runWorkers(ctx, n, d, sameOperation(func() error {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			return e.insert(ctx, id.String(), rows.Add(1))
		}))
	}
}
