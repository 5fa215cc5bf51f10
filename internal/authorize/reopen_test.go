package authorize_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/store"
)

// remembering makes the bank return the same consent for the same request, as a bank
// does that recognizes a repeat.
func (b *env) remembering() {
	made := map[string]consent.RemoteID{}
	b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
		if made[r.RequestID] == "" {
			made[r.RequestID] = consent.RemoteID("made-for-" + r.RequestID)
		}
		return institution.Opened{ConsentID: made[r.RequestID]}, nil
	}
}

// claim claims what is due in the queue of consents, as the runner does.
func (b *env) claim() {
	b.Helper()
	if _, err := b.Store.Claim(b.Context(), store.Consents, b.Clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 10}); err != nil {
		b.Fatal(err)
	}
}

// lost returns a consent that the bank has created and whose remote id is not stored,
// because the process died before. Another process goes on.
func (b *env) lost() consent.Consent {
	b.Helper()
	c := b.create()
	b.claim()
	c = b.Consent(c.ID)
	answer, made := b.bank.onOpen, make(chan struct{})
	b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
		_, _ = answer(r)
		close(made)
		<-b.Context().Done() // the process never gets its answer
		return institution.Opened{}, kind(institution.Unreachable)
	}
	ctx, die := context.WithCancel(b.Context())
	began := b.Service
	go func() { _ = began.Handle(ctx, string(c.ID)) }()
	<-made
	die()
	b.bank.onOpen = answer
	b.Service = b.service()
	return c
}

// theMessage returns the one message that is due within a lease.
func (b *env) theMessage() outbox.Message {
	b.Helper()
	if early := b.dueMessages(); len(early) != 0 {
		b.Fatalf("%d messages are due while a handler may wait for the bank", len(early))
	}
	b.Clock.Advance(jobs.Lease)
	ids := b.dueMessages()
	if len(ids) != 1 {
		b.Fatalf("%d messages", len(ids))
	}
	m, _ := b.message(ids[0])
	return m
}

// checkRevoked checks that the bank keeps no consent and that the message is delivered.
func (b *env) checkRevoked(c consent.Consent, m outbox.Message) {
	b.Helper()
	if n := len(b.bank.opened); b.bank.opened[n-1].RequestID != c.OpenRequestID {
		b.Errorf("the opening was repeated as %+v", b.bank.opened[n-1])
	}
	if n := len(b.bank.revoked); n == 0 || b.bank.revoked[n-1].ConsentID != consent.RemoteID("made-for-"+c.OpenRequestID) {
		b.Errorf("revoked %d consents", n)
	}
	if _, there := b.message(m.ID); there {
		b.Error("the message is still there")
	}
	if n := b.entries(c.ID, audit.RevocationDelivered); n != 1 {
		b.Errorf("%d entries that the bank was told", n)
	}
}

// However such a consent ends, its bank is told.
func TestReopen_RevokesAConsentWhoseIDWasLost(t *testing.T) {
	for name, end := range map[string]func(*env, consent.Consent) error{
		"revoked by the user": func(b *env, c consent.Consent) error {
			_, err := b.Revoke(b.Context(), b.User.ClientID, b.User.ID, c.ID)
			return err
		},
		"user erased": func(b *env, c consent.Consent) error {
			err := b.EndUser(b.Context(), c.ClientID, c.UserID)
			b.erase()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.Redirects = true })
			b.Service = b.service()
			b.remembering()
			b.scope = consent.Scope{AccountIDs: []string{"SE4550000000058398257466"}, Balances: true}
			c := b.lost()
			if err := end(b, c); err != nil {
				t.Fatal(err)
			}
			m := b.theMessage()
			if err := b.deliver(m.ID); err != nil {
				t.Fatal(err)
			}
			if len(b.bank.opened) != 2 || b.bank.opened[1].RequestID != b.bank.opened[0].RequestID || b.bank.opened[1].PSU != b.bank.opened[0].PSU ||
				b.bank.opened[1].Way != b.bank.opened[0].Way || b.bank.opened[1].Way.State == "" ||
				!b.bank.opened[1].ValidUntil.Equal(b.bank.opened[0].ValidUntil) || !reflect.DeepEqual(b.bank.opened[1].Scope, b.scope) {
				t.Errorf("opened with %d different requests", len(b.bank.opened))
			}
			b.checkRevoked(c, m)
		})
	}
}

func TestReopen_AfterTheAuthorizationTimedOut(t *testing.T) {
	b := newEnv(t)
	b.remembering()
	c := b.lost()
	b.Clock.Set(c.AuthorizeBy)
	b.claim()
	b.checkEnd(b.look(c.ID), consent.Failed, consent.AuthenticationTimeout)
	m := b.theMessage()
	if err := b.deliver(m.ID); err != nil {
		t.Fatal(err)
	}
	b.checkRevoked(c, m)
}

// The opening of a row that no handler has claimed was not sent, and is not sent now.
func TestReopen_NotBeforeAClaim(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(time.Hour)
	if ids := b.dueMessages(); len(ids) != 0 {
		t.Errorf("%d messages", len(ids))
	}
}

// A claim between the plan and the transaction is noticed, though it changes no row
// version.
func TestEnd_NoticesAClaim(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		b := newEnvOn(t, database)
		b.remembering()
		c := b.create()
		b.Service.Store = &after{Store: b.Store, before: b.claim}
		if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Fatal(err)
		}
		m := b.theMessage()
		if err := b.deliver(m.ID); err != nil {
			t.Fatal(err)
		}
		b.checkRevoked(c, m)

		c = b.create()
		end, err := b.PlanEnd(t.Context(), c, revocation)
		if err != nil {
			t.Fatal(err)
		}
		b.claim()
		if err := b.Store.Write(t.Context(), func(tx store.Tx) error { return end.Write(t.Context(), tx) }); !errors.Is(err, store.ErrConflict) {
			t.Errorf("ended over a claim: %v", err)
		}
	})
}

// A crash between the repeated opening and the revocation: the id is stored, and
// the personal number is gone.
func TestReopen_StoresTheIDBeforeItRevokes(t *testing.T) {
	b := newEnv(t)
	b.remembering()
	c := b.lost()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	m := b.theMessage()
	if r, err := authorize.OpenRevocation(t.Context(), b.Vault, m); err != nil || r.RemoteID != "" || r.PSU == nil || r.PSU.PersonalNumber != maja {
		t.Fatalf("planned %+v, %v", r, err)
	}
	b.bank.onRevoke = func(n int) error {
		if n > 1 {
			return nil
		}
		stored, _ := b.message(m.ID)
		if r, err := authorize.OpenRevocation(t.Context(), b.Vault, stored); err != nil || r.PSU != nil || r.RemoteID == "" {
			t.Errorf("while it revokes, %+v is stored, %v", r, err)
		}
		return kind(institution.Unreachable)
	}
	for range 2 {
		if err := b.deliver(m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.bank.opened) != 2 {
		t.Errorf("opened %d times", len(b.bank.opened))
	}
	b.checkRevoked(c, m)
}

// The opening of some banks does not send the personal number.
func TestReopen_KeepsNoNumberThatOpeningDoesNotSend(t *testing.T) {
	b := newEnv(t)
	b.profile(func(p *institution.Profile) { p.OpensWithoutNumber = true })
	b.remembering()
	c := b.lost()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	m := b.theMessage()
	r, err := authorize.OpenRevocation(t.Context(), b.Vault, m)
	if err != nil || r.PSU == nil || r.PSU.PersonalNumber != "" || r.PSU.IPAddress == "" {
		t.Errorf("planned %+v, %v", r, err)
	}
	if err := b.deliver(m.ID); err != nil {
		t.Fatal(err)
	}
	b.checkRevoked(c, m)
}

// The handler that waits for the bank's answer is alive: it knows the id, and
// nothing is repeated.
func TestReopen_NotWhenTheAnswerComes(t *testing.T) {
	for name, end := range map[string]func(*env, consent.Consent) error{
		"revoked": func(b *env, c consent.Consent) error {
			_, err := b.Revoke(b.Context(), b.User.ClientID, b.User.ID, c.ID)
			return err
		},
		"erased": func(b *env, c consent.Consent) error {
			err := b.EndUser(b.Context(), c.ClientID, c.UserID)
			b.erase()
			return err
		},
	} {
		for _, safe := range []bool{true, false} {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
			b.remembering()
			c, answer := b.create(), b.bank.onOpen
			b.claim()
			b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
				if err := end(b, c); err != nil {
					t.Error(err)
				}
				return answer(r)
			}
			b.checkEnd(b.look(c.ID), consent.Revoked, "")
			ids := b.dueMessages()
			if len(ids) != 1 {
				t.Fatalf("%s, safe to repeat %t: %d messages are due", name, safe, len(ids))
			}
			m, _ := b.message(ids[0])
			if err := b.deliver(m.ID); err != nil {
				t.Fatal(err)
			}
			if len(b.bank.opened) != 1 || len(b.bank.started) != 0 {
				t.Errorf("%s, safe to repeat %t: opened %d times, %d authorizations", name, safe, len(b.bank.opened), len(b.bank.started))
			}
			b.checkRevoked(c, m)
			b.Clock.Advance(time.Hour)
			if late := b.dueMessages(); len(late) != 0 {
				t.Errorf("%s, safe to repeat %t: %d messages are left", name, safe, len(late))
			}
		}
	}
}

// A bank that would make a second consent is not asked again. The log says so once.
func TestReopen_NotWhereARepeatMakesASecondOne(t *testing.T) {
	b := newEnv(t)
	b.profile(func(p *institution.Profile) { p.ReplaySafe = false })
	b.remembering()
	c := b.lost()
	var log bytes.Buffer
	b.Service.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.Jobs.Start(t.Context()) // which counts the claims
	b.Clock.Advance(jobs.Lease)
	for c = b.Consent(c.ID); !c.Status.Final(); c = b.Consent(c.ID) {
		b.Jobs.Wake(store.Consents)
	}
	if err := b.Jobs.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.checkEnd(c, consent.Failed, consent.BankUnavailable)
	_, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "failed", err, fault.ConsentNotRevocable)
	if n := strings.Count(log.String(), "may be left at the bank"); n != 1 || !strings.Contains(log.String(), "total=1") {
		t.Errorf("the log says so %d times: %s", n, &log)
	}
	b.Clock.Advance(time.Hour)
	if ids := b.dueMessages(); len(ids) != 0 || len(b.bank.opened) != 1 {
		t.Errorf("%d messages, opened %d times", len(ids), len(b.bank.opened))
	}
}

// What follows an error of the repeated opening.
func TestReopen_RepeatsUntilTheBankAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		wait time.Duration // before the delivery
		kept bool
	}{
		"unreachable": {err: kind(institution.Unreachable), kept: true},
		"garbled":     {err: kind(institution.MalformedResponse), kept: true},
		"busy":        {err: kind(institution.Busy), kept: true},
		"closed":      {err: &institution.Error{Kind: institution.Unreachable, HTTPStatus: 503}, kept: true},
		"refused":     {err: kind(institution.Refused)},
		"unknown":     {err: kind(institution.PersonRefused)},
		"over":        {err: kind(institution.Unreachable), wait: 200 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.remembering()
			c := b.lost()
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Fatal(err)
			}
			m := b.theMessage()
			answer := b.bank.onOpen
			b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) { return institution.Opened{}, test.err }
			b.Clock.Advance(test.wait)
			if err := b.deliver(m.ID); err != nil {
				t.Fatal(err)
			}
			left, there := b.message(m.ID)
			if there != test.kept || there && left.Attempts != 1 || len(b.bank.revoked) != 0 || b.entries(c.ID, audit.RevocationDelivered) != 0 {
				t.Fatalf("there %t after %d attempts", there, left.Attempts)
			}
			if !test.kept {
				return
			}
			b.bank.onOpen = answer
			if err := b.deliver(m.ID); err != nil {
				t.Fatal(err)
			}
			b.checkRevoked(c, m)
		})
	}
}

// A message that repeats an opening holds the personal number, also of an erased
// user. It is deleted after seven days, whatever keeps the bank from answering.
func TestReopen_GivesUpAfterSevenDays(t *testing.T) {
	for name, stop := range map[string]func(*env){
		"not configured": func(b *env) { delete(b.Institutions.(institution.Set), theBank) },
		"unreachable": func(b *env) {
			b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
				return institution.Opened{}, kind(institution.Unreachable)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.remembering()
			c := b.lost()
			if err := b.EndUser(t.Context(), c.ClientID, c.UserID); err != nil {
				t.Fatal(err)
			}
			b.erase()
			m := b.theMessage()
			stop(b)
			var log bytes.Buffer
			b.Service.Log = slog.New(slog.NewTextHandler(&log, nil))
			end := m.CreatedAt.Add(7 * 24 * time.Hour)
			for range 20 { // so that the waits are long
				b.Clock.Set(end.Add(-time.Second))
				if err := b.deliver(m.ID); err != nil {
					t.Fatal(err)
				}
			}
			left, there := b.message(m.ID)
			if !there || !left.WakeAt.Equal(end) || strings.Contains(log.String(), "may be left") {
				t.Fatalf("there %t until %v, want %v; the log says %s", there, left.WakeAt, end, &log)
			}
			b.Clock.Set(end)
			opened := len(b.bank.opened)
			if err := b.deliver(m.ID); err != nil {
				t.Fatal(err)
			}
			if _, there := b.message(m.ID); there || len(b.bank.opened) != opened || b.entries(c.ID, audit.RevocationDelivered) != 0 {
				t.Errorf("there %t, opened %d times after the end", there, len(b.bank.opened)-opened)
			}
			if n := strings.Count(log.String(), "may be left at the bank"); n != 1 || !strings.Contains(log.String(), "total=1") {
				t.Errorf("the log says %d times that a consent may be left: %s", n, &log)
			}
			if strings.Contains(log.String(), string(maja)) {
				t.Error("the log has the personal number")
			}
		})
	}
}

// An opening that never reached the bank is not repeated after the consent failed;
// one that may have is. Run by the runner, which counts the claims.
func TestReopen_NotForWhatWasNeverSent(t *testing.T) {
	for sent, want := range map[bool]int{false: 0, true: 1} {
		b := newEnv(t)
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{}, &institution.Error{Kind: institution.Unreachable, NotSent: !sent || len(b.bank.opened) != 2}
		}
		b.Jobs.Start(t.Context())
		c := b.create()
		for rev := c.Rev; !c.Status.Final(); c = b.Consent(c.ID) {
			if c.Rev > rev { // an attempt has failed: let the next one be due
				rev = c.Rev
				b.Clock.Set(c.WakeAt)
			}
			b.Jobs.Wake(store.Consents)
		}
		if err := b.Jobs.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.checkEnd(c, consent.Failed, consent.BankUnavailable)
		b.Clock.Advance(jobs.Lease)
		if n := len(b.dueMessages()); n != want || len(b.bank.opened) < 3 {
			t.Errorf("sent %t: %d messages after %d attempts", sent, n, len(b.bank.opened))
		}
	}
}

// A repeat gives the id although what has to follow fails again.
func TestReopen_NeedsOnlyTheID(t *testing.T) {
	b := newEnv(t)
	b.remembering()
	c := b.lost()
	remembered := b.bank.onOpen
	b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
		opened, _ := remembered(r)
		return opened, kind(institution.MalformedResponse)
	}
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	m := b.theMessage()
	if err := b.deliver(m.ID); err != nil {
		t.Fatal(err)
	}
	b.checkRevoked(c, m)
}
