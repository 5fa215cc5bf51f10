package authorize_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// die runs a look at c whose process dies during a call to the bank: during is
// called inside of it. The dead process never gets the bank's answer.
func (b *bench) die(id consent.ID, call *func() error, during func()) {
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
	go func() { _ = b.Step(dying, string(id)) }()
	<-dying.Done()
}

// Where the bank would start a second authorization, a crash during the call ends
// the consent, and the bank is told.
func TestAuthorize_IsNotRepeatedAfterACrash(t *testing.T) {
	for safe, want := range map[bool]consent.Status{true: consent.Authorized, false: consent.Failed} {
		b := newBench(t)
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
		if !safe && len(b.duties()) != 1 {
			t.Error("the bank is not told")
		}
	}
}

// A request that the bank cannot have received is sent again everywhere.
func TestTryAgain_RepeatsWhatWasNotSent(t *testing.T) {
	away := &institution.Error{Kind: institution.Unreachable, NotSent: true}
	for name, fail := range map[string]func(*bench, int){
		"opening": func(b *bench, times int) {
			answer := b.bank.onOpen
			b.bank.onOpen = func(r institution.OpenRequest) (institution.Opened, error) {
				if len(b.bank.opened) <= times {
					return institution.Opened{}, away
				}
				return answer(r)
			}
		},
		"authorizing": func(b *bench, times int) {
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
			b := newBench(t)
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
