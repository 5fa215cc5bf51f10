package authorize_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// watched returns a consent that awaits the person.
func (b *env) watched() consent.Consent {
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

// The handler hands the consent to the scheduler and returns; the row stays leased.
func TestWatch_HoldsNoWorker(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.MustRun(b.Handle, string(c.ID))
	if took := b.Clock.Now().Sub(morning); took != 0 || b.bank.asked != 0 || !b.Watches(c.ID) {
		t.Errorf("the handler took %s, asked %d times, watches %v", took, b.bank.asked, b.Watches(c.ID))
	}
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || !c.WakeAt.Equal(morning.Add(jobs.Lease)) {
		t.Errorf("%s, leased until %s", c.Status, c.WakeAt)
	}
}

// Another node follows the authorization at once.
func TestStop_MakesTheRowDue(t *testing.T) {
	b := newEnv(t)
	b.Service.Start()
	c := b.create()
	if err := b.Handle(t.Context(), string(c.ID)); err != nil { // not MustRun, which moves the clock for the scheduler
		t.Fatal(err)
	}
	if err := b.Service.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	claimed, err := b.Store.Claim(t.Context(), store.Consents, b.Clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 10})
	if err != nil || len(claimed) != 1 || claimed[0].ID != string(c.ID) {
		t.Errorf("another node claims %+v, %v", claimed, err)
	}
	if err := b.Handle(t.Context(), string(c.ID)); err != nil || b.Watches(c.ID) {
		t.Errorf("a node that has stopped watches %v, %v", b.Watches(c.ID), err)
	}
	if c = b.Consent(c.ID); c.WakeAt.After(b.Clock.Now()) {
		t.Errorf("a node that has stopped keeps the row until %s", c.WakeAt)
	}
}

// However many persons wait, a new consent is opened at once, and a signature is
// noticed within seconds.
func TestWatch_MorePersonsThanWorkers(t *testing.T) {
	const waiting = 3000
	b := newEnv(t)
	var signed atomic.Bool
	var asked atomic.Int64
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		asked.Add(1)
		if signed.Load() {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return b.pending("bankid.again"), nil
	}
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: time.Now().AddDate(0, 3, 0)}, nil
	}
	log := slog.New(slog.DiscardHandler)
	now := clock.NewFast(time.Now(), 2) // that is slow where the machine is: persons have five minutes
	runner := jobs.New(b.Store, now, log)
	s := authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: institution.Set{theBank: b.bank.institution()},
		Jobs: runner, Clock: now, IDs: b.IDs, Log: log})
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
	until := func(id consent.ID, status consent.Status) {
		t.Helper()
		clocktest.Poll(t, "a consent is "+string(status), func() bool {
			c := b.Consent(id)
			if c.Status.Final() {
				t.Fatalf("a consent is %s %s, want %s", c.Status, c.Failure, status)
			}
			return c.Status == status
		})
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
	before := asked.Load()
	until(create(), consent.AwaitingAuthorization)
	if n := asked.Load() - before; n > 3*waiting { // as many as are asked in a few seconds, however fast the machine is
		t.Errorf("with %d persons waiting %d questions were asked before a new consent was opened", waiting, n)
	}
	signed.Store(true)
	for _, id := range ids {
		until(id, consent.Authorized)
	}
}

func TestWatch_EndsAtTheDeadline(t *testing.T) {
	b := newEnv(t)
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n%2 == 0 {
			return institution.Authorization{}, kind(institution.Unreachable)
		}
		return b.pending("bankid.again"), nil
	}
	c := b.run(b.create().ID)
	b.checkEnd(c, consent.Failed, consent.AuthenticationTimeout)
	if late := c.StatusChangedAt.Sub(c.AuthorizeBy); late < 0 || late > time.Minute {
		t.Errorf("timed out %s after the deadline", late)
	}
	if len(b.dueMessages()) != 1 {
		t.Error("the bank is not told")
	}
}

// A signature alone is not enough (docs/reference/banks.md 4).
func TestDecide_FollowsTheStatusAtTheBank(t *testing.T) {
	for state, want := range map[institution.ConsentState]consent.Status{
		institution.ConsentValid: consent.Authorized, institution.ConsentRejected: consent.Failed,
		institution.ConsentRevoked: consent.Failed, institution.ConsentExpired: consent.Failed,
	} {
		b := newEnv(t)
		b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
			switch n {
			case 1:
				return institution.ConsentInfo{State: institution.ConsentPending}, nil
			case 2:
				return institution.ConsentInfo{}, kind(institution.Busy)
			default:
				return institution.ConsentInfo{State: state, Scope: &consent.Scope{AccountIDs: []string{"a"}, Balances: true}, ValidUntil: morning.AddDate(0, 0, 9)}, nil
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

// The change of another writer is no error and stays.
func TestWatch_LosesToARevocation(t *testing.T) {
	b := newEnv(t)
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
	b.checkEnd(b.look(c.ID), consent.Revoked, "")
	if b.bank.asked != 2 {
		t.Errorf("asked %d times", b.bank.asked)
	}
	if due := b.dueMessages(); len(due) != 1 {
		t.Errorf("%d messages", len(due))
	}
}

// The scheduler drops a consent that is revoked on its node.
func TestWatch_StopsAfterARevocation(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n == 2 {
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
				t.Error(err)
			}
		}
		return b.pending("bankid.again"), nil
	}
	b.checkEnd(b.look(c.ID), consent.Revoked, "")
	if b.bank.asked != 2 {
		t.Errorf("asked %d times", b.bank.asked)
	}
}

// The row must not wait for the end of its lease.
func TestAsk_KeepsTheItemWhenItsTimeIsOver(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	ctx, cancel := context.WithCancel(t.Context())
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		cancel() // before the failure is stored
		return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled}, nil
	}
	if out := b.Ask(ctx, c.ID); out.Done {
		t.Error("it is not asked about again")
	}
	if !b.asks(c.ID, 1) {
		t.Error("it has not ended")
	}
	b.checkEnd(b.Consent(c.ID), consent.Failed, consent.AuthenticationCancelled)
}

// What the bank has created or granted is stored, although the time of the handler or
// of the question was over when the answer came: the bank may not give it again.
func TestAnswer_IsStoredAfterItsTime(t *testing.T) {
	b := newEnv(t)
	b.profile(func(p *institution.Profile) { p.ReplaySafe = false })
	ctx, cancel := context.WithCancel(t.Context())
	opens, starts := b.bank.onOpen, b.bank.onStart
	b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
		cancel()
		return opens(r)
	}
	c := b.create()
	_ = b.Handle(ctx, string(c.ID))
	if c = b.Consent(c.ID); c.Step != consent.StepAuthorize || b.secret(c).RemoteID != "bank-1" {
		t.Fatalf("opened: %s", c.Step)
	}
	ctx, cancel = context.WithCancel(t.Context())
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		cancel()
		return starts(r)
	}
	_ = b.Handle(ctx, string(c.ID))
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || b.secret(c).AuthorizationID != "auth-1" {
		t.Fatalf("started: %s %s", c.Status, c.Step)
	}
	ctx, cancel = context.WithCancel(t.Context())
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		cancel()
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything}, nil
	}
	b.Clock.Advance(time.Second)
	if out := b.Ask(ctx, c.ID); !out.Done {
		t.Error("asked again")
	}
	if c = b.Consent(c.ID); c.Status != consent.Authorized {
		t.Errorf("granted: %s", c.Status)
	}
}
