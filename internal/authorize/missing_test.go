package authorize_test

import (
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// An institution that was taken out of the configuration is not in the set,
// while its consents and messages still are in the store.

// nodeWithout returns another node, on which the institution is not configured.
func (b *env) nodeWithout() *authorize.Service {
	node := b.service()
	delete(node.Institutions.(institution.Set), theBank)
	return node
}

// without takes the institution out of the configuration and returns what puts it
// back.
func (b *env) without() (back func()) {
	taken := b.Institutions.(institution.Set)[theBank]
	delete(b.Institutions.(institution.Set), theBank)
	return func() { b.Institutions.(institution.Set)[theBank] = taken }
}

func TestMissingInstitution_PendingConsentTimesOut(t *testing.T) {
	for name, test := range map[string]struct {
		made func(*env) consent.Consent
		ends func(consent.Consent) time.Time
		as   consent.FailureCode
	}{
		"initiated": {(*env).create, func(c consent.Consent) time.Time { return c.CreatedAt.Add(time.Minute) }, consent.BankUnavailable},
		"awaiting":  {(*env).watched, func(c consent.Consent) time.Time { return c.AuthorizeBy }, consent.AuthenticationTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			c := test.made(b)
			ends := test.ends(c)
			b.Service = b.nodeWithout() // restarted with another configuration
			asked := b.bank.asked + len(b.bank.opened)
			// Another node, which has the institution, may take it next.
			after := b.look(c.ID)
			if wait := after.WakeAt.Sub(b.Clock.Now()); after.Status != c.Status || wait < 10*time.Second || wait > 30*time.Second {
				t.Fatalf("%s, due after %s", after.Status, wait)
			}
			for _, at := range []time.Duration{0, time.Second, 30 * time.Second} { // fresh, stale and very stale
				b.Clock.Advance(at)
				polled, shown, err := b.nodeWithout().Poll(t.Context(), b.User.ClientID, b.User.ID, c.ID)
				if err != nil || polled.Status != c.Status {
					t.Errorf("a poll answers %s, %v", polled.Status, err)
				}
				if stored := b.secret(c).Instructions; (shown != nil) != (stored != nil) || shown != nil && shown.QRData != stored.QRData {
					t.Errorf("a poll shows %+v, stored is %+v", shown, stored)
				}
			}
			b.Clock.Set(ends.Add(-time.Second))
			if after = b.look(c.ID); after.Status != c.Status || !after.WakeAt.Equal(ends) {
				t.Fatalf("%s, due at %s; want %s", after.Status, after.WakeAt, ends)
			}
			b.Clock.Set(ends)
			b.checkEnd(b.look(c.ID), consent.Failed, test.as)
			if asked != b.bank.asked+len(b.bank.opened) {
				t.Error("the bank was asked")
			}
		})
	}
}

func TestMissingInstitution_AuthorizedConsentExpires(t *testing.T) {
	b := newEnv(t)
	end := morning.Add(30 * time.Hour)
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: end}, nil
	}
	c := b.run(b.create().ID)
	b.without()
	b.Clock.Set(c.WakeAt)
	if c = b.look(c.ID); c.Status != consent.Authorized || !c.WakeAt.Equal(end) {
		t.Fatalf("%s, due at %s", c.Status, c.WakeAt)
	}
	if _, _, err := b.nodeWithout().Poll(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Errorf("a poll answers %v", err)
	}
	b.Clock.Set(end)
	b.checkEnd(b.look(c.ID), consent.Expired, "")
}

// The daily check goes on when the institution is back.
func TestMissingInstitution_ComesBack(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	back := b.without()
	b.Clock.Set(c.WakeAt)
	c = b.look(c.ID)
	back()
	b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
	b.Clock.Set(c.WakeAt)
	if wait := b.Clock.Now().Sub(morning); wait > 50*time.Hour {
		t.Errorf("looked at after %s", wait)
	}
	b.checkEnd(b.look(c.ID), consent.Revoked, "")
}

func TestMissingInstitution_ConsentIsRevocable(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	b.without()
	if got, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil || got.Status != consent.Revoked {
		t.Errorf("%s, %v", got.Status, err)
	}
	if n := len(b.dueMessages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestMissingInstitution_CollectionFails(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	s := collect.New(collect.Deps{Store: b.Store, Vault: b.Vault, Consents: b.Service, Institutions: b.Institutions,
		Jobs: b.Jobs, Clock: b.Clock, IDs: b.IDs, Log: b.Service.Log, Workers: 1})
	o := collect.Owner{ClientID: b.User.ClientID, UserID: b.User.ID}
	made, err := s.Start(t.Context(), collect.Request{Owner: o, Company: theBank, ConsentID: c.ID}, nil)
	b.without()
	if err == nil {
		b.MustRun(s.Handle, made.ID)
		made, err = s.Get(t.Context(), o, made.ID)
	}
	if err != nil || made.Status != collection.Failed || !made.WakeAt.IsZero() {
		t.Errorf("%s, due at %s, %v", made.Status, made.WakeAt, err)
	}
}

// A message is kept and tried with growing waits, and is delivered when the
// institution is back.
func TestMissingInstitution_MessageIsKept(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	id, back := b.dueMessages()[0], b.without()
	last := time.Duration(0)
	for n := 1; n <= 20; n++ {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
		m, there := b.message(id)
		wait := m.WakeAt.Sub(b.Clock.Now())
		if !there || m.Attempts != n || wait <= last/2 || wait > time.Hour {
			t.Fatalf("after %d attempts: there %t, %d counted, the next in %s", n, there, m.Attempts, wait)
		}
		last = wait
		b.Clock.Set(m.WakeAt)
	}
	if last < 30*time.Minute {
		t.Errorf("the last wait is %s", last)
	}
	back()
	if err := b.deliver(id); err != nil || len(b.bank.revoked) != 1 {
		t.Errorf("told %d times, %v", len(b.bank.revoked), err)
	}
	if _, there := b.message(id); there {
		t.Error("the message is still there")
	}
}
