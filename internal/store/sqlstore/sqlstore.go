// Package sqlstore keeps everything in SQL: it implements package store on SQLite
// and on PostgreSQL with one text for both, a file per entity. Files sqlite.go
// and postgres.go only open, and run transactions in the way that is fast on
// their engine; migrations are applied on start.
package sqlstore

import (
	"context"
	"log/slog"
	"strings"

	"samla/internal/store"
)

// Config tells which database to open.
type Config struct {
	// DSN is a URL (postgres://...), or for SQLite a directory, or a file whose
	// name ends in .db. What does not exist is made.
	DSN string
	// Exclusive is for the one server of a SQLite data directory: Open returns
	// ErrInUse when there is one, and status polls are answered from memory. Other
	// programs may open the directory beside it, but must not write consents or
	// collections. On PostgreSQL it has no meaning.
	Exclusive bool
	// Readers is how many SQLite connections read at once; 0 = 4.
	Readers int
	// Conns is how many PostgreSQL connections are open at most; 0 = 16, unless
	// the URL has pool_max_conns.
	Conns int
	// Logger hears of applied migrations; nil = none.
	Logger *slog.Logger
}

// engine is what differs between the databases.
type engine interface {
	// reads is for single statements outside of a transaction.
	reads() querier
	// write runs fn as store.Store.Write promises.
	write(ctx context.Context, fn func(querier) error) error
	kind() string
	arrays() bool // whether arguments can be arrays
	locks() locks
	ping(ctx context.Context) error
	close() error
}

// locks are the clauses that lock the rows of a query. They are empty on SQLite,
// where a writer is alone.
type locks struct {
	row   string // waits for the rows, and locks them alone
	free  string // skips rows that others have locked
	share string // lets others lock them in the same way, but not write them
}

// Store implements store.Store. It is made by Open.
type Store struct {
	reader
	db    engine
	hot   hot
	users *userBatcher // nil where commits are shared anyway
}

// reader implements store.Reader on a transaction or outside of one.
type reader struct{ q querier }

// tx implements store.Tx.
type tx struct {
	reader
	locks   locks
	touched []string // ids whose cached polls are out of date with the commit
	all     bool     // every cached poll is
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Tx    = (*tx)(nil)
)

// Open opens the database and brings its tables up to date. Several processes
// may do so at the same time.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var db engine
	var err error
	postgres := strings.HasPrefix(cfg.DSN, "postgres://") || strings.HasPrefix(cfg.DSN, "postgresql://")
	if postgres {
		db, err = openPostgres(ctx, cfg)
	} else {
		db, err = openSQLite(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{reader: reader{db.reads()}, db: db}
	s.hot = newHot(s.q, !postgres && cfg.Exclusive, postgres)
	if postgres {
		s.users = newUserBatcher(s.q)
	}
	return s, nil
}

// Write implements store.Store. On SQLite the transactions of concurrent callers
// share one commit, and fn keeps all other writers waiting: it must not wait for
// anything outside, nor call Write or AddDataKey of the store.
func (s *Store) Write(ctx context.Context, fn func(store.Tx) error) error {
	var touched []*tx
	defer func() {
		for _, t := range touched {
			s.hot.release(t)
		}
	}()
	return s.db.write(ctx, func(q querier) error {
		t := &tx{reader: reader{q}, locks: s.db.locks()}
		if err := fn(t); err != nil {
			return err
		}
		// Before the commit, and until the caller knows of it, polls go to the
		// database.
		touched = append(touched, t)
		s.hot.hold(t)
		return nil
	})
}

// lost tells why a compare-and-swap changed nothing.
func (t *tx) lost(ctx context.Context, table, id string) error {
	if _, err := one(ctx, t.q, column[int64], `SELECT rev FROM `+table+` WHERE id = $1`, id); err != nil {
		return err
	}
	return store.ErrConflict
}

func (t *tx) touchAll() { t.all = true }

func (t *tx) touchCollection(id string) { t.touched = append(t.touched, id) }

// touchConsent also touches the collection the consent lives inside, if any.
func (t *tx) touchConsent(id, collectionID string) {
	t.touched = append(t.touched, id)
	if collectionID != "" {
		t.touched = append(t.touched, collectionID)
	}
}

// Kind implements store.Store.
func (s *Store) Kind() string { return s.db.kind() }

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error { return s.db.ping(ctx) }

// Close implements store.Store. It waits for the writes that are under way.
func (s *Store) Close() error { return s.db.close() }
