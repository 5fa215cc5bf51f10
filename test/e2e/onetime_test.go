package e2e

import (
	"testing"

	"samla/internal/fault"
	"samla/test/qrscan"
)

// logsIn polls a one-time collection until it shows what the person has to do.
func (c client) logsIn(t *testing.T, id string) (shown map[string]string) {
	t.Helper()
	c.w.until(t, "collection LOGIN", func() bool {
		s := c.polls(t, id)
		if s.PollingInterval == nil {
			t.Fatalf("the collection ended as %s", s.Status)
		}
		if s.PollingTimeout == nil {
			t.Error("no polling timeout")
		}
		shown = map[string]string{}
		for key, value := range s.ExtraInformation {
			if shown[key], _ = value.(string); shown[key] == "" {
				t.Errorf("%s is %v", key, value)
			}
		}
		return s.Status == "LOGIN" && len(shown) > 0
	})
	return shown
}

// The keys of extraInformation (docs/reference/api.md 5.5).
const (
	qrPicture = "SWEDISH_BANKID_QRCODE"
	qrText    = "SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"
	token     = "SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"
)

// over holds the end of a one-time collection: the consent inside ends with it,
// here and at the bank, and was never anybody's to see.
func (p *person) over(t *testing.T, collection, atBank string) {
	t.Helper()
	inner := p.w.innerConsent(t, collection)
	p.w.atBank(t, inner, atBank)
	if p.w.bankConsent(t, inner).Recurring {
		t.Error("a one-time consent is recurring")
	}
	p.Do(t, "GET", "/consents/"+inner+"/status", nil).Fails(t, fault.ConsentNotFound)
	p.Do(t, "DELETE", "/consents/"+inner, nil).Fails(t, fault.ConsentNotFound)
	p.Do(t, "POST", "/collections", stored(demo, inner, home)).Fails(t, fault.ConsentNotFound)
	var list []struct{ ConsentID string }
	p.Do(t, "GET", "/consents", nil).Is(t, 200, &list)
	for _, c := range list {
		if c.ConsentID == inner {
			t.Error("the consent inside a collection is listed")
		}
	}
}

func oneTimeSession(t *testing.T, w *world) {
	p := w.person(t, sten)
	id := p.starts(t, ask{company: demo}.body(p.number)).ID
	shown := p.logsIn(t, id)
	if qrscan.Picture(t, shown[qrPicture]) != shown[qrText] || shown[token] == "" {
		t.Error("the picture shows another text, or there is no autostart token")
	}
	p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).Fails(t, fault.CollectionNotFinished)
	p.signs(t, "approve", instructions{AutoStartToken: shown[token]}, "")
	p.ends(t, id, "COMPLETED")
	asTheBankHasThem(t, w, demo, sten, p.data(t, id), attendedDays)
	p.over(t, id, "terminatedByTpp")
}

// oneTimeKey: a one-time collection of the API key belongs to nobody but the
// client.
func oneTimeKey(t *testing.T, w *world) {
	p := w.person(t, tim)
	body := ask{company: demo, method: sameDevice}.body(p.number[2:]) // ten digits will do here (docs/reference/api.md 5.3)
	id := w.backend.starts(t, body).ID
	shown := w.backend.logsIn(t, id)
	if shown[token] == "" || len(shown) != 1 {
		t.Errorf("on the same device, %d keys are shown", len(shown))
	}
	p.signs(t, "approve", instructions{AutoStartToken: shown[token]}, "")
	w.backend.ends(t, id, "COMPLETED")
	asTheBankHasThem(t, w, demo, tim, w.backend.data(t, id), attendedDays)
	for _, path := range []string{"/status", "/wealth/data"} {
		p.Do(t, "GET", "/collections/"+id+path, nil).Fails(t, fault.CollectionNotFound)
	}
	p.over(t, id, "terminatedByTpp")
}

func oneTimeEnds(number, action, by, status string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		p := w.person(t, number)
		id := p.starts(t, ask{company: demo}.body(p.number)).ID
		p.signs(t, action, instructions{AutoStartToken: p.logsIn(t, id)[token]}, by)
		p.ends(t, id, status)
		p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).Fails(t, fault.CollectionFailed)
		p.over(t, id, "rejected")
	}
}

// oneTimeStopped: the client stops it, in either of the two ways.
func oneTimeStopped(t *testing.T, w *world) {
	p := w.person(t, birgitta)
	for _, stop := range []func(id string){
		func(id string) {
			var s collectionStatus
			p.Do(t, "POST", "/collections/"+id+"/cancel", nil).Is(t, 200, &s)
			if s.Status != "AUTHENTICATION_CANCELLED" {
				t.Errorf("cancelled, and is %s", s.Status)
			}
		},
		func(id string) { p.Do(t, "DELETE", "/collections/"+id, nil).Is(t, 204, nil) },
	} {
		id := p.starts(t, ask{company: demo}.body(p.number)).ID
		p.logsIn(t, id)
		for range 2 { // both may be repeated
			stop(id)
		}
		p.ends(t, id, "AUTHENTICATION_CANCELLED")
		p.over(t, id, "terminatedByTpp")
	}
}

func oneTimePicture(t *testing.T, w *world) {
	p := w.person(t, sam)
	id := p.starts(t, ask{company: static}.body(p.number)).ID
	shown := p.logsIn(t, id)
	if len(shown) != 2 || shown[qrPicture] == "" || shown[token] == "" {
		t.Errorf("%d keys are shown", len(shown))
	}
	p.signs(t, "approve", instructions{QRImage: shown[qrPicture]}, "")
	p.ends(t, id, "COMPLETED")
	products := p.data(t, id)
	asTheBankHasThem(t, w, static, sam, products, attendedDays)
	hasTypes(t, products, "PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT")
	p.over(t, id, "terminatedByTpp")
}
