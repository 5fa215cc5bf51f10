package grant_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"samla/internal/sandbox/obie/grant"

	"pgregory.net/rapid"
)

var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

const person, other = "198412099296", "190905271474"

func consentEvents() *rapid.Generator[grant.ConsentEvent] {
	return rapid.SampledFrom([]grant.ConsentEvent{
		grant.Approved{Person: person, Accounts: []string{"a"}}, grant.Approved{Person: other, Accounts: []string{"b"}}, grant.Approved{Person: person},
		grant.Refused{}, grant.Issued{}, grant.Ended{}, grant.Reauthentication{}, grant.Removed{}, grant.TimePassed{},
	})
}

// What must hold after every event, whatever came before.
func TestConsent_KeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := startTime
		c := grant.Consent{Status: grant.Awaiting, Created: now, Updated: now}
		if rapid.Bool().Draw(t, "expires") {
			c.Expires = now.Add(time.Hour)
		}
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Minute}).Draw(t, "passes"))
			e := consentEvents().Draw(t, "event")
			next, err := c.Apply(e, now)
			if err != nil {
				if !errors.Is(err, grant.ErrState) || !reflect.DeepEqual(next, c) {
					t.Fatalf("%T: %v changed %+v to %+v", e, err, c, next)
				}
				continue
			}
			switch {
			case c.Deleted && !reflect.DeepEqual(next, c):
				t.Fatalf("%T changed a deleted consent", e)
			case c.Status == grant.Rejected && next.Status != grant.Rejected, c.Status == grant.Authorised && next.Status != grant.Authorised:
				t.Fatalf("%T: %s became %s", e, c.Status, next.Status)
			case next.Status == grant.Authorised && (next.Signer == "" || len(next.Accounts) == 0 || next.SCA.IsZero()):
				t.Fatalf("%T: authorised by nobody: %+v", e, next)
			case c.Signer != "" && next.Signer != c.Signer:
				t.Fatalf("%T: the consent changed hands", e)
			case next.Generation < c.Generation || next.Generation > c.Generation+1:
				t.Fatalf("%T: generation %d became %d", e, c.Generation, next.Generation)
			case next.Status != c.Status && !next.Updated.Equal(now):
				t.Fatalf("%T: the time of the status is %s", e, next.Updated)
			}
			ends := false
			switch e.(type) {
			case grant.Ended, grant.Removed, grant.Issued:
				ends = true
			}
			if ends != (next.Generation > c.Generation) {
				t.Fatalf("%T: generation %d became %d", e, c.Generation, next.Generation)
			}
			c = next
		}
	})
}

func TestConsent_WaitsForHalfAnHour(t *testing.T) {
	c := grant.Consent{Status: grant.Awaiting, Created: startTime}
	if c, _ = c.Apply(grant.TimePassed{}, startTime.Add(grant.AwaitWithin)); c.Status != grant.Awaiting {
		t.Errorf("at its end it is %s", c.Status)
	}
	if c, _ = c.Apply(grant.TimePassed{}, startTime.Add(grant.AwaitWithin+1)); c.Status != grant.Rejected {
		t.Errorf("then it is %s", c.Status)
	}
}

// A code gives tokens at most once, whoever asks how often.
func TestCode_IsRedeemedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const verifier = "0123456789012345678901234567890123456789012"
		now := startTime
		code := grant.Code{Client: "c", RedirectURI: "r", Challenge: grant.Hash(verifier), Issued: now}
		consent := grant.Consent{Status: grant.Authorised}
		granted, tried := 0, false
		for range rapid.IntRange(1, 8).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			e := grant.Exchange{
				Client: rapid.SampledFrom([]string{"c", "d"}).Draw(t, "client"), RedirectURI: rapid.SampledFrom([]string{"r", "s"}).Draw(t, "uri"),
				Verifier: rapid.SampledFrom([]string{verifier, "x", ""}).Draw(t, "verifier"),
			}
			right := e == grant.Exchange{Client: "c", RedirectURI: "r", Verifier: verifier} && !tried && now.Sub(code.Issued) <= grant.CodeLifetime
			next, ok := code.Redeem(e, consent, now)
			if ok != right {
				t.Fatalf("%+v: granted %t", e, ok)
			}
			if ok {
				granted++
			}
			tried = tried || e.Client == "c"
			code = next
		}
		if granted > 1 {
			t.Fatal("granted twice")
		}
	})
}

func TestCode_WithoutChallengeTakesNoVerifier(t *testing.T) {
	code := grant.Code{Client: "c", Issued: startTime}
	if _, ok := code.Redeem(grant.Exchange{Client: "c", Verifier: "x"}, grant.Consent{Status: grant.Authorised}, startTime); ok {
		t.Error("somebody removed the challenge")
	}
	if _, ok := code.Redeem(grant.Exchange{Client: "c"}, grant.Consent{Status: grant.Authorised, Generation: 1}, startTime); ok {
		t.Error("the code is one of before the consent's end")
	}
}

func TestToken_Lives(t *testing.T) {
	consent := grant.Consent{Status: grant.Authorised, Generation: 2, Expires: startTime.Add(2 * time.Hour)}
	good := grant.Token{Kind: grant.Refresh, Generation: 2, Expires: startTime.Add(time.Hour)}
	for name, tt := range map[string]struct {
		change func(*grant.Token, *grant.Consent)
		after  time.Duration
		lives  bool
	}{
		"good":                {func(*grant.Token, *grant.Consent) {}, 0, true},
		"at its end":          {func(*grant.Token, *grant.Consent) {}, time.Hour, false},
		"older generation":    {func(t *grant.Token, _ *grant.Consent) { t.Generation = 1 }, 0, false},
		"deleted consent":     {func(_ *grant.Token, c *grant.Consent) { c.Deleted = true }, 0, false},
		"rejected consent":    {func(_ *grant.Token, c *grant.Consent) { c.Status = grant.Rejected }, 0, false},
		"expired consent":     {func(_ *grant.Token, c *grant.Consent) { c.Expires = startTime }, 0, false},
		"replaced":            {func(t *grant.Token, _ *grant.Consent) { t.Replaced = startTime }, 30 * time.Second, true},
		"replaced long ago":   {func(t *grant.Token, _ *grant.Consent) { t.Replaced = startTime }, time.Minute, false},
		"of a client":         {func(t *grant.Token, c *grant.Consent) { t.Kind, c.Deleted = grant.Client, true }, 0, true},
		"of a client, at end": {func(t *grant.Token, _ *grant.Consent) { t.Kind = grant.Client }, time.Hour, false},
	} {
		token, c := good, consent
		tt.change(&token, &c)
		if got := token.Lives(c, time.Minute, startTime.Add(tt.after)); got != tt.lives {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestLogin_IsOpen(t *testing.T) {
	l := grant.Login{Started: startTime}
	if !l.Open(startTime.Add(grant.LoginWithin)) || l.Open(startTime.Add(grant.LoginWithin+1)) {
		t.Error("the time is another one")
	}
	if l.Over = true; l.Open(startTime) {
		t.Error("a login that is over is open")
	}
}
