// Package api owns the REST face (docs/reference/api.md 2): it walks the contract's operations,
// mounts a route for each, checks what comes in and hands it to the services, and
// writes what they answer. Rules of the wire live here; what a consent or a
// collection may become lives in the domain.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"

	"samla/internal/authn"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/ratelimit"
	"samla/internal/users"
	"samla/internal/uuid7"
	"samla/internal/wire"
)

// Deps is what the face works with. All members but Rate are required.
type Deps struct {
	Contract     *wire.Contract
	Authn        *authn.Authenticator
	Users        *users.Service
	Requests     *dedupe.Requests
	Consents     *authorize.Service
	Collections  *collect.Service
	Health       *company.Health
	Institutions institution.Set
	Store        Pinger
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	Rate         ratelimit.Rate
}

// Pinger tells whether the database answers.
type Pinger interface {
	Ping(ctx context.Context) error
}

// Handler answers the operations of the contract. It is safe for concurrent use.
type Handler struct {
	Deps
	limiter  limiter
	routes   []*route
	versions []string // served
}

// endpoint answers one operation. An error means that nothing was written; one
// that is no fault is an internal error.
type endpoint func(c *call) error

// endpoints names what answers each operation, by operationId.
func (h *Handler) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"createUser":                h.createUser,
		"findUserByExternalId":      h.findUser,
		"getUser":                   h.getUser,
		"deleteUser":                h.deleteUser,
		"createSession":             h.createSession,
		"getCollectionsByUser":      h.collectionsOfUser,
		"getConsentsByUser":         h.consentsOfUser,
		"createConsent":             h.createConsent,
		"getConsents":               h.consents,
		"getConsentStatus":          h.consentStatus,
		"revokeConsent":             h.revokeConsent,
		"initiateCollection":        h.startCollection,
		"getCollections":            h.collections,
		"getCollectionStatus":       h.collectionStatus,
		"getWealthCollectionStatus": h.collectionStatus,
		"getWealthData":             h.data,
		"deleteCollection":          h.deleteCollection,
		"cancelCollection":          h.cancelCollection,
		"getCompanyAvailability":    h.availability,
		"getJwks":                   h.jwks,
		"getHealth":                 h.healthz,
		"getReadiness":              h.readyz,
		"getOpenApi":                h.document,
	}
}

// selfChecking lists the operations whose own read tells that a session's user
// is gone, so that the hottest routes cost one read and not two.
var selfChecking = []string{"getConsentStatus", "getCollectionStatus", "getWealthCollectionStatus"}

// New makes the face. It fails when an operation of the contract has nothing
// that answers it, or the other way round.
func New(d Deps) (*Handler, error) {
	h := &Handler{Deps: d, limiter: newLimiter(d.Rate), versions: []string{d.Contract.Version()}}
	ends := h.endpoints()
	operations := d.Contract.Operations()
	for i := range operations {
		op := &operations[i]
		end := ends[op.ID]
		if end == nil {
			return nil, fmt.Errorf("api: nothing answers %s (%s)", op.ID, op.Route())
		}
		delete(ends, op.ID)
		h.routes = append(h.routes, &route{h: h, op: op, end: end, checksUser: slices.Contains(selfChecking, op.ID)})
	}
	for id := range ends {
		return nil, fmt.Errorf("api: the contract has no operation %s", id)
	}
	return h, nil
}

// Mount registers every route on mux, and on all other paths the documented
// answers for a method or a path that is not there (docs/reference/api.md 1.6).
func (h *Handler) Mount(mux *http.ServeMux) {
	allow := map[string][]string{}
	for _, rt := range h.routes {
		mux.Handle(rt.op.Route(), rt)
		allow[rt.op.Pattern] = append(allow[rt.op.Pattern], rt.op.Method)
		if rt.op.Method == http.MethodGet {
			allow[rt.op.Pattern] = append(allow[rt.op.Pattern], http.MethodHead)
		}
	}
	for pattern, methods := range allow {
		slices.Sort(methods)
		f := fault.New(fault.MethodNotAllowed)
		f.Allow = strings.Join(methods, ", ")
		mux.Handle(pattern, &route{h: h, op: &wire.Operation{Pattern: pattern}, end: func(*call) error { return f }})
	}
	mux.Handle("/", h.unknown())
}

// Guard stands before the mux that the routes are mounted on. A path that is not
// in its plain form is there as little as any other unknown one; the mux would
// answer it with a redirect in HTML.
func (h *Handler) Guard(mux *http.ServeMux) http.Handler {
	unknown := h.unknown()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.URL.RawPath // as it came; empty where nothing was escaped
		if sent == "" {
			sent = r.URL.Path
		}
		if path.Clean(sent) != sent {
			unknown.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// unknown answers every path that is not there.
func (h *Handler) unknown() *route {
	return &route{h: h, op: &wire.Operation{Pattern: "/"},
		end: func(*call) error { return fault.New(fault.NotFound) }}
}
