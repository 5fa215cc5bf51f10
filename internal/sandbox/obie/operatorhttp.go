package obie

import (
	"encoding/json"
	"errors"
	"net/http"

	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/signed"
)

// MountOperator mounts what an operator or a test does to the bank, below
// /sandbox/obie/{company}: GET shows consents and calls; POST consents/{id}/revoke and
// consents/{id}/reauthenticate; PUT faults with a list of Fault; PUT variant with
// {"variant": …}; POST key replaces the key that signs; POST redirects with {"clientId": …,
// "redirectUri": …} registers an address.
func (b *Bank) MountOperator(mux *http.ServeMux) {
	at := "/sandbox/obie/" + b.Company
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, struct {
			Issuer   string         `json:"issuer"`
			Calls    map[string]int `json:"calls"`
			Last     []calls.Call   `json:"lastCalls"`
			Consents []ConsentInfo  `json:"consents"`
		}{b.Issuer(), b.calls.Counts(), b.calls.Last(), b.List()})
	})
	change := func(f func(string) (bool, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			known, err := f(r.PathValue("id"))
			switch {
			case !known:
				operatorError(w, http.StatusNotFound, "no such consent")
			case errors.Is(err, grant.ErrState):
				operatorError(w, http.StatusConflict, "the consent is not authorised")
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		}
	}
	mux.HandleFunc("POST "+at+"/consents/{id}/revoke", change(b.Revoke))
	mux.HandleFunc("POST "+at+"/consents/{id}/reauthenticate", change(b.Reauthenticate))
	mux.HandleFunc("PUT "+at+"/faults", func(w http.ResponseWriter, r *http.Request) {
		var list []faults.Fault
		if err := readOperator(w, r, &list); err != nil {
			operatorError(w, http.StatusBadRequest, err.Error())
		} else if err := b.SetFaults(list...); err != nil {
			operatorError(w, http.StatusBadRequest, err.Error())
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("PUT "+at+"/variant", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Variant signed.Variant }
		if err := readOperator(w, r, &body); err != nil || body.Variant != "" && !body.Variant.Known() {
			operatorError(w, http.StatusBadRequest, "variant is not one of the variants")
			return
		}
		b.SetVariant(body.Variant)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+at+"/key", func(w http.ResponseWriter, _ *http.Request) {
		if b.RotateKey() != nil {
			operatorError(w, http.StatusInternalServerError, "no new key")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+at+"/redirects", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ClientID, RedirectURI string }
		if err := readOperator(w, r, &body); err != nil || body.RedirectURI == "" || !b.AllowRedirect(body.ClientID, body.RedirectURI) {
			operatorError(w, http.StatusBadRequest, "clientId is not known, or redirectUri is missing")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func readOperator(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func operatorError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}
