package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"samla/internal/clock"
)

// listenAgain is the time between two tries to listen for metrics.
const listenAgain = 10 * time.Second

// metricsServer serves the node's figures on their own listener.
type metricsServer struct {
	http *http.Server
	url  atomic.Pointer[string] // nil: it does not listen
}

// startMetrics serves the node's figures on their own listener, if one is configured. An
// address that is taken does not keep the node from serving people: it is reported in the
// log, and tried again until ctx ends.
func (s *Server) startMetrics(ctx context.Context) {
	if s.figures == nil {
		return
	}
	s.figures.ObservePool(s.store.Pool)
	s.metrics = &metricsServer{http: &http.Server{Handler: s.figures.Handler(), ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout: readTimeout, WriteTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes}}
	l, err := s.listenForMetrics(ctx)
	if err == nil {
		s.serveMetrics(l)
		return
	}
	s.parts.Log.Error("metrics are not served: the address cannot be listened at; it is tried again", "address", s.config.Metrics, "error", err,
		"remedy", "pass --metrics another address, or --metrics off")
	s.sweeper.Go(func() {
		for clock.Sleep(ctx, s.parts.Clock, listenAgain) == nil {
			if l, err := s.listenForMetrics(ctx); err == nil {
				s.serveMetrics(l)
				return
			}
		}
	})
}

func (s *Server) listenForMetrics(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", s.config.Metrics)
}

func (s *Server) serveMetrics(l net.Listener) {
	url := "http://" + l.Addr().String() + "/metrics"
	s.metrics.url.Store(&url)
	s.parts.Log.Info("metrics", "address", l.Addr().String())
	go func() {
		if err := s.metrics.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.parts.Log.Error("metrics are not served any more", "error", err)
		}
	}()
}

// stopMetrics closes the listener of the figures.
func (s *Server) stopMetrics() error {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.http.Close()
}

// MetricsURL returns the address of the node's figures, or "" if they are not served.
func (s *Server) MetricsURL() string {
	if s.metrics == nil {
		return ""
	}
	if url := s.metrics.url.Load(); url != nil {
		return *url
	}
	return ""
}
