package e2e

import (
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/test/qrscan"
)

// otherDeviceConsent walks the main flow: consent with a moving QR code,
// approval, collection, data.
func otherDeviceConsent(t *testing.T, w *world) {
	p := w.person(t, maja)
	id := p.asks(t, ask{company: demo})
	first := p.awaits(t, id, "AWAITING_AUTHORIZATION")
	if first.PollingInterval == nil || *first.PollingInterval != 1000 {
		t.Errorf("polling interval %v", first.PollingInterval)
	}
	last := movingQR(t, p, id, 2) // TestQREverySecond has the time to look closer
	if err := w.phone.Act(t.Context(), "open", "", last.QRData, ""); err != nil {
		t.Fatal(err)
	}
	p.signs(t, "approve", last, "")
	granted := p.awaits(t, id, "AUTHORIZED")
	if granted.PollingInterval != nil || granted.AuthInstructions.Type != "" || granted.ExpiresAt.Sub(w.clock.Now()) < 179*24*time.Hour {
		t.Errorf("authorized as %+v", granted)
	}

	collection := p.starts(t, stored(demo, id, home))
	if collection.PollingTimeout == nil {
		t.Error("an attended collection has no polling timeout")
	}
	p.ends(t, collection.ID, "COMPLETED")
	products := p.data(t, collection.ID)
	hasTypes(t, products, "PSD2_CHECKING_ACCOUNT", "PSD2_CREDIT_CARD", "PSD2_SAVINGS_ACCOUNT")
	asTheBankHasThem(t, w, demo, maja, products, attendedDays)
}

func sameDeviceConsent(t *testing.T, w *world) {
	p := w.person(t, gun)
	id := p.asks(t, ask{company: demo, method: sameDevice})
	i := p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || i.AutoStartToken == "" || i.QRData != "" || i.QRImage != "" || i.UserMessage.Code == "" {
		t.Errorf("the person is told %+v", i)
	}
	p.signs(t, "approve", i, "")
	p.awaits(t, id, "AUTHORIZED")
	p.data(t, p.collects(t, demo, id, home, "COMPLETED"))
}

// consentEnds lets the person do something else than sign.
func consentEnds(number, action, by, code string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		p := w.person(t, number)
		id := p.asks(t, ask{company: demo})
		p.signs(t, action, p.awaits(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, by)
		if s := p.awaits(t, id, "FAILED"); s.Error.Code != code || s.Error.Message == "" {
			t.Errorf("failed as %+v", s.Error)
		}
		w.atBank(t, id, "rejected")
		p.Do(t, "POST", "/collections", stored(demo, id, home)).Fails(t, fault.ConsentNotAuthorized)
		p.Do(t, "DELETE", "/consents/"+id, nil).Fails(t, fault.ConsentNotRevocable)
	}
}

// twoAtOnce: BankID ends both authorisations of a person who has two.
func twoAtOnce(t *testing.T, w *world) {
	p := w.person(t, noa)
	first := p.asks(t, ask{company: demo})
	p.awaits(t, first, "AWAITING_AUTHORIZATION")
	second := p.asks(t, ask{company: demo})
	for _, id := range []string{first, second} {
		if s := p.awaits(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_CONFLICT" {
			t.Errorf("failed as %+v", s.Error)
		}
	}
}

// TestQREverySecond lives at the pace of the machine, so that an exchange takes
// no longer than it would: there is a new text each second (docs/reference/api.md 4.1).
func TestQREverySecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", 1)
	p := w.person(t, maja)
	id := p.asks(t, ask{company: demo})
	p.awaits(t, id, "AWAITING_AUTHORIZATION")
	last := movingQR(t, p, id, 4)
	if err := w.phone.Act(t.Context(), "approve", "", last.QRData, ""); err != nil {
		t.Fatal(err)
	}
	p.awaits(t, id, "AUTHORIZED")
}

// movingQR polls for six seconds and holds the QR code against what is promised:
// a text that moves, at least so many in that time, and a picture of that very
// text.
func movingQR(t *testing.T, p *person, id string, atLeast int) instructions {
	t.Helper()
	const seconds = 6
	texts := map[string]bool{}
	var last instructions
	start := p.w.clock.Now()
	for p.w.clock.Now().Sub(start) < seconds*time.Second {
		s := p.status(t, id)
		if last = s.AuthInstructions; last.Type != "SWEDISH_BANKID_QR_CODE" || last.UserMessage.Text == "" {
			t.Fatalf("the person is told %s %+v", s.Status, last)
		}
		if !texts[last.QRData] && qrscan.Picture(t, last.QRImage) != last.QRData {
			t.Error("the picture shows another text")
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
