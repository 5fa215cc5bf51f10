package authorize_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
)

var errKilled = errors.New("the process is killed")

// A process that dies during an exchange is followed by one that repeats it once.
func TestComplete_RepeatsALostAnswerOnce(t *testing.T) {
	for name, test := range map[string]struct {
		deaths int
		want   consent.Status
	}{"one death": {1, consent.Authorized}, "two deaths": {2, consent.Failed}} {
		b := newRedirected(t)
		c, state := b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		answer := b.bank.onComplete
		ids := map[string]bool{}
		b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
			ids[r.RequestID] = true
			if n <= test.deaths {
				panic(errKilled)
			}
			return answer(n, r)
		}
		for range test.deaths {
			func() {
				defer func() { _ = recover() }()
				_ = b.Handle(context.Background(), string(c.ID))
			}()
			if b.Consent(c.ID).Step != consent.StepComplete {
				t.Fatalf("%s: at %s after a death", name, b.Consent(c.ID).Step)
			}
			b.Service = b.node()
			b.Clock.Advance(jobs.Lease)
		}
		if c = b.handled(c.ID); c.Status != test.want || len(ids) != 1 {
			t.Errorf("%s: the consent is %s %s, %d request ids", name, c.Status, c.Failure, len(ids))
		}
		if n := len(b.bank.completions); n != 2 {
			t.Errorf("%s: %d exchanges", name, n)
		}
	}
}

func TestComplete_FollowsFailures(t *testing.T) {
	unheard := &institution.Error{Kind: institution.Unreachable}
	unsent := &institution.Error{Kind: institution.Unreachable, NotSent: true}
	busy := kind(institution.Busy)
	for name, test := range map[string]struct {
		errs    []error
		want    consent.Status
		failure consent.FailureCode
		asked   int
	}{
		"an answer is lost":       {[]error{unheard}, consent.Authorized, "", 2},
		"two answers are lost":    {[]error{unheard, unheard}, consent.Failed, consent.AuthenticationFailed, 2},
		"three were not sent":     {[]error{unsent, unsent, unsent}, consent.Authorized, "", 4},
		"three were not handled":  {[]error{busy, busy, busy}, consent.Authorized, "", 4},
		"refused":                 {[]error{kind(institution.Refused)}, consent.Failed, consent.BankError, 1},
		"the code is used":        {[]error{kind(institution.ConsentGone)}, consent.Failed, consent.Rejected, 1},
		"lost, and then used":     {[]error{unheard, kind(institution.ConsentGone)}, consent.Failed, consent.AuthenticationFailed, 2},
		"not understood, then it": {[]error{kind(institution.MalformedResponse)}, consent.Authorized, "", 2},
	} {
		b := newRedirected(t)
		answer := b.bank.onComplete
		b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
			if n <= len(test.errs) {
				return institution.Completed{}, test.errs[n-1]
			}
			return answer(n, r)
		}
		c, state := b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		for range 10 {
			if c = b.handled(c.ID); c.Step != consent.StepComplete {
				break
			}
			b.Clock.Set(c.WakeAt)
		}
		if c.Status != test.want || c.Failure != test.failure || len(b.bank.completions) != test.asked {
			t.Errorf("%s: %s %s after %d exchanges", name, c.Status, c.Failure, len(b.bank.completions))
		}
	}
}

// Each exchange of several is committed before the next one.
func TestComplete_GoesOnWithWhatTheFirstGave(t *testing.T) {
	b := newRedirected(t)
	b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
		secret := b.secret(b.Consent(b.bank.current))
		if secret.Exchange == nil || secret.Exchange.Brought != r.Brought.Encode() || secret.Exchange.Tries != 1 {
			t.Errorf("exchange %d is stored as %+v", n, secret.Exchange)
		}
		switch n {
		case 1:
			return institution.Completed{State: institution.AuthorizationPending, Next: url.Values{"second": {"s"}}}, nil
		case 2:
			return institution.Completed{State: institution.AuthorizationPending, Tokens: b.tokens("1"), Next: url.Values{"third": {"t"}}}, nil
		}
		if r.Token != "access-1" {
			t.Errorf("the third exchange has the token %q", r.Token)
		}
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone, Remote: "session-1"}, nil
	}
	c, state := b.begin()
	b.bank.current = c.ID
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized || len(b.bank.completions) != 3 {
		t.Fatalf("the consent is %s %s after %d exchanges", c.Status, c.Failure, len(b.bank.completions))
	}
	if s := b.secret(c); s.RemoteID != "session-1" || s.Tokens.Access != "access-1" {
		t.Errorf("kept is %+v", s)
	}
}

// The user withdraws while the code is exchanged: what the bank has given is revoked.
func TestComplete_RevokesTokensOfAConsentThatHasEnded(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	answer := b.bank.onComplete
	b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
		if _, err := b.Revoke(context.Background(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Error(err)
		}
		return answer(n, r)
	}
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Revoked {
		t.Errorf("the consent is %s", c.Status)
	}
	for _, id := range b.dueMessages() {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	found := false
	for _, a := range b.bank.revoked {
		found = found || a.Token == "access-1"
	}
	if !found {
		t.Errorf("%d revocations, none with the new token", len(b.bank.revoked))
	}
}

// A decoupled authorization that ends with a code goes the same way.
func TestComplete_ExchangesTheCodeOfADecoupledAuthorization(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.Redirects = false })
	b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
		return b.pending("bankid.first"), nil
	}
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		return institution.Authorization{State: institution.AuthorizationDone, Brought: url.Values{"code": {"c-1"}}}, nil
	}
	c := b.handled(b.create().ID)
	if c.Step != consent.StepComplete {
		t.Fatalf("at %s", c.Step)
	}
	if c = b.handled(c.ID); c.Status != consent.Authorized || len(b.bank.completions) != 1 || b.bank.completions[0].Brought.Get("code") != "c-1" {
		t.Errorf("the consent is %s %s", c.Status, c.Failure)
	}
}

// The person logs in, and then signs the consent on another page of the bank.
func TestLogin_BeforeTheConsent(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.LoginFirst = true })
	b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
		if n == 1 {
			return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
		}
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone}, nil
	}
	c, state := b.begin()
	if c.Status != consent.AwaitingAuthorization || len(b.bank.opened) != 0 || !b.bank.started[0].Login {
		t.Fatalf("%s, %d consents opened, started %+v", c.Status, len(b.bank.opened), b.bank.started)
	}
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.handled(c.ID)
	if len(b.bank.opened) != 1 || b.bank.opened[0].Token != "access-1" || b.bank.started[1].Login || b.bank.started[1].Token != "access-1" {
		t.Fatalf("opened %+v, started %+v", b.bank.opened, b.bank.started)
	}
	c, second := b.waiting(c.ID)
	if second == state || b.bank.opened[0].Way.State != second {
		t.Error("the second way is the first one")
	}
	b.begins(state, "mine") // the page that waited goes on by itself
	b.opens(state, "other", authorize.ViewUnknown)
	b.returns(state, "mine", "c-1", authorize.ViewWorks) // the back button changes nothing
	b.returns(second, "mine", "c-2", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized || len(b.bank.completions) != 2 {
		t.Errorf("the consent is %s %s after %d exchanges", c.Status, c.Failure, len(b.bank.completions))
	}
}

// The consent after a login is opened once, whatever dies.
func TestLogin_OpensTheConsentOnce(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.LoginFirst = true })
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
	}
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) { panic(errKilled) }
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	func() {
		defer func() { _ = recover() }()
		_ = b.Handle(context.Background(), string(c.ID))
	}()
	b.Service = b.node()
	b.Clock.Advance(jobs.Lease)
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.BankUnavailable)
	if len(b.bank.opened) != 1 {
		t.Errorf("%d consents opened", len(b.bank.opened))
	}
	for _, id := range b.dueMessages() { // the login itself is revoked
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.bank.revoked) != 1 || b.bank.revoked[0].Token != "access-1" {
		t.Errorf("revoked %d times", len(b.bank.revoked))
	}
}

// The person has logged in, and the bank refuses to create a consent: it knows that there is
// none, and the login is revoked all the same.
func TestLogin_IsRevokedIfTheBankOpensNothing(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.LoginFirst = true })
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
	}
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		return institution.Opened{}, kind(institution.PersonRefused)
	}
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.Rejected)
	for _, id := range b.dueMessages() {
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.bank.revoked) != 1 || b.bank.revoked[0].Token != "access-1" || b.bank.revoked[0].ConsentID != "" {
		t.Errorf("revoked are %d", len(b.bank.revoked))
	}
}

// Another person has to sign too, which takes days: the consent is read now and then.
func TestPartlySigned_WaitsForDays(t *testing.T) {
	for name, signs := range map[string]bool{"the other one signs": true, "nobody else signs": false} {
		b := newRedirected(t)
		b.change(func(p *institution.Profile) { p.SecondSigner = 7 * 24 * time.Hour })
		b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
			return institution.Completed{State: institution.AuthorizationDone}, nil
		}
		onRead := b.bank.onRead
		b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
			if signs && b.Clock.Now().After(morning.Add(72*time.Hour)) {
				b.bank.signed.Store(true)
				return onRead(n)
			}
			return institution.ConsentInfo{State: institution.ConsentPartlySigned}, nil
		}
		c, state := b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		b.handled(c.ID)
		if _, shown := b.waiting(c.ID); shown != state {
			t.Errorf("%s: the address that says how it stands is another one", name)
		}
		reads := b.bank.read
		// The page says so, and who looks has the consent read again, but not each time.
		looks := b.Clock.Now()
		for range 10 {
			if seen := b.opens(state, "mine", authorize.ViewOthersSign); !seen.Until.Equal(b.Consent(c.ID).AuthorizeBy) || seen.Until.Sub(morning) < 6*24*time.Hour {
				t.Errorf("%s: somebody else has to sign until %s", name, seen.Until)
			}
			b.opens(state, "another", authorize.ViewElsewhere)
			if c = b.Consent(c.ID); !c.WakeAt.After(b.Clock.Now()) {
				b.handled(c.ID)
			}
			b.Clock.Advance(time.Second)
		}
		if n, want := b.bank.read-reads, int(b.Clock.Now().Sub(looks)/(5*time.Second)); n == 0 || n > want {
			t.Errorf("%s: read %d times while the person looks", name, n)
		}
		for c = b.Consent(c.ID); c.Status == consent.AwaitingAuthorization; c = b.handled(c.ID) {
			if b.Watches(c.ID) {
				t.Fatalf("%s: the consent is followed", name)
			}
			b.Clock.Set(c.WakeAt)
		}
		want, days := consent.Authorized, 3
		if !signs {
			want, days = consent.Failed, 7
		}
		if c.Status != want || b.Clock.Now().Sub(morning) > time.Duration(days)*24*time.Hour+time.Hour {
			t.Errorf("%s: %s %s after %s", name, c.Status, c.Failure, b.Clock.Now().Sub(morning))
		}
		if n := b.bank.read - reads; n > days*150+10 {
			t.Errorf("%s: %d reads", name, n)
		}
	}
}
