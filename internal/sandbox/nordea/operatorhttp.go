package nordea

import (
	"encoding/json"
	"errors"
	"net/http"

	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/nordea/grant"
)

// MountOperator mounts what an operator or a test does to the bank, below
// /sandbox/nordea/{company}: GET shows counters, grants and the last calls; POST
// grants/{id}/revoke withdraws a grant; PUT faults with a list of faults.Fault; POST redirects with
// {"clientId": …, "redirectUri": …} registers an address.
func (b *Bank) MountOperator(mux *http.ServeMux) {
	at := "/sandbox/nordea/" + b.Company
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, _ *http.Request) {
		operatorAnswer(w, http.StatusOK, struct {
			Stats
			Last   []calls.Call `json:"lastCalls"`
			Grants []GrantInfo  `json:"grants"`
		}{b.Stats(), b.calls.Last(), b.Grants()})
	})
	mux.HandleFunc("POST "+at+"/grants/{id}/revoke", func(w http.ResponseWriter, r *http.Request) {
		found, err := b.Revoke(r.PathValue("id"))
		switch {
		case !found:
			operatorError(w, http.StatusNotFound, "no such grant")
		case errors.Is(err, grant.ErrState):
			operatorError(w, http.StatusConflict, "the grant has been revoked")
		case err != nil:
			operatorError(w, http.StatusInternalServerError, "the journal cannot be written")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("PUT "+at+"/faults", func(w http.ResponseWriter, r *http.Request) {
		var list []faults.Fault
		if !readOperator(w, r, &list) {
			return
		}
		if err := b.SetFaults(list...); err != nil {
			operatorError(w, http.StatusBadRequest, err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+at+"/redirects", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ClientID, RedirectURI string }
		if !readOperator(w, r, &body) {
			return
		}
		if err := b.Register(body.ClientID, body.RedirectURI); err != nil {
			operatorError(w, http.StatusBadRequest, err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// readOperator reads a JSON body, or answers that it is none.
func readOperator(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		operatorError(w, http.StatusBadRequest, "the body is not the JSON of this request")
		return false
	}
	return true
}

func operatorError(w http.ResponseWriter, status int, text string) {
	operatorAnswer(w, status, map[string]string{"error": text})
}

func operatorAnswer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the connection is closed
}
