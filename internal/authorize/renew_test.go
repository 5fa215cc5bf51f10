package authorize_test

import (
	"fmt"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// When BankID's 30 seconds pass unscanned, another authorization starts, in one-time
// collections too, and the person sees it on every node.
func TestRenewal_StartsAnotherAuthorization(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		for _, oneTime := range []bool{false, true} {
			b := newEnvOn(t, database)
			o := expiring(b)
			o.signed = "auth-3"
			r := b.request()
			if oneTime {
				r.CollectionID = b.IDs.New()
			}
			c, err := b.Create(t.Context(), r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if oneTime {
				b.Write(func(tx store.Tx) error { return b.addCollection(tx, c) })
			}
			other := b.service()
			o.present(c.ID)
			b.MustRun(b.Handle, string(c.ID))
			for n := 1; n <= 2; n++ {
				row := b.Consent(c.ID)
				for node, s := range map[string]*authorize.Service{"watching": b.Service, "other": other} {
					shown, err := s.Show(t.Context(), row)
					if err != nil || shown == nil || shown.AutoStartToken != fmt.Sprintf("token-%d", n) {
						t.Fatalf("%s node, authorization %d: shows %+v, %v", node, n, shown, err)
					}
					if left := shown.ExpiresAt.Sub(b.Clock.Now()); left <= 0 || left > 30*time.Second {
						t.Errorf("%s node: what is shown works for %s", node, left)
					}
				}
				if !b.asks(c.ID, 40) {
					t.Fatal("it is watched on")
				}
				if row = b.Consent(c.ID); row.Status != consent.AwaitingAuthorization || row.WakeAt.After(b.Clock.Now()) {
					t.Fatalf("%s, due at %s", row.Status, row.WakeAt)
				}
				b.MustRun(b.Handle, string(c.ID))
			}
			c = b.run(c.ID)
			if c.Status != consent.Authorized || len(b.bank.started) != 3 || len(b.bank.opened) != 1 {
				t.Errorf("%s %s after %d authorizations of %d consents", c.Status, c.Failure, len(b.bank.started), len(b.bank.opened))
			}
			ids := map[string]bool{}
			for _, s := range b.bank.started {
				ids[s.RequestID] = true
			}
			if len(ids) != 3 {
				t.Errorf("the requests have the ids %v", ids)
			}
		}
	})
}

// A person who has left and begins again elsewhere must not meet an order of ours. One
// who comes back gets another order, at any node.
func TestRenewal_WaitsForThePerson(t *testing.T) {
	b := newEnv(t)
	o := expiring(b)
	c := b.create()
	b.MustRun(b.Handle, string(c.ID))
	b.asks(c.ID, 120)
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || len(b.bank.started) != 1 {
		t.Fatalf("%s %s after %d authorizations", c.Status, c.Failure, len(b.bank.started))
	}
	other := b.service()
	clocktest.Poll(t, "the other node asks in the background", func() bool {
		if b.Consent(c.ID).Step != consent.StepWatch {
			return true
		}
		if shown := b.poll(other, c.ID); shown.ExpiresAt.After(b.Clock.Now()) {
			t.Fatalf("shows %+v", shown)
		}
		return false
	})
	b.MustRun(other.Handle, string(c.ID))
	if shown := b.poll(other, c.ID); shown.AutoStartToken != "token-2" || len(b.bank.started) != 2 {
		t.Errorf("shows %+v after %d authorizations", shown, len(b.bank.started))
	}
	o.signed = "auth-2"
	if done := other.Ask(t.Context(), c.ID).Done; !done || b.Consent(c.ID).Status != consent.Authorized {
		t.Errorf("it is %s", b.Consent(c.ID).Status)
	}
}

func TestRenewal_EndsAtTheDeadline(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	expiring(b).present(c.ID)
	c = b.run(c.ID)
	b.checkEnd(c, consent.Failed, consent.AuthenticationTimeout)
	if n := len(b.bank.started); n < 8 || n > 10 {
		t.Errorf("%d authorizations in five minutes", n)
	}
}

// A person who is signing is not disturbed.
func TestRenewal_DoesNotFollowAScan(t *testing.T) {
	b := newEnv(t)
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n >= 100 {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return institution.Authorization{Progress: consent.Scanned, Instructions: &consent.Instructions{RefreshedAt: b.Clock.Now(),
			UserMessage: consent.UserMessage{Code: "RFA9", Text: "t"}}}, nil
	}
	b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
		a := b.pending("bankid.first")
		a.Instructions.ExpiresAt = time.Time{}
		return a, nil
	}
	c := b.create()
	b.MustRun(b.Handle, string(c.ID))
	b.asks(c.ID, 50)
	if shown := b.poll(b.Service, c.ID); shown.QRData != "bankid.first" || shown.AutoStartToken != "token" || !shown.ExpiresAt.Equal(morning.Add(3*time.Minute)) {
		t.Errorf("shows %+v", shown)
	}
	if c = b.run(c.ID); c.Status != consent.Authorized || len(b.bank.started) != 1 {
		t.Errorf("%s %s after %d authorizations", c.Status, c.Failure, len(b.bank.started))
	}
}

// A bank that ends the consent with the authorization gets another request for one.
func TestRenewal_OpensAnotherConsentWhereTheBankEndedIt(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		b := newEnvOn(t, database)
		o := expiring(b)
		o.signed = "auth-2"
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{ConsentID: consent.RemoteID(fmt.Sprintf("bank-%d", len(b.bank.opened)))}, nil
		}
		valid := b.bank.onRead
		b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
			if len(b.bank.opened) == 1 {
				return institution.ConsentInfo{State: institution.ConsentRejected}, nil
			}
			return valid(n)
		}
		c := b.create()
		o.present(c.ID)
		c = b.run(c.ID)
		if c.Status != consent.Authorized || len(b.bank.opened) != 2 || b.bank.opened[0].RequestID == b.bank.opened[1].RequestID || b.bank.started[1].ConsentID != "bank-2" {
			t.Errorf("%s %s after %d consents", c.Status, c.Failure, len(b.bank.opened))
		}
		if s := b.secret(c); s.RemoteID != "bank-2" {
			t.Error("the consent is not the second one of the bank")
		}
	})
}

// Whatever a bank answers to the request for another authorization, the one before it
// can still be signed, and the deadline is the end.
func TestRenewal_SurvivesARefusal(t *testing.T) {
	for _, k := range []institution.ErrorKind{institution.Conflict, institution.Refused, institution.Unreachable, institution.MalformedResponse, institution.ConsentGone} {
		for _, signs := range []bool{true, false} {
			b := newEnv(t)
			o := expiring(b)
			start := b.bank.onStart
			b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
				if len(b.bank.started) > 1 {
					if signs && len(b.bank.started) > 2 {
						o.signed = "auth-1"
					}
					return institution.Authorization{}, kind(k)
				}
				return start(r)
			}
			c := b.create()
			o.present(c.ID)
			c = b.run(c.ID)
			want, failure := consent.Failed, consent.AuthenticationTimeout
			if signs {
				want, failure = consent.Authorized, ""
			}
			ids := map[string]bool{}
			for _, r := range b.bank.started {
				ids[r.RequestID] = true
			}
			if c.Status != want || c.Failure != failure || len(ids) > 14 {
				t.Errorf("%s, signed %t: %s %s after %d requests", k, signs, c.Status, c.Failure, len(ids))
			}
		}
	}
}

// A node that dies at any write of a renewal leaves a row that another node takes on
// with the same request, where the bank recognizes a repeat, or with none.
func TestRenewal_SurvivesACrash(t *testing.T) {
	for _, safe := range []bool{true, false} {
		for write := 1; write <= 4; write++ {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
			o := expiring(b)
			c := b.create()
			o.present(c.ID)
			b.MustRun(b.Handle, string(c.ID))
			b.asks(c.ID, 29)
			before := len(b.bank.started)
			dying := b.service()
			dying.Store = &dies{Store: b.Store, after: write}
			b.Clock.Set(b.Consent(c.ID).WakeAt.Add(time.Minute))
			for range 3 { // until its store is gone
				_ = dying.Handle(t.Context(), string(c.ID))
				for range 3 {
					b.Clock.Advance(time.Second)
					dying.Ask(t.Context(), c.ID)
				}
			}
			ids := map[string]int{}
			for _, s := range b.bank.started[before:] {
				ids[s.RequestID]++
			}
			if len(ids) > 1 {
				t.Errorf("safe %t, write %d: a dying node starts %d authorizations", safe, write, len(ids))
			}
			o.signed = fmt.Sprintf("auth-%d", len(b.bank.started)+1)
			b.Service = b.service()
			if c = b.run(c.ID); c.Status != consent.Authorized {
				t.Errorf("safe %t, write %d: %s %s", safe, write, c.Status, c.Failure)
			}
		}
	}
}
