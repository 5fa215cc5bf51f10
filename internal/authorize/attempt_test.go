package authorize_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// die runs a look at c whose process dies during a call to the bank: during is
// called inside of it. The dead process never gets the bank's answer.
func (b *env) die(id consent.ID, call *func() error, during func()) {
	b.Helper()
	dying, die := context.WithCancel(b.Context())
	release := make(chan struct{})
	b.Cleanup(func() { close(release) })
	*call = func() error {
		during()
		die()
		<-release
		return kind(institution.Unreachable)
	}
	go func() { _ = b.Handle(dying, string(id)) }()
	<-dying.Done()
}

// Where the bank would start a second authorization, a crash during the call ends
// the consent, and the bank is told.
func TestAuthorize_IsNotRepeatedAfterACrash(t *testing.T) {
	for safe, want := range map[bool]consent.Status{true: consent.Authorized, false: consent.Failed} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		during := consent.StepAuthorize
		if !safe {
			during = consent.StepAuthorizing
		}
		c, answer := b.create(), b.bank.onStart
		var call func() error
		b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
			return institution.Authorization{}, call()
		}
		b.die(c.ID, &call, func() {
			if step := b.Consent(c.ID).Step; step != during {
				t.Errorf("safe to repeat %t: called at %s", safe, step)
			}
		})
		b.bank.onStart = answer
		b.Service = b.service()
		c = b.run(c.ID)
		if c.Status != want || !safe && c.Failure != consent.BankUnavailable {
			t.Errorf("safe to repeat %t: %s %s", safe, c.Status, c.Failure)
		}
		if n := len(b.bank.started); safe != (n == 2) || b.bank.started[0].RequestID != b.bank.started[n-1].RequestID {
			t.Errorf("safe to repeat %t: started %d times", safe, n)
		}
		if !safe && len(b.dueMessages()) != 1 {
			t.Error("the bank is not told")
		}
	}
}

// A request that the bank cannot have received, or has not handled because it was
// busy, is sent again everywhere.
func TestTryAgain_RepeatsWhatWasNotSent(t *testing.T) {
	for _, away := range []*institution.Error{{Kind: institution.Unreachable, NotSent: true}, {Kind: institution.Busy},
		{Kind: institution.Unreachable, HTTPStatus: 503}} {
		repeats(t, away)
	}
}

// A bank that is busy says nothing of the attempt before.
func TestTryAgain_RemembersAnUnansweredOpening(t *testing.T) {
	b := newEnv(t)
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		if len(b.bank.opened) == 1 {
			return institution.Opened{}, kind(institution.Unreachable)
		}
		return institution.Opened{}, kind(institution.Busy)
	}
	b.checkEnd(b.run(b.create().ID), consent.Failed, consent.BankUnavailable)
	if n := len(b.dueMessages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func repeats(t *testing.T, away *institution.Error) {
	t.Helper()
	for name, fail := range map[string]func(*env, int){
		"opening": func(b *env, times int) {
			answer := b.bank.onOpen
			b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
				if len(b.bank.opened) <= times {
					return institution.Opened{}, away
				}
				return answer(r)
			}
		},
		"authorizing": func(b *env, times int) {
			answer := b.bank.onStart
			b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
				if len(b.bank.started) <= times {
					return institution.Authorization{}, away
				}
				return answer(r)
			}
		},
	} {
		for times, want := range map[int]consent.Status{3: consent.Authorized, 1000: consent.Failed} {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.ReplaySafe = false })
			fail(b, times)
			c := b.run(b.create().ID)
			if c.Status != want {
				t.Errorf("%s fails %d times: %s %s", name, times, c.Status, c.Failure)
			}
			if took := b.Clock.Now().Sub(morning); want == consent.Failed && (took > 30*time.Second || c.Failure != consent.BankUnavailable) {
				t.Errorf("%s: the person waited %s for %s", name, took, c.Failure)
			}
		}
	}
}

// failures maps each kind of error to the failure code (docs/reference/api.md 4.1).
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

func TestFailure_FollowsTheErrorOfTheBank(t *testing.T) {
	for verb, script := range map[string]func(*scripted, error){
		"opening": func(s *scripted, err error) {
			s.onOpen = func(institution.OpenRequest) (institution.Opened, error) { return institution.Opened{}, err }
		},
		"authorizing": func(s *scripted, err error) {
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
			b := newEnv(t)
			for k, want := range failures {
				if verb == "asking" || verb == "deciding" && (k.Transient() || k == institution.MalformedResponse || k == institution.ForeignAddress) {
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
				none := verb == "opening" && k != institution.Unreachable && k != institution.MalformedResponse && k != institution.ForeignAddress
				// Outside of the queue a repeat of a busy bank may have been sent before.
				if told := len(b.dueMessages()) > 0; told == (over || none) && !(k == institution.Busy && verb == "opening") {
					t.Errorf("%s: a message to the bank: %t", k, told)
				}
			}
		})
	}
}

func TestFailure_KeepsTheReasonOfTheBank(t *testing.T) {
	failed := institution.Authorization{ID: "auth-1", State: institution.AuthorizationFailed, Failure: consent.AuthenticationMismatch}
	for verb, script := range map[string]func(*scripted){
		"at once": func(s *scripted) {
			s.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) { return failed, nil }
		},
		"later": func(s *scripted) { s.onStatus = func(int) (institution.Authorization, error) { return failed, nil } },
	} {
		t.Run(verb, func(t *testing.T) {
			b := newEnv(t)
			script(b.bank)
			b.checkEnd(b.run(b.create().ID), consent.Failed, consent.AuthenticationMismatch)
		})
	}
}

// A bank that cannot be reached is sent the same request for 30 seconds, where it
// recognizes a repeat.
func TestOpen_IsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	for safe, most := range map[bool]int{true: 30, false: 1} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{}, kind(institution.Unreachable)
		}
		c := b.run(b.create().ID)
		b.checkEnd(c, consent.Failed, consent.BankUnavailable)
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

func TestAuthorize_IsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	for safe, most := range map[bool]int{true: 30, false: 1} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.ReplaySafe = safe })
		b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
			return institution.Authorization{}, kind(institution.Unreachable)
		}
		c := b.run(b.create().ID)
		b.checkEnd(c, consent.Failed, consent.BankUnavailable)
		if n := len(b.bank.started); n > most || safe && n < 3 || len(b.bank.opened) != 1 {
			t.Errorf("safe to repeat %t: opened %d times, started %d times", safe, len(b.bank.opened), n)
		}
	}
}

func TestTryAgain_SucceedsOnARepeat(t *testing.T) {
	b := newEnv(t)
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

func TestTryAgain_WaitsForRetryAfter(t *testing.T) {
	for after, want := range map[time.Duration]consent.Status{10 * time.Second: consent.Initiated, time.Minute: consent.Failed} {
		b := newEnv(t)
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

// A row whose step is of a newer binary changes by time alone.
func TestHandle_LeavesAnUnknownStepAlone(t *testing.T) {
	b := newEnv(t)
	c := b.create()
	b.Write(func(tx store.Tx) (err error) {
		c.Step = "OF_A_NEWER_BINARY"
		c, err = tx.PutConsent(t.Context(), c)
		return err
	})
	if after := b.look(c.ID); after.Rev != c.Rev || len(b.bank.opened) != 0 {
		t.Errorf("changed to %+v", after)
	}
	b.Clock.Set(c.AuthorizeBy)
	b.checkEnd(b.look(c.ID), consent.Failed, consent.AuthenticationTimeout)
}
