package e2e

import (
	"encoding/json"
	"net/http"
	"samla/internal/consent"
	"testing"
)

// bankConsent is a consent in the list of the sandbox's operator.
type bankConsent struct {
	ID        string `json:"consentId"`
	Bank      string `json:"bank"`
	Status    string `json:"consentStatus"`
	RequestID string `json:"xRequestId"`
	Until     string `json:"validUntil"`
	Recurring bool   `json:"recurringIndicator"`
}

// operator calls an operator endpoint of the sandbox.
func (w *env) operator(t *testing.T, method, path string, status int, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.Sandbox.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := w.phone.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != status {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
	if out != nil {
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
}

// bankConsent returns the bank's consent that was created with the request id of ours.
func (w *env) bankConsent(t *testing.T, id string) bankConsent {
	t.Helper()
	c, err := w.Server.Store().Consent(t.Context(), consent.ID(id))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Consents []bankConsent }
	w.operator(t, "GET", "/sandbox/consents", 200, &all)
	var found []bankConsent
	for _, listed := range all.Consents {
		if listed.RequestID == c.OpenRequestID && listed.Bank == c.Company {
			found = append(found, listed)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the bank has %d consents for one request", len(found))
	}
	return found[0]
}

// awaitBankStatus waits until the consent has the status at its bank.
func (w *env) awaitBankStatus(t *testing.T, id, status string) {
	t.Helper()
	w.await(t, "the bank's consent to be "+status, func() bool { return w.bankConsent(t, id).Status == status })
}

// revokeAtBank revokes a consent as the person would at the bank.
func (w *env) revokeAtBank(t *testing.T, id string) {
	t.Helper()
	w.operator(t, "POST", "/sandbox/consents/"+w.bankConsent(t, id).ID+"/revoke", 204, nil)
}

// consentOf returns the id of a collection's consent.
func (w *env) consentOf(t *testing.T, collection string) string {
	t.Helper()
	c, err := w.Server.Store().Collection(t.Context(), collection)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.ConsentID)
}
