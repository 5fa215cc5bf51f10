package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"samla/internal/clock"
	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/forwarded"
	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/seal"
	"samla/internal/uuid7"
)

// consoleServer serves the console of operators on its own listener, so that no mistake in
// front of the API makes it public.
type consoleServer struct {
	http *http.Server
	url  atomic.Pointer[string] // nil: it does not listen
}

// consoleViews are the views of the console, in the order of its navigation.
func (s *Server) consoleViews() []console.View {
	p := s.parts
	return views.List(views.Deps{Zone: s.config.zone(), Store: s.store, Institutions: s.known, Health: s.health, Audit: s.auditing, Uptime: s.uptime, Webhooks: s.hooks, Keys: s.Authn,
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
		return fmt.Errorf("the address of the console must be like 127.0.0.1:8090, not %q", c.ConsoleListen)
	}
	if err := CheckPublicURL(c.ConsoleURL); err != nil {
		return fmt.Errorf("the console: %w", err)
	}
	if !isLoopback(host) && !strings.HasPrefix(c.ConsoleURL, "https://") {
		return errors.New("the console must listen at an address of this machine only, such as 127.0.0.1:8090: for another one, put a proxy with HTTPS before it and pass --console-url with its address")
	}
	return nil
}

// wireConsole makes the console, if there is one. Its views are of everything else, so it
// comes last.
func (s *Server) wireConsole(vault seal.Vault, ids *uuid7.Generator, proxies forwarded.Proxies) (err error) {
	if s.config.ConsoleListen == "" {
		return nil
	}
	s.operators, err = operators.New(operators.Deps{Store: s.store, Vault: vault, Clock: s.parts.Clock, IDs: ids, URL: s.ConsoleURL, Journal: s.journal, Random: s.parts.Random, Log: s.parts.Log})
	if err != nil {
		return err
	}
	handler := console.New(console.Deps{Zone: s.config.zone(), Views: s.consoleViews(), Operators: s.operators, Doors: s.parts.ConsoleDoors, Hook: s.parts.ConsoleHook, URL: s.ConsoleURL, Log: s.parts.Log})
	// Views that stay open set later deadlines for themselves.
	s.console = &consoleServer{http: &http.Server{Handler: proxies.Handler(handler), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: 2 * readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.parts.Log.Handler(), slog.LevelDebug)}}
	return nil
}

// startConsole serves the console. An address that is taken does not keep the node from
// serving people: it is reported in the log, and tried again until ctx ends.
func (s *Server) startConsole(ctx context.Context) {
	if s.console == nil {
		return
	}
	l, err := s.listenForConsole(ctx)
	if err == nil {
		s.serveConsole(l)
		return
	}
	s.parts.Log.Error("the console is not served: the address cannot be listened at; it is tried again", "address", s.config.ConsoleListen, "error", err,
		"remedy", "pass --console-listen another address, or --console-listen off")
	s.sweeper.Go(func() {
		for clock.Sleep(ctx, s.parts.Clock, listenAgain) == nil {
			if l, err := s.listenForConsole(ctx); err == nil {
				s.serveConsole(l)
				return
			}
		}
	})
}

func (s *Server) listenForConsole(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", s.config.ConsoleListen)
}

func (s *Server) serveConsole(l net.Listener) {
	url := s.config.ConsoleURL
	if url == "" {
		_, port, _ := net.SplitHostPort(l.Addr().String()) // an address of a listener has a port
		url = "http://localhost:" + port
	}
	s.console.url.Store(&url)
	s.parts.Log.Info("console", "address", l.Addr().String(), "url", url)
	go func() {
		if err := s.console.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.parts.Log.Error("the console is not served any more", "error", err)
		}
	}()
}

// stopConsole ends the console. It waits for requests until ctx ends.
func (s *Server) stopConsole(ctx context.Context) error {
	if s.console == nil {
		return nil
	}
	if s.console.http.Shutdown(ctx) != nil {
		return s.console.http.Close()
	}
	return nil
}

// ConsoleURL returns the address of the console in browsers, or "" if it is not served.
func (s *Server) ConsoleURL() string {
	if s.console == nil {
		return ""
	}
	if url := s.console.url.Load(); url != nil {
		return *url
	}
	return ""
}

// ConsoleDoor returns a link that signs an operator in to the console, for development
// (operators.Service.Door); "" if the console is not served.
func (s *Server) ConsoleDoor(ctx context.Context, name string, role operator.Role) (string, error) {
	if s.ConsoleURL() == "" {
		return "", nil
	}
	return s.operators.Door(ctx, name, role)
}
