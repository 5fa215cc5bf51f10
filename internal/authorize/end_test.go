package authorize_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
	"samla/internal/users"
)

// ends are the ways in which a consent ends. Each takes a new consent to its end.
var ends = map[string]struct {
	status consent.Status
	cause  consent.Cause
	end    func(*env) consent.ID
}{
	"revoked by the user": {consent.Revoked, consent.CauseUser, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		if _, err := b.Revoke(b.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			b.Fatal(err)
		}
		return c.ID
	}},
	"found withdrawn by the daily check": {consent.Revoked, consent.CauseBankRevoked, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
		b.Clock.Set(c.WakeAt)
		return b.look(c.ID).ID
	}},
	"found expired by the daily check": {consent.Expired, consent.CauseBankExpired, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = b.bank.answers(institution.ConsentExpired)
		b.Clock.Set(c.WakeAt)
		return b.look(c.ID).ID
	}},
	"found withdrawn by a collection": {consent.Revoked, consent.CauseBankRevoked, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
		return b.refused(c, institution.ConsentGone)
	}},
	"refused, and the bank does not show it": {consent.Revoked, consent.CauseBankRefused, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			return institution.ConsentInfo{}, kind(institution.Refused)
		}
		return b.refused(c, institution.ConsentGone)
	}},
	"refused as over, and a status that is no final one": {consent.Expired, consent.CauseBankRefused, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = b.bank.answers(institution.ConsentPending)
		return b.refused(c, institution.ConsentOver)
	}},
	"unknown to the bank": {consent.Revoked, consent.CauseBankRevoked, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			return institution.ConsentInfo{}, kind(institution.ConsentGone)
		}
		b.Clock.Set(c.WakeAt)
		return b.look(c.ID).ID
	}},
	"signature required": {consent.Expired, consent.CauseNewSignature, func(b *env) consent.ID {
		return b.refused(b.run(b.create().ID), institution.SCARequired)
	}},
	"expired": {consent.Expired, consent.CauseValidity, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		b.Clock.Set(c.ExpiresAt)
		return b.look(c.ID).ID
	}},
	"granted for a time that is past": {consent.Expired, consent.CauseTime, func(b *env) consent.ID {
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: morning.AddDate(0, 0, -1)}, nil
		}
		return b.run(b.create().ID).ID
	}},
	"not authorized in time": {consent.Failed, consent.CauseTime, func(b *env) consent.ID {
		c := b.create()
		b.Clock.Set(c.AuthorizeBy)
		return b.look(c.ID).ID
	}},
	"failed": {consent.Failed, consent.CauseFailed, func(b *env) consent.ID {
		b.bank.onStatus = func(int) (institution.Authorization, error) {
			return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled}, nil
		}
		return b.run(b.create().ID).ID
	}},
	"rejected by the bank": {consent.Failed, consent.CauseBankRejected, func(b *env) consent.ID {
		b.bank.onRead = b.bank.answers(institution.ConsentRejected)
		return b.run(b.create().ID).ID
	}},
	"one-time collection stopped": {consent.Revoked, consent.CauseOneTime, func(b *env) consent.ID {
		s := collect.New(collect.Deps{Store: b.Store, Vault: b.Vault, Consents: b.Service, Institutions: b.Institutions,
			Jobs: b.Jobs, Clock: b.Clock, IDs: b.IDs, Log: b.Service.Log, Workers: 1})
		r, o := b.request(), collect.Owner{ClientID: b.User.ClientID, UserID: b.User.ID}
		c, err := s.Start(b.Context(), collect.Request{Owner: o, Company: theBank, OneTime: &r}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.look(c.ConsentID)
		if _, err := s.Stop(b.Context(), o, c.ID); err != nil {
			b.Fatal(err)
		}
		return c.ConsentID
	}},
	"renewed": {consent.Revoked, consent.CauseRenewed, func(b *env) consent.ID {
		old := b.run(b.create().ID)
		b.run(b.mustRenew(old.ID).ID)
		return old.ID
	}},
	"user erased": {consent.Revoked, consent.CauseUserErased, func(b *env) consent.ID {
		c := b.run(b.create().ID)
		s := users.New(users.Deps{Store: b.Store, Vault: b.Vault, Flows: []users.Flow{b.Service}, Clock: b.Clock, IDs: b.IDs})
		if err := s.Erase(b.Context(), b.User.ClientID, b.User.ID); err != nil {
			b.Fatal(err)
		}
		return c.ID
	}},
	"user's key destroyed": {consent.Revoked, consent.CauseUserErased, func(b *env) consent.ID {
		c := b.create()
		b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(b.Context(), b.User.ID, b.Clock.Now()) })
		b.Vault.Evict(b.User.ID)
		return b.look(c.ID).ID
	}},
}

// answers returns an answer to every read of a consent.
func (*scripted) answers(s institution.ConsentState) func(int) (institution.ConsentInfo, error) {
	return func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{State: s}, nil }
}

// refused checks a consent after a collection was refused.
func (b *env) refused(c consent.Consent, refusal institution.ErrorKind) consent.ID {
	b.Helper()
	follow, err := b.CheckAfterRefusal(b.Context(), c, refusal)
	if err == nil {
		err = follow(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return c.ID
}

// causes lists the causes in the audit log of a consent.
func (b *env) causes(id consent.ID) (causes []consent.Cause) {
	b.Helper()
	entries, err := b.Store.AuditEntries(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		switch audit.Kind(e.Kind) {
		case audit.ConsentRevoked, audit.ConsentExpired, audit.ConsentFailed:
			var detail struct{ Cause consent.Cause }
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				b.Fatal(err)
			}
			causes = append(causes, detail.Cause)
		}
	}
	return causes
}

// wantTold checks that the client is told once that a consent was authorized, if it was, and
// that it has ended; nothing of a consent inside a collection.
func (b *env) wantTold(id consent.ID, end consent.Status) {
	b.Helper()
	c := b.Consent(id)
	entries, err := b.Store.AuditEntries(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	var want []string
	if c.CollectionID == "" {
		if slices.ContainsFunc(entries, func(e audit.Entry) bool { return e.Kind == string(audit.ConsentAuthorized) }) {
			want = append(want, "CONSENT_AUTHORIZED AUTHORIZED")
		}
		want = append(want, "CONSENT_"+string(end)+" "+string(end))
	}
	if told := b.Told(string(id)); !slices.Equal(told, want) {
		b.Errorf("the client is told of %q, want %q", told, want)
	}
}

func TestEnd_TellsSubscribersAndAuditLogTheCauseOnce(t *testing.T) {
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEnv(t)
			id := test.end(b)
			if c := b.Consent(id); c.Status != test.status || !c.WakeAt.IsZero() {
				t.Errorf("%s, due %s", c.Status, c.WakeAt)
			}
			want := []consent.Cause{test.cause}
			if got := b.seen.ends[id]; !slices.Equal(got, want) || len(b.seen.ends) != 1 {
				t.Errorf("the subscriber saw %v", b.seen.ends)
			}
			if got := b.causes(id); !slices.Equal(got, want) {
				t.Errorf("the audit log has %v", got)
			}
			if test.cause != consent.CauseRenewed { // the event of the new consent tells
				b.wantTold(id, test.status)
			}
			if _, err := b.End(t.Context(), id, revocation); !errors.As(err, new(*consent.IllegalError)) || len(b.seen.ends[id]) != 1 {
				t.Errorf("ended again: %v, %v", b.seen.ends, err)
			}
		})
	}
}

// Every cause of the closed set is the cause of some end.
func TestEnd_UsesEveryCause(t *testing.T) {
	used := map[consent.Cause]bool{}
	for _, test := range ends {
		used[test.cause] = true
	}
	for _, cause := range consent.Causes() {
		if !used[cause] {
			t.Errorf("nothing ends a consent with the cause %s", cause)
		}
	}
}

// A bank is told of each end but those that it told of itself. A bank that calls
// the consent valid has not said that it is over, whatever else it refuses.
func TestEnd_TellsTheBankUnlessTheBankSaidSo(t *testing.T) {
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEnv(t)
			id := test.end(b)
			want := 0
			if len(b.bank.opened) > 0 && !test.cause.KnownToBank() {
				want = 1
			}
			due := b.dueMessages()
			if len(due) != want {
				t.Fatalf("%d messages to the bank, want %d", len(due), want)
			}
			if want == 0 {
				return
			}
			if m, _ := b.message(due[0]); m.ConsentID != id {
				t.Errorf("the message is about another consent: %+v", m)
			}
			if err := b.deliver(due[0]); err != nil || len(b.bank.revoked) != 1 || b.bank.revoked[0].ConsentID != "bank-1" {
				t.Errorf("the bank was told of %+v, %v", b.bank.revoked, err)
			}
		})
	}
}

func TestEnd_SubscribersErrorUndoesEverything(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	b.seen.err = errors.New("the subscriber's")
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); !errors.Is(err, b.seen.err) {
		t.Fatalf("got %v", err)
	}
	if got := b.Consent(c.ID); got.Status != consent.Authorized || got.Rev != c.Rev {
		t.Errorf("became %s", got.Status)
	}
	if len(b.causes(c.ID)) != 0 || len(b.dueMessages()) != 0 {
		t.Error("an audit entry or a message is left")
	}
	b.seen.err = nil
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil || len(b.causes(c.ID)) != 1 {
		t.Errorf("revoked: %v, %v", b.causes(c.ID), err)
	}
}

func TestPlanEnd_RefusesWhatEndsNothing(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	for name, e := range map[string]consent.Event{"time passes": consent.Ticked{}, "opened": consent.Opened{}, "no cause": consent.Revocation{},
		"a cause of another event": consent.Revocation{Cause: consent.CauseTime}} {
		if _, err := b.PlanEnd(t.Context(), c, e); !errors.As(err, new(*consent.IllegalError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	end, err := b.PlanEnd(t.Context(), c, revocation)
	if err != nil {
		t.Fatal(err)
	}
	b.look(c.ID)
	if err := b.Store.Write(t.Context(), func(tx store.Tx) error { return end.Write(t.Context(), tx) }); !errors.Is(err, store.ErrConflict) {
		t.Errorf("written over another change: %v", err)
	}
}

func TestAuditLog_RecordsALifeInOrder(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.deliver(b.dueMessages()[0]); err != nil {
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
	want := []audit.Kind{audit.ConsentCreated, audit.ConsentAuthorized, audit.ConsentRevoked, audit.RevocationDelivered}
	if len(kinds) != len(want) {
		t.Fatalf("the audit log has %v", kinds)
	}
	for i := range want {
		if kinds[i] != want[i] {
			t.Errorf("the audit log has %v", kinds)
		}
	}
}

// TestEnd_StoresNoMessageThatNobodyCouldDeliver: a family without the verb has no
// way to be told, so a message would be retried for ever.
func TestEnd_StoresNoMessageThatNobodyCouldDeliver(t *testing.T) {
	b := newEnv(t)
	inst := b.Institutions.(institution.Set)[theBank]
	inst.Revoker = nil
	b.Institutions.(institution.Set)[theBank] = inst
	c := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	if jobs, err := b.Store.Claim(t.Context(), store.Outbox, b.Clock.Now().AddDate(1, 0, 0), time.Hour, store.ClaimLimit{Rows: 10}); err != nil || len(jobs) != 0 {
		t.Errorf("%d messages wait, %v", len(jobs), err)
	}
}
