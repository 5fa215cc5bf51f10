package e2e

import (
	"testing"
	"time"

	"samla/internal/fault"
)

// TestBanks: four banks of different behaviour, each with the same persons.
func TestBanks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *world){
			"autostart only": autostartBank, "pictures": pictureBank, "short": shortBank,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	})
}

// refusesAsk holds a request to the pointers of its faults.
func (p *person) refusesAsk(t *testing.T, route string, a ask, pointer string) {
	t.Helper()
	got := p.Do(t, "POST", route, a.body(p.number)).Fails(t, fault.InvalidParameter)
	if len(got.Errors) != 1 || got.Errors[0].Pointer != pointer {
		t.Errorf("%s refuses %+v instead of %s", route, got.Errors, pointer)
	}
}

func autostartBank(t *testing.T, w *world) {
	p := w.person(t, maja)
	for _, route := range []string{"/consents", "/collections"} {
		p.refusesAsk(t, route, ask{company: autostart, nobody: true}, "/parameters")
		p.refusesAsk(t, route, ask{company: autostart, method: otherDevice}, "/loginMethod")
	}
	id := p.asks(t, ask{company: autostart})
	i := p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || i.AutoStartToken == "" || i.QRData != "" || i.QRImage != "" {
		t.Errorf("the person is told %+v", i)
	}
	p.signs(t, "approve", i, "")
	p.awaits(t, id, "AUTHORIZED")
	asTheBankHasThem(t, w, autostart, maja, p.data(t, p.collects(t, autostart, id, home, "COMPLETED")), attendedDays)
	asTheBankHasThem(t, w, autostart, maja, p.data(t, p.collects(t, autostart, id, "", "COMPLETED")), unattendedDays)
}

func pictureBank(t *testing.T, w *world) {
	p := w.person(t, elsa)
	p.refusesAsk(t, "/consents", ask{company: static, method: sameDevice}, "/loginMethod")
	id := p.asks(t, ask{company: static})
	i := p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_QR_CODE" || i.QRImage == "" || i.QRData != "" || i.AutoStartToken == "" {
		t.Errorf("the person is told %+v", i)
	}
	p.signs(t, "approve", i, "")
	p.awaits(t, id, "AUTHORIZED")
	asTheBankHasThem(t, w, static, elsa, p.data(t, p.collects(t, static, id, home, "COMPLETED")), attendedDays)
}

// shortBank clips the consent to 30 days, lets itself be read unattended once a
// day, and fails now and then: none of that is the person's to see.
func shortBank(t *testing.T, w *world) {
	p := w.person(t, ester)
	until := w.clock.Now().AddDate(0, 0, 100).Format(time.DateOnly)
	id := p.consents(t, ask{company: short, scope: map[string]any{"validUntil": until}})
	if s := p.status(t, id); s.ExpiresAt.Format(time.DateOnly) != w.clock.Now().AddDate(0, 0, 30).Format(time.DateOnly) {
		t.Errorf("expires at %s", s.ExpiresAt)
	}
	for range 3 {
		asTheBankHasThem(t, w, short, ester, p.data(t, p.collects(t, short, id, home, "COMPLETED")), attendedDays)
	}
	failed := 0
	bank := w.Sandbox.Stats().Banks[short]
	if failed = bank.Errors; failed == 0 || bank.RateLimited == 0 {
		t.Errorf("the bank failed %d times: this shows nothing", failed)
	}
	p.collects(t, short, id, "", "COMPLETED")
	p.Do(t, "POST", "/collections", stored(short, id, "")).Fails(t, fault.BackgroundRefreshLimit)
}
