// Package authorize owns the life of consents: it makes them, takes the person
// through the authorisation at the bank, watches over them and ends them. The
// rules are package consent's; here they meet the bank, the store and the clock.
//
// The order of deeds is always the same: the intention is committed, then the
// bank is called, then the outcome is committed, then it is told.
package authorize

import (
	"log/slog"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Deps is what the service works with. All members but Subscribers are required.
type Deps struct {
	Store        store.Store
	Vault        seal.Vault
	Institutions institution.Set
	Pump         *jobs.Runner
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	Subscribers  []EndSubscriber // told of each consent that ends, after the audit log
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	live        *live
	subscribers []EndSubscriber
}

// New makes the service and registers its queues with the pump.
func New(d Deps) *Service {
	s := &Service{Deps: d, live: newLive()}
	s.subscribers = append([]EndSubscriber{auditEnd{s}}, d.Subscribers...)
	d.Pump.Register(jobs.Queue{Name: store.Consents, Workers: 2048, Handle: s.Step})
	d.Pump.Register(jobs.Queue{Name: store.Outbox, Workers: 32, Handle: s.Deliver, MaxAttempts: -1})
	return s
}
