package authorize_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

func secretPlace(id consent.ID) seal.Place { return authorize.SecretPlace(id) }

func TestConsentIsGranted(t *testing.T) {
	b := newBench(t)
	c := b.create()
	if c.Status != consent.Initiated || c.Step != consent.StepOpen || !c.ExpiresAt.Equal(time.Date(2026, 9, 28, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("made %+v", c)
	}
	c = b.run(c.ID)
	if c.Status != consent.Authorized || c.Scope().AccountIDs != nil || !c.ExpiresAt.Equal(morning.AddDate(0, 3, 0)) {
		t.Fatalf("became %+v", c)
	}
	if wait := c.WakeAt.Sub(b.Clock.Now()); wait != 24*time.Hour {
		t.Errorf("looked at again in %s", wait)
	}
	open, start := b.bank.opened[0], b.bank.started[0]
	if open.RequestID != c.OpenRequestID || !open.Recurring || !open.OtherDevice || open.PSU.PersonalNumber != maja || open.PSU.IPAddress == "" {
		t.Errorf("opened with %+v", open)
	}
	if start.RequestID != c.AuthorizeRequestID || start.ConsentID != "bank-1" || start.PSU.PersonalNumber != maja {
		t.Errorf("authorised with %+v", start)
	}
	entries, err := b.Store.AuditEntries(t.Context(), c.ID)
	if err != nil || len(entries) != 2 || entries[0].Kind != "CONSENT_CREATED" || entries[1].Kind != "CONSENT_AUTHORIZED" {
		t.Errorf("the ledger has %+v, %v", entries, err)
	}
}

// addCollection adds the one-time collection that c lives inside.
func (b *bench) addCollection(tx store.Tx, c consent.Consent) error {
	return tx.AddCollection(b.Context(), collection.Collection{ID: c.CollectionID, ClientID: c.ClientID, UserID: c.UserID, ConsentID: c.ID,
		Company: theBank, Mode: collection.OneTime, Attended: true, Status: collection.Running, CreatedAt: morning, StatusChangedAt: morning,
		PolledAt: morning, WakeAt: morning.Add(time.Hour)})
}

// A consent inside a collection is asked for once only, and its end wakes the
// collection.
func TestConsentInsideACollection(t *testing.T) {
	b := newBench(t)
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
		t.Errorf("the collection sleeps until %s, %v", woken.WakeAt, err)
	}
}

// failures is what each kind of a bank's failure becomes (docs/reference/api.md 4.1).
var failures = map[institution.ErrorKind]consent.FailureCode{
	institution.Unreachable:         consent.BankUnavailable,
	institution.Busy:                consent.BankUnavailable,
	institution.Conflict:            consent.AuthenticationConflict,
	institution.PersonRefused:       consent.Rejected,
	institution.ConsentGone:         consent.Rejected,
	institution.ConsentOver:         consent.Rejected,
	institution.NotCovered:          consent.Rejected,
	institution.SCARequired:         consent.AuthenticationFailed,
	institution.CertificateRejected: consent.InternalError,
	institution.AccessExceeded:      consent.BankError,
	institution.Refused:             consent.BankError,
	institution.MalformedResponse:   consent.BankError,
	institution.ForeignAddress:      consent.BankError,
}

func TestFailureFollowsTheBank(t *testing.T) {
	for verb, script := range map[string]func(*scripted, error){
		"opening": func(s *scripted, err error) {
			s.onOpen = func(institution.OpenRequest) (institution.Opened, error) { return institution.Opened{}, err }
		},
		"authorising": func(s *scripted, err error) {
			s.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
				return institution.Authorization{}, err
			}
		},
		"asking": func(s *scripted, err error) {
			s.onStatus = func(int) (institution.Authorization, error) { return institution.Authorization{}, err }
		},
		"deciding": func(s *scripted, err error) {
			s.onRead = func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{}, err }
		},
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for k, want := range failures {
				if k.Transient() && (verb == "asking" || verb == "deciding") {
					want = consent.AuthenticationTimeout // the bank may answer the next time, as long as there is time
				}
				script(b.bank, kind(k))
				c := b.run(b.create().ID)
				if c.Status != consent.Failed || c.Failure != want || !c.WakeAt.IsZero() {
					t.Errorf("%s: %s %s instead of %s", k, c.Status, c.Failure, want)
				}
				// There is a consent at the bank, unless the bank says of the consent
				// itself that it is over.
				over := verb == "deciding" && (k == institution.ConsentGone || k == institution.ConsentOver)
				// A refusal to open it says that there is none.
				none := verb == "opening" && !k.Transient() && k != institution.MalformedResponse && k != institution.ForeignAddress
				if owed := len(b.duties()) > 0; owed == (over || none) {
					t.Errorf("%s: a message to the bank: %t", k, owed)
				}
			}
		})
	}
}

func TestFailedAuthorisationKeepsItsReason(t *testing.T) {
	failed := institution.Authorization{ID: "auth-1", State: institution.AuthorizationFailed, Failure: consent.AuthenticationMismatch}
	for verb, script := range map[string]func(*scripted){
		"at once": func(s *scripted) {
			s.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) { return failed, nil }
		},
		"later": func(s *scripted) { s.onStatus = func(int) (institution.Authorization, error) { return failed, nil } },
	} {
		t.Run(verb, func(t *testing.T) {
			b := newBench(t)
			script(b.bank)
			b.ended(b.run(b.create().ID), consent.Failed, consent.AuthenticationMismatch)
		})
	}
}

// A bank that cannot be reached is asked the same again for half a minute, where
// it knows a repeat.
func TestOpeningIsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	for safe, most := range map[bool]int{true: 30, false: 1} {
		b := newBench(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{}, kind(institution.Unreachable)
		}
		c := b.run(b.create().ID)
		b.ended(c, consent.Failed, consent.BankUnavailable)
		if n := len(b.bank.opened); n > most || safe && n < 3 {
			t.Errorf("safe to repeat %t: asked %d times", safe, n)
		}
		for _, r := range b.bank.opened {
			if r.RequestID != c.OpenRequestID {
				t.Errorf("safe to repeat %t: a repeat is another request", safe)
			}
		}
		if took := b.Clock.Now().Sub(morning); took > 30*time.Second {
			t.Errorf("safe to repeat %t: the person waited %s", safe, took)
		}
	}
}

// The same holds for the authorisation, which makes something too.
func TestAuthorisingIsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	for safe, most := range map[bool]int{true: 30, false: 1} {
		b := newBench(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
			return institution.Authorization{}, kind(institution.Unreachable)
		}
		c := b.run(b.create().ID)
		b.ended(c, consent.Failed, consent.BankUnavailable)
		if n := len(b.bank.started); n > most || safe && n < 3 || len(b.bank.opened) != 1 {
			t.Errorf("safe to repeat %t: opened %d times, started %d times", safe, len(b.bank.opened), n)
		}
	}
}

func TestOpeningSucceedsOnARepeat(t *testing.T) {
	b := newBench(t)
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		if len(b.bank.opened) < 3 {
			return institution.Opened{}, kind(institution.Busy)
		}
		return institution.Opened{ConsentID: "bank-1"}, nil
	}
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		if len(b.bank.started) < 2 {
			return institution.Authorization{}, kind(institution.Unreachable)
		}
		return b.pending("bankid.1"), nil
	}
	c := b.run(b.create().ID)
	if c.Status != consent.Authorized || len(b.bank.opened) != 3 || len(b.bank.started) != 2 || b.bank.started[0].RequestID != b.bank.started[1].RequestID {
		t.Errorf("%s after %d openings and %d starts", c.Status, len(b.bank.opened), len(b.bank.started))
	}
}

func TestOpeningWaitsAsLongAsTheBankAsks(t *testing.T) {
	for after, want := range map[time.Duration]consent.Status{10 * time.Second: consent.Initiated, time.Minute: consent.Failed} {
		b := newBench(t)
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{}, &institution.Error{Kind: institution.Busy, RetryAfter: after}
		}
		c := b.look(b.create().ID)
		if c.Status != want {
			t.Errorf("Retry-After %s: %s", after, c.Status)
		}
		if want == consent.Initiated && c.WakeAt.Sub(b.Clock.Now()) < after {
			t.Errorf("Retry-After %s: asked again after %s", after, c.WakeAt.Sub(b.Clock.Now()))
		}
	}
}

// TestCrashWhileOpening takes the process away during the bank's call and starts
// another one.
func TestCrashWhileOpening(t *testing.T) {
	for safe, want := range map[bool]consent.Status{true: consent.Authorized, false: consent.Failed} {
		b := newBench(t)
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
		go func() { _ = b.Step(dying, string(c.ID)) }()
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

// TestRevokedWhileOpening: the bank makes a consent that nobody wants any more,
// and is told.
func TestRevokedWhileOpening(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Error(err)
		}
		return institution.Opened{ConsentID: "orphan"}, nil
	}
	b.ended(b.look(c.ID), consent.Revoked, "")
	owed := b.duties()
	if len(owed) != 1 {
		t.Fatalf("%d duties", len(owed))
	}
	if err := b.deliver(owed[0]); err != nil {
		t.Fatal(err)
	}
	if len(b.bank.revoked) != 1 || b.bank.revoked[0].ConsentID != "orphan" || len(b.bank.started) != 0 {
		t.Errorf("revoked %+v, started %d authorisations", b.bank.revoked, len(b.bank.started))
	}
}

// TestBankWithoutTheVerb: a connector that cannot do what is asked is our fault.
func TestBankWithoutTheVerb(t *testing.T) {
	b := newBench(t)
	c := b.create()
	b.Institutions[theBank] = institution.Institution{}
	b.ended(b.look(c.ID), consent.Failed, consent.InternalError)
}
