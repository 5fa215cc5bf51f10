package authorize_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// The status of the consent at the bank decides (docs/reference/banks.md 4).
func TestCheckAfterRefusal_FollowsTheStatusAtTheBank(t *testing.T) {
	b := newEnv(t)
	valid := b.bank.onRead
	state := func(s institution.ConsentState) func(int) (institution.ConsentInfo, error) {
		return func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{State: s}, nil }
	}
	failing := func(k institution.ErrorKind) func(int) (institution.ConsentInfo, error) {
		return func(int) (institution.ConsentInfo, error) { return institution.ConsentInfo{}, kind(k) }
	}
	for name, test := range map[string]struct {
		refusal institution.ErrorKind
		says    func(int) (institution.ConsentInfo, error)
		want    consent.Status
	}{
		"gone, and withdrawn":               {institution.ConsentGone, state(institution.ConsentRevoked), consent.Revoked},
		"gone, and expired":                 {institution.ConsentGone, state(institution.ConsentExpired), consent.Expired},
		"gone, and unknown":                 {institution.ConsentGone, failing(institution.ConsentGone), consent.Revoked},
		"gone, and no answer":               {institution.ConsentGone, failing(institution.Unreachable), consent.Authorized},
		"gone, and a page":                  {institution.ConsentGone, failing(institution.MalformedResponse), consent.Authorized},
		"gone, and a redirect":              {institution.ConsentGone, failing(institution.ForeignAddress), consent.Authorized},
		"gone, and another refusal":         {institution.ConsentGone, failing(institution.Refused), consent.Revoked},
		"gone, and an unknown word":         {institution.ConsentGone, state(institution.ConsentPending), consent.Revoked},
		"over, and an unknown word":         {institution.ConsentOver, state(institution.ConsentPending), consent.Expired},
		"gone, but valid":                   {institution.ConsentGone, state(institution.ConsentValid), consent.Authorized},
		"over, and expired":                 {institution.ConsentOver, state(institution.ConsentExpired), consent.Expired},
		"over, and withdrawn":               {institution.ConsentOver, state(institution.ConsentRevoked), consent.Revoked},
		"over, and no answer":               {institution.ConsentOver, failing(institution.Unreachable), consent.Authorized},
		"signature required":                {institution.SCARequired, state(institution.ConsentValid), consent.Expired},
		"signature required, and no answer": {institution.SCARequired, failing(institution.Unreachable), consent.Authorized},
		"signature required, and withdrawn": {institution.SCARequired, state(institution.ConsentRevoked), consent.Revoked},
		"unreachable":                       {institution.Unreachable, state(institution.ConsentRevoked), consent.Authorized},
		"a part not covered":                {institution.NotCovered, state(institution.ConsentRevoked), consent.Authorized},
	} {
		t.Run(name, func(t *testing.T) {
			b.bank.onRead = valid
			c := b.run(b.create().ID)
			b.bank.onRead = test.says
			for range 2 { // a final consent stays as it is
				b.refused(b.Consent(c.ID), test.refusal)
				if got := b.Consent(c.ID).Status; got != test.want {
					t.Errorf("became %s", got)
				}
			}
		})
	}
}

// A check that ran out of time says nothing about the consent. The daily check, which
// is due at once, asks the bank.
func TestCheckAfterRefusal_ChecksAgainWhenItsTimeIsOver(t *testing.T) {
	b := newEnv(t)
	for _, refusal := range []institution.ErrorKind{institution.ConsentGone, institution.ConsentOver, institution.SCARequired} {
		c := b.run(b.create().ID)
		ctx, cancel := context.WithCancel(t.Context())
		valid := b.bank.onRead
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			cancel()
			return institution.ConsentInfo{}, kind(institution.Unreachable)
		}
		follow, err := b.CheckAfterRefusal(ctx, c, refusal)
		if err == nil {
			err = follow(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if c = b.Consent(c.ID); c.Status != consent.Authorized || !c.WakeAt.Equal(b.Clock.Now()) {
			t.Errorf("%s: became %s, handled again at %s", refusal, c.Status, c.WakeAt)
		}
		b.bank.onRead = func(int) (institution.ConsentInfo, error) {
			return institution.ConsentInfo{State: institution.ConsentRevoked}, nil
		}
		if c = b.look(c.ID); c.Status != consent.Revoked {
			t.Errorf("%s: became %s after the daily check", refusal, c.Status)
		}
		b.bank.onRead = valid
	}
}

// An authorized consent follows its status at the bank; the table has the wait until the
// next check.
func TestCheckDaily_FollowsTheStatusAtTheBank(t *testing.T) {
	b := newEnv(t)
	valid := institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: morning.AddDate(0, 3, 0)}
	for name, test := range map[string]struct {
		info  institution.ConsentInfo
		err   error
		want  consent.Status
		again time.Duration
	}{
		"valid":         {info: valid, want: consent.Authorized, again: 24 * time.Hour},
		"pending":       {info: institution.ConsentInfo{State: institution.ConsentPending}, want: consent.Authorized, again: 24 * time.Hour},
		"revoked":       {info: institution.ConsentInfo{State: institution.ConsentRevoked}, want: consent.Revoked},
		"rejected":      {info: institution.ConsentInfo{State: institution.ConsentRejected}, want: consent.Revoked},
		"expired":       {info: institution.ConsentInfo{State: institution.ConsentExpired}, want: consent.Expired},
		"unknown":       {err: kind(institution.ConsentGone), want: consent.Revoked},
		"over":          {err: kind(institution.ConsentOver), want: consent.Expired},
		"unreachable":   {err: kind(institution.Unreachable), want: consent.Authorized, again: time.Hour},
		"busy":          {err: kind(institution.Busy), want: consent.Authorized, again: time.Hour},
		"malformed":     {err: kind(institution.MalformedResponse), want: consent.Authorized, again: time.Hour},
		"certificate":   {err: kind(institution.CertificateRejected), want: consent.Authorized, again: time.Hour},
		"sign again":    {err: kind(institution.SCARequired), want: consent.Authorized, again: time.Hour},
		"another error": {err: errors.New("no bank's"), want: consent.Authorized, again: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b.bank.onRead = func(int) (institution.ConsentInfo, error) { return valid, nil }
			c := b.run(b.create().ID)
			b.bank.onRead = func(int) (institution.ConsentInfo, error) { return test.info, test.err }
			b.Clock.Set(c.WakeAt)
			c = b.look(c.ID)
			if c.Status != test.want || c.WakeAt.IsZero() != (test.again == 0) {
				t.Errorf("became %s, handled again at %s", c.Status, c.WakeAt)
			}
			if test.again == 0 {
				return
			}
			if wait := c.WakeAt.Sub(b.Clock.Now()); wait != test.again {
				t.Errorf("asked again in %s", wait)
			}
		})
	}
}

// The bank knows the date that it granted, so it is neither asked nor told.
func TestExpiry_ComesWithoutACallToTheBank(t *testing.T) {
	b := newEnv(t)
	end := morning.Add(30*time.Hour - time.Second)
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: end}, nil
	}
	c := b.run(b.create().ID)
	b.Clock.Set(c.WakeAt)
	if c = b.look(c.ID); c.Status != consent.Authorized || !c.WakeAt.Equal(end) {
		t.Fatalf("%s, handled again at %s", c.Status, c.WakeAt)
	}
	reads := b.bank.read
	b.Clock.Set(end)
	b.checkEnd(b.look(c.ID), consent.Expired, "")
	if b.bank.read != reads || len(b.dueMessages()) != 0 {
		t.Error("the bank was asked, or is told")
	}
}

// Whatever the bank grants (RTS art. 10a).
func TestExpiry_ComesAtTheLatest180DaysAfterTheSignature(t *testing.T) {
	b := newEnv(t)
	b.bank.onRead = func(int) (institution.ConsentInfo, error) {
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: morning.AddDate(2, 0, 0)}, nil
	}
	c := b.run(b.create().ID)
	if life := c.ExpiresAt.Sub(c.StatusChangedAt); life != 180*24*time.Hour {
		t.Errorf("granted for %s", life)
	}
}
