package e2e

import (
	"testing"

	"samla/internal/fault"
	"samla/test/qrscan"
)

// awaitLogin polls a one-time collection until it has instructions for the person.
func (c client) awaitLogin(t *testing.T, id string) (instructions map[string]string) {
	t.Helper()
	c.w.await(t, "collection LOGIN", func() bool {
		s := c.pollCollection(t, id)
		if s.PollingInterval == nil {
			t.Fatalf("the collection ended as %s", s.Status)
		}
		if s.PollingTimeout == nil {
			t.Error("no polling timeout")
		}
		instructions = map[string]string{}
		for key, value := range s.ExtraInformation {
			if instructions[key], _ = value.(string); instructions[key] == "" {
				t.Errorf("%s is %v", key, value)
			}
		}
		return s.Status == "LOGIN" && len(instructions) > 0
	})
	return instructions
}

// The keys of extraInformation (docs/reference/api.md 5.5).
const (
	qrImage = "SWEDISH_BANKID_QRCODE"
	qrText  = "SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"
	token   = "SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"
)

// wantConsentEnded checks that the consent of an ended one-time collection has the status
// atBank at the bank, and that the API never shows it.
func (p *person) wantConsentEnded(t *testing.T, collection, atBank string) {
	t.Helper()
	inner := p.w.consentOf(t, collection)
	p.w.awaitBankStatus(t, inner, atBank)
	if p.w.bankConsent(t, inner).Recurring {
		t.Error("a one-time consent is recurring")
	}
	p.Do(t, "GET", "/consents/"+inner+"/status", nil).WantProblem(t, fault.ConsentNotFound)
	p.Do(t, "DELETE", "/consents/"+inner, nil).WantProblem(t, fault.ConsentNotFound)
	p.Do(t, "POST", "/collections", storedConsent(demoBank, inner, address)).WantProblem(t, fault.ConsentNotFound)
	var list []struct{ ConsentID string }
	p.Do(t, "GET", "/consents", nil).WantStatus(t, 200, &list)
	for _, c := range list {
		if c.ConsentID == inner {
			t.Error("the consent of a one-time collection is listed")
		}
	}
}

func oneTimeSession(t *testing.T, w *env) {
	p := w.person(t, sten)
	id := p.startCollection(t, consentRequest{company: demoBank}.body(p.personalNumber)).ID
	shown := p.awaitLogin(t, id)
	if qrscan.Decode(t, shown[qrImage]) != shown[qrText] || shown[token] == "" {
		t.Error("the image shows another text, or there is no autostart token")
	}
	p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.CollectionNotFinished)
	p.usePhone(t, "approve", instructions{AutoStartToken: shown[token]}, "")
	p.awaitCollection(t, id, "COMPLETED")
	compareWithBank(t, w, demoBank, sten, p.products(t, id), attendedDays)
	p.wantConsentEnded(t, id, "terminatedByTpp")
}

// oneTimeKey: a one-time collection that was started with the API key has no user.
func oneTimeKey(t *testing.T, w *env) {
	p := w.person(t, tim)
	body := consentRequest{company: demoBank, method: sameDevice}.body(p.personalNumber[2:]) // ten digits are allowed here (docs/reference/api.md 5.3)
	id := w.backend.startCollection(t, body).ID
	shown := w.backend.awaitLogin(t, id)
	if shown[token] == "" || len(shown) != 1 {
		t.Errorf("%d instructions on the same device", len(shown))
	}
	p.usePhone(t, "approve", instructions{AutoStartToken: shown[token]}, "")
	w.backend.awaitCollection(t, id, "COMPLETED")
	compareWithBank(t, w, demoBank, tim, w.backend.products(t, id), attendedDays)
	for _, path := range []string{"/status", "/wealth/data"} {
		p.Do(t, "GET", "/collections/"+id+path, nil).WantProblem(t, fault.CollectionNotFound)
	}
	p.wantConsentEnded(t, id, "terminatedByTpp")
}

// oneTimeNumberAlone: the request names the person and nothing else. The bank gets our own
// address when the consent is opened, and no address when it is read.
func oneTimeNumberAlone(t *testing.T, w *env) {
	p := w.person(t, elsa)
	id := w.backend.startCollection(t, map[string]any{"company": demoBank, "loginMethod": sameDevice,
		"parameters": []any{map[string]any{"type": "SWEDISH_BANKID", "personalNumber": p.personalNumber[2:]}}}).ID
	p.usePhone(t, "approve", instructions{AutoStartToken: w.backend.awaitLogin(t, id)[token]}, "")
	w.backend.awaitCollection(t, id, "COMPLETED")
	compareWithBank(t, w, demoBank, elsa, w.backend.products(t, id), unattendedDays)
	reads := 0
	for _, r := range w.interceptor.requestsFor(w.bankConsent(t, w.consentOf(t, id)).ID) {
		if r.isAccountRead() {
			reads++
		}
		if got := r.header.Get("PSU-IP-Address"); got != "" {
			t.Errorf("%s %s has an address of a person", r.method, r.path)
		}
	}
	if reads == 0 {
		t.Error("nothing was read")
	}
	p.wantConsentEnded(t, id, "terminatedByTpp")
}

func oneTimeEnds(number, action, by, status string) func(*testing.T, *env) {
	return func(t *testing.T, w *env) {
		p := w.person(t, number)
		id := p.startCollection(t, consentRequest{company: demoBank}.body(p.personalNumber)).ID
		p.usePhone(t, action, instructions{AutoStartToken: p.awaitLogin(t, id)[token]}, by)
		p.awaitCollection(t, id, status)
		p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
		p.wantConsentEnded(t, id, "rejected")
	}
}

// oneTimeStopped: the client stops the collection in one of two ways.
func oneTimeStopped(t *testing.T, w *env) {
	p := w.person(t, birgitta)
	for _, stop := range []func(id string){
		func(id string) {
			var s collectionStatus
			p.Do(t, "POST", "/collections/"+id+"/cancel", nil).WantStatus(t, 200, &s)
			if s.Status != "AUTHENTICATION_CANCELLED" {
				t.Errorf("status %s after cancelling", s.Status)
			}
		},
		func(id string) { p.Do(t, "DELETE", "/collections/"+id, nil).WantStatus(t, 204, nil) },
	} {
		id := p.startCollection(t, consentRequest{company: demoBank}.body(p.personalNumber)).ID
		p.awaitLogin(t, id)
		for range 2 { // both calls are idempotent
			stop(id)
		}
		p.awaitCollection(t, id, "AUTHENTICATION_CANCELLED")
		p.wantConsentEnded(t, id, "terminatedByTpp")
	}
}

func oneTimeStaticQR(t *testing.T, w *env) {
	p := w.person(t, sam)
	id := p.startCollection(t, consentRequest{company: staticBank}.body(p.personalNumber)).ID
	shown := p.awaitLogin(t, id)
	if len(shown) != 2 || shown[qrImage] == "" || shown[token] == "" {
		t.Errorf("%d instructions", len(shown))
	}
	p.usePhone(t, "approve", instructions{QRImage: shown[qrImage]}, "")
	p.awaitCollection(t, id, "COMPLETED")
	products := p.products(t, id)
	compareWithBank(t, w, staticBank, sam, products, attendedDays)
	hasTypes(t, products, "PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT")
	p.wantConsentEnded(t, id, "terminatedByTpp")
}
