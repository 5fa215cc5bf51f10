package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/api"
	"samla/internal/api/node"
	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/pages"
	connectpage "samla/internal/pages/connect"
	permissionpages "samla/internal/pages/permissions"
	"samla/internal/reference"
	"samla/internal/session"
	"samla/internal/store/sqlstore"
	"samla/internal/wire"
	"samla/internal/words"
)

// APIVersions returns the versions of the API that a node serves, the lowest first. They
// are those of mounts.
func APIVersions() []string { return []string{v20250101.Version, v20260401.Version} }

// mounts lists everything that a node serves. A path that it does not serve is
// answered with NOT_FOUND.
func (s *Server) mounts(services v20260401.Services) ([]api.Mount, error) {
	services.Webhooks = s.hooks
	newest, err := v20260401.New(services)
	if err != nil {
		return nil, err
	}
	oldest, err := v20250101.New(v20250101.Services{Consents: services.Consents, Collections: services.Collections,
		Institutions: services.Institutions, Clock: services.Clock}, newest)
	if err != nil {
		return nil, err
	}
	write := s.config.WriteTimeout
	return []api.Mount{
		{Path: "/", Callers: wire.Either, Write: write, Versions: []api.Version{oldest, newest}},
		{Path: "/.well-known/jwks.json", Callers: wire.None, Write: write, Endpoints: api.Endpoints{"getJwks": node.PublicKeys(s.Authn)}},
		{Path: "/openapi.json", Callers: wire.None, Write: write, Endpoints: api.Endpoints{"getOpenApi": node.Documents(oldest.Contract, newest.Contract)}},
		{Path: "/status", Callers: wire.None, Write: write, Endpoints: api.Endpoints{"getStatus": node.Status(s.uptime)}},
		{Path: "/healthz", Callers: wire.None, Write: write, Endpoints: api.Endpoints{"getHealth": node.Health()}},
		{Path: "/readyz", Callers: wire.None, Write: write, Endpoints: api.Endpoints{"getReadiness": node.Ready(s.store, sqlstore.OutageOf)}},
	}, nil
}

// faces returns the handler of everything: the API, and the pages for the browsers of
// persons, which are at paths of their own.
func (s *Server) faces(a *api.Handler, institutions institution.Institutions) http.Handler {
	onTheWay := pages.New(pages.Deps{Ways: s.consents, Clients: s.store, Institutions: institutions, PublicURL: s.PublicURL,
		Log: s.parts.Log, Random: s.parts.Random, Operator: s.config.Operator, Offer: s.config.Languages, Zone: s.config.zone(), IsOutage: func(err error) bool { return s.outageOf(err) != "" }})
	const day = 24 * time.Hour
	mine := permissionpages.New(permissionpages.Deps{Service: s.visits, Clients: s.store, Institutions: institutions, PublicURL: s.PublicURL, Clock: s.parts.Clock,
		Log: s.parts.Log, Operator: s.config.Operator, Offer: s.config.Languages, Zone: s.config.zone(), BackupDays: int(s.config.BackupRetention / day), AuditYears: int(s.config.KeepEvidence / (365 * day)),
		Renew: func(ctx context.Context, v session.Visit, id consent.ID, l words.Language) (string, error) {
			link, err := s.connect.Renew(ctx, connect.Renewal{ClientID: v.ClientID, UserID: v.UserID, Consent: id, Language: string(l), ReturnURL: s.PublicURL() + permissionpages.Path})
			return link.URL, err
		}})
	connecting := connectpage.New(connectpage.Deps{Connect: s.connect, Clients: s.store, Institutions: institutions, Health: s.health, Clock: s.parts.Clock,
		Keep: s.config.KeepData, Operator: s.config.Operator, Offer: s.config.Languages, Zone: s.config.zone(), PublicURL: s.PublicURL, Log: s.parts.Log})
	documentation := reference.New(reference.Deps{Versions: documents(), Try: s.config.TryDocs, Log: s.parts.Log})
	paths := pages.Paths()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == permissionpages.Path || strings.HasPrefix(r.URL.Path, permissionpages.Path+"/"):
			mine.ServeHTTP(w, r)
			return
		case r.URL.Path == reference.Path || strings.HasPrefix(r.URL.Path, reference.Path+"/"):
			documentation.ServeHTTP(w, r)
			return
		case strings.HasPrefix(r.URL.Path, connect.Path), r.URL.Path == connectpage.LoaderPath:
			connecting.ServeHTTP(w, r)
			return
		}
		for _, path := range paths {
			if strings.HasPrefix(r.URL.Path, path) {
				onTheWay.ServeHTTP(w, r)
				return
			}
		}
		a.ServeHTTP(w, r)
	})
}

// documents are the versions that the reference shows, the newest first. mounts has
// compiled them before.
func documents() []reference.Version {
	var all []reference.Version
	for _, contract := range []func() (*wire.Contract, error){v20260401.Contract, v20250101.Contract} {
		if c, err := contract(); err == nil {
			all = append(all, reference.Version{Name: c.Version(), Document: c.Text()})
		}
	}
	return all
}

// Limits of every connection.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // of a whole request
	idleTimeout       = 2 * time.Minute  // between requests
	maxHeaderBytes    = 32 << 10
)

// httpServer serves what is mounted. Its WriteTimeout begins when the header of a
// request is read, so it has room for the body too. Package api sets later deadlines for
// large answers, and for those to other requests than GET.
func (s *Server) httpServer(h http.Handler, mounts []api.Mount) *http.Server {
	longest := slices.MaxFunc(mounts, func(a, b api.Mount) int { return cmp.Compare(a.Write, b.Write) })
	return &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: readTimeout + longest.Write, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.parts.Log.Handler(), slog.LevelDebug)}
}
