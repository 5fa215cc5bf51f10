package e2e

import (
	"errors"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/store"
)

// The person has half a minute to open the app and three minutes to sign
// (docs/reference/banks.md 12.4). An order that nobody has opened is followed by
// another one, until the consent's own time is over.
func TestSigning_TimesOut(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	p := w.person(t, maja)
	timedOut := func(id string) {
		t.Helper()
		if s := p.awaitConsent(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_TIMEOUT" {
			t.Errorf("failed as %+v", s.Error)
		}
		w.await(t, "the end at the bank", func() bool { return w.bankConsent(t, id).Status != "received" })
	}
	unopened := p.requestConsent(t, consentRequest{company: demoBank})
	first := p.awaitConsent(t, unopened, "AWAITING_AUTHORIZATION").AuthInstructions
	if left := first.ExpiresAt.Sub(w.clock.Now()); left > 30*time.Second {
		t.Errorf("what is shown works for %s", left)
	}
	w.clock.Jump(31 * time.Second)
	second := first
	w.await(t, "another BankID order", func() bool {
		second = p.awaitConsent(t, unopened, "AWAITING_AUTHORIZATION").AuthInstructions
		return second.AutoStartToken != first.AutoStartToken
	})
	p.usePhone(t, "approve", second, "")
	p.awaitConsent(t, unopened, "AUTHORIZED")

	late := p.requestConsent(t, consentRequest{company: demoBank})
	p.awaitConsent(t, late, "AWAITING_AUTHORIZATION")
	w.clock.Jump(5 * time.Minute)
	timedOut(late)

	unsigned := p.requestConsent(t, consentRequest{company: demoBank})
	p.usePhone(t, "open", p.awaitConsent(t, unsigned, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	w.clock.Jump(2 * time.Minute)
	previous := ""
	w.await(t, "the QR code to stop changing, because the app is open", func() bool {
		s := p.awaitConsent(t, unsigned, "AWAITING_AUTHORIZATION").AuthInstructions
		unchanged := s.QRData == previous && s.UserMessage.Code != "RFA1"
		previous = s.QRData
		return unchanged
	})
	w.clock.Jump(time.Minute)
	timedOut(unsigned)

	collection := p.startCollection(t, consentRequest{company: demoBank}.body(p.personalNumber)).ID
	old := p.awaitLogin(t, collection)[token]
	w.clock.Jump(31 * time.Second)
	w.await(t, "another BankID order of the collection", func() bool { return p.awaitLogin(t, collection)[token] != old })
	for range 3 {
		p.pollCollection(t, collection) // its lease is shorter than the time to sign
		w.clock.Jump(50 * time.Second)
	}
	p.usePhone(t, "approve", instructions{AutoStartToken: p.newestToken(t, collection)}, "")
	p.awaitCollection(t, collection, "COMPLETED")
}

// newestToken returns the token of the order that waits for the person.
func (p *person) newestToken(t *testing.T, collection string) string {
	t.Helper()
	seen := p.awaitLogin(t, collection)[token]
	now := seen
	p.w.await(t, "the newest BankID order", func() bool {
		now = p.awaitLogin(t, collection)[token]
		return now != seen
	})
	return now
}

// An attended collection ends if it is not polled; a background refresh does not
// (docs/reference/api.md 5.6).
func TestPollingLease_EndsUnpolledCollection(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	p := w.person(t, elsa)
	const unpolled = 75 * time.Second // the lease, and the interval in which polls are written

	signing := p.startCollection(t, consentRequest{company: demoBank, method: sameDevice}.body(p.personalNumber)).ID
	p.usePhone(t, "open", instructions{AutoStartToken: p.awaitLogin(t, signing)[token]}, "")
	for range 3 {
		w.clock.Jump(45 * time.Second)
		before := w.clock.Now()
		s := p.pollCollection(t, signing)
		if s.Status != "LOGIN" || s.PollingTimeout == nil || s.PollingTimeout.Before(before.Add(59*time.Second)) {
			t.Fatalf("the polled collection is %+v", s)
		}
	}
	p.Do(t, "POST", "/collections/"+signing+"/cancel", nil).WantStatus(t, 200, nil)
	signing = p.startCollection(t, consentRequest{company: demoBank, method: sameDevice}.body(p.personalNumber)).ID
	p.usePhone(t, "open", instructions{AutoStartToken: p.awaitLogin(t, signing)[token]}, "")
	w.clock.Jump(unpolled)
	p.wantConsentEnded(t, signing, "terminatedByTpp") // without a poll
	p.awaitCollection(t, signing, "AUTHENTICATION_TIMEOUT")

	consent := p.authorizeConsent(t, consentRequest{company: demoBank})
	stalled := w.interceptor.stall("GET", "/transactions")
	attended := p.startCollection(t, storedConsent(demoBank, consent, address)).ID
	w.awaitHit(t, stalled)
	w.clock.Jump(unpolled)
	w.await(t, "the unpolled collection to end", func() bool {
		c, err := w.Server.Store().Collection(t.Context(), attended)
		return err == nil && c.Status.Terminal()
	})
	w.interceptor.end(stalled)
	p.awaitCollection(t, attended, "FAILED")
	p.Do(t, "GET", "/collections/"+attended+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)

	stalled = w.interceptor.stall("GET", "/transactions")
	background := p.startCollection(t, storedConsent(demoBank, consent, "")).ID
	w.awaitHits(t, stalled, 4) // as many as are asked at once
	w.clock.Jump(unpolled)
	w.awaitHits(t, stalled, 5) // its job's lease has passed too: another run goes on
	if s := p.pollCollection(t, background); s.Status != "COLLECTING" || s.PollingTimeout != nil {
		t.Errorf("the background refresh is %+v", s)
	}
	w.interceptor.end(stalled)
	p.awaitCollection(t, background, "COMPLETED_PARTIAL") // without what the first run was asking
}

// Consents and data over half a year: expiry, revocation at the bank, background limit,
// retention.
func TestConsentLifetime_OverHalfAYear(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	tonight := time.Date(startTime.Year(), startTime.Month(), startTime.Day(), 23, 59, 59, 0, time.UTC)

	today, lasting, revoking := w.person(t, tim), w.person(t, maja), w.person(t, noa)
	expiring := today.authorizeConsent(t, consentRequest{company: demoBank, scope: map[string]any{"validUntil": startTime.Format(time.DateOnly)}})
	if s := today.pollConsent(t, expiring); !s.ExpiresAt.Equal(tonight) {
		t.Errorf("expires at %s", s.ExpiresAt)
	}
	valid := lasting.authorizeConsent(t, consentRequest{company: demoBank})
	revoked := revoking.authorizeConsent(t, consentRequest{company: demoBank})
	data := lasting.collect(t, demoBank, valid, address, "COMPLETED")
	lasting.products(t, data)
	for range 4 {
		lasting.collect(t, demoBank, valid, "", "COMPLETED")
	}
	lasting.Do(t, "POST", "/collections", storedConsent(demoBank, valid, "")).WantProblem(t, fault.BackgroundRefreshLimit)

	w.clock.Jump(tonight.Add(-30 * time.Second).Sub(w.clock.Now()))
	lasting.Do(t, "GET", "/consents", nil).WantProblem(t, fault.Unauthorized) // the session has expired
	for _, p := range []*person{today, lasting, revoking} {
		p.renewSession(t)
	}
	if s := today.pollConsent(t, expiring); s.Status != "AUTHORIZED" {
		t.Errorf("half a minute before its end the consent is %s", s.Status)
	}
	w.clock.Jump(tonight.Sub(w.clock.Now()))
	today.Do(t, "POST", "/collections", storedConsent(demoBank, expiring, address)).WantProblem(t, fault.ConsentExpired)
	if s := today.awaitConsent(t, expiring, "EXPIRED"); s.StatusChangedAt.Before(tonight) || s.StatusChangedAt.Sub(tonight) > time.Minute {
		t.Errorf("expired at %s", s.StatusChangedAt)
	}
	today.Do(t, "POST", "/collections", storedConsent(demoBank, expiring, "")).WantProblem(t, fault.ConsentExpired)
	today.Do(t, "DELETE", "/consents/"+expiring, nil).WantProblem(t, fault.ConsentNotRevocable)
	for _, a := range w.interceptor.requestsFor(w.bankConsent(t, expiring).ID) {
		if a.method == "DELETE" {
			t.Error("the expired consent was deleted at the bank")
		}
	}

	w.revokeAtBank(t, revoked)
	w.clock.Jump(startTime.Add(24*time.Hour + 10*time.Minute).Sub(w.clock.Now()))
	for _, p := range []*person{lasting, revoking} {
		p.renewSession(t)
	}
	revoking.awaitConsent(t, revoked, "REVOKED") // found by the daily check
	if s := lasting.pollConsent(t, valid); s.Status != "AUTHORIZED" {
		t.Errorf("the day after, the other consent is %s", s.Status)
	}
	lasting.collect(t, demoBank, valid, "", "COMPLETED") // the limit of background refreshes is free again

	w.clock.Jump(30 * 24 * time.Hour)
	lasting.renewSession(t)
	lasting.Do(t, "GET", "/collections/"+data+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
	w.await(t, "the data to be deleted", func() bool {
		_, err := w.Server.Store().Products(t.Context(), data)
		return errors.Is(err, store.ErrNotFound)
	})
	lasting.collect(t, demoBank, valid, "", "COMPLETED")

	w.clock.Jump(149 * 24 * time.Hour)
	lasting.renewSession(t)
	lasting.awaitConsent(t, valid, "EXPIRED") // exactly 180 days after the signature
	w.clock.Jump(24 * time.Hour)              // the bank counts in days
	w.awaitBankStatus(t, valid, "expired")
}

// The availability of a company follows the outcome of calls (docs/reference/api.md 6.1).
// A consent at a bank that is down fails.
func TestAvailability_FollowsOutcomeOfCalls(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	p := w.person(t, sam)
	availability := func() string {
		t.Helper()
		var list []struct {
			Company, Status, Market string
			Functional, PSD2        bool
			LoginMethods            []string
		}
		p.Do(t, "GET", "/companies/availability", nil).WantStatus(t, 200, &list)
		if offered := w.Institutions.Offered(); len(list) != len(offered) || len(list) < 11 {
			t.Fatalf("%d companies of %d", len(list), len(offered))
		}
		status := ""
		for _, c := range list {
			if c.Market != "se" || len(c.LoginMethods) == 0 || c.Functional != (c.Status != "UNAVAILABLE") {
				t.Errorf("company %+v", c)
			}
			if c.Company == staticBank {
				status = c.Status
			} else if c.Status != "AVAILABLE" {
				t.Errorf("%s is %s", c.Company, c.Status)
			}
		}
		return status
	}
	if s := availability(); s != "AVAILABLE" {
		t.Errorf("%s before any call", s)
	}
	down := w.interceptor.answerError("POST", "/"+staticBank+"/v1/consents")
	wantUnavailable := func(p *person, consent string) {
		t.Helper()
		if s := p.awaitConsent(t, consent, "FAILED"); s.Error.Code != "BANK_UNAVAILABLE" {
			t.Errorf("failed as %+v", s.Error)
		}
	}
	request := consentRequest{company: staticBank}
	for _, consent := range []string{p.requestConsent(t, request), p.requestConsent(t, request), p.requestConsent(t, request)} {
		wantUnavailable(p, consent)
	}
	if s := availability(); s != "AVAILABLE" {
		t.Errorf("%s after failures of one person only", s)
	}
	others := []*person{w.person(t, maja), w.person(t, elsa), w.person(t, ida), w.person(t, leo)}
	consents := make([]string, len(others))
	for i, o := range others {
		consents[i] = o.requestConsent(t, request)
	}
	for i, o := range others {
		wantUnavailable(o, consents[i])
	}
	if s := availability(); s != "UNAVAILABLE" {
		t.Errorf("%s after failures of five persons", s)
	}
	w.interceptor.end(down)
	p.authorizeConsent(t, request)
	others[0].authorizeConsent(t, request)
	if s := availability(); s != "DEGRADED" {
		t.Errorf("%s after two successful consents", s)
	}
	w.clock.Jump(6 * time.Minute)
	if s := availability(); s != "AVAILABLE" {
		t.Errorf("%s six minutes later", s)
	}
}
