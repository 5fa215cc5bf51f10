package e2e

import (
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/test/qrscan"
)

// otherDeviceConsent runs the main flow: consent with an animated QR code, approval,
// collection, data.
func otherDeviceConsent(t *testing.T, w *env) {
	p := w.person(t, maja)
	id := p.requestConsent(t, consentRequest{company: demoBank})
	first := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION")
	if first.PollingInterval == nil || *first.PollingInterval != 1000 {
		t.Errorf("polling interval %v", first.PollingInterval)
	}
	last := pollQR(t, p, id, 2) // TestQR_ChangesEverySecond checks the exact rate
	if err := w.phone.Act(t.Context(), "open", "", last.QRData, ""); err != nil {
		t.Fatal(err)
	}
	p.usePhone(t, "approve", last, "")
	granted := p.awaitConsent(t, id, "AUTHORIZED")
	if granted.PollingInterval != nil || granted.AuthInstructions.Type != "" || granted.ExpiresAt.Sub(w.clock.Now()) < 179*24*time.Hour {
		t.Errorf("authorized as %+v", granted)
	}

	collection := p.startCollection(t, storedConsent(demoBank, id, address))
	if collection.PollingTimeout == nil {
		t.Error("an attended collection has no polling timeout")
	}
	p.awaitCollection(t, collection.ID, "COMPLETED")
	products := p.products(t, collection.ID)
	hasTypes(t, products, "PSD2_CHECKING_ACCOUNT", "PSD2_CREDIT_CARD", "PSD2_SAVINGS_ACCOUNT")
	compareWithBank(t, w, demoBank, maja, products, attendedDays)
}

func sameDeviceConsent(t *testing.T, w *env) {
	p := w.person(t, gun)
	id := p.requestConsent(t, consentRequest{company: demoBank, method: sameDevice})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || i.AutoStartToken == "" || i.QRData != "" || i.QRImage != "" || i.UserMessage.Code == "" {
		t.Errorf("instructions %+v", i)
	}
	p.usePhone(t, "approve", i, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	p.products(t, p.collect(t, demoBank, id, address, "COMPLETED"))
}

// consentEnds tests a consent that the person does not sign, or another person signs.
func consentEnds(number, action, by, code string) func(*testing.T, *env) {
	return func(t *testing.T, w *env) {
		p := w.person(t, number)
		id := p.requestConsent(t, consentRequest{company: demoBank})
		p.usePhone(t, action, p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, by)
		if s := p.awaitConsent(t, id, "FAILED"); s.Error.Code != code || s.Error.Message == "" {
			t.Errorf("failed as %+v", s.Error)
		}
		w.awaitBankStatus(t, id, "rejected")
		p.Do(t, "POST", "/collections", storedConsent(demoBank, id, address)).WantProblem(t, fault.ConsentNotAuthorized)
		p.Do(t, "DELETE", "/consents/"+id, nil).WantProblem(t, fault.ConsentNotRevocable)
	}
}

// concurrentConsents: BankID cancels both orders of a person who starts two.
func concurrentConsents(t *testing.T, w *env) {
	p := w.person(t, noa)
	first := p.requestConsent(t, consentRequest{company: demoBank})
	p.awaitConsent(t, first, "AWAITING_AUTHORIZATION")
	second := p.requestConsent(t, consentRequest{company: demoBank})
	for _, id := range []string{first, second} {
		if s := p.awaitConsent(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_CONFLICT" {
			t.Errorf("failed as %+v", s.Error)
		}
	}
}

// TestQR_ChangesEverySecond uses a clock at normal speed, because with a fast clock the
// exchanges with the bank take too long (docs/reference/api.md 4.1).
func TestQR_ChangesEverySecond(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", 1)
	p := w.person(t, maja)
	id := p.requestConsent(t, consentRequest{company: demoBank})
	p.awaitConsent(t, id, "AWAITING_AUTHORIZATION")
	last := pollQR(t, p, id, 4)
	if err := w.phone.Act(t.Context(), "approve", "", last.QRData, ""); err != nil {
		t.Fatal(err)
	}
	p.awaitConsent(t, id, "AUTHORIZED")
}

// pollQR polls for six seconds. In that time there must be at least this many different QR
// texts, and each image must show its text.
func pollQR(t *testing.T, p *person, id string, atLeast int) instructions {
	t.Helper()
	const seconds = 6
	texts := map[string]bool{}
	var last instructions
	start := p.w.clock.Now()
	for p.w.clock.Now().Sub(start) < seconds*time.Second {
		s := p.pollConsent(t, id)
		if last = s.AuthInstructions; last.Type != "SWEDISH_BANKID_QR_CODE" || last.UserMessage.Text == "" {
			t.Fatalf("status %s, instructions %+v", s.Status, last)
		}
		if !texts[last.QRData] && qrscan.Decode(t, last.QRImage) != last.QRData {
			t.Error("the image shows another text")
		}
		if !strings.HasPrefix(last.QRData, "bankid.") || last.AutoStartToken == "" {
			t.Errorf("no BankID QR text or no autostart token")
		}
		texts[last.QRData] = true
		timer := p.w.clock.NewTimer(200 * time.Millisecond)
		<-timer.C()
	}
	if len(texts) < atLeast {
		t.Errorf("%d texts in %d seconds", len(texts), seconds)
	}
	return last
}
