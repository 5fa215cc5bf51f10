package enablebanking

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"
)

// counters count what the gateway was asked.
type counters struct {
	Calls      map[string]int // by kind
	Refusals   map[string]int // by code
	Unattended int
}

func newCounters() counters { return counters{Calls: map[string]int{}, Refusals: map[string]int{}} }

// called counts a call and returns the fault that meets it.
func (g *Gateway) called(kind string) Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counters.Calls[kind]++
	for i, f := range g.faults {
		if f.Call != "" && f.Call != kind {
			continue
		}
		if f.Times == 1 {
			g.faults = append(g.faults[:i:i], g.faults[i+1:]...)
		} else if f.Times > 1 {
			g.faults[i].Times--
		}
		return f
	}
	return Fault{}
}

func (g *Gateway) refused(code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counters.Refusals[code]++
}

// Stats are the counters since the start, and the sessions.
type Stats struct {
	ApplicationID string         `json:"applicationId"`
	Calls         map[string]int `json:"calls"`    // by kind: application, aspsps, auth, authorize-session, session, delete-session, details, balances, transactions, transaction
	Refusals      map[string]int `json:"refusals"` // by code
	Unattended    int            `json:"unattendedReads"`
	Sessions      []SessionInfo  `json:"sessions"`
}

// SessionInfo is a login or session in the operator's list. It contains no personal data.
type SessionInfo struct {
	AuthorizationID string    `json:"authorizationId"`
	SessionID       string    `json:"sessionId,omitempty"`
	Bank            string    `json:"bank"`
	Country         string    `json:"country"`
	Status          Status    `json:"status"`
	Created         time.Time `json:"created"`
	ValidUntil      time.Time `json:"validUntil"`
}

// Stats returns the current counters and the sessions, oldest first.
func (g *Gateway) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Stats{g.appID, maps.Clone(g.counters.Calls), maps.Clone(g.counters.Refusals), g.counters.Unattended, []SessionInfo{}}
	for _, id := range g.order {
		l := g.current(g.logins[id])
		s.Sessions = append(s.Sessions, SessionInfo{l.ID, l.Session, l.Bank.Name, l.Bank.Country, l.Status, l.Created, l.Access.ValidUntil})
	}
	return s
}

// Revoke ends a session as its person does at the bank. It reports false for an unknown
// id; the error says that the session is not authorized.
func (g *Gateway) Revoke(sessionID string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.current(g.sessions[sessionID])
	if l == nil {
		return false, nil
	}
	_, err := g.change(l.ID, revoked{})
	return true, err
}

// MountOperator adds what the person and the operator can do to the gateway:
//
//	GET  /sandbox/enablebanking                       Stats
//	POST /sandbox/enablebanking/sessions/{id}/revoke  204, 404 or 409
//	POST /sandbox/enablebanking/redirects             {"redirectUrl"}: 204
//	POST /sandbox/enablebanking/banks                 {"name", "country", "offered"}: 204, or 400 for an unknown bank
//	POST /sandbox/enablebanking/faults                [{"kind", "call", "times"}]: 204, replaces all
func (g *Gateway) MountOperator(mux *http.ServeMux) {
	const root = "/sandbox/enablebanking"
	mux.HandleFunc("GET "+root, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(g.Stats()) // an error means that the connection is closed
	})
	mux.HandleFunc("POST "+root+"/sessions/{id}/revoke", func(w http.ResponseWriter, r *http.Request) {
		found, err := g.Revoke(r.PathValue("id"))
		switch {
		case !found:
			w.WriteHeader(http.StatusNotFound)
		case errors.Is(err, errState):
			w.WriteHeader(http.StatusConflict)
		default:
			answer(w, err == nil)
		}
	})
	mux.HandleFunc("POST "+root+"/redirects", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ RedirectURL string }
		ok := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&q) == nil && q.RedirectURL != ""
		answer(w, ok && g.Register(q.RedirectURL) == nil)
	})
	mux.HandleFunc("POST "+root+"/banks", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Name, Country string
			Offered       bool
		}
		ok := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&q) == nil
		answer(w, ok && g.Offer(q.Name, q.Country, q.Offered))
	})
	mux.HandleFunc("POST "+root+"/faults", func(w http.ResponseWriter, r *http.Request) {
		var list []Fault
		ok := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&list) == nil
		answer(w, ok && g.Faults(list...))
	})
}

func answer(w http.ResponseWriter, ok bool) {
	if ok {
		w.WriteHeader(http.StatusNoContent)
	} else {
		w.WriteHeader(http.StatusBadRequest)
	}
}
