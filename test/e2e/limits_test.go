package e2e

import (
	"errors"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/store"
)

// TestSigningLimits: BankID gives the person half a minute to open the app and
// three minutes to sign (docs/reference/banks.md 12.4).
func TestSigningLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	p := w.person(t, maja)
	timedOut := func(id string) {
		t.Helper()
		if s := p.awaits(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_TIMEOUT" {
			t.Errorf("failed as %+v", s.Error)
		}
		w.atBank(t, id, "rejected")
	}
	unopened := p.asks(t, ask{company: demo})
	p.awaits(t, unopened, "AWAITING_AUTHORIZATION")
	w.clock.jump(31 * time.Second)
	timedOut(unopened)

	unsigned := p.asks(t, ask{company: demo})
	p.signs(t, "open", p.awaits(t, unsigned, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	w.clock.jump(2 * time.Minute)
	scanned := ""
	w.until(t, "the QR code to stand still, for the app is open", func() bool {
		s := p.awaits(t, unsigned, "AWAITING_AUTHORIZATION").AuthInstructions
		still := s.QRData == scanned && s.UserMessage.Code != "RFA1"
		scanned = s.QRData
		return still
	})
	w.clock.jump(time.Minute)
	timedOut(unsigned)

	collection := p.starts(t, ask{company: demo}.body(p.number)).ID
	p.logsIn(t, collection)
	w.clock.jump(31 * time.Second)
	p.ends(t, collection, "AUTHENTICATION_TIMEOUT")
	p.over(t, collection, "rejected")
}

// TestLease: an attended collection lives as long as it is polled, a background
// refresh without (docs/reference/api.md 5.6).
func TestLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	p := w.person(t, elsa)
	const unpolled = 75 * time.Second // the lease, and what a poll may be behind

	signing := p.starts(t, ask{company: demo, method: sameDevice}.body(p.number)).ID
	p.signs(t, "open", instructions{AutoStartToken: p.logsIn(t, signing)[token]}, "")
	for range 3 {
		w.clock.jump(45 * time.Second)
		before := w.clock.Now()
		s := p.polls(t, signing)
		if s.Status != "LOGIN" || s.PollingTimeout == nil || s.PollingTimeout.Before(before.Add(59*time.Second)) {
			t.Fatalf("polled, and is %+v", s)
		}
	}
	p.Do(t, "POST", "/collections/"+signing+"/cancel", nil).Is(t, 200, nil)
	signing = p.starts(t, ask{company: demo, method: sameDevice}.body(p.number)).ID
	p.signs(t, "open", instructions{AutoStartToken: p.logsIn(t, signing)[token]}, "")
	w.clock.jump(unpolled)
	p.over(t, signing, "terminatedByTpp") // nobody polls, and it ends all the same
	p.ends(t, signing, "AUTHENTICATION_TIMEOUT")

	consent := p.consents(t, ask{company: demo})
	stalled := w.wire.stalls("GET", "/transactions")
	attended := p.starts(t, stored(demo, consent, home)).ID
	w.caught(t, stalled)
	w.clock.jump(unpolled)
	w.until(t, "the collection to end unpolled", func() bool {
		c, err := w.Server.Store().Collection(t.Context(), attended)
		return err == nil && c.Status.Terminal()
	})
	w.wire.mend(stalled)
	p.ends(t, attended, "FAILED")
	p.Do(t, "GET", "/collections/"+attended+"/wealth/data", nil).Fails(t, fault.CollectionFailed)

	stalled = w.wire.stalls("GET", "/transactions")
	background := p.starts(t, stored(demo, consent, "")).ID
	w.caught(t, stalled)
	w.clock.jump(unpolled)
	if s := p.polls(t, background); s.Status != "COLLECTING" || s.PollingTimeout != nil {
		t.Errorf("the background refresh is %+v", s)
	}
	w.wire.mend(stalled)
	p.ends(t, background, "COMPLETED")
}

// TestDays follows consents and data through half a year.
func TestDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	tonight := time.Date(morning.Year(), morning.Month(), morning.Day(), 23, 59, 59, 0, time.UTC)

	today, lasting, leaving := w.person(t, tim), w.person(t, maja), w.person(t, noa)
	expiring := today.consents(t, ask{company: demo, scope: map[string]any{"validUntil": morning.Format(time.DateOnly)}})
	if s := today.status(t, expiring); !s.ExpiresAt.Equal(tonight) {
		t.Errorf("expires at %s", s.ExpiresAt)
	}
	kept := lasting.consents(t, ask{company: demo})
	withdrawn := leaving.consents(t, ask{company: demo})
	data := lasting.collects(t, demo, kept, home, "COMPLETED")
	lasting.data(t, data)
	for range 4 {
		lasting.collects(t, demo, kept, "", "COMPLETED")
	}
	lasting.Do(t, "POST", "/collections", stored(demo, kept, "")).Fails(t, fault.BackgroundRefreshLimit)

	w.clock.jump(tonight.Add(-30 * time.Second).Sub(w.clock.Now()))
	lasting.Do(t, "GET", "/consents", nil).Fails(t, fault.Unauthorized) // the session is long over
	for _, p := range []*person{today, lasting, leaving} {
		p.renew(t)
	}
	if s := today.status(t, expiring); s.Status != "AUTHORIZED" {
		t.Errorf("half a minute before its end the consent is %s", s.Status)
	}
	w.clock.jump(tonight.Sub(w.clock.Now()))
	today.Do(t, "POST", "/collections", stored(demo, expiring, home)).Fails(t, fault.ConsentExpired)
	if s := today.awaits(t, expiring, "EXPIRED"); s.StatusChangedAt.Before(tonight) || s.StatusChangedAt.Sub(tonight) > time.Minute {
		t.Errorf("expired at %s", s.StatusChangedAt)
	}
	today.Do(t, "POST", "/collections", stored(demo, expiring, "")).Fails(t, fault.ConsentExpired)
	today.Do(t, "DELETE", "/consents/"+expiring, nil).Fails(t, fault.ConsentNotRevocable)
	for _, a := range w.wire.under(w.bankConsent(t, expiring).ID) {
		if a.method == "DELETE" {
			t.Error("the bank was told of an expiry that it knows of itself")
		}
	}

	w.withdraws(t, withdrawn)
	w.clock.jump(morning.Add(24*time.Hour + 10*time.Minute).Sub(w.clock.Now()))
	for _, p := range []*person{lasting, leaving} {
		p.renew(t)
	}
	leaving.awaits(t, withdrawn, "REVOKED") // by the daily check: nobody has asked the bank
	if s := lasting.status(t, kept); s.Status != "AUTHORIZED" {
		t.Errorf("the day after, the other consent is %s", s.Status)
	}
	lasting.collects(t, demo, kept, "", "COMPLETED") // the day's refreshes are there again

	w.clock.jump(30 * 24 * time.Hour)
	lasting.renew(t)
	lasting.Do(t, "GET", "/collections/"+data+"/wealth/data", nil).Fails(t, fault.DataExpired)
	w.until(t, "the data to be swept", func() bool {
		_, err := w.Server.Store().Products(t.Context(), data)
		return errors.Is(err, store.ErrNotFound)
	})
	lasting.collects(t, demo, kept, "", "COMPLETED")

	w.clock.jump(149 * 24 * time.Hour)
	lasting.renew(t)
	lasting.awaits(t, kept, "EXPIRED") // 180 days after the person signed, to the second
	w.clock.jump(24 * time.Hour)       // the bank counts in days
	w.atBank(t, kept, "expired")
}

// TestAvailability: what the directory says of a bank follows how it answers
// (docs/reference/api.md 6.1), and a bank that is down is the consent's failure.
func TestAvailability(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	p := w.person(t, sam)
	standing := func() string {
		t.Helper()
		var list []struct {
			Company, Status, Market string
			Functional, PSD2        bool
			LoginMethods            []string
		}
		p.Do(t, "GET", "/companies/availability", nil).Is(t, 200, &list)
		if len(list) != 4 {
			t.Fatalf("%d companies", len(list))
		}
		status := ""
		for _, c := range list {
			if !c.PSD2 || c.Market != "se" || len(c.LoginMethods) == 0 || c.Functional != (c.Status != "UNAVAILABLE") {
				t.Errorf("told as %+v", c)
			}
			if c.Company == static {
				status = c.Status
			} else if c.Status != "AVAILABLE" {
				t.Errorf("%s is %s", c.Company, c.Status)
			}
		}
		return status
	}
	if s := standing(); s != "AVAILABLE" {
		t.Errorf("at first %s", s)
	}
	down := w.wire.fails("POST", "/"+static+"/v1/consents")
	failed := func(p *person, consent string) {
		t.Helper()
		if s := p.awaits(t, consent, "FAILED"); s.Error.Code != "BANK_UNAVAILABLE" {
			t.Errorf("failed as %+v", s.Error)
		}
	}
	for _, consent := range []string{p.asks(t, ask{company: static}), p.asks(t, ask{company: static}), p.asks(t, ask{company: static})} {
		failed(p, consent)
	}
	if s := standing(); s != "AVAILABLE" {
		t.Errorf("failed one person only, and is %s", s)
	}
	others := []*person{w.person(t, maja), w.person(t, elsa), w.person(t, ida), w.person(t, leo)}
	consents := make([]string, len(others))
	for i, o := range others {
		consents[i] = o.asks(t, ask{company: static})
	}
	for i, o := range others {
		failed(o, consents[i])
	}
	if s := standing(); s != "UNAVAILABLE" {
		t.Errorf("down for five persons, and is %s", s)
	}
	w.wire.mend(down)
	p.consents(t, ask{company: static})
	others[0].consents(t, ask{company: static})
	if s := standing(); s != "DEGRADED" {
		t.Errorf("just back, and is %s", s)
	}
	w.clock.jump(6 * time.Minute)
	if s := standing(); s != "AVAILABLE" {
		t.Errorf("six minutes later %s", s)
	}
}
