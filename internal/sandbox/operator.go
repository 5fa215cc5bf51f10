package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/oauth"
)

// Bank returns the bank with this company id; nil: there is none.
func (s *Sandbox) Bank(company string) *aspsp.Bank {
	for _, b := range s.banks {
		if b.Company == company {
			return b
		}
	}
	return nil
}

// mountOperator adds the operator's endpoints of single banks (docs/sandbox.md).
func (s *Sandbox) mountOperator(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/consents/{id}/sign", s.coSign)
	mux.HandleFunc("GET /sandbox/banks/{company}/calls", s.calls)
	mux.HandleFunc("PUT /sandbox/banks/{company}/faults", s.setFaults)
	mux.HandleFunc("GET /sandbox/banks/{company}/tokens", s.tokens)
	mux.HandleFunc("PUT /sandbox/banks/{company}/tokens", s.setTokens)
	mux.HandleFunc("POST /sandbox/banks/{company}/tokens/expire", s.expireTokens)
}

const maxOperatorBytes = 16 << 10

// decodeOperator reads the JSON body of an operator, which may be empty.
func decodeOperator(r *http.Request, into any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, maxOperatorBytes))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	return err == nil || errors.Is(err, io.EOF)
}

// The second signers of consents that name none: each for the other.
const firstCoSigner, secondCoSigner = "195704289999", "190905271474"

// coSign signs a consent as the second person, or refuses to. It answers 204, 404 for an
// unknown consent, and 409 for one that does not wait for a second signature.
func (s *Sandbox) coSign(w http.ResponseWriter, r *http.Request) {
	var body struct {
		PersonalNumber string `json:"personalNumber"`
		Refuse         bool   `json:"refuse"`
	}
	if !decodeOperator(r, &body) {
		s.json(w, http.StatusBadRequest, map[string]string{"error": "the body is not valid"})
		return
	}
	numbers := []string{body.PersonalNumber}
	if body.PersonalNumber == "" {
		numbers = []string{firstCoSigner, secondCoSigner}
	}
	for _, b := range s.banks {
		for i, number := range numbers {
			found, err := b.CoSign(r.PathValue("id"), number, body.Refuse)
			switch {
			case !found:
			case err == nil:
				w.WriteHeader(http.StatusNoContent)
				return
			case i == len(numbers)-1:
				s.json(w, http.StatusConflict, map[string]string{"error": "the consent does not wait for this person"})
				return
			}
		}
	}
	s.json(w, http.StatusNotFound, map[string]string{"error": "no such consent"})
}

// calls answers with the calls to a bank by kind.
func (s *Sandbox) calls(w http.ResponseWriter, r *http.Request) {
	b := s.Bank(r.PathValue("company"))
	if b == nil {
		s.json(w, http.StatusNotFound, map[string]string{"error": "no such bank"})
		return
	}
	s.json(w, http.StatusOK, map[string]any{"counts": b.Calls().Counts(), "last": b.Calls().Last()})
}

// setFaults replaces the faults of a bank's reads.
func (s *Sandbox) setFaults(w http.ResponseWriter, r *http.Request) {
	b := s.Bank(r.PathValue("company"))
	if b == nil {
		s.json(w, http.StatusNotFound, map[string]string{"error": "no such bank"})
		return
	}
	var list []faults.Fault
	if !decodeOperator(r, &list) || b.SetFaults(list...) != nil {
		s.json(w, http.StatusBadRequest, map[string]string{"error": "the body is not valid"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// tokenSettings are what an operator can set of an authorization server. A member that is
// absent keeps its value.
type tokenSettings struct {
	AccessSeconds *int                 `json:"accessSeconds,omitempty"`
	GraceSeconds  *int                 `json:"graceSeconds,omitempty"`
	Refresh       *oauth.RefreshPolicy `json:"refresh,omitempty"`
	NoExpiry      *bool                `json:"noExpiry,omitempty"`
	NoScope       *bool                `json:"noScope,omitempty"`
	BareRefresh   *bool                `json:"bareRefresh,omitempty"`
	Fault         *oauth.Fault         `json:"fault,omitempty"`
	Times         *int                 `json:"times,omitempty"`
}

// server returns the authorization server of the bank in the path, or answers 404.
func (s *Sandbox) authorizationServer(w http.ResponseWriter, r *http.Request) *oauth.Server {
	if b := s.Bank(r.PathValue("company")); b != nil && b.Server() != nil {
		return b.Server()
	}
	s.json(w, http.StatusNotFound, map[string]string{"error": "no such bank, or it has no authorization server"})
	return nil
}

func (s *Sandbox) tokens(w http.ResponseWriter, r *http.Request) {
	server := s.authorizationServer(w, r)
	if server == nil {
		return
	}
	p := server.Policy()
	access, grace := int(p.AccessLife/time.Second), int(p.Grace/time.Second)
	s.json(w, http.StatusOK, tokenSettings{&access, &grace, &p.Refresh, &p.NoExpiry, &p.NoScope, &p.BareRefresh, &p.Fault, &p.Times})
}

func (s *Sandbox) setTokens(w http.ResponseWriter, r *http.Request) {
	server := s.authorizationServer(w, r)
	if server == nil {
		return
	}
	var t tokenSettings
	if !decodeOperator(r, &t) || t.Refresh != nil && !t.Refresh.Known() || t.Fault != nil && !t.Fault.Known() {
		s.json(w, http.StatusBadRequest, map[string]string{"error": "the body is not valid"})
		return
	}
	p := server.Policy()
	if t.AccessSeconds != nil {
		p.AccessLife = time.Duration(*t.AccessSeconds) * time.Second
	}
	if t.GraceSeconds != nil {
		p.Grace = time.Duration(*t.GraceSeconds) * time.Second
	}
	set(&p.Refresh, t.Refresh)
	set(&p.NoExpiry, t.NoExpiry)
	set(&p.NoScope, t.NoScope)
	set(&p.BareRefresh, t.BareRefresh)
	set(&p.Fault, t.Fault)
	set(&p.Times, t.Times)
	server.SetPolicy(p)
	w.WriteHeader(http.StatusNoContent)
}

func set[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}

// expireTokens lets all access tokens of a bank expire now.
func (s *Sandbox) expireTokens(w http.ResponseWriter, r *http.Request) {
	server := s.authorizationServer(w, r)
	if server == nil {
		return
	}
	if err := server.ExpireAccess(); err != nil {
		s.json(w, http.StatusInternalServerError, map[string]string{"error": "the journal failed"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
