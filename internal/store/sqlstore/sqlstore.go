// Package sqlstore implements package store on SQLite and on PostgreSQL, with one
// SQL text for both and a file per entity. Files sqlite.go and postgres.go open a
// database and run transactions in the way that is fast on their engine. Open
// applies the migrations.
package sqlstore

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/user"
)

// Config says which database to open.
type Config struct {
	// DSN is a URL (postgres://...), or for SQLite a directory, or a file whose
	// name ends in .db. A directory or file that does not exist is created.
	DSN string
	// Exclusive is for the one server of a SQLite data directory: Open returns
	// ErrInUse when another server has it, and status polls are answered from a
	// cache. Other programs may open the directory at the same time, but must not
	// write users, consents or collections. It has no effect on PostgreSQL.
	Exclusive bool
	// Readers is how many SQLite connections read at once; 0 = 4.
	Readers int
	// Conns is how many PostgreSQL connections are open at most; 0 = 16, unless
	// the URL has pool_max_conns.
	Conns int
	// Observer is told of transactions; nil = nobody is.
	Observer Observer
	// Trace is called with each transaction that writes, and returns what is called with its
	// error; nil = they are not traced.
	Trace func(ctx context.Context) func(error)
	// Logger logs applied migrations; nil = none.
	Logger *slog.Logger

	schema int64 // the last migration to apply; 0 = all
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
	// snapshot runs fn in a transaction that reads one state while others write.
	snapshot(ctx context.Context, fn func(catalog) error) error
	// load runs fn in a transaction that fills tables.
	load(ctx context.Context, fn func(loader) error) error
	pooled() Pool
	close() error
}

// locks are the clauses that lock the rows of a query. They are empty on SQLite,
// where a writer is alone.
type locks struct {
	forUpdate  string // waits for the rows, and keeps others from locking them
	skipLocked string // skips rows that others have locked
	forShare   string // lets others lock them in the same way, but not write them
}

// Store implements store.Store. It is made by Open.
type Store struct {
	reader
	db     engine
	status statusReader
	full   atomic.Bool   // the last write found the disk full
	events chan struct{} // has room for one value; see store.EventSignal
	users  *sharedInserts[user.User]
	access *sharedInserts[audit.Entry]

	observer Observer
	trace    func(ctx context.Context) func(error) // may be nil
}

// reader implements store.Reader on a transaction or outside of one.
type reader struct{ q querier }

// tx implements store.Tx.
type tx struct {
	reader
	locks      locks
	changed    []string // ids whose views the commit changes
	allChanged bool     // it can change every view
	addsEvents bool
	entries    []audit.Entry // that it adds to the audit log; of interest to an Observer only
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
	s := &Store{reader: reader{db.reads()}, db: db, events: make(chan struct{}, 1), observer: cfg.Observer, trace: cfg.Trace}
	if s.observer == nil {
		s.observer = nobody{}
	}
	s.status = newStatusReader(s.q, !postgres && cfg.Exclusive, postgres)
	write := db.write
	if postgres { // one statement is a transaction
		write = func(_ context.Context, fn func(querier) error) error { return fn(s.q) }
	}
	s.users = newSharedInserts(userWorkers, userBatch, write, insertUserRows)
	s.access = newSharedInserts(accessWorkers, accessBatch, write, insertEntries)
	return s, nil
}

// Write implements store.Transactor. On SQLite the transactions of concurrent
// callers share one commit, and all other writers wait while fn runs: fn must not
// wait for anything outside, nor call Write or AddDataKey of the store.
func (s *Store) Write(ctx context.Context, fn func(store.Tx) error) (err error) {
	if s.trace != nil {
		end := s.trace(ctx)
		defer func() { end(err) }()
	}
	var written []*tx // more than one when the transaction was repeated
	began := clock.System().Now()
	defer func() {
		for _, t := range written {
			s.status.endWrite(t)
			if t.addsEvents { // also where the outcome of the commit is not known
				s.signalEvents()
			}
		}
	}()
	err = s.db.write(ctx, func(q querier) error {
		t := &tx{reader: reader{q}, locks: s.db.locks()}
		if err := fn(t); err != nil {
			return err
		}
		// From before the commit until it is acknowledged, polls of these rows read
		// the database.
		written = append(written, t)
		s.status.beginWrite(t)
		return nil
	})
	outage := OutageOf(err)
	if outage == store.DiskFull {
		s.full.Store(true)
	}
	s.observer.Transaction(clock.System().Now().Sub(began), err != nil, outage)
	if err == nil && len(written) > 0 {
		s.observer.Recorded(written[len(written)-1].entries)
	}
	return err
}

// signalEvents tells the sequencer that events were added.
func (s *Store) signalEvents() {
	select {
	case s.events <- struct{}{}:
	default: // a signal waits already
	}
}

// conflict returns why a compare-and-swap changed no row.
func (t *tx) conflict(ctx context.Context, table, id string) error {
	if _, err := one(ctx, t.q, column[int64], `SELECT rev FROM `+table+` WHERE id = $1`, id); err != nil {
		return err
	}
	return store.ErrConflict
}

// changesAll notes that the transaction can change every view.
func (t *tx) changesAll() { t.allChanged = true }

// changesCollection notes that the transaction changes the view of a collection.
func (t *tx) changesCollection(id string) { t.changed = append(t.changed, id) }

// changesConsent notes that the transaction changes the view of a consent, and of
// the collection that the consent lives inside, if any.
func (t *tx) changesConsent(id, collectionID string) {
	t.changed = append(t.changed, id)
	if collectionID != "" {
		t.changed = append(t.changed, collectionID)
	}
}

// Kind implements store.Store.
func (s *Store) Kind() string { return s.db.kind() }

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.ping(ctx); err != nil || !s.full.Load() {
		return err
	}
	// Reads succeed on a full disk. Only a write shows that there is room again.
	if err := s.db.write(ctx, func(q querier) error { return probe(ctx, q) }); err != nil {
		return err
	}
	s.full.Store(false)
	return nil
}

// probeSize is the size in bytes of what probe writes: more than is left free in pages
// of the tables.
const probeSize = 256 << 10

// probe writes a row and deletes it again.
func probe(ctx context.Context, q querier) error {
	if _, err := q.exec(ctx, `INSERT INTO data_keys (subject, wrapped, destroyed_at) VALUES ('probe', $1, 0)`, make([]byte, probeSize)); err != nil {
		return err
	}
	_, err := q.exec(ctx, `DELETE FROM data_keys WHERE subject = 'probe'`)
	return err
}

// Close implements store.Store. It waits for running writes.
func (s *Store) Close() error { return s.db.close() }
