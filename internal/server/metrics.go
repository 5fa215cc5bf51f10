package server

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"samla/internal/metrics"
)

// startMetrics serves the node's numbers on their own listener, if one is configured.
func (s *Server) startMetrics(ctx context.Context) error {
	if s.config.Metrics == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.Metrics)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	s.metrics = &http.Server{Handler: metrics.Handler(s.deviations), ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout: readTimeout, WriteTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes}
	s.metricsURL = "http://" + l.Addr().String() + "/metrics"
	go func() { _ = s.metrics.Serve(l) }()
	s.parts.Log.Info("metrics", "address", l.Addr().String())
	return nil
}

// stopMetrics closes the listener of the numbers.
func (s *Server) stopMetrics() error {
	if s.metrics == nil {
		return nil
	}
	return s.metrics.Close()
}

// MetricsURL returns the address of the node's numbers, or "".
func (s *Server) MetricsURL() string { return s.metricsURL }
