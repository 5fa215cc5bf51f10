package authorize_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/store"
	"samla/internal/users"
)

// renew asks for a renewal of the consent id, as its user.
func (b *env) renew(id consent.ID) (consent.Consent, error) {
	b.bank.signed.Store(false) // the next authorization begins unsigned
	return b.Renew(b.Context(), b.User.ClientID, b.User.ID, id, func(old authorize.Old) (authorize.Request, error) {
		r := b.request()
		r.PSU.PersonalNumber = ""
		return r, nil
	}, func(authorize.Old) idempotency.Answer[consent.Consent] { return nil })
}

func (b *env) mustRenew(id consent.ID) consent.Consent {
	b.Helper()
	c, err := b.renew(id)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// told lists the types of the events of a consent, oldest first.
func (b *env) told(id consent.ID) (types []event.Type) {
	b.Helper()
	b.Write(func(tx store.Tx) error { _, err := tx.SequenceEvents(b.Context(), b.Clock.Now(), 1000); return err })
	all, err := b.Store.Events(b.Context(), store.EventFilter{ClientID: b.User.ClientID}, 1000)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range all {
		if e.Resource == string(id) {
			types = append(types, e.Type)
		}
	}
	return types
}

func TestRenew_ReplacesTheOldOneWhenAuthorized(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			b := newEnvOn(t, database(t))
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			if next.Renews != old.ID || next.LineageID() != old.ID || next.Status != consent.Initiated {
				t.Fatalf("%+v", next)
			}
			if c := b.Consent(old.ID); c.Status != consent.Authorized || c.RenewedBy != "" {
				t.Fatalf("before the signature: %+v", c)
			}
			if got := b.secret(b.Consent(next.ID)).PersonalNumber; got != maja {
				t.Error("the number of the old consent is not sent")
			}
			next = b.run(next.ID)
			after := b.Consent(old.ID)
			if next.Status != consent.Authorized || after.Status != consent.Revoked || after.RenewedBy != next.ID || len(after.Sealed) > 0 || !after.WakeAt.IsZero() {
				t.Fatalf("%s, old %+v", next.Status, after)
			}
			if got := b.causes(old.ID); !slices.Equal(got, []consent.Cause{consent.CauseRenewed}) || !slices.Equal(b.seen.ends[old.ID], got) {
				t.Errorf("ended by %v, %v", got, b.seen.ends)
			}
			if got := b.told(old.ID); slices.Contains(got, event.TypeConsentRevoked) {
				t.Errorf("of the old one was told %v", got)
			}
			if got := b.told(next.ID); !slices.Equal(got, []event.Type{event.TypeConsentRenewed}) {
				t.Errorf("of the new one was told %v", got)
			}
			for _, id := range b.dueMessages() {
				b.deliver(id)
			}
			if len(b.bank.revoked) != 1 {
				t.Errorf("the bank was told of %d ends", len(b.bank.revoked))
			}
			third := b.mustRenew(old.ID) // any id of the lineage will do
			if third.Renews != next.ID || third.LineageID() != old.ID {
				t.Errorf("renews %s of %s", third.Renews, third.LineageID())
			}
		})
	}
}

// What the bank does with the old consent decides whether it is told.
func TestRenew_TellsTheBankByItsProfile(t *testing.T) {
	for kind, want := range map[institution.OldConsent]int{institution.OldDeleted: 1, institution.OldEndsWithNew: 0,
		institution.OldEndsOnRequest: 0, institution.OldKept: 0} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.OldConsent = kind })
		old := b.run(b.create().ID)
		b.run(b.mustRenew(old.ID).ID)
		if got := len(b.dueMessages()); got != want || b.Consent(old.ID).Status != consent.Revoked {
			t.Errorf("%s: %d messages, old %s", kind, got, b.Consent(old.ID).Status)
		}
	}
}

func TestRenew_OfEveryStatus(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(b *env, id consent.ID)
		want fault.Code
		then consent.Status // of the old one after the renewal
	}{
		"authorized": {func(*env, consent.ID) {}, "", consent.Revoked},
		"revoked by the user": {func(b *env, id consent.ID) {
			if _, err := b.Revoke(b.Context(), b.User.ClientID, b.User.ID, id); err != nil {
				b.Fatal(err)
			}
		}, "", consent.Revoked},
		"withdrawn at the bank": {func(b *env, id consent.ID) {
			valid := b.bank.onRead
			b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
			b.look(id)
			b.bank.onRead = valid
		}, "", consent.Revoked},
		"expired": {func(b *env, id consent.ID) { b.Clock.Set(b.Consent(id).ExpiresAt); b.look(id) }, "", consent.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.bank.onRead = b.validFor(90)
			old := b.run(b.create().ID)
			test.end(b, old.ID)
			before := b.Consent(old.ID)
			next, err := b.renew(old.ID)
			if fault.CodeOf(err) != test.want {
				t.Fatal(err)
			}
			next = b.run(next.ID)
			after := b.Consent(old.ID)
			if next.Status != consent.Authorized || after.Status != test.then || after.RenewedBy != next.ID {
				t.Errorf("%s, old %s renewed by %s", next.Status, after.Status, after.RenewedBy)
			}
			if before.Status.Final() && !after.StatusChangedAt.Equal(before.StatusChangedAt) {
				t.Error("the end of an ended one moved")
			}
		})
	}
	b := newEnv(t)
	pending := b.create()
	failed := b.create()
	if _, err := b.End(t.Context(), failed.ID, consent.FailedWith{Code: consent.Rejected}); err != nil {
		t.Fatal(err)
	}
	unsigned := b.create()
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, unsigned.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []consent.Consent{pending, failed, unsigned} {
		if _, err := b.renew(c.ID); fault.CodeOf(err) != fault.ConsentNotRenewable {
			t.Errorf("%s: %v", b.Consent(c.ID).Status, err)
		}
	}
	if _, err := b.renew(consent.ID(b.IDs.New())); fault.CodeOf(err) != fault.ConsentNotFound {
		t.Error(err)
	}
}

// validFor answers a read of a consent: valid for so many days once it is signed.
func (b *env) validFor(days int) func(int) (institution.ConsentInfo, error) {
	return func(int) (institution.ConsentInfo, error) {
		if !b.bank.signed.Load() {
			return institution.ConsentInfo{State: institution.ConsentPending}, nil
		}
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: b.Clock.Now().AddDate(0, 0, days)}, nil
	}
}

func TestRenew_OneAtATime(t *testing.T) {
	b := newEnv(t)
	old := b.run(b.create().ID)
	first := b.mustRenew(old.ID)
	_, err := b.renew(old.ID)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != fault.ConsentRenewalPending || f.ConsentID != string(first.ID) {
		t.Fatalf("%v", err)
	}
	if _, err := b.renew(first.ID); fault.CodeOf(err) != fault.ConsentRenewalPending { // by its own id too
		t.Error(err)
	}
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	if c := b.Consent(old.ID); c.Status != consent.Authorized {
		t.Errorf("the old one is %s", c.Status)
	}
	b.mustRenew(old.ID)
}

// However a renewal ends without an authorization, nothing changes for the old one.
func TestRenew_NothingChangesWithoutAuthorization(t *testing.T) {
	for name, fail := range map[string]func(b *env, id consent.ID){
		"signed by somebody else": func(b *env, id consent.ID) {
			b.bank.onStatus = func(int) (institution.Authorization, error) {
				return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationMismatch}, nil
			}
			if c := b.run(id); c.Failure != consent.AuthenticationMismatch {
				b.Errorf("%s %s", c.Status, c.Failure)
			}
		},
		"abandoned": func(b *env, id consent.ID) {
			b.bank.onStatus = func(int) (institution.Authorization, error) { return b.pending("bankid"), nil }
			if c := b.run(id); c.Failure != consent.AuthenticationTimeout {
				b.Errorf("%s %s", c.Status, c.Failure)
			}
		},
		"refused by the bank": func(b *env, id consent.ID) {
			b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
				return institution.Opened{}, kind(institution.Refused)
			}
			b.run(id)
		},
		"for none of the accounts": func(b *env, id consent.ID) {
			b.bank.onRead = func(int) (institution.ConsentInfo, error) {
				return institution.ConsentInfo{State: institution.ConsentValid, Scope: &consent.Scope{AccountIDs: []string{"SE3550000000054910000003"}, Balances: true}}, nil
			}
			if c := b.run(id); c.Failure != consent.Rejected {
				b.Errorf("%s %s", c.Status, c.Failure)
			}
		},
		"valid no longer": func(b *env, id consent.ID) {
			b.bank.onRead = func(int) (institution.ConsentInfo, error) {
				return institution.ConsentInfo{State: institution.ConsentValid, ValidUntil: morning.AddDate(0, 0, -1)}, nil
			}
			b.run(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.scope.AccountIDs = []string{"SE4550000000058398257466"}
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			fail(b, next.ID)
			c := b.Consent(old.ID)
			if !b.Consent(next.ID).Status.Final() || c.Status != consent.Authorized || c.RenewedBy != "" || c.Rev != old.Rev {
				t.Errorf("new %s; old %s, renewed by %q, written %d times", b.Consent(next.ID).Status, c.Status, c.RenewedBy, c.Rev-old.Rev)
			}
		})
	}
}

// The bank ends the old consent, by itself and before it says that the new one is valid.
func TestRenew_EndAtTheBankIsARenewal(t *testing.T) {
	for name, notice := range map[string]func(b *env, old consent.Consent){
		"by the daily check":    func(b *env, old consent.Consent) { b.MustRun(b.Handle, string(old.ID)) },
		"by a refused read":     func(b *env, old consent.Consent) { b.refused(old, institution.ConsentGone) },
		"by a demand to sign":   func(b *env, old consent.Consent) { b.refused(old, institution.SCARequired) },
		"by a read of its time": func(b *env, old consent.Consent) { b.refused(old, institution.ConsentOver) },
	} {
		for _, signed := range []bool{true, false} {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.OldConsent = institution.OldEndsOnRequest })
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			valid := b.bank.onRead
			b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
			notice(b, b.Consent(old.ID))
			if c := b.Consent(old.ID); c.Status != consent.Authorized || c.WakeAt.Sub(b.Clock.Now()) > 15*time.Second {
				t.Fatalf("%s: while the person signs: %s, checked again at %s", name, c.Status, c.WakeAt)
			}
			b.bank.onRead = valid
			if signed {
				b.run(next.ID)
			} else if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, next.ID); err != nil {
				t.Fatal(err)
			}
			b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
			want := []consent.Cause{consent.CauseRenewed}
			if !signed {
				b.Clock.Set(b.Consent(old.ID).WakeAt)
				b.look(old.ID)
				want[0] = consent.CauseBankRevoked
			}
			if got := b.causes(old.ID); !slices.Equal(got, want) {
				t.Errorf("%s, signed %t: ended by %v", name, signed, got)
			}
			if told := slices.Contains(b.told(old.ID), event.TypeConsentRevoked); told == signed {
				t.Errorf("%s, signed %t: told CONSENT_REVOKED %t", name, signed, told)
			}
		}
	}
}

// A bank that ends the old consent on request is asked soon whether it did, not a day later.
func TestRenew_ChecksAnEndOnRequestSoon(t *testing.T) {
	b := newEnv(t)
	b.profile(func(p *institution.Profile) { p.OldConsent = institution.OldEndsOnRequest })
	old := b.run(b.create().ID)
	next := b.mustRenew(old.ID)
	if c := b.Consent(old.ID); c.WakeAt.After(next.AuthorizeBy.Add(time.Minute)) {
		t.Errorf("checked at %s", c.WakeAt)
	}
}

// The other writer of the old consent is faster than the transaction of the grant.
func TestRenew_GrantIsNotLostToAnotherWriter(t *testing.T) {
	for name, by := range map[string]func(b *env, old consent.Consent){
		"it is revoked at the bank": func(b *env, old consent.Consent) {
			if _, err := b.End(b.Context(), old.ID, consent.Revocation{Cause: consent.CauseBankRefused}); err != nil {
				b.Error(err)
			}
		},
		"its check is stored": func(b *env, old consent.Consent) {
			if _, err := store.UpdateConsent(b.Context(), b.Store, old.ID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) { return c, nil, nil }); err != nil {
				b.Error(err)
			}
		},
		"it expires": func(b *env, old consent.Consent) {
			if _, err := b.End(b.Context(), old.ID, consent.Expiry{Cause: consent.CauseValidity}); err != nil {
				b.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			b.MustRun(b.Handle, string(next.ID)) // waits for the person
			under := b.Store
			racing := &flowtest.Overtaken{Store: under}
			node := b.service()
			node.Store = racing
			racing.By = func() { racing.Store = under; by(b, b.Consent(old.ID)) }
			b.Clock.Set(b.Consent(next.ID).WakeAt)
			b.MustRun(node.Handle, string(next.ID))
			for range 10 {
				if !node.Watches(next.ID) {
					break
				}
				b.Clock.Advance(time.Second)
				node.Ask(b.Context(), next.ID)
			}
			got, after := b.Consent(next.ID), b.Consent(old.ID)
			if got.Status != consent.Authorized || !after.Status.Final() || after.RenewedBy != next.ID {
				t.Errorf("new %s; old %s, renewed by %q", got.Status, after.Status, after.RenewedBy)
			}
		})
	}
}

// The process dies between the answer of the bank and the commit of the grant.
func TestRenew_KillBetweenGrantAndCommit(t *testing.T) {
	b := newEnv(t)
	old := b.run(b.create().ID)
	next := b.mustRenew(old.ID)
	ctx, kill := context.WithCancel(t.Context())
	answer := b.bank.onRead
	died := &dead{Store: b.Store}
	node := b.service()
	node.Store = died
	b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
		info, err := answer(n)
		if info.State == institution.ConsentValid {
			died.now.Store(true)
			kill()
		}
		return info, err
	}
	b.Run(ctx, node.Handle, string(next.ID))
	for range 10 {
		b.Clock.Advance(time.Second)
		if ctx.Err() != nil {
			break
		}
		node.Ask(ctx, next.ID)
	}
	if ctx.Err() == nil || b.Consent(old.ID).Status != consent.Authorized || b.Consent(next.ID).Status != consent.AwaitingAuthorization {
		t.Fatalf("before the commit: new %s, old %s", b.Consent(next.ID).Status, b.Consent(old.ID).Status)
	}
	b.bank.onRead = answer
	if c := b.run(next.ID); c.Status != consent.Authorized || b.Consent(old.ID).RenewedBy != next.ID {
		t.Errorf("after it: new %s, old renewed by %q", c.Status, b.Consent(old.ID).RenewedBy)
	}
}

// Two that ask at once get one renewal.
func TestRenew_TwoAtOnce(t *testing.T) {
	b := newEnv(t)
	old := b.run(b.create().ID)
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			_, err := b.renew(old.ID)
			results <- err
		}()
	}
	made := 0
	for range cap(results) {
		switch err := <-results; fault.CodeOf(err) {
		case "":
			made++
		case fault.ConsentRenewalPending:
		default:
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d renewals", made)
	}
}

// dead is the store of a process that has died: it commits nothing any more.
type dead struct {
	store.Store
	now atomic.Bool
}

func (d *dead) Write(ctx context.Context, fn func(store.Tx) error) error {
	if d.now.Load() {
		return errors.New("the process has died")
	}
	return d.Store.Write(ctx, fn)
}

// The user is erased while a renewal is authorized: nothing lives after it, on both stores.
func TestRenew_AgainstErasingTheUser(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			b := newEnvOn(t, database(t))
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			b.MustRun(b.Handle, string(next.ID))
			erased := make(chan error, 1)
			go func() {
				s := users.New(users.Deps{Store: b.Store, Vault: b.Vault, Flows: []users.Flow{b.Service}, Clock: b.Clock, IDs: b.IDs})
				erased <- s.Erase(t.Context(), b.User.ClientID, b.User.ID)
			}()
			b.asks(next.ID, 10)
			if err := <-erased; err != nil {
				t.Fatal(err)
			}
			b.MustRun(b.Handle, string(next.ID))
			for _, c := range []consent.Consent{b.Consent(old.ID), b.Consent(next.ID)} {
				if !c.Status.Final() || len(c.Sealed) > 0 {
					t.Errorf("%s lives on: %s", c.ID, c.Status)
				}
			}
			if _, err := b.renew(old.ID); err == nil {
				t.Error("renewed for an erased user")
			}
		})
	}
}

// The user revokes the old consent while its renewal is authorized: whichever is first,
// nothing lives after it.
func TestRenew_AgainstRevoking(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			b := newEnvOn(t, database(t))
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			b.MustRun(b.Handle, string(next.ID))
			revoked := make(chan error, 1)
			go func() {
				_, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, old.ID)
				revoked <- err
			}()
			b.asks(next.ID, 10)
			if err := <-revoked; err != nil {
				t.Error(err)
			}
			if c := b.Consent(next.ID); !c.Status.Final() {
				b.run(next.ID)
			}
			if c := b.Consent(old.ID); c.Status != consent.Revoked || b.Consent(next.ID).Status != consent.Revoked || len(b.causes(old.ID)) != 1 || len(b.causes(next.ID)) != 1 {
				t.Errorf("old %s, ended by %v; new %s, ended by %v", c.Status, b.causes(old.ID), b.Consent(next.ID).Status, b.causes(next.ID))
			}
		})
	}
}
