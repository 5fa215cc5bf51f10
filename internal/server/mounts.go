package server

import (
	"log/slog"
	"net/http"
	"time"

	"samla/internal/api"
	"samla/internal/api/node"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/wire"
)

// mounts lists everything that a node serves. A path that it does not serve is
// answered with NOT_FOUND.
func (s *Server) mounts(services v20260401.Services) ([]api.Mount, error) {
	newest, err := v20260401.New(services)
	if err != nil {
		return nil, err
	}
	return []api.Mount{
		{Path: "/", Callers: wire.Either, Versions: []api.Version{newest}},
		{Path: "/.well-known/jwks.json", Callers: wire.None, Endpoints: api.Endpoints{"getJwks": node.PublicKeys(s.Authn)}},
		{Path: "/openapi.json", Callers: wire.None, Endpoints: api.Endpoints{"getOpenApi": node.Document(newest.Contract)}},
		{Path: "/healthz", Callers: wire.None, Endpoints: api.Endpoints{"getHealth": node.Health()}},
		{Path: "/readyz", Callers: wire.None, Endpoints: api.Endpoints{"getReadiness": node.Ready(s.store)}},
	}, nil
}

// Limits of every connection.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // of a whole request
	idleTimeout       = 2 * time.Minute  // between requests
	maxHeaderBytes    = 32 << 10
)

func httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}
