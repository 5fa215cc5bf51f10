package authorize_test

import (
	"context"
	"errors"
	"log/slog"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/jobs"
	"sync"
	"sync/atomic"
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

// TestWatch_HoldsNoWorker: the handler hands the consent to the scheduler and
// returns; the row stays leased.
func TestWatch_HoldsNoWorker(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.MustRun(b.Step, string(c.ID))
	if took := b.Clock.Now().Sub(morning); took != 0 || b.bank.asked != 0 || !b.Watches(c.ID) {
		t.Errorf("the handler took %s, asked %d times, watches %v", took, b.bank.asked, b.Watches(c.ID))
	}
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || !c.WakeAt.Equal(morning.Add(jobs.Lease)) {
		t.Errorf("%s, leased until %s", c.Status, c.WakeAt)
	}
}

// TestWatch_StopHandsTheRowBack: another node follows the authorization at once.
func TestWatch_StopHandsTheRowBack(t *testing.T) {
	b := newBench(t)
	b.Service.Start()
	c := b.create()
	if err := b.Step(t.Context(), string(c.ID)); err != nil { // not MustRun, which moves the clock for the scheduler
		t.Fatal(err)
	}
	if err := b.Service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	claimed, err := b.Store.Claim(t.Context(), store.Consents, b.Clock.Now(), jobs.Lease, 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != string(c.ID) {
		t.Errorf("another node claims %+v, %v", claimed, err)
	}
	if err := b.Step(t.Context(), string(c.ID)); err != nil || b.Watches(c.ID) {
		t.Errorf("a node that has stopped watches %v, %v", b.Watches(c.ID), err)
	}
	if c = b.Consent(c.ID); c.WakeAt.After(b.Clock.Now()) {
		t.Errorf("a node that has stopped keeps the row until %s", c.WakeAt)
	}
}

// TestWatch_MorePersonsThanWorkers: however many wait, a new consent is opened at
// once and a signature is noticed within seconds.
func TestWatch_MorePersonsThanWorkers(t *testing.T) {
	const waiting = 3000
	b := newBench(t)
	var signed atomic.Bool
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		if signed.Load() {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return b.pending("bankid.again"), nil
	}
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: everything, ValidUntil: time.Now().AddDate(0, 3, 0)}, nil
	}
	log := slog.New(slog.DiscardHandler)
	runner := jobs.New(b.Store, clock.System(), log)
	s := authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: institution.Set{theBank: b.bank.institution()},
		Pump: runner, Clock: clock.System(), IDs: b.IDs, Log: log})
	runner.Start(t.Context())
	s.Start()
	defer func() {
		if err := errors.Join(s.Stop(context.Background()), runner.Stop(context.Background())); err != nil {
			t.Error(err)
		}
	}()
	create := func() consent.ID {
		c, err := s.Create(t.Context(), b.request(), nil)
		if err != nil {
			t.Error(err)
		}
		return c.ID
	}
	until := func(id consent.ID, status consent.Status) time.Duration {
		for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			if c := b.Consent(id); c.Status == status {
				return time.Since(began)
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("a consent is still not %s", status)
			}
		}
	}
	ids := make([]consent.ID, waiting)
	var wg sync.WaitGroup
	for part := range 8 {
		wg.Go(func() {
			for i := part; i < waiting; i += 8 {
				ids[i] = create()
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		until(id, consent.AwaitingAuthorization)
	}
	if took := until(create(), consent.AwaitingAuthorization); took > 10*time.Second {
		t.Errorf("with %d persons waiting a new consent took %s to be opened", waiting, took)
	}
	signed.Store(true)
	for _, id := range ids {
		until(id, consent.Authorized)
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
		"malformed":     {err: kind(institution.MalformedResponse), want: consent.Authorized, again: time.Hour},
		"certificate":   {err: kind(institution.CertificateRejected), want: consent.Authorized, again: time.Hour},
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
	if err := b.deliver(b.duties()[0]); err != nil {
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
