package e2e

import (
	"testing"
	"time"

	"samla/internal/fault"
)

func TestBanks_WithDifferentBehaviour(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *env){
			"autostart only": testAutostartBank, "static QR code": testStaticBank, "short": testShortBank,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	})
}

// wantInvalid checks that a request is INVALID_PARAMETER with one error at this pointer.
func (p *person) wantInvalid(t *testing.T, route string, a consentRequest, pointer string) {
	t.Helper()
	got := p.Do(t, "POST", route, a.body(p.personalNumber)).WantProblem(t, fault.InvalidParameter)
	if len(got.Errors) != 1 || got.Errors[0].Pointer != pointer {
		t.Errorf("%s: errors %+v, want %s", route, got.Errors, pointer)
	}
}

func testAutostartBank(t *testing.T, w *env) {
	p := w.person(t, maja)
	for _, route := range []string{"/consents", "/collections"} {
		p.wantInvalid(t, route, consentRequest{company: autostartBank, noPerson: true}, "/parameters")
		p.wantInvalid(t, route, consentRequest{company: autostartBank, method: otherDevice}, "/loginMethod")
	}
	id := p.requestConsent(t, consentRequest{company: autostartBank})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || i.AutoStartToken == "" || i.QRData != "" || i.QRImage != "" {
		t.Errorf("instructions %+v", i)
	}
	p.usePhone(t, "approve", i, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	compareWithBank(t, w, autostartBank, maja, p.products(t, p.collect(t, autostartBank, id, address, "COMPLETED")), attendedDays)
	compareWithBank(t, w, autostartBank, maja, p.products(t, p.collect(t, autostartBank, id, "", "COMPLETED")), unattendedDays)
}

func testStaticBank(t *testing.T, w *env) {
	p := w.person(t, elsa)
	p.wantInvalid(t, "/consents", consentRequest{company: staticBank, method: sameDevice}, "/loginMethod")
	id := p.requestConsent(t, consentRequest{company: staticBank})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_QR_CODE" || i.QRImage == "" || i.QRData != "" || i.AutoStartToken == "" {
		t.Errorf("instructions %+v", i)
	}
	p.usePhone(t, "approve", i, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	compareWithBank(t, w, staticBank, elsa, p.products(t, p.collect(t, staticBank, id, address, "COMPLETED")), attendedDays)
}

// testShortBank uses a bank that limits consents to 30 days and unattended reads to one a
// day, and fails some requests. The failures must not be visible to the client.
func testShortBank(t *testing.T, w *env) {
	p := w.person(t, ester)
	until := w.clock.Now().AddDate(0, 0, 100).Format(time.DateOnly)
	id := p.authorizeConsent(t, consentRequest{company: shortBank, scope: map[string]any{"validUntil": until}})
	if s := p.pollConsent(t, id); s.ExpiresAt.Format(time.DateOnly) != w.clock.Now().AddDate(0, 0, 30).Format(time.DateOnly) {
		t.Errorf("expires at %s", s.ExpiresAt)
	}
	for range 3 {
		compareWithBank(t, w, shortBank, ester, p.products(t, p.collect(t, shortBank, id, address, "COMPLETED")), attendedDays)
	}
	bank := w.Sandbox.Stats().Banks[shortBank]
	if bank.Errors == 0 || bank.RateLimited == 0 {
		t.Errorf("the bank returned %d errors, %d of them 429: nothing was tested", bank.Errors, bank.RateLimited)
	}
	p.collect(t, shortBank, id, "", "COMPLETED")
	p.Do(t, "POST", "/collections", storedConsent(shortBank, id, "")).WantProblem(t, fault.BackgroundRefreshLimit)
}
