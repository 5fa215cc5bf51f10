package sqlstore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
	"samla/internal/user"
)

// callers is how many goroutines the benchmarks run at once.
const callers = 64

var began = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// parallel runs fn b.N times in all.
func parallel(b *testing.B, fn func() error) {
	b.SetParallelism((callers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fn(); err != nil {
				b.Error(err)
			}
		}
	})
}

const bareTable = `CREATE TABLE bare (id TEXT PRIMARY KEY, client_id TEXT NOT NULL, external_id TEXT NOT NULL, created_at BIGINT NOT NULL)`
const bareInsert = `INSERT INTO bare VALUES ($1, $2, $3, $4)`

// BenchmarkCreate compares a user with an audit entry, stored by Write, with the
// bare INSERT and commit of one row on the same engine and driver.
func BenchmarkCreate(b *testing.B) {
	client := newID()
	create := func(b *testing.B, cfg sqlstore.Config) {
		s := open(b, cfg)
		ctx := context.Background()
		parallel(b, func() error {
			id := newID()
			return s.Write(ctx, func(tx store.Tx) error {
				if err := tx.AddUser(ctx, user.User{ID: id, ClientID: client, ExternalID: id, CreatedAt: began, UpdatedAt: began}); err != nil {
					return err
				}
				return tx.AddAuditEntry(ctx, audit.Entry{ID: newID(), At: began, ClientID: client, UserID: id, Kind: "USER_CREATED", Detail: []byte("{}")})
			})
		})
	}
	b.Run("sqlite/bare", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+
			"?_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		db.SetMaxOpenConns(1)
		if _, err := db.Exec(bareTable); err != nil {
			b.Fatal(err)
		}
		insert, err := db.Prepare(bareInsert)
		if err != nil {
			b.Fatal(err)
		}
		parallel(b, func() error {
			id := newID()
			_, err := insert.Exec(id, client, id, began.UnixMicro())
			return err
		})
	})
	b.Run("sqlite/write", func(b *testing.B) { create(b, sqlstore.Config{DSN: b.TempDir(), Exclusive: true}) })
	b.Run("postgres/bare", func(b *testing.B) {
		ctx := context.Background()
		pool, err := pgxpool.New(ctx, testpg.URL(b)+"&pool_max_conns=16")
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		if _, err := pool.Exec(ctx, bareTable); err != nil {
			b.Fatal(err)
		}
		parallel(b, func() error {
			id := newID()
			_, err := pool.Exec(ctx, bareInsert, id, client, id, began.UnixMicro())
			return err
		})
	})
	b.Run("postgres/write", func(b *testing.B) { create(b, sqlstore.Config{DSN: testpg.URL(b)}) })
}

// BenchmarkStatus compares single reads of a consent with polls that share
// queries, and with polls answered from the status cache.
func BenchmarkStatus(b *testing.B) {
	seeded := func(b *testing.B, cfg sqlstore.Config) (*sqlstore.Store, func() consent.ID) {
		s := open(b, cfg)
		ctx := context.Background()
		ids := make([]consent.ID, 512)
		u := user.User{ID: newID(), ClientID: newID(), ExternalID: "x", CreatedAt: began}
		if err := s.Write(ctx, func(tx store.Tx) error {
			if err := tx.AddUser(ctx, u); err != nil {
				return err
			}
			for i := range ids {
				ids[i] = consent.ID(newID())
				if err := tx.AddConsent(ctx, consent.Consent{ID: ids[i], ClientID: u.ClientID, UserID: u.ID, Company: "testbank",
					Status: consent.AwaitingAuthorization, Step: consent.StepWatch, Requested: consent.Scope{Balances: true, Transactions: true},
					CreatedAt: began, StatusChangedAt: began, AuthorizeBy: began, WakeAt: began, Sealed: make([]byte, 400)}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		var next atomic.Int64
		return s, func() consent.ID {
			return ids[int(next.Add(1))%len(ids)]
		}
	}
	single := func(b *testing.B, cfg sqlstore.Config) {
		s, id := seeded(b, cfg)
		parallel(b, func() error { _, err := s.Consent(context.Background(), id()); return err })
	}
	shared := func(b *testing.B, cfg sqlstore.Config) {
		s, id := seeded(b, cfg)
		parallel(b, func() error { _, err := s.ConsentStatus(context.Background(), id()); return err })
	}
	b.Run("sqlite/single", func(b *testing.B) { single(b, sqlstore.Config{DSN: b.TempDir()}) })
	b.Run("sqlite/shared", func(b *testing.B) { shared(b, sqlstore.Config{DSN: b.TempDir()}) })
	b.Run("sqlite/cached", func(b *testing.B) { shared(b, sqlstore.Config{DSN: b.TempDir(), Exclusive: true}) })
	b.Run("postgres/single", func(b *testing.B) { single(b, sqlstore.Config{DSN: testpg.URL(b)}) })
	b.Run("postgres/shared", func(b *testing.B) { shared(b, sqlstore.Config{DSN: testpg.URL(b)}) })
}
