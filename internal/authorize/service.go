// Package authorize drives consents: it creates them, opens and authorizes them at
// the bank, checks them daily, ends them and tells the bank of the end. The rules
// are in package consent, which knows no bank, no store and no clock.
//
// Side effects have a fixed order: the intention is committed, the bank is called,
// the outcome is committed, and only then anybody is told of it.
package authorize

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/watch"
)

// Deps is what the service works with. All members but WarnAhead, OpenTime, Watch,
// Journal, Random, PublicURL, Subscribers, Observer and Mark are required.
type Deps struct {
	Store        store.Store
	Vault        seal.Vault
	Institutions institution.Institutions
	Jobs         *jobs.Runner
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	WarnAhead    time.Duration // how long before its end a client is warned of it; 0 = consent.WarnAhead
	OpenTime     time.Duration // from the creation of a consent until its authorization has started; 0 = 1 min
	Watch        WatchLimits
	Journal      journal.Recorder // nil: none
	Random       io.Reader        // of states; safe for concurrent use; nil = the machine's
	PublicURL    func() string    // base URL of this server as browsers reach it; nil = none
	Subscribers  []EndSubscriber  // run for each consent that ends, after the audit log and the events
	Observer     Observer         // nil: none
	// OutageOf returns the outage of the store that an error is about, or ""; nil: none is known.
	OutageOf func(error) store.Outage
	// Mark returns the hash of the person with a personal number (consent.Consent.Person);
	// nil: nobody is recognized.
	Mark func(ctx context.Context, number string) (string, error)
}

// consentWorkers is how many consents are opened, authorized or checked at once by
// a node, half of them at one bank. Following an authorization holds none of them.
const consentWorkers = 512

// Service is safe for concurrent use.
type Service struct {
	Deps
	instructions *instructionCache
	watching     *watch.Scheduler
	watched      sync.Map      // consent id -> *job, of what the scheduler watches
	refreshes    chan struct{} // questions of polls under way
	subscribers  []EndSubscriber
	denials      *denials        // of refresh tokens
	refusals     *denials        // of access tokens that should be good
	running      context.Context // ends with the service
	stop         context.CancelFunc
	leftovers    atomic.Int64 // consents that may be left at a bank, since the start
}

// New returns the service and registers its queue with the runner.
func New(d Deps) *Service {
	d.OpenTime, d.WarnAhead = cmp.Or(d.OpenTime, openTime), cmp.Or(d.WarnAhead, consent.WarnAhead)
	d.Journal = journal.Or(d.Journal)
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.PublicURL == nil {
		d.PublicURL = func() string { return "" }
	}
	if d.OutageOf == nil {
		d.OutageOf = func(error) store.Outage { return "" }
	}
	if d.Observer == nil {
		d.Observer = unobserved{}
	}
	s := &Service{Deps: d, instructions: newInstructionCache(), denials: newDenials(), refusals: newDenials(), refreshes: make(chan struct{}, maxRefreshes)}
	s.running, s.stop = context.WithCancel(context.Background())
	s.watching = s.newScheduler()
	s.subscribers = append([]EndSubscriber{auditEnd{s}, tellEnd{s}}, d.Subscribers...)
	d.Jobs.Register(jobs.Queue{Name: store.Consents, Workers: consentWorkers, Handle: s.Handle, LastResort: s.giveUp,
		Overdue: func(now time.Time) store.Overdue { return store.Overdue{Consents: now.Add(-s.OpenTime)} }})
	return s
}
