package authorize_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

func secretPlace(id consent.ID) seal.Place { return authorize.SecretPlace(id) }

func TestOpen_LeadsToAGrant(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	if c.Status != consent.Initiated || c.Step != consent.StepOpen || !c.ExpiresAt.Equal(time.Date(2026, 9, 28, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("made %+v", c)
	}
	c = b.run(c.ID)
	if c.Status != consent.Authorized || c.Scope().AccountIDs != nil || !c.ExpiresAt.Equal(morning.AddDate(0, 3, 0)) {
		t.Fatalf("became %+v", c)
	}
	if wait := c.WakeAt.Sub(b.Clock.Now()); wait != 24*time.Hour {
		t.Errorf("handled again in %s", wait)
	}
	open, start := b.bank.opened[0], b.bank.started[0]
	if open.RequestID != c.OpenRequestID || !open.Recurring || !open.OtherDevice || open.PSU.PersonalNumber != maja || open.PSU.IPAddress == "" {
		t.Errorf("opened with %+v", open)
	}
	if start.RequestID != c.AuthorizeRequestID || start.ConsentID != "bank-1" || start.PSU.PersonalNumber != maja {
		t.Errorf("authorized with %+v", start)
	}
	entries, err := b.Store.AuditEntries(t.Context(), c.ID)
	if err != nil || len(entries) != 2 || entries[0].Kind != "CONSENT_CREATED" || entries[1].Kind != "CONSENT_AUTHORIZED" {
		t.Errorf("the audit log has %+v, %v", entries, err)
	}
}

// The consent of a one-time collection is not recurring, and its end wakes the
// collection.
func TestOpen_OfAOneTimeCollection(t *testing.T) {
	b := newEnv(t)
	r := b.request()
	r.CollectionID, r.LoginMethod = b.IDs.New(), "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	c, err := b.Create(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.addCollection(tx, c) })
	b.run(c.ID)
	if open := b.bank.opened[0]; open.Recurring || open.OtherDevice {
		t.Errorf("opened with %+v", open)
	}
	woken, err := b.Store.Collection(t.Context(), r.CollectionID)
	if err != nil || woken.WakeAt.After(b.Clock.Now()) {
		t.Errorf("the collection is due at %s, %v", woken.WakeAt, err)
	}
}

// The process dies during the call, and another one goes on.
func TestOpen_IsRepeatedAfterACrashOnlyWhereThatIsSafe(t *testing.T) {
	for safe, want := range map[bool]consent.Status{true: consent.Authorized, false: consent.Failed} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		during := consent.StepOpen
		if !safe {
			during = consent.StepOpening
		}
		dying, die := context.WithCancel(t.Context())
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		c := b.create()
		answer := b.bank.onOpen
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			if step := b.Consent(c.ID).Step; step != during {
				t.Errorf("safe to repeat %t: called at %s", safe, step)
			}
			die()
			<-release // the dead process never gets its answer
			return institution.Opened{}, kind(institution.Unreachable)
		}
		go func() { _ = b.Handle(dying, string(c.ID)) }()
		<-dying.Done()
		b.bank.onOpen = answer
		b.Service = b.service()
		c = b.run(c.ID)
		if c.Status != want || !safe && c.Failure != consent.BankUnavailable {
			t.Errorf("safe to repeat %t: %s %s", safe, c.Status, c.Failure)
		}
		if safe != (len(b.bank.opened) == 2) || b.bank.opened[0].RequestID != b.bank.opened[len(b.bank.opened)-1].RequestID {
			t.Errorf("safe to repeat %t: opened %d times", safe, len(b.bank.opened))
		}
	}
}

// The bank creates a consent that was revoked during the call.
func TestOpen_RevokesWhatItOpensTooLate(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Error(err)
		}
		return institution.Opened{ConsentID: "orphan"}, nil
	}
	b.checkEnd(b.look(c.ID), consent.Revoked, "")
	due := b.dueMessages()
	if len(due) != 1 {
		t.Fatalf("%d messages", len(due))
	}
	if err := b.deliver(due[0]); err != nil {
		t.Fatal(err)
	}
	if len(b.bank.revoked) != 1 || b.bank.revoked[0].ConsentID != "orphan" || len(b.bank.started) != 0 {
		t.Errorf("revoked %+v, started %d authorizations", b.bank.revoked, len(b.bank.started))
	}
}

// An institution that lacks the verb is a fault of ours.
func TestOpen_FailsWithoutTheVerb(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.Institutions.(institution.Set)[theBank] = institution.Institution{}
	b.checkEnd(b.look(c.ID), consent.Failed, consent.InternalError)
}

func TestOpen_AsksNothingForAnErasedUser(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	b.checkEnd(b.look(c.ID), consent.Revoked, "")
	if len(b.bank.opened) != 0 {
		t.Error("the bank was asked")
	}
}

// What the bank has created is revoked although the page where the person would sign cannot be
// made of its answer. A bank that recognizes a repeat is asked again, if that may help.
func TestOpen_KeepsAConsentWhosePageCannotBeMade(t *testing.T) {
	for name, c := range map[string]struct {
		safe   bool
		cause  error
		opened int
	}{
		"malformed":                  {true, kind(institution.MalformedResponse), 1},
		"malformed, not recognized":  {false, kind(institution.MalformedResponse), 1},
		"no metadata":                {true, kind(institution.Unreachable), 2},
		"no metadata, not repeated":  {false, kind(institution.Unreachable), 1},
		"page of somebody else's":    {true, kind(institution.ForeignAddress), 1},
		"the bank refuses something": {false, kind(institution.Refused), 1},
		"not sent":                   {true, &institution.Error{Kind: institution.Unreachable, NotSent: true}, 2},
		"not sent, not repeated":     {false, &institution.Error{Kind: institution.Unreachable, NotSent: true}, 1},
		"closed":                     {true, &institution.Error{Kind: institution.Unreachable, HTTPStatus: http.StatusServiceUnavailable}, 2},
		"closed, not repeated":       {false, &institution.Error{Kind: institution.Unreachable, HTTPStatus: http.StatusServiceUnavailable}, 1},
		"busy, not repeated":         {false, kind(institution.Busy), 1},
	} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = c.safe })
		b.Service = b.service()
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{ConsentID: "left"}, c.cause
		}
		made := b.create()
		for b.look(made.ID).Status.Pending() && len(b.bank.opened) < 2 {
			b.Clock.Set(b.Consent(made.ID).WakeAt)
		}
		if len(b.bank.opened) != c.opened || len(b.bank.started) != 0 {
			t.Errorf("%s: opened %d times, %d authorizations", name, len(b.bank.opened), len(b.bank.started))
		}
		if got := b.Consent(made.ID); got.Status.Pending() { // the person gives up before it works
			if s := b.secret(got); s.RemoteID != "left" {
				t.Errorf("%s: the id is not kept", name)
			}
			if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, made.ID); err != nil {
				t.Fatal(err)
			}
		}
		due := b.dueMessages()
		if len(due) != 1 {
			t.Errorf("%s: %d messages", name, len(due))
			continue
		}
		opened := len(b.bank.opened)
		if err := b.deliver(due[0]); err != nil {
			t.Fatal(err)
		}
		if len(b.bank.revoked) != 1 || b.bank.revoked[0].ConsentID != "left" || len(b.bank.opened) != opened {
			t.Errorf("%s: revoked %+v after %d openings", name, b.bank.revoked, len(b.bank.opened))
		}
	}
}
