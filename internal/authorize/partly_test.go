package authorize_test

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
)

// A bank shows a consent only with a token that is good, and tokens live an hour: they are
// replaced while somebody else has days to sign.
func TestPartlySigned_ReplacesItsTokens(t *testing.T) {
	for name, refuses := range map[string]bool{"run out": false, "refused before": true} {
		b := newRedirected(t)
		b.change(func(p *institution.Profile) { p.SecondSigner = 24 * time.Hour })
		ends := map[string]time.Time{}
		give := func(n int) *institution.Tokens {
			given := b.tokens(strconv.Itoa(n))
			if ends[given.Access] = given.Until; refuses {
				given.Until = time.Time{} // the bank does not say how long they live
			}
			return given
		}
		b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
			return institution.Completed{State: institution.AuthorizationDone, Tokens: give(1)}, nil
		}
		b.bank.onRefresh = func(n int, _ institution.Access) (institution.Tokens, error) { return *give(n + 1), nil }
		onRead := b.bank.onRead
		b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
			switch now := b.Clock.Now(); {
			case !now.Before(ends[b.bank.readWith.Token]):
				return institution.ConsentInfo{}, kind(institution.TokenRefused)
			case b.bank.readWith.PSU.IPAddress != "":
				t.Errorf("%s: the bank is told that the person is there", name)
			case now.After(morning.Add(12 * time.Hour)):
				b.bank.signed.Store(true)
				return onRead(n)
			}
			return institution.ConsentInfo{State: institution.ConsentPartlySigned}, nil
		}
		c, state := b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		for c = b.handled(c.ID); c.Status == consent.AwaitingAuthorization; c = b.handled(c.ID) {
			b.Clock.Set(b.Consent(c.ID).WakeAt)
		}
		if c.Status != consent.Authorized || b.Clock.Now().Sub(morning) > 13*time.Hour {
			t.Errorf("%s: %s %s after %s", name, c.Status, c.Failure, b.Clock.Now().Sub(morning))
		}
		if n := len(b.bank.refreshed); n < 10 || n > 14 {
			t.Errorf("%s: %d requests for tokens in half a day", name, n)
		}
	}
}

// What has certainly ended is not asked for every ten minutes until the second signer's time is
// over.
func TestPartlySigned_StopsAtTheCertainEnd(t *testing.T) {
	for name, test := range map[string]struct {
		read, refresh institution.ErrorKind
		until         time.Duration // of the refresh token, which is good before; 0 = not known, and never
		ends          time.Duration // after the beginning, at most
	}{
		"the bank knows no such consent": {read: institution.ConsentGone, ends: 30 * time.Minute},
		"it is over there":               {read: institution.ConsentOver, ends: 30 * time.Minute},
		"the grant has ended":            {read: institution.TokenRefused, refresh: institution.ConsentGone, ends: 2 * time.Hour},
		"the grant ends by time":         {refresh: institution.ConsentGone, until: 3 * time.Hour, ends: 4*time.Hour + 30*time.Minute},
	} {
		b := newRedirected(t)
		b.change(func(p *institution.Profile) { p.SecondSigner = 10 * 24 * time.Hour })
		b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
			given := b.tokens("1")
			if test.until > 0 {
				given.RefreshUntil = morning.Add(test.until)
			}
			return institution.Completed{State: institution.AuthorizationDone, Tokens: given}, nil
		}
		b.bank.onRefresh = func(n int, _ institution.Access) (institution.Tokens, error) {
			if test.refresh != "" && !b.Clock.Now().Before(morning.Add(test.until)) {
				return institution.Tokens{}, kind(test.refresh)
			}
			return *b.tokens(strconv.Itoa(n + 1)), nil
		}
		reads := 0
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			if reads++; reads > 1 && test.read != "" {
				return institution.ConsentInfo{}, kind(test.read)
			}
			return institution.ConsentInfo{State: institution.ConsentPartlySigned}, nil
		}
		c, state := b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		for c = b.handled(c.ID); c.Status == consent.AwaitingAuthorization && b.Clock.Now().Sub(morning) < 24*time.Hour; c = b.handled(c.ID) {
			b.Clock.Set(b.Consent(c.ID).WakeAt)
		}
		if took := b.Clock.Now().Sub(morning); c.Status == consent.AwaitingAuthorization || took > test.ends {
			t.Errorf("%s: %s %s after %s and %d readings", name, c.Status, c.Failure, took, reads)
		}
	}
}

// A refresh token that lives half an hour, and that each refresh replaces by one that lives as
// long again, does not end the days of the second signer.
func TestPartlySigned_OutlivesARefreshTokenThatRotates(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.SecondSigner = 24 * time.Hour })
	ends := time.Time{}
	give := func(n int) *institution.Tokens {
		given := b.tokens(strconv.Itoa(n))
		ends = b.Clock.Now().Add(30 * time.Minute)
		given.Until, given.RefreshUntil = b.Clock.Now().Add(5*time.Minute), ends
		return given
	}
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{State: institution.AuthorizationDone, Tokens: give(1)}, nil
	}
	b.bank.onRefresh = func(n int, a institution.Access) (institution.Tokens, error) {
		if !b.Clock.Now().Before(ends) || a.Refresh != "refresh-"+strconv.Itoa(n) {
			return institution.Tokens{}, kind(institution.ConsentGone)
		}
		return *give(n + 1), nil
	}
	onRead := b.bank.onRead
	b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
		if b.Clock.Now().After(morning.Add(12 * time.Hour)) {
			b.bank.signed.Store(true)
			return onRead(n)
		}
		return institution.ConsentInfo{State: institution.ConsentPartlySigned}, nil
	}
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	for c = b.handled(c.ID); c.Status == consent.AwaitingAuthorization; c = b.handled(c.ID) {
		b.Clock.Set(b.Consent(c.ID).WakeAt)
	}
	if took := b.Clock.Now().Sub(morning); c.Status != consent.Authorized || took > 13*time.Hour {
		t.Errorf("%s %s after %s and %d requests for tokens", c.Status, c.Failure, took, len(b.bank.refreshed))
	}
}
