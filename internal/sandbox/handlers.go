package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/source"
)

//go:embed index.html
var indexText string

var index = template.Must(template.New("index").Parse(indexText))

// handler serves the banks, the gateway, the sources, the BankID API, the phone and the operator endpoints.
func (s *Sandbox) handler() http.Handler {
	mux := http.NewServeMux()
	for _, b := range s.banks {
		mux.Handle("/"+b.Company+"/", b)
	}
	for _, b := range s.obie {
		mux.Handle("/"+b.Company+"/", b)
		b.MountOperator(mux)
	}
	for _, b := range s.nordea {
		mux.Handle("/"+b.Company+"/", b)
		b.MountOperator(mux)
	}
	mux.Handle(gatewayPath+"/", s.gateway)
	s.gateway.MountOperator(mux)
	(&httpapi.RP{Service: s.bankID, Verify: s.verifyClient, Log: s.config.Logger}).Mount(mux)
	(&httpapi.Phone{Service: s.bankID}).Mount(mux)
	s.source.Mount(mux, source.Access{Secret: s.secret, Verify: s.verifyClient})
	mux.HandleFunc("GET /sandbox/stats", s.stats)
	mux.HandleFunc("GET /sandbox/consents", s.consents)
	mux.HandleFunc("POST /sandbox/consents/{id}/revoke", s.revoke)
	s.mountOperator(mux)
	mux.HandleFunc("GET /{$}", s.index)
	return mux
}

// Stats are the counters of all banks together.
type Stats struct {
	ConsentsCreated   int                    `json:"consentsCreated"`
	DistinctRequests  int                    `json:"distinctRequestIds"`
	DuplicateConsents int                    `json:"duplicateConsents"`
	UnattendedReads   int                    `json:"unattendedReads"`
	Banks             map[string]aspsp.Stats `json:"banks"` // by company id
}

// Stats returns the current counters.
func (s *Sandbox) Stats() Stats {
	t := Stats{Banks: map[string]aspsp.Stats{}}
	for _, b := range s.banks {
		one := b.Stats()
		t.Banks[b.Company] = one
		t.ConsentsCreated += one.ConsentsCreated
		t.DistinctRequests += one.DistinctRequests
		t.DuplicateConsents += one.DuplicateConsents
		t.UnattendedReads += one.UnattendedReads
	}
	return t
}

func (s *Sandbox) stats(w http.ResponseWriter, _ *http.Request) { s.json(w, http.StatusOK, s.Stats()) }

func (s *Sandbox) consents(w http.ResponseWriter, _ *http.Request) {
	list := []aspsp.ConsentInfo{}
	for _, b := range s.banks {
		list = append(list, b.List()...)
	}
	s.json(w, http.StatusOK, map[string]any{"consents": list})
}

// revoke revokes a consent as the PSU would at the bank. It answers 204, 404 for an
// unknown consent, and 409 for one that is not valid.
func (s *Sandbox) revoke(w http.ResponseWriter, r *http.Request) {
	for _, b := range s.banks {
		found, err := b.Revoke(r.PathValue("id"))
		switch {
		case !found:
			continue
		case errors.Is(err, aspsp.ErrState):
			s.json(w, http.StatusConflict, map[string]string{"error": "the consent is not valid"})
		default:
			w.WriteHeader(http.StatusNoContent)
		}
		return
	}
	s.json(w, http.StatusNotFound, map[string]string{"error": "no such consent"})
}

func (s *Sandbox) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.config.Logger.Debug("sandbox: response not written", "err", err)
	}
}

func (s *Sandbox) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	view := struct {
		Banks       []BankInfo
		Nordea      []NordeaInfo
		OBIE        []OBIEInfo
		Persons     []persona.Person
		Habits      []persona.Habit
		Sources     []SourceInfo
		SourceUsers []source.Person
	}{s.Banks(), s.Nordea(), s.OBIE(), persona.All(), persona.Habits(), s.Sources(), source.Persons()}
	if err := index.Execute(w, view); err != nil {
		s.config.Logger.Debug("sandbox: page not written", "err", err)
	}
}
