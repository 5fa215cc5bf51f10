package authorize_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// watched makes a consent that awaits the person.
func (b *bench) watched() consent.Consent {
	b.Helper()
	onStatus := b.bank.onStatus
	b.bank.onStatus = func(int) (institution.Authorization, error) { return b.pending("bankid.again"), nil }
	c := b.look(b.create().ID)
	b.bank.onStatus = onStatus
	if c.Status != consent.AwaitingAuthorization {
		b.Fatalf("the consent is %s", c.Status)
	}
	return c
}

// A watch ends well within the budget of a look, and is due again at once.
func TestWatchHandsBack(t *testing.T) {
	b := newBench(t)
	c := b.watched()
	if took := b.Clock.Now().Sub(morning); took < 9*time.Second || took > 13*time.Second {
		t.Errorf("watched for %s", took)
	}
	if c.WakeAt.After(b.Clock.Now()) {
		t.Errorf("due in %s", c.WakeAt.Sub(b.Clock.Now()))
	}
	if b.bank.asked < 9 {
		t.Errorf("asked %d times", b.bank.asked)
	}
}

func TestWatchHandsBackWhenItsTimeIsOver(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		cancel()
		return b.pending("bankid.again"), nil
	}
	c := b.create()
	if err := b.Run(ctx, b.Step, string(c.ID)); err != nil {
		t.Fatal(err)
	}
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || c.WakeAt.After(b.Clock.Now()) {
		t.Errorf("%s, due %s", c.Status, c.WakeAt)
	}
}

func TestPersonNeverSigns(t *testing.T) {
	b := newBench(t)
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n%2 == 0 {
			return institution.Authorization{}, kind(institution.Unreachable)
		}
		return b.pending("bankid.again"), nil
	}
	c := b.run(b.create().ID)
	b.ended(c, consent.Failed, consent.AuthenticationTimeout)
	if late := c.StatusChangedAt.Sub(c.AuthorizeBy); late < 0 || late > time.Minute {
		t.Errorf("timed out %s after its moment", late)
	}
	if len(b.duties()) != 1 {
		t.Error("the bank is not told")
	}
}

// Signing alone is not enough: the consent's own status decides (docs/reference/banks.md 4).
func TestBankDecides(t *testing.T) {
	for state, want := range map[institution.ConsentState]consent.Status{
		institution.ConsentValid: consent.Authorized, institution.ConsentRejected: consent.Failed,
		institution.ConsentRevoked: consent.Failed, institution.ConsentExpired: consent.Failed,
	} {
		b := newBench(t)
		b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
			switch n {
			case 1:
				return institution.ConsentInfo{State: institution.ConsentPending}, nil
			case 2:
				return institution.ConsentInfo{}, kind(institution.Busy)
			default:
				return institution.ConsentInfo{State: state, Scope: consent.Scope{AccountIDs: []string{"a"}, Balances: true}, ValidUntil: morning.AddDate(0, 0, 9)}, nil
			}
		}
		c := b.run(b.create().ID)
		if c.Status != want || b.bank.read != 3 {
			t.Errorf("state %d: %s after %d reads", state, c.Status, b.bank.read)
		}
		if want == consent.Authorized {
			if s := c.Scope(); len(s.AccountIDs) != 1 || s.Transactions || !c.ExpiresAt.Equal(morning.AddDate(0, 0, 9)) {
				t.Errorf("granted %+v until %s", s, c.ExpiresAt)
			}
		} else if c.Failure != consent.Rejected {
			t.Errorf("state %d: %s", state, c.Failure)
		}
	}
}

// A change that somebody else made meanwhile is no error, and stands.
func TestRevokedWhileWatched(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n == 2 {
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Error(err)
			}
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return b.pending("bankid.again"), nil
	}
	b.ended(b.look(c.ID), consent.Revoked, "")
	if b.bank.asked != 2 {
		t.Errorf("asked %d times", b.bank.asked)
	}
	if owed := b.duties(); len(owed) != 1 {
		t.Errorf("%d duties", len(owed))
	}
}

// The watcher stops by itself when the consent is revoked on its node.
func TestWatcherStops(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n == 2 {
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Error(err)
			}
		}
		return b.pending("bankid.again"), nil
	}
	b.ended(b.look(c.ID), consent.Revoked, "")
	if b.bank.asked != 2 {
		t.Errorf("asked %d times", b.bank.asked)
	}
}

// TestDailyCheck: what the bank says of an authorized consent, and when it is
// asked again.
func TestDailyCheck(t *testing.T) {
	b := newBench(t)
	valid := institution.ConsentInfo{State: institution.ConsentValid, Scope: everything, ValidUntil: morning.AddDate(0, 3, 0)}
	for name, test := range map[string]struct {
		info  institution.ConsentInfo
		err   error
		want  consent.Status
		again time.Duration
	}{
		"valid":         {info: valid, want: consent.Authorized, again: 24 * time.Hour},
		"pending":       {info: institution.ConsentInfo{State: institution.ConsentPending}, want: consent.Authorized, again: 24 * time.Hour},
		"revoked":       {info: institution.ConsentInfo{State: institution.ConsentRevoked}, want: consent.Revoked},
		"rejected":      {info: institution.ConsentInfo{State: institution.ConsentRejected}, want: consent.Revoked},
		"expired":       {info: institution.ConsentInfo{State: institution.ConsentExpired}, want: consent.Expired},
		"unknown":       {err: kind(institution.ConsentGone), want: consent.Revoked},
		"over":          {err: kind(institution.ConsentOver), want: consent.Expired},
		"unreachable":   {err: kind(institution.Unreachable), want: consent.Authorized, again: time.Hour},
		"busy":          {err: kind(institution.Busy), want: consent.Authorized, again: time.Hour},
		"garbled":       {err: kind(institution.Garbled), want: consent.Authorized, again: time.Hour},
		"certificate":   {err: kind(institution.CertificateBad), want: consent.Authorized, again: time.Hour},
		"sign again":    {err: kind(institution.SCARequired), want: consent.Authorized, again: time.Hour},
		"another error": {err: errors.New("no bank's"), want: consent.Authorized, again: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b.bank.onRead = func(int) (institution.ConsentInfo, error) { return valid, nil }
			c := b.run(b.create().ID)
			b.bank.onRead = func(int) (institution.ConsentInfo, error) { return test.info, test.err }
			b.Clock.Set(c.WakeAt)
			c = b.look(c.ID)
			if c.Status != test.want || c.WakeAt.IsZero() != (test.again == 0) {
				t.Errorf("became %s, looked at again at %s", c.Status, c.WakeAt)
			}
			if test.again == 0 {
				return
			}
			if wait := c.WakeAt.Sub(b.Clock.Now()); wait != test.again {
				t.Errorf("asked again in %s", wait)
			}
		})
	}
}

// A consent expires at its moment, without a word from or to the bank.
func TestExpiry(t *testing.T) {
	b := newBench(t)
	end := morning.Add(30*time.Hour - time.Second)
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: everything, ValidUntil: end}, nil
	}
	c := b.run(b.create().ID)
	b.Clock.Set(c.WakeAt)
	if c = b.look(c.ID); c.Status != consent.Authorized || !c.WakeAt.Equal(end) {
		t.Fatalf("%s, looked at again at %s", c.Status, c.WakeAt)
	}
	reads := b.bank.read
	b.Clock.Set(end)
	b.ended(b.look(c.ID), consent.Expired, "")
	if b.bank.read != reads || len(b.duties()) != 0 {
		t.Error("the bank was asked, or is owed a word")
	}
}

// Signing is over after 180 days, whatever the bank says (RTS art. 10a).
func TestSigningLastsHalfAYear(t *testing.T) {
	b := newBench(t)
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: everything, ValidUntil: morning.AddDate(2, 0, 0)}, nil
	}
	c := b.run(b.create().ID)
	if life := c.ExpiresAt.Sub(c.StatusChangedAt); life != 180*24*time.Hour {
		t.Errorf("granted for %s", life)
	}
}

// A user who was forgotten has no consent that anybody could follow.
func TestForgottenUser(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.Write(func(tx store.Tx) error { return tx.DestroyKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	b.ended(b.look(c.ID), consent.Revoked, "")
	if len(b.bank.opened) != 0 {
		t.Error("the bank was asked")
	}
}

func TestLedgerTellsWhatHappened(t *testing.T) {
	b := newBench(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Deliver(t.Context(), b.duties()[0]); err != nil {
		t.Fatal(err)
	}
	entries, err := b.Store.AuditEntries(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []audit.Kind
	for _, e := range entries {
		kinds = append(kinds, audit.Kind(e.Kind))
	}
	want := []audit.Kind{audit.ConsentCreated, audit.ConsentAuthorized, audit.ConsentRevoked, audit.BankTold}
	if len(kinds) != len(want) {
		t.Fatalf("the ledger has %v", kinds)
	}
	for i := range want {
		if kinds[i] != want[i] {
			t.Errorf("the ledger has %v", kinds)
		}
	}
}

// The bank is asked once an interval, however long it takes to answer; a bank
// slower than that gets a pause.
func TestQuestionsKeepTheirPace(t *testing.T) {
	for took, least := range map[time.Duration]int{0: 9, 600 * time.Millisecond: 9, 5 * time.Second: 2} {
		b := newBench(t)
		var last time.Time
		b.bank.onStatus = func(int) (institution.Authorization, error) {
			if gap := b.Clock.Now().Sub(last); gap < 250*time.Millisecond {
				t.Errorf("a bank that takes %s was left alone for %s", took, gap)
			}
			b.Clock.Advance(took)
			last = b.Clock.Now()
			return b.pending("bankid.again"), nil
		}
		b.look(b.create().ID)
		if b.bank.asked < least || took > 0 && b.bank.asked > 11 {
			t.Errorf("a bank that takes %s was asked %d times in 10 seconds", took, b.bank.asked)
		}
	}
}
