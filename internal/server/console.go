package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"

	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/uuid7"
)

// consoleServer serves the console of operators on its own listener, so that no mistake in
// front of the API makes it public.
type consoleServer struct {
	http   *http.Server
	url    string
	served chan error
}

// consoleViews are the views of the console, in the order of its navigation.
func (s *Server) consoleViews() []console.View {
	p := s.parts
	return views.List(views.Deps{Store: s.store, Institutions: s.known, Health: s.health, Uptime: s.uptime, Deviations: s.deviations, Webhooks: s.hooks, Keys: s.Authn,
		Clock: p.Clock, IDs: uuid7.NewGenerator(p.Clock, p.Random)})
}

// checkConsole reports an address of the console that would show it to others over plain
// HTTP.
func (c Config) checkConsole() error {
	if c.ConsoleListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.ConsoleListen)
	if err != nil {
		return fmt.Errorf("the address of the console must be like 127.0.0.1:8081, not %q", c.ConsoleListen)
	}
	if err := CheckPublicURL(c.ConsoleURL); err != nil {
		return fmt.Errorf("the console: %w", err)
	}
	if !isLoopback(host) && !strings.HasPrefix(c.ConsoleURL, "https://") {
		return errors.New("the console must listen at an address of this machine only, such as 127.0.0.1:8081: for another one, put a proxy with HTTPS before it and pass --console-url with its address")
	}
	return nil
}

// listenForConsole returns the console's listener, or nil.
func (s *Server) listenForConsole(ctx context.Context) (net.Listener, error) {
	if s.config.ConsoleListen == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.ConsoleListen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program uses the address %s: stop it, or pass --console-listen with another one, or off: %w", s.config.ConsoleListen, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the console: %w", err)
	}
	return l, nil
}

func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// serveConsole serves the console, if there is a listener.
func (s *Server) serveConsole(l net.Listener) {
	if l == nil {
		return
	}
	url := s.config.ConsoleURL
	if url == "" {
		_, port, _ := net.SplitHostPort(l.Addr().String()) // an address of a listener has a port
		url = "http://localhost:" + port
	}
	c := &consoleServer{url: url, served: make(chan error, 1)}
	s.console = c
	handler := console.New(console.Deps{Views: s.consoleViews(), Hook: s.parts.ConsoleHook, URL: s.ConsoleURL, Log: s.parts.Log})
	// Views that stay open, such as streams of events, set later deadlines for themselves.
	c.http = &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: 2 * readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.parts.Log.Handler(), slog.LevelDebug)}
	s.parts.Log.Info("console", "address", l.Addr().String(), "url", url)
	go func() { c.served <- c.http.Serve(l) }()
}

// stopConsole ends the console. It waits for requests until ctx ends.
func (s *Server) stopConsole(ctx context.Context) error {
	if s.console == nil {
		return nil
	}
	var err error
	if s.console.http.Shutdown(ctx) != nil {
		err = s.console.http.Close()
	}
	if served := <-s.console.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// ConsoleURL returns the address of the console in browsers, or "" if there is none.
func (s *Server) ConsoleURL() string {
	if s.console == nil {
		return ""
	}
	return s.console.url
}
