package e2e

import (
	"testing"

	"samla/internal/fault"
)

// revokeConsent revokes a consent over the API.
func (p *person) revokeConsent(t *testing.T, id string) consentStatus {
	t.Helper()
	var s consentStatus
	p.Do(t, "DELETE", "/consents/"+id, nil).WantStatus(t, 200, &s)
	if s.Status != "REVOKED" || s.RevokedAt.IsZero() || s.PollingInterval != nil || s.AuthInstructions.Type != "" {
		t.Errorf("revoked as %+v", s)
	}
	return s
}

func revokedWaiting(t *testing.T, w *env) {
	p := w.person(t, alva)
	id := p.requestConsent(t, consentRequest{company: demoBank})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	p.revokeConsent(t, id)
	w.awaitBankStatus(t, id, "terminatedByTpp")
	if err := w.phone.Act(t.Context(), "approve", i.AutoStartToken, "", ""); err == nil {
		t.Error("the order at BankID can still be signed")
	}
	if s := p.pollConsent(t, id); s.Status != "REVOKED" {
		t.Errorf("the consent became %s", s.Status)
	}
}

func revokedAuthorized(t *testing.T, w *env) {
	p := w.person(t, alva)
	id := p.authorizeConsent(t, consentRequest{company: demoBank})
	first := p.revokeConsent(t, id)
	if again := p.revokeConsent(t, id); !again.RevokedAt.Equal(first.RevokedAt) || !again.StatusChangedAt.Equal(first.StatusChangedAt) {
		t.Errorf("second revocation %+v, first %+v", again, first)
	}
	w.awaitBankStatus(t, id, "terminatedByTpp")
	for _, ip := range []string{address, ""} {
		p.Do(t, "POST", "/collections", storedConsent(demoBank, id, ip)).WantProblem(t, fault.ConsentRevoked)
	}
}

// revokedBankDown: the revocation is retried until it reaches the bank.
func revokedBankDown(t *testing.T, w *env) {
	p := w.person(t, elsa)
	id := p.authorizeConsent(t, consentRequest{company: autostartBank})
	dropped := w.interceptor.dropRequests("DELETE", w.bankConsent(t, id).ID, 8)
	p.revokeConsent(t, id)
	w.awaitBankStatus(t, id, "terminatedByTpp")
	if hits := w.interceptor.end(dropped); hits != 8 {
		t.Errorf("%d requests failed, want 8", hits)
	}
	p.authorizeConsent(t, consentRequest{company: autostartBank}) // a new consent is possible
}

// revokedAtBank: the next collection notices that the person has revoked the consent at
// the bank.
func revokedAtBank(t *testing.T, w *env) {
	p := w.person(t, ester)
	for _, ip := range []string{address, ""} {
		id := p.authorizeConsent(t, consentRequest{company: demoBank})
		w.revokeAtBank(t, id)
		collection := p.collect(t, demoBank, id, ip, "AUTHENTICATION_ERROR")
		if s := p.awaitConsent(t, id, "REVOKED"); s.RevokedAt.IsZero() {
			t.Errorf("revoked as %+v", s)
		}
		p.Do(t, "GET", "/collections/"+collection+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
		p.Do(t, "POST", "/collections", storedConsent(demoBank, id, ip)).WantProblem(t, fault.ConsentRevoked)
		if s := w.bankConsent(t, id); s.Status != "revokedByPsu" {
			t.Errorf("the consent is %s at the bank", s.Status)
		}
	}
}
