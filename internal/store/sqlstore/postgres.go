package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"samla/internal/clock"
)

const (
	// migrateLock is the advisory lock that a node holds while it migrates.
	migrateLock = 0x53616d6c61
	// maxAttempts is how often a transaction is run that PostgreSQL rolls back
	// because of another one.
	maxAttempts = 8
	// firstWait and longestWait bound the wait between two of these runs, so that
	// the other transaction can commit.
	firstWait, longestWait = 10 * time.Millisecond, 200 * time.Millisecond
	// detachedTimeout bounds work that has no caller's context: a batch of several
	// callers, or a rollback after the caller's context has ended.
	detachedTimeout = 10 * time.Second
)

// postgres is a database on a server, which several nodes may share.
type postgres struct {
	pool      *pgxpool.Pool
	committed func(callers int, took time.Duration) // after each commit; may be nil
}

func openPostgres(ctx context.Context, cfg Config) (engine, error) {
	config, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	switch {
	case cfg.Conns > 0:
		config.MaxConns = int32(cfg.Conns)
	case !strings.Contains(cfg.DSN, "pool_max_conns"):
		config.MaxConns = 16
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	p := &postgres{pool: pool}
	if cfg.Observer != nil {
		p.committed = cfg.Observer.Commit
	}
	if err := p.migrate(ctx, cfg); err != nil {
		pool.Close()
		return nil, err
	}
	return p, nil
}

func (p *postgres) migrate(ctx context.Context, cfg Config) error {
	// The lock has its own connection and is released when that is closed.
	conn, err := pgx.ConnectConfig(ctx, p.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return fmt.Errorf("sqlstore: wait for another node's migration: %w", err)
	}
	db := stdlib.OpenDBFromPool(p.pool)
	return errors.Join(migrate(ctx, goose.DialectPostgres, db, cfg), db.Close())
}

func (p *postgres) kind() string { return "postgres" }

func (p *postgres) arrays() bool { return true }

func (p *postgres) locks() locks {
	return locks{forUpdate: ` FOR UPDATE`, skipLocked: ` FOR UPDATE SKIP LOCKED`, forShare: ` FOR SHARE`}
}

func (p *postgres) ping(ctx context.Context) error { return p.pool.Ping(ctx) }

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

func (p *postgres) reads() querier { return pool{p.pool} }

// write runs fn again when PostgreSQL rolls its transaction back because of a
// deadlock or a serialization failure. It waits before it does.
func (p *postgres) write(ctx context.Context, fn func(querier) error) error {
	for attempt := 1; ; attempt++ {
		err := p.writeOnce(ctx, fn)
		var failed *pgconn.PgError
		again := errors.As(err, &failed) && (failed.Code == "40001" || failed.Code == "40P01")
		if !again || attempt == maxAttempts {
			return err
		}
		if clock.Sleep(ctx, clock.System(), clock.Backoff(attempt, firstWait, longestWait)) != nil {
			return err
		}
	}
}

func (p *postgres) writeOnce(ctx context.Context, fn func(querier) error) (err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	t := &pgTx{conn: conn.Conn()}
	defer func() {
		// Also when fn panics. Release closes a connection that is still in a
		// transaction.
		if t.begun && conn.Conn().PgConn().TxStatus() != 'I' {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), detachedTimeout)
			defer cancel()
			_, _ = conn.Exec(ctx, `ROLLBACK`)
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	began := clock.System().Now()
	err = t.commit(ctx)
	if err == nil && t.begun && p.committed != nil {
		p.committed(1, clock.System().Now().Sub(began))
	}
	return err
}

// pool runs statements outside of transactions.
type pool struct{ *pgxpool.Pool }

func (p pool) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := p.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

func (p pool) execLater(ctx context.Context, text string, args ...any) error {
	_, err := p.exec(ctx, text, args...)
	return err
}

func (p pool) query(ctx context.Context, text string, args ...any) (rows, error) {
	return p.Query(ctx, text, args...)
}

// pgTx is a transaction that saves round trips. It sends BEGIN with the first
// statement, and the statements of execLater with the next one or with the commit.
type pgTx struct {
	conn   *pgx.Conn
	begun  bool
	queued pgx.Batch
}

func (t *pgTx) add(text string, args []any) {
	if !t.begun {
		t.begun = true
		t.queued.Queue(`BEGIN`)
	}
	t.queued.Queue(text, args...)
}

// send sends the queued statements and reads the outcome of all but the last.
func (t *pgTx) send(ctx context.Context) (pgx.BatchResults, error) {
	batch := t.queued
	t.queued = pgx.Batch{}
	results := t.conn.SendBatch(ctx, &batch)
	for range batch.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, err
		}
	}
	return results, nil
}

func (t *pgTx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	t.add(text, args)
	results, err := t.send(ctx)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

func (t *pgTx) execLater(ctx context.Context, text string, args ...any) error {
	t.add(text, args)
	return ctx.Err()
}

func (t *pgTx) query(ctx context.Context, text string, args ...any) (rows, error) {
	t.add(text, args)
	results, err := t.send(ctx)
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return &pgRows{Rows: found, results: results}, nil
}

// errAborted means that a statement failed and fn returned nil nevertheless.
var errAborted = errors.New("sqlstore: the transaction was rolled back by the database")

func (t *pgTx) commit(ctx context.Context) error {
	if !t.begun {
		return ctx.Err()
	}
	t.queued.Queue(`COMMIT`)
	results, err := t.send(ctx)
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err := errors.Join(err, results.Close()); err != nil {
		return err
	}
	if tag.String() != "COMMIT" {
		return errAborted
	}
	return nil
}

// pgRows are the rows of the last statement of a batch. Closing them closes the
// batch.
type pgRows struct {
	pgx.Rows
	results pgx.BatchResults
	closed  bool
	err     error
}

func (r *pgRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.Rows.Close()
	r.err = r.results.Close()
}

func (r *pgRows) Err() error { return errors.Join(r.Rows.Err(), r.err) }
