package consent_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/consent"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func fresh() consent.Consent {
	return consent.Consent{Status: consent.Initiated, Step: consent.StepOpen, CreatedAt: start,
		StatusChangedAt: start, AuthorizeBy: start.Add(5 * time.Minute), ExpiresAt: start.AddDate(0, 6, 0)}
}

// successors is the table of docs/reference/api.md 4.2.
var successors = map[consent.Status][]consent.Status{
	consent.Initiated:             {consent.AwaitingAuthorization, consent.Failed, consent.Revoked},
	consent.AwaitingAuthorization: {consent.Authorized, consent.Failed, consent.Revoked, consent.Expired},
	consent.Authorized:            {consent.Revoked, consent.Expired},
}

func anyEvent() *rapid.Generator[consent.Event] {
	return rapid.Custom(func(t *rapid.T) consent.Event {
		switch rapid.IntRange(0, 22).Draw(t, "event") {
		case 7:
			return consent.Opening{}
		case 8:
			return consent.Authorizing{}
		case 9:
			return consent.Unsent{}
		case 10:
			return consent.Renewing{RequestID: "r"}
		case 11:
			return consent.Reopening{OpenRequestID: "o", RequestID: "r"}
		case 12:
			return consent.Replaced{By: "next"}
		case 13:
			return consent.Shortened{Until: start.AddDate(0, 0, rapid.IntRange(1, 400).Draw(t, "until"))}
		case 14:
			return consent.Warning{}
		case 15:
			return consent.LoginStarted{}
		case 16:
			return consent.Brought{Visit: rapid.SampledFrom([]*consent.Visit{nil, {Hash: "h", Stage: consent.StageAccepted}}).Draw(t, "visit")}
		case 17:
			return consent.Exchanged{Login: rapid.Bool().Draw(t, "login"), OpenRequestID: "o", RequestID: "r"}
		case 18:
			return consent.PartlySigned{Until: start.AddDate(0, 0, rapid.IntRange(1, 30).Draw(t, "days"))}
		case 19:
			return consent.Visited{Visit: consent.Visit{Hash: rapid.SampledFrom([]string{"h", "other"}).Draw(t, "hash")}}
		case 20:
			return consent.Recognized{Person: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "person")}
		case 21:
			return consent.Listed{}
		case 22:
			return consent.Chosen{AccountIDs: rapid.SampledFrom([][]string{nil, {iban1}}).Draw(t, "chosen")}
		case 0:
			return consent.Opened{}
		case 1:
			return consent.Instructed{}
		case 2:
			days := rapid.IntRange(1, 400).Draw(t, "days")
			scope := &consent.Scope{Balances: true, AccountIDs: rapid.SampledFrom([][]string{nil, {iban1}, {iban2}, {iban1, iban2}}).Draw(t, "ids")}
			return consent.Granted{Scope: scope, ValidUntil: start.AddDate(0, 0, days)}
		case 3:
			return consent.FailedWith{Code: consent.Rejected}
		case 4:
			return consent.Revocation{Cause: consent.CauseUser}
		case 5:
			return consent.Expiry{Cause: consent.CauseBankExpired}
		default:
			return consent.Ticked{}
		}
	})
}

func TestApply_KeepsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now := fresh(), start
		asked := start.AddDate(0, 0, rapid.IntRange(1, 180).Draw(t, "asked for"))
		c.ExpiresAt = asked
		c.Requested = consent.Scope{Transactions: true, Balances: rapid.Bool().Draw(t, "balances"), AccountIDs: rapid.SampledFrom([][]string{nil, {iban1}}).Draw(t, "asked")}
		for _, e := range []consent.Event{consent.Opened{}, consent.Instructed{}}[:rapid.IntRange(0, 2).Draw(t, "begun")] {
			c, _ = c.Apply(e, now)
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40*24*3600).Draw(t, "seconds")) * time.Second)
			e := anyEvent().Draw(t, "e")
			after, err := c.Apply(e, now)
			if err != nil {
				var illegal *consent.IllegalError
				if !errors.As(err, &illegal) || after.Status != c.Status || after.Step != c.Step {
					t.Fatalf("an illegal event changed the consent, or returned %v", err)
				}
				continue
			}
			if c.Status.Final() && after.Status != c.Status {
				t.Fatalf("%s was final, became %s", c.Status, after.Status)
			}
			if after.Status != c.Status && !contains(successors[c.Status], after.Status) {
				t.Fatalf("%s became %s by %T", c.Status, after.Status, e)
			}
			check(t, after, now)
			if c.Person != "" && after.Person != c.Person || after.Person != "" && !after.WasAuthorized() {
				t.Fatalf("of %q, became of %q: %+v", c.Person, after.Person, after)
			}
			if after.RenewedBy != "" && !after.WasAuthorized() || after.RenewedBy != c.RenewedBy && c.RenewedBy != "" {
				t.Fatalf("renewed by %s: %+v", after.RenewedBy, c)
			}
			if after.ExpiresAt.After(asked) {
				t.Fatalf("asked for %s, agreed until %s", asked, after.ExpiresAt)
			}
			c = after
		}
	})
}

func check(t *rapid.T, c consent.Consent, now time.Time) {
	if (c.Status == consent.Failed) != (c.Failure != "") {
		t.Fatalf("%s with failure %q", c.Status, c.Failure)
	}
	if (c.Status == consent.Revoked) != !c.RevokedAt.IsZero() {
		t.Fatalf("%s with revokedAt %v", c.Status, c.RevokedAt)
	}
	if c.Status.Final() != (c.Step == consent.StepEnd) {
		t.Fatalf("%s at step %s", c.Status, c.Step)
	}
	if c.Status == consent.Authorized && (c.Granted == nil || c.ExpiresAt.After(c.SCAExpiresAt) || c.StatusChangedAt.After(now)) {
		t.Fatalf("authorized without grant or beyond 180 days: %+v", c)
	}
	if c.Granted != nil {
		asked := c.Requested
		if c.Granted.Transactions || c.Granted.Balances != asked.Balances || len(asked.AccountIDs) > 0 && !slices.Equal(c.Granted.AccountIDs, asked.AccountIDs) {
			t.Fatalf("asked for %+v, agreed %+v until %s", asked, *c.Granted, c.ExpiresAt)
		}
	}
	ticked, err := c.Apply(consent.Ticked{}, now.Add(400*24*time.Hour))
	if err != nil || !ticked.Status.Final() {
		t.Fatalf("%s never ends: %s, %v", c.Status, ticked.Status, err)
	}
	if c.Status.Pending() && ticked.Failure != consent.AuthenticationTimeout {
		t.Fatalf("timed out as %s %s", ticked.Status, ticked.Failure)
	}
}

func contains(set []consent.Status, s consent.Status) bool {
	for _, x := range set {
		if x == s {
			return true
		}
	}
	return false
}

func TestApply_AuthorizesAndExpires(t *testing.T) {
	c := fresh()
	for _, e := range []consent.Event{consent.Opened{}, consent.Instructed{},
		consent.Granted{Scope: &consent.Scope{Balances: true}, ValidUntil: start.AddDate(0, 1, 0)}} {
		var err error
		if c, err = c.Apply(e, start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if c.Status != consent.Authorized || !c.ExpiresAt.Equal(start.AddDate(0, 1, 0)) || c.Scope().Transactions {
		t.Fatalf("got %+v", c)
	}
	before, _ := c.Apply(consent.Ticked{}, c.ExpiresAt.Add(-time.Nanosecond))
	if before.Status != consent.Authorized {
		t.Errorf("expired early: %s", before.Status)
	}
	after, _ := c.Apply(consent.Ticked{}, c.ExpiresAt)
	if after.Status != consent.Expired {
		t.Errorf("not expired at the end of its validity: %s", after.Status)
	}
}

func TestFailureCode_HasMessage(t *testing.T) {
	for _, c := range []consent.FailureCode{consent.AuthenticationTimeout, consent.AuthenticationCancelled,
		consent.AuthenticationConflict, consent.AuthenticationMismatch, consent.AuthenticationFailed, consent.Rejected,
		consent.BankUnavailable, consent.BankError, consent.InternalError} {
		if c.Message() == "" {
			t.Errorf("%s has no text", c)
		}
	}
}

func TestStatus_IsNotBothPendingAndFinal(t *testing.T) {
	for _, s := range consent.Statuses() {
		if s.Pending() && s.Final() {
			t.Errorf("%s is both pending and final", s)
		}
	}
}

// The steps of a login before the consent, and of an exchange, in their only order.
func TestApply_LoginThenConsent(t *testing.T) {
	c := fresh()
	c.Step, c.Visit = consent.StepLogin, &consent.Visit{Hash: "first"}
	second := &consent.Visit{Hash: "second"}
	for _, step := range []struct {
		event consent.Event
		want  consent.Step
	}{
		{consent.Authorizing{}, consent.StepLoggingIn}, {consent.Unsent{}, consent.StepLogin}, {consent.LoginStarted{}, consent.StepWatch},
		{consent.Brought{}, consent.StepComplete}, {consent.Exchanged{Login: true, OpenRequestID: "o2", RequestID: "r2", Visit: second}, consent.StepOpen},
		{consent.Opening{}, consent.StepOpening}, {consent.Opened{}, consent.StepAuthorize}, {consent.Instructed{}, consent.StepWatch},
		{consent.Brought{}, consent.StepComplete}, {consent.Exchanged{}, consent.StepWatch}, {consent.Granted{ValidUntil: start.AddDate(0, 3, 0)}, consent.StepKeep},
	} {
		for _, wrong := range []consent.Event{consent.Exchanged{}, consent.LoginStarted{}, consent.Brought{}} {
			if _, err := c.Apply(wrong, start); err == nil && (c.Step != consent.StepComplete && c.Step != consent.StepWatch && c.Step != consent.StepLogin && c.Step != consent.StepLoggingIn) {
				t.Errorf("%T at %s", wrong, c.Step)
			}
		}
		after, err := c.Apply(step.event, start)
		if err != nil || after.Step != step.want {
			t.Fatalf("%T at %s leads to %s, %v", step.event, c.Step, after.Step, err)
		}
		c = after
	}
	if c.Status != consent.Authorized || c.Visit != second || c.OpenRequestID != "o2" || c.AuthorizeRequestID != "r2" {
		t.Errorf("%+v", c)
	}
}
