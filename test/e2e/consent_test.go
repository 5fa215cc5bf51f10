package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestTheMainJob walks the main flow on each store: consent with a moving QR
// code, approval, collection, data.
func TestTheMainJob(t *testing.T) {
	for name, database := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, database(t), speed)
			p := w.person(t, maja)
			id := p.asks(t, ask{company: demo})
			first := p.awaits(t, id, "AWAITING_AUTHORIZATION")
			if first.PollingInterval == nil || *first.PollingInterval != 1000 {
				t.Errorf("polling interval %v", first.PollingInterval)
			}
			last := movingQR(t, p, id)
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
			types := map[string]int{}
			for _, a := range products {
				types[a.Type]++
			}
			for _, want := range []string{"PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT", "PSD2_CREDIT_CARD"} {
				if types[want] != 1 {
					t.Errorf("%d products of type %s", types[want], want)
				}
			}
			asTheBankHasThem(t, w, demo, maja, products, attendedDays)
		})
	}
}

// movingQR polls once a second and holds the QR code against what is promised:
// another text each second, and a picture of that very text.
func movingQR(t *testing.T, p *person, id string) instructions {
	t.Helper()
	const seconds = 5
	texts := map[string]bool{}
	var last instructions
	start := p.w.clock.Now()
	for p.w.clock.Now().Sub(start) < seconds*time.Second {
		s := p.status(t, id)
		if last = s.AuthInstructions; last.Type != "SWEDISH_BANKID_QR_CODE" || last.UserMessage.Text == "" {
			t.Fatalf("the person is told %s %+v", s.Status, last)
		}
		if !texts[last.QRData] && scan(t, last.QRImage) != last.QRData {
			t.Error("the picture shows another text")
		}
		if !strings.HasPrefix(last.QRData, "bankid.") || last.AutoStartToken == "" {
			t.Errorf("no BankID QR text or no autostart token")
		}
		texts[last.QRData] = true
		timer := p.w.clock.NewTimer(200 * time.Millisecond)
		<-timer.C()
	}
	if len(texts) < seconds-1 {
		t.Errorf("%d texts in %d seconds", len(texts), seconds)
	}
	return last
}
