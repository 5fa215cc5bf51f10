package sqlstore

import (
	"time"

	"samla/internal/audit"
	"samla/internal/store"
)

// Observer is told what the database does, for metrics and traces. Its methods must return
// at once, be safe for concurrent use, and not call the store.
type Observer interface {
	// Transaction is called after each transaction of Store.Write: how long it took, with
	// the wait for its turn and for the commit, and whether it was undone. outage is "" if
	// the database was not the reason.
	Transaction(took time.Duration, undone bool, outage store.Outage)
	// Commit is called after each commit that wrote to the disk, with the number of
	// transactions that shared it and the time of the commit alone.
	Commit(transactions int, took time.Duration)
	// Recorded is called after a commit with the entries of the audit log in it. They say
	// what has happened to consents and collections.
	Recorded(entries []audit.Entry)
}

type nobody struct{}

func (nobody) Transaction(time.Duration, bool, store.Outage) {}
func (nobody) Commit(int, time.Duration)                     {}
func (nobody) Recorded([]audit.Entry)                        {}

// Pool is the state of the connections that read (SQLite), or of all (PostgreSQL).
type Pool struct {
	Max, Open, InUse int
	Waits            int64         // for a connection, since the start
	Waited           time.Duration // in all of them
}

// Pool returns the state of the connections. It asks the database nothing.
func (s *Store) Pool() Pool { return s.db.pooled() }

func (s *sqlite) pooled() Pool {
	p := s.readers.Stats()
	return Pool{Max: p.MaxOpenConnections, Open: p.OpenConnections, InUse: p.InUse, Waits: p.WaitCount, Waited: p.WaitDuration}
}

func (p *postgres) pooled() Pool {
	s := p.pool.Stat()
	return Pool{Max: int(s.MaxConns()), Open: int(s.TotalConns()), InUse: int(s.AcquiredConns()), Waits: s.EmptyAcquireCount(), Waited: s.EmptyAcquireWaitTime()}
}
