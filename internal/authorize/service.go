// Package authorize owns the life of consents: it makes them, takes the person
// through the authorisation at the bank, watches over them and ends them. The
// rules are package consent's; here they meet the bank, the store and the clock.
//
// The order of deeds is always the same: the intention is committed, then the
// bank is called, then the outcome is committed, then it is told.
package authorize

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/watch"
)

// Deps is what the service works with. All members but Watch and Subscribers are
// required.
type Deps struct {
	Store        store.Store
	Vault        seal.Vault
	Institutions institution.Set
	Pump         *jobs.Runner
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	Watch        WatchLimits
	Subscribers  []EndSubscriber // told of each consent that ends, after the audit log
}

// consentWorkers is how many consents are opened, authorized or checked at once by
// a node. Following an authorization holds none of them.
const consentWorkers = 256

// Service is safe for concurrent use.
type Service struct {
	Deps
	instructions *instructionCache
	watching     *watch.Scheduler
	watched      sync.Map      // consent id -> *visit, of what the scheduler watches
	refreshes    chan struct{} // questions of polls under way
	subscribers  []EndSubscriber
	leftCount    atomic.Int64 // consents that may be left at a bank, since the start
}

// New makes the service and registers its queue with the pump.
func New(d Deps) *Service {
	s := &Service{Deps: d, instructions: newInstructionCache(), refreshes: make(chan struct{}, maxRefreshes)}
	s.watching = s.newScheduler()
	s.subscribers = append([]EndSubscriber{auditEnd{s}}, d.Subscribers...)
	d.Pump.Register(jobs.Queue{Name: store.Consents, Workers: consentWorkers, Handle: s.Step, LastResort: s.giveUp})
	return s
}
