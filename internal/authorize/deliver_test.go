package authorize_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, flowtest.Postgres(t)) })
}

// entries counts the audit entries of a kind about a consent.
func (b *env) entries(id consent.ID, kind audit.Kind) (n int) {
	b.Helper()
	all, err := b.Store.AuditEntries(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range all {
		if audit.Kind(e.Kind) == kind {
			n++
		}
	}
	return n
}

// Two nodes deliver the same message, and the bank answers both before either
// stores the outcome.
func TestDeliver_RecordsADeliveryOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		b := newEnvOn(t, database)
		for range 5 {
			c := b.run(b.create().ID)
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Fatal(err)
			}
			id := b.dueMessages()[0]
			var both, done sync.WaitGroup
			both.Add(2)
			b.bank.onRevoke = func(int) error {
				both.Done()
				both.Wait()
				return nil
			}
			for range 2 {
				node := b.service()
				done.Go(func() {
					if err := b.deliverOn(node, id); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			if n := b.entries(c.ID, audit.RevocationDelivered); n != 1 {
				t.Errorf("%d entries", n)
			}
			if _, there := b.message(id); there {
				t.Error("the message is still there")
			}
		}
	})
}

// An attempt that fails after another node has delivered the message changes
// nothing.
func TestDeliver_IgnoresAFailureAfterTheDelivery(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	id := b.dueMessages()[0]
	b.bank.onRevoke = func(n int) error {
		if n == 2 {
			return nil
		}
		if err := b.deliverOn(b.service(), id); err != nil {
			t.Error(err)
		}
		return kind("UNREACHABLE")
	}
	if err := b.deliver(id); err != nil {
		t.Error(err)
	}
	if _, there := b.message(id); there || b.entries(c.ID, audit.RevocationDelivered) != 1 {
		t.Error("the message is there again, or its delivery is not recorded once")
	}
}

// A message is delivered with growing waits, also after its user was erased.
func TestDeliver_RetriesUntilTheBankAnswers(t *testing.T) {
	const failing = 20
	b := newEnv(t)
	c := b.run(b.create().ID)
	b.bank.onRevoke = func(n int) error {
		if n <= failing {
			return kind(institution.Unreachable)
		}
		return nil
	}
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	due := b.dueMessages()
	if len(due) != 1 {
		t.Fatalf("%d messages", len(due))
	}
	last := time.Duration(0)
	for n := 1; n <= failing; n++ {
		if err := b.deliver(due[0]); err != nil {
			t.Fatal(err)
		}
		d, there := b.message(due[0])
		gap := d.WakeAt.Sub(b.Clock.Now())
		if !there || d.Attempts != n || gap <= 0 || gap > time.Hour || gap < last*3/4 {
			t.Fatalf("after %d attempts: there %t, %d noted, the next in %s", n, there, d.Attempts, gap)
		}
		last = gap
		b.Clock.Set(d.WakeAt)
	}
	if last < 45*time.Minute {
		t.Errorf("the last gap is %s", last)
	}
	if err := b.deliver(due[0]); err != nil {
		t.Fatal(err)
	}
	if _, there := b.message(due[0]); there {
		t.Error("the message is still there")
	}
	if a := b.bank.revoked[failing]; a.ConsentID != "bank-1" || a.PSU != (psu.Context{}) {
		t.Errorf("the bank was told of %+v", a)
	}
	if err := b.deliver(due[0]); err != nil || len(b.bank.revoked) != failing+1 {
		t.Errorf("a delivered message is delivered again: %v", err)
	}
}

// What is counted of an institution counts persons: two consents of one are not two.
func TestDeliver_IsOnBehalfOfTheUser(t *testing.T) {
	b := newEnv(t)
	for range 2 {
		c := b.run(b.create().ID)
		if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.deliver(b.dueMessages()[0]); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{b.User.ID, b.User.ID}; !slices.Equal(b.bank.revokedFor, want) {
		t.Errorf("on behalf of %q instead of %q", b.bank.revokedFor, want)
	}
}

// A revocation that cannot succeed any more does not stay for ever, with a token in it. One
// that the bank refuses is parked, so that an operator sees it.
func TestDeliver_GivesUpWhatIsPointless(t *testing.T) {
	week := func(b *env, _ consent.Consent) time.Time { return b.Clock.Now().Add(7 * 24 * time.Hour) }
	validity := func(_ *env, c consent.Consent) time.Time { return c.ExpiresAt }
	for name, test := range map[string]struct {
		refusal institution.ErrorKind
		end     func(*env, consent.Consent) time.Time
		cause   string
		parked  bool
	}{
		"the only token is refused": {institution.TokenRefused, week, audit.GivenUpToken, false},
		"a code of the bank's own":  {institution.Refused, week, audit.GivenUpRefused, true},
		"no usable answer":          {institution.MalformedResponse, week, audit.GivenUpRefused, true},
		"the person is blocked":     {institution.PersonRefused, week, audit.GivenUpRefused, true},
		"no answer":                 {institution.Unreachable, validity, audit.GivenUpOver, false},
		"too much to do":            {institution.Busy, validity, audit.GivenUpOver, false},
		"our certificate":           {institution.CertificateRejected, validity, audit.GivenUpOver, false},
	} {
		b := newEnv(t)
		c := b.run(b.create().ID)
		b.bank.onRevoke = func(int) error { return kind(test.refusal) }
		if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Fatal(err)
		}
		id := b.dueMessages()[0]
		end := test.end(b, c)
		var err error
		for {
			if err = b.deliver(id); err != nil {
				break
			}
			m, left := b.message(id)
			if !left {
				break
			}
			if b.Clock.Now().After(end.Add(2 * time.Hour)) {
				t.Fatalf("%s: still tried at %s", name, b.Clock.Now())
			}
			b.Clock.Set(m.WakeAt)
			if m.Attempts > 30 && b.Clock.Now().Before(end.Add(-time.Hour)) { // hourly from then on
				b.Clock.Set(end.Add(-time.Hour))
			}
		}
		if b.Clock.Now().Before(end) || b.entries(c.ID, audit.RevocationDelivered) != 0 {
			t.Errorf("%s: given up at %s, or told as delivered", name, b.Clock.Now())
		}
		if _, left := b.message(id); left != test.parked || (err != nil) != test.parked {
			t.Errorf("%s: the message is there: %t, %v", name, left, err)
		}
		if n := b.entries(c.ID, audit.RevocationGivenUp); n != 1 {
			t.Errorf("%s: %d entries in the audit log", name, n)
		}
		if all, err := b.Store.AuditEntries(t.Context(), c.ID); err != nil || !strings.Contains(string(all[len(all)-1].Detail), `"`+test.cause+`"`) {
			t.Errorf("%s: the last entry is %+v, %v", name, all, err)
		}
		if !test.parked {
			continue
		}
		b.bank.onRevoke = func(int) error { return nil } // the operator has asked the bank
		if err := b.deliver(id); err != nil || b.entries(c.ID, audit.RevocationDelivered) != 1 {
			t.Errorf("%s: tried again: %v", name, err)
		}
	}
}
