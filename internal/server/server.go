// Package server assembles one node of Samla from its parts: it opens the store,
// creates the services, connects them to the institutions and serves the API. It
// has no rules of its own.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"samla/internal/accounts"
	"samla/internal/api"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/auditing"
	"samla/internal/authn"
	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/dedupe"
	"samla/internal/delivery"
	"samla/internal/deviation"
	"samla/internal/epochs"
	"samla/internal/events"
	"samla/internal/feeds"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/jobs"
	"samla/internal/journal"
	"samla/internal/metrics"
	"samla/internal/operators"
	"samla/internal/outbox"
	"samla/internal/permissions"
	"samla/internal/persons"
	"samla/internal/refresh"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/tracing"
	"samla/internal/uptime"
	"samla/internal/usage"
	"samla/internal/users"
	"samla/internal/uuid7"
	"samla/internal/webhooks"
)

// Server is one node. New, Start and Stop are called once each, in this order.
type Server struct {
	Authn *authn.Authenticator

	config   Config
	parts    Parts
	store    *sqlstore.Store
	vault    *keyset.Vault
	ring     *keyset.Ring
	people   *users.Service
	keeper   *epochs.Keeper
	journal  *journal.Journal
	runner   *jobs.Runner
	consents *authorize.Service
	fetching *collect.Service
	connect  *connect.Service
	auditing *auditing.Service
	accounts *accounts.Service
	visits   *permissions.Service
	api      *api.Handler
	http     *http.Server
	listener net.Listener
	sequence *events.Sequencer
	hooks    *webhooks.Service
	sending  *webhooks.Dispatcher
	sweeper  sync.WaitGroup // and the sequencer of events
	quit     context.CancelFunc
	served   chan error

	uptime     *uptime.Service
	usage      *usage.Service
	health     *company.Health
	deviations *deviation.Register
	tracer     *tracing.Tracer  // nil: not configured
	figures    *metrics.Metrics // nil: not configured
	metrics    *metricsServer   // nil: not configured
	console    *consoleServer   // nil: not configured
	operators  *operators.Service

	known *institution.Live // as they were opened
	used  *institution.Live // the same, wrapped, as flows use them
	// wrap is used before the start, and by upkeep then.
	wrap func(institution.Institution) institution.Institution
}

// New opens the database, applies missing migrations and creates every part of
// the server. It does not listen and runs no job yet. Errors: one that wraps
// seal.ErrDecryption for a master key that is not the database's, and
// sqlstore.ErrInUse for a SQLite database that another process has open.
func New(ctx context.Context, c Config, p Parts) (*Server, error) {
	c, p = c.withDefaults(), p.withDefaults()
	if err := errors.Join(c.Check(), c.checkRedirects(p.Institutions)); err != nil {
		return nil, err
	}
	s := &Server{config: c, parts: p, served: make(chan error, 1), health: &company.Health{}, deviations: &deviation.Register{}, known: institution.NewLive(p.Institutions)}
	if err := s.startTracing(); err != nil {
		return nil, err
	}
	p = s.parts
	settings := sqlstore.Config{Trace: s.traceWrite(), DSN: c.Database, Exclusive: true, Logger: p.Log}
	if c.Metrics != "" {
		s.figures = metrics.New(metrics.Config{Institutions: s.known, Deviations: s.deviations, Clock: p.Clock})
		settings.Observer = s.figures
	}
	db, err := sqlstore.Open(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s.store = db
	if err := s.wire(ctx); err != nil {
		return nil, errors.Join(err, s.closeJournal(), db.Close())
	}
	return s, nil
}

func (s *Server) wire(ctx context.Context) error {
	p := s.parts
	vault, err := s.openKeys(ctx)
	if err != nil {
		return err
	}
	if err := s.refuseOlder(ctx); err != nil {
		return err
	}
	s.auditing = auditing.New(auditing.Deps{Store: s.store, Vault: vault, Clock: p.Clock, Random: p.Random, Log: p.Log, Keep: s.config.KeepEvidence})
	s.Authn, err = authn.New(ctx, authn.Config{Store: s.store, Vault: vault, Clock: p.Clock, Random: p.Random,
		Issuer: s.config.Issuer, Audience: s.config.Issuer, SessionLife: s.config.SessionLife, Journal: s.journal})
	if err != nil {
		return err
	}
	var (
		ids    = uuid7.NewGenerator(p.Clock, p.Random)
		health = s.health
	)
	s.sequence = events.NewSequencer(events.Deps{Store: s.store, Clock: p.Clock, Log: p.Log})
	s.wireWebhooks(vault, ids)
	s.uptime = uptime.New(uptime.Deps{Store: s.store, Institutions: s.known, Health: health, Deviations: s.deviations, Clock: p.Clock, Log: p.Log})
	s.usage = usage.New(usage.Deps{Store: s.store, Clock: p.Clock, Log: p.Log})
	s.wrapInstitutions(health)
	institutions := s.used
	s.runner = jobs.New(s.store, p.Clock, p.Log)
	s.runner.Trace = s.traceJob()
	people := persons.New(persons.Deps{Store: s.store, Vault: vault, Random: p.Random})
	s.consents = authorize.New(authorize.Deps{Store: s.store, Vault: vault, Institutions: institutions,
		Jobs: s.runner, Clock: p.Clock, IDs: ids, Log: p.Log, WarnAhead: s.config.WarnAhead,
		OpenTime: s.config.OpenTime, Watch: s.config.watchLimits(), Journal: s.journal, Random: p.Random, PublicURL: s.PublicURL,
		Subscribers: []authorize.EndSubscriber{refresh.Consents{Clock: p.Clock}}, Observer: s.observeSigning(), OutageOf: sqlstore.OutageOf, Mark: people.Mark})
	s.observeOutages()
	access := store.AccessRecorder(s.store)
	if p.WrapAccess != nil {
		access = p.WrapAccess(access)
	}
	collections := collect.New(collect.Deps{Store: s.store, Access: access, Vault: vault, Consents: s.consents, Institutions: institutions,
		Jobs: s.runner, Clock: p.Clock, IDs: ids, Log: p.Log, KeepData: s.config.KeepData, Lease: s.config.PollingLease,
		Memory: s.config.ReadMemory, ReadTime: s.config.ReadTime, ReadTimeUnattended: s.config.ReadTimeUnattended,
		Workers: s.config.Workers, Deviations: s.deviations, Logins: s.config.loginLimits(), Journal: s.journal})
	s.fetching = collections
	transactions := feeds.New(feeds.Deps{Store: s.store, Vault: vault, Clock: p.Clock, IDs: ids, Access: access, Log: p.Log})
	s.accounts = accounts.New(accounts.Deps{Store: s.store, Vault: vault, Clock: p.Clock, IDs: ids, Log: p.Log, Keep: s.config.KeepAccounts, Journal: s.journal,
		Access: access, Feed: transactions})
	refreshes := refresh.New(refresh.Deps{Store: s.store, Collections: collections, Institutions: institutions, Jobs: s.runner,
		Clock: p.Clock, IDs: ids, Log: p.Log})
	s.connect = connect.New(connect.Deps{Store: s.store, Vault: vault, Consents: s.consents, Collections: collections, Institutions: institutions, Health: health,
		Clock: p.Clock, IDs: ids, Log: p.Log, PublicURL: s.PublicURL, Random: p.Random})
	s.visits = permissions.New(permissions.Deps{Store: s.store, Vault: vault, Consents: s.consents, Reads: refreshes, Audit: s.auditing, Tokens: s.Authn,
		Clock: p.Clock, IDs: ids, Log: p.Log, Random: p.Random, PublicURL: s.PublicURL, Version: v20260401.Version, Zone: s.config.zone(), Persons: people, BankID: p.BankID})
	s.people = users.New(users.Deps{Store: s.store, Vault: vault, Flows: []users.Flow{s.consents, collections, refreshes, s.connect, s.visits},
		Tokens: s.Authn, Clock: p.Clock, IDs: ids, Journal: s.journal})
	s.visits.People = s.people
	messages, err := delivery.Queue(s.store, map[outbox.Kind]delivery.Handler{
		outbox.RevokeConsent: s.consents.Deliver,
		outbox.EraseUser:     s.people.ContinueErasure,
		outbox.EndLogin:      collections.DeliverEnding,

		outbox.ApplyCollection: s.accounts.Apply,
		outbox.MakeArchive:     s.visits.Make,
	})
	if err != nil {
		return err
	}
	s.runner.Register(messages)
	mounts, err := s.mounts(v20260401.Services{Users: s.people, Consents: s.consents, Collections: collections, Refresh: refreshes, Accounts: s.accounts, Connect: s.connect, Visits: s.visits,
		Transactions: transactions, Events: &events.List{Store: s.store, Clock: p.Clock}, Institutions: institutions, Health: health, Clock: p.Clock})
	if err != nil {
		return err
	}
	handler, err := api.New(api.Config{Observe: s.observeRoute(), Used: s.usage.Count, Trace: s.traceRequest(), Authn: s.Authn, Requests: dedupe.New(s.store, vault, p.Clock), Clock: p.Clock, IDs: ids,
		Log: p.Log, Rate: s.config.Rate, UserRate: s.config.UserRate, AllowOrigins: s.config.AllowOrigins,
		RequestTimeout: s.config.RequestTimeout, OutageOf: s.outageOf}, mounts)
	if err != nil {
		return err
	}
	s.visits.ReadBy(handler)
	proxies, err := s.config.proxies()
	if err != nil {
		return err
	}
	if err := s.wireConsole(vault, ids, proxies); err != nil {
		return err
	}
	s.api, s.http = handler, s.httpServer(proxies.Handler(s.faces(handler, institutions)), mounts)
	return nil
}

// wrapInstitutions makes the institutions that flows use: with their calls limited, and
// their outcomes counted in health and reported in the log. One that is put in place of
// another has its limit.
func (s *Server) wrapInstitutions(health *company.Health) {
	node := intercept.Limit(s.config.Calls)
	observers := []intercept.Observer{intercept.Health(health), s.uptime, intercept.Report(s.parts.Log)}
	if s.figures != nil {
		observers = append(observers, s.figures)
	}
	limits := map[string]intercept.Interceptor{}
	s.wrap = func(i institution.Institution) institution.Institution {
		limit := limits[i.Company.ID]
		if limit == nil {
			limit = intercept.Limit(s.config.CallsPerInstitution)
			limits[i.Company.ID] = limit
		}
		return intercept.Wrap(i, limit, node, s.traceCall, intercept.Observe(s.parts.Clock, observers...))
	}
	set := institution.Set{}
	for id, i := range s.parts.Institutions {
		set[id] = s.wrap(i)
	}
	s.used = institution.NewLive(set)
}

// URL returns the address of the API, such as "http://127.0.0.1:8080".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Handler returns the handler of the API, for measurements without a network.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// AccessOf returns what the bank of a consent needs to recognize it, for benchmarks.
func (s *Server) AccessOf(ctx context.Context, id string) (institution.Access, error) {
	c, err := s.store.Consent(ctx, consent.ID(id))
	if err != nil {
		return institution.Access{}, err
	}
	a, _, err := s.consents.Access(ctx, c, "")
	return a, err
}

// Store returns the server's store, for measurements and tests.
func (s *Server) Store() store.Store { return s.store }
