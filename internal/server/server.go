// Package server wires the whole of Samla: it opens the store, makes the
// services, hands them their banks and serves the API until it is stopped. The
// commands hand it a configuration; it holds no rules of its own.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"samla/internal/api"
	"samla/internal/authn"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/dedupe"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/jobs"
	"samla/internal/ratelimit"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/users"
	"samla/internal/uuid7"
	"samla/internal/wire"
)

// Config is what an operator decides.
type Config struct {
	Listen       string         // host:port; port 0 takes a free one
	Database     string         // postgres://…, or the data directory for SQLite
	Issuer       string         // claim iss and aud of session tokens
	SessionLife  time.Duration  // docs/reference/api.md 1.3; 0 = 60 minutes
	KeepData     time.Duration  // docs/reference/api.md 5.9; 0 = 30 days
	KeepEvidence time.Duration  // 0 = 5 years
	Workers      int            // collections read at once by this node; 0 = 64
	Rate         ratelimit.Rate // of requests, per client

	// Calls and CallsPerInstitution limit the calls to institutions that are in
	// flight, of this node altogether and to one; more wait. 0 = 2048 and 512.
	Calls, CallsPerInstitution int
}

// Parts is what comes from outside. All members but Random are required.
type Parts struct {
	Clock        clock.Clock
	Random       io.Reader // nil = the machine's
	Log          *slog.Logger
	Master       *keyset.Master
	Institutions institution.Set // closed by the caller, after Stop
}

// Server is one node. New makes it, Start serves, Stop ends it; each once.
type Server struct {
	Authn *authn.Authenticator

	config   Config
	parts    Parts
	store    *sqlstore.Store
	pump     *jobs.Runner
	consents *authorize.Service
	http     *http.Server
	listener net.Listener
	sweeper  sync.WaitGroup
	quit     context.CancelFunc
	served   chan error
}

// defaults of Config.
const (
	keepData     = 30 * 24 * time.Hour
	keepEvidence = 5 * 365 * 24 * time.Hour
	issuer       = "samla"
	sqlite       = "sqlite" // the engine that one process has for itself
	workers      = 64

	calls               = 2048
	callsPerInstitution = 512
)

// New opens the database, which brings its tables up to date, and makes every
// part. Nothing listens and no job runs before Start. A wrong master key is
// found here.
func New(ctx context.Context, c Config, p Parts) (*Server, error) {
	if c.KeepData == 0 {
		c.KeepData = keepData
	}
	if c.KeepEvidence == 0 {
		c.KeepEvidence = keepEvidence
	}
	if c.Issuer == "" {
		c.Issuer = issuer
	}
	if c.Workers <= 0 {
		c.Workers = workers
	}
	if c.Calls <= 0 {
		c.Calls = calls
	}
	if c.CallsPerInstitution <= 0 {
		c.CallsPerInstitution = callsPerInstitution
	}
	if p.Random == nil {
		p.Random = rand.Reader
	}
	db, err := sqlstore.Open(ctx, sqlstore.Config{DSN: c.Database, Exclusive: true, Logger: p.Log})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s := &Server{config: c, parts: p, store: db, served: make(chan error, 1)}
	if err := s.wire(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Server) wire(ctx context.Context) error {
	p := s.parts
	vault, err := keyset.New(p.Master, s.store, p.Clock)
	if err != nil {
		return err
	}
	s.Authn, err = authn.New(ctx, authn.Config{Store: s.store, Vault: vault, Clock: p.Clock, Random: p.Random,
		Issuer: s.config.Issuer, Audience: s.config.Issuer, SessionLife: s.config.SessionLife})
	if errors.Is(err, seal.ErrDecryption) {
		return fmt.Errorf("this database was sealed with another master key: %w", err)
	}
	if err != nil {
		return err
	}
	document, err := wire.Load()
	if err != nil {
		return err
	}
	var (
		ids          = uuid7.NewGenerator(p.Clock, p.Random)
		health       = &company.Health{}
		institutions = s.institutions(health)
	)
	s.pump = jobs.New(s.store, p.Clock, p.Log)
	s.consents = authorize.New(authorize.Deps{Store: s.store, Vault: vault, Institutions: institutions,
		Pump: s.pump, Clock: p.Clock, IDs: ids, Log: p.Log, Watch: authorize.WatchLimits{SignaturesPerSecond: signaturesPerSecond()}})
	collections := collect.New(collect.Deps{Store: s.store, Vault: vault, Consents: s.consents, Institutions: institutions,
		Pump: s.pump, Clock: p.Clock, IDs: ids, Log: p.Log, KeepData: s.config.KeepData,
		Workers: s.config.Workers})
	handler, err := api.New(api.Deps{Contract: document, Authn: s.Authn,
		Users:    users.New(users.Deps{Store: s.store, Vault: vault, Consents: s.consents, Tokens: s.Authn, Clock: p.Clock, IDs: ids}),
		Requests: dedupe.New(s.store, vault, p.Clock), Consents: s.consents, Collections: collections,
		Health: health, Institutions: institutions, Store: s.store, Clock: p.Clock, IDs: ids, Log: p.Log,
		Rate: s.config.Rate})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	handler.Mount(mux)
	s.http = &http.Server{Handler: handler.Guard(mux), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug)}
	return nil
}

// institutions returns the institutions of the server with their calls limited
// and their outcomes counted in health.
func (s *Server) institutions(health *company.Health) institution.Set {
	set := make(institution.Set, len(s.parts.Institutions))
	node := intercept.Limit(s.config.Calls)
	for id, i := range s.parts.Institutions {
		set[id] = intercept.Wrap(i, intercept.Limit(s.config.CallsPerInstitution), node,
			intercept.Observe(s.parts.Clock, intercept.Health(health)))
	}
	return set
}

// Start listens, serves and begins to run what is due.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.store.Kind() == sqlite {
		// Nobody else can be at work on its rows: what was left goes on at once.
		if err := s.store.Reclaim(ctx, s.parts.Clock.Now(), jobs.Lease); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	s.listener = l
	s.pump.Start(ctx)
	s.consents.Start()
	background, quit := context.WithCancel(context.WithoutCancel(ctx))
	s.quit = quit
	s.sweeper.Add(1)
	go func() {
		defer s.sweeper.Done()
		s.sweep(background)
	}()
	go func() { s.served <- s.http.Serve(l) }()
	s.parts.Log.Info("serving", "address", l.Addr().String(), "store", s.store.Kind(), "banks", len(s.parts.Institutions))
	return nil
}

// URL is the address of the API, such as "http://127.0.0.1:8080".
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Handler is the API's handler, for measuring it without a network.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Store is the server's store, for measuring and looking at it.
func (s *Server) Store() store.Store { return s.store }

// patience is how long a stop waits for requests under way. A client that has
// sent half of one may never send the rest: it is cut off, which is no error.
const patience = 3 * time.Second

// Stop ends the server: requests under way are given their time, then flows
// until ctx ends. What is not finished then goes on after the next start.
func (s *Server) Stop(ctx context.Context) error {
	var errs []error
	if s.listener != nil {
		patient, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if s.http.Shutdown(patient) != nil {
			errs = append(errs, s.http.Close())
		}
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
		s.quit()
		s.sweeper.Wait()
		errs = append(errs, s.pump.Stop(ctx), s.consents.Stop(ctx))
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// sweepEvery is how often what has run out is deleted.
const sweepEvery = time.Minute

// sweep deletes what has run out, until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	for clock.Sleep(ctx, s.parts.Clock, sweepEvery) == nil {
		for {
			var n int
			err := s.store.Write(ctx, func(tx store.Tx) (err error) {
				n, err = tx.Sweep(ctx, s.parts.Clock.Now(), s.config.KeepEvidence)
				return err
			})
			if err != nil && ctx.Err() == nil {
				s.parts.Log.Error("what has run out cannot be deleted", "error", err)
			}
			if err != nil || n == 0 {
				break
			}
		}
	}
}

// signaturesPerSecond bounds the signatures that status questions may cost: a
// third of what the processors can make of the slowest kind (RSA-2048, about 1 ms
// each), so that openings and collections are not starved.
func signaturesPerSecond() float64 { return 300 * float64(runtime.GOMAXPROCS(0)) }
