package consent_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"samla/internal/consent"
)

// in returns a consent in a status that is not final.
func in(s consent.Status) consent.Consent {
	c := fresh()
	c.Status = s
	return c
}

func TestEndCause_OfEveryEvent(t *testing.T) {
	for _, test := range []struct {
		from consent.Status
		e    consent.Event
		want consent.Cause
	}{
		{consent.Initiated, consent.Opened{}, ""},
		{consent.Initiated, consent.Ticked{}, consent.CauseTime},
		{consent.AwaitingAuthorization, consent.Ticked{}, consent.CauseTime},
		{consent.Authorized, consent.Ticked{}, consent.CauseValidity},
		{consent.AwaitingAuthorization, consent.Granted{}, consent.CauseTime},
		{consent.Initiated, consent.FailedWith{Code: consent.BankError}, consent.CauseFailed},
		{consent.Initiated, consent.FailedWith{Code: consent.Rejected, Cause: consent.CauseBankRejected}, consent.CauseBankRejected},
		{consent.Authorized, consent.Revocation{Cause: consent.CauseUser}, consent.CauseUser},
		{consent.Authorized, consent.Expiry{Cause: consent.CauseNewSignature}, consent.CauseNewSignature},
		{consent.Authorized, consent.Replaced{By: "next"}, consent.CauseRenewed},
		{consent.Revoked, consent.Replaced{By: "next"}, ""},
		{consent.Authorized, consent.Shortened{}, ""},
		{consent.Authorized, consent.Warning{}, ""},
	} {
		if got := in(test.from).EndCause(test.e); got != test.want {
			t.Errorf("%T in %s: %s, want %s", test.e, test.from, got, test.want)
		}
	}
}

func TestApply_RefusesACauseOfAnotherEvent(t *testing.T) {
	revocations := []consent.Cause{consent.CauseUser, consent.CauseUserErased, consent.CauseOneTime, consent.CauseBankRevoked, consent.CauseBankRefused}
	expiries := []consent.Cause{consent.CauseTime, consent.CauseValidity, consent.CauseBankExpired, consent.CauseBankRefused, consent.CauseNewSignature}
	failures := []consent.Cause{"", consent.CauseFailed, consent.CauseTime, consent.CauseBankRevoked, consent.CauseBankExpired, consent.CauseBankRejected}
	for _, cause := range append(consent.Causes(), "", "ANOTHER") {
		for _, test := range []struct {
			from  consent.Status
			e     consent.Event
			legal []consent.Cause
		}{
			{consent.Authorized, consent.Revocation{Cause: cause}, revocations},
			{consent.Authorized, consent.Expiry{Cause: cause}, expiries},
			{consent.Initiated, consent.FailedWith{Code: consent.Rejected, Cause: cause}, failures},
		} {
			_, err := in(test.from).Apply(test.e, start)
			if legal := slices.Contains(test.legal, cause); legal != (err == nil) || err != nil && !errors.As(err, new(*consent.IllegalError)) {
				t.Errorf("%T with the cause %q: %v", test.e, cause, err)
			}
		}
	}
}

func TestKnownToBank_OfEveryCause(t *testing.T) {
	said := []consent.Cause{consent.CauseBankRevoked, consent.CauseBankExpired, consent.CauseBankRejected, consent.CauseValidity}
	for _, cause := range consent.Causes() {
		if cause.KnownToBank() != slices.Contains(said, cause) {
			t.Errorf("%s: %t", cause, cause.KnownToBank())
		}
	}
}

// What was announced and not sent is back where it was.
func TestApply_UnsentTakesAnAnnouncementBack(t *testing.T) {
	c := fresh()
	for _, test := range []struct {
		e    consent.Event
		want consent.Step
	}{
		{consent.Opening{}, consent.StepOpening}, {consent.Unsent{}, consent.StepOpen}, {consent.Opening{}, consent.StepOpening},
		{consent.Opened{}, consent.StepAuthorize}, {consent.Authorizing{}, consent.StepAuthorizing}, {consent.Unsent{}, consent.StepAuthorize},
		{consent.Authorizing{}, consent.StepAuthorizing}, {consent.Instructed{}, consent.StepWatch},
	} {
		var err error
		if c, err = c.Apply(test.e, start.Add(time.Second)); err != nil || c.Step != test.want {
			t.Fatalf("%T: at %s, %v; want %s", test.e, c.Step, err, test.want)
		}
	}
	if _, err := c.Apply(consent.Unsent{}, start); err == nil {
		t.Error("took back what was answered")
	}
}
