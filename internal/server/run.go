package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"samla/internal/clock"
	"samla/internal/flow"
	"samla/internal/jobs"
	"samla/internal/ledger"
	"samla/internal/store"
)

// sqlite is the store that only one process has open.
const sqlite = "sqlite"

// Start listens, serves requests and runs due jobs.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("another program uses the address %s: stop it, or pass --listen with another one: %w", s.config.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.store.Kind() == sqlite {
		// No other process can have a lease: interrupted jobs continue at once.
		if err := s.store.Reclaim(ctx, s.parts.Clock.Now(), jobs.Lease); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	s.listener = l
	s.runner.Start(ctx)
	s.consents.Start()
	s.fetching.StartLogins()
	s.sending.Start(ctx)
	s.auditing.Start()
	background, quit := context.WithCancel(context.WithoutCancel(ctx))
	s.quit = quit
	s.startMetrics(background)
	s.startConsole(background)
	for _, work := range []func(context.Context){s.sweep, s.warnOfCertificates, s.upkeep, s.sequence.Run, s.keeper.Run, s.uptime.Run, s.usage.Run, s.connect.Hold, s.sample} {
		s.sweeper.Go(func() { work(background) })
	}
	go func() { s.served <- s.http.Serve(s.api.Listener(l)) }()
	entries := s.tellInstitutions()
	s.parts.Log.Info("serving", "address", l.Addr().String(), "store", s.store.Kind(), "entries", entries, "offered", len(s.known.Offered()))
	return nil
}

// tellInstitutions logs a line for each entry of the institutions file, and returns how many
// there are. One that opens many, such as a gateway to hundreds of banks, says how many.
func (s *Server) tellInstitutions() (entries int) {
	type many struct {
		family          string
		offered, others int
	}
	gateways := map[string]*many{}
	for _, i := range s.known.All() {
		if i.Entry == "" {
			entries++
			s.parts.Log.Info("institution", "company", i.Company.ID, "family", i.Family, "capabilities", i.Capabilities())
			continue
		}
		if gateways[i.Entry] == nil {
			gateways[i.Entry] = &many{family: i.Family}
		}
		if i.Retired {
			gateways[i.Entry].others++
		} else {
			gateways[i.Entry].offered++
		}
	}
	for _, company := range slices.Sorted(maps.Keys(gateways)) {
		g := gateways[company]
		s.parts.Log.Info("gateway", "company", company, "family", g.family, "offered", g.offered, "notOffered", g.others)
	}
	return entries + len(gateways)
}

// shutdownTimeout is how long Stop waits for requests that have begun. It then
// closes their connections, because a client may have sent half a request and
// never send the rest.
const shutdownTimeout = 3 * time.Second

// Stop stops serving requests, waits for running jobs until ctx ends, and closes
// the database. What is not finished continues after the next start, or on another
// node.
func (s *Server) Stop(ctx context.Context) error {
	var errs []error
	if s.listener != nil {
		shutdown, cancel := context.WithTimeout(ctx, shutdownTimeout)
		defer cancel()
		if s.http.Shutdown(shutdown) != nil {
			errs = append(errs, s.http.Close())
		}
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
		s.quit()
		s.sweeper.Wait()
		s.auditing.Stop()
		errs = append(errs, s.stopConsole(shutdown), s.stopMetrics(), s.sending.Stop(ctx), s.runner.Stop(ctx), s.consents.Stop(ctx), s.fetching.StopLogins(ctx))
	}
	s.stopTracing(ctx)
	return errors.Join(append(errs, s.closeJournal(), s.store.Close())...)
}

// sweepInterval is the time between two deletions of expired rows.
const sweepInterval = time.Minute

// sweepAccounts is how many lasting accounts are looked at in one transaction.
const sweepAccounts = 100

// sweepConnect is how many links and flows of the connect page are deleted in one transaction.
const sweepConnect = 500

// feedRows is how many rows of feeds are deleted in one transaction.
const feedRows = 1000

// sweepFeeds deletes rows of accounts that are gone, and rows that were removed so long
// ago that no cursor needs them. It returns how many.
func sweepFeeds(ctx context.Context, tx store.Tx, now time.Time) (int, error) {
	n, err := tx.EraseDroppedFeeds(ctx, feedRows)
	if err != nil {
		return 0, err
	}
	old, err := tx.SweepFeeds(ctx, now.Add(-ledger.TombstoneLife), feedRows)
	return n + old, err
}

// sweep deletes expired rows, in pieces, until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	for clock.Sleep(ctx, s.parts.Clock, sweepInterval) == nil {
		for {
			var n int
			var subjects []string
			err := s.store.Write(ctx, func(tx store.Tx) (err error) {
				if n, subjects, err = tx.Sweep(ctx, s.parts.Clock.Now(), s.config.KeepEvidence); err != nil {
					return err
				}
				looked, err := tx.SweepAccounts(ctx, s.parts.Clock.Now(), s.config.KeepAccounts, sweepAccounts)
				n += looked
				if err != nil {
					return err
				}
				feeds, err := sweepFeeds(ctx, tx, s.parts.Clock.Now())
				n += feeds
				if err != nil {
					return err
				}
				connects, err := tx.SweepConnect(ctx, s.parts.Clock.Now().Add(-flow.Kept), s.parts.Clock.Now().Add(-flow.Idle), sweepConnect)
				n += connects
				return err
			})
			for _, subject := range subjects {
				s.vault.Evict(subject)
			}
			if err != nil && ctx.Err() == nil {
				s.parts.Log.Error("expired rows could not be deleted", "error", err)
			}
			if err != nil || n == 0 {
				break
			}
		}
		if err := s.hooks.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.parts.Log.Error("expired webhook deliveries could not be deleted", "error", err)
		}
	}
}
