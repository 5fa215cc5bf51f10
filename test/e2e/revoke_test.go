package e2e

import (
	"testing"

	"samla/internal/fault"
)

// revokes revokes a consent over the API.
func (p *person) revokes(t *testing.T, id string) consentStatus {
	t.Helper()
	var s consentStatus
	p.Do(t, "DELETE", "/consents/"+id, nil).Is(t, 200, &s)
	if s.Status != "REVOKED" || s.RevokedAt.IsZero() || s.PollingInterval != nil || s.AuthInstructions.Type != "" {
		t.Errorf("revoked as %+v", s)
	}
	return s
}

func revokedWaiting(t *testing.T, w *world) {
	p := w.person(t, alva)
	id := p.asks(t, ask{company: demo})
	i := p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	p.revokes(t, id)
	w.atBank(t, id, "terminatedByTpp")
	if err := w.phone.Act(t.Context(), "approve", i.AutoStartToken, "", ""); err == nil {
		t.Error("the order at BankID can still be signed")
	}
	if s := p.status(t, id); s.Status != "REVOKED" {
		t.Errorf("became %s", s.Status)
	}
}

func revokedAuthorized(t *testing.T, w *world) {
	p := w.person(t, alva)
	id := p.consents(t, ask{company: demo})
	first := p.revokes(t, id)
	if again := p.revokes(t, id); !again.RevokedAt.Equal(first.RevokedAt) || !again.StatusChangedAt.Equal(first.StatusChangedAt) {
		t.Errorf("revoked again: %+v instead of %+v", again, first)
	}
	w.atBank(t, id, "terminatedByTpp")
	for _, ip := range []string{home, ""} {
		p.Do(t, "POST", "/collections", stored(demo, id, ip)).Fails(t, fault.ConsentRevoked)
	}
}

// revokedBankDown: the word reaches the bank by retries, however often the wire
// breaks.
func revokedBankDown(t *testing.T, w *world) {
	p := w.person(t, elsa)
	id := p.consents(t, ask{company: autostart})
	broken := w.wire.breaks("DELETE", w.bankConsent(t, id).ID, 8)
	p.revokes(t, id)
	w.atBank(t, id, "terminatedByTpp")
	if hits := w.wire.mend(broken); hits != 8 {
		t.Errorf("the wire broke %d times", hits)
	}
	p.consents(t, ask{company: autostart}) // nothing is in the way of a new one
}

// withdrawnAtBank: the next collection finds out that the person has withdrawn
// the consent at the bank.
func withdrawnAtBank(t *testing.T, w *world) {
	p := w.person(t, ester)
	for _, ip := range []string{home, ""} {
		id := p.consents(t, ask{company: demo})
		w.withdraws(t, id)
		collection := p.collects(t, demo, id, ip, "AUTHENTICATION_ERROR")
		if s := p.awaits(t, id, "REVOKED"); s.RevokedAt.IsZero() {
			t.Errorf("revoked as %+v", s)
		}
		p.Do(t, "GET", "/collections/"+collection+"/wealth/data", nil).Fails(t, fault.CollectionFailed)
		p.Do(t, "POST", "/collections", stored(demo, id, ip)).Fails(t, fault.ConsentRevoked)
		if s := w.bankConsent(t, id); s.Status != "revokedByPsu" {
			t.Errorf("the bank has it as %s", s.Status)
		}
	}
}
