package server

import (
	"context"

	"samla/internal/api"
	"samla/internal/authorize"
	"samla/internal/event"
	"samla/internal/metrics"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/webhooks"
)

// observeRoute returns what counts requests, or nil.
func (s *Server) observeRoute() func(api.Route) api.RequestObserver {
	if s.figures == nil {
		return nil
	}
	return s.figures.ObserveRoute
}

// observeAttempt returns what counts attempts of webhooks, or nil.
func (s *Server) observeAttempt() func(webhooks.Observation) {
	if s.figures == nil {
		return nil
	}
	return s.figures.Attempt
}

// observeSigning returns what counts returns, exchanges and refreshes, or nil.
func (s *Server) observeSigning() authorize.Observer {
	if s.figures == nil {
		return nil
	}
	return s.figures
}

// observeOutages adds the outages that are suspected to the figures.
func (s *Server) observeOutages() {
	if s.figures != nil {
		s.figures.ObserveOutages(s.consents.SuspectedOutages)
	}
}

// sequenced is called with events that have got their place in the list.
func (s *Server) sequenced(all []event.Event) {
	s.sending.Sequenced(all)
	if s.figures != nil {
		s.figures.Sequenced(all)
	}
}

// outageOf is sqlstore.OutageOf, counted: requests that only read fail by an outage here.
func (s *Server) outageOf(err error) store.Outage {
	outage := sqlstore.OutageOf(err)
	if s.figures != nil {
		s.figures.Outage(outage)
	}
	return outage
}

// sample reads at an interval what metrics show of the store, until ctx ends.
func (s *Server) sample(ctx context.Context) {
	if s.figures == nil {
		return
	}
	s.figures.Sample(ctx, metrics.SamplerDeps{Store: s.store, Epochs: s.ring.IDs, Clock: s.parts.Clock, Log: s.parts.Log})
}
