package authorize_test

import (
	"slices"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/institution"
)

// warnings counts the warnings of a consent.
func (b *env) warnings(id consent.ID) (n int) {
	b.Helper()
	for _, t := range b.told(id) {
		if t == event.TypeConsentExpiring {
			n++
		}
	}
	return n
}

// until runs the handler of a consent whenever it is due, up to the given time.
func (b *env) until(id consent.ID, at time.Time) {
	b.Helper()
	for c := b.Consent(id); c.Status == consent.Authorized && !c.WakeAt.After(at); c = b.Consent(id) {
		b.Clock.Set(c.WakeAt)
		b.look(id)
	}
	b.Clock.Set(at)
}

func TestExpiring_OnceAheadOfTheEnd(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		validity, ahead, at time.Duration
	}{{90 * day, 0, 83 * day}, {90 * day, 30 * day, 60 * day}, {14 * day, 0, 7 * day}, {2 * day, 0, day}} {
		b := newEnv(t)
		b.WarnAhead = 7 * day
		if test.ahead > 0 {
			b.WarnAhead = test.ahead
		}
		end := b.Clock.Now().Add(test.validity)
		b.bank.onRead = b.validUntil(end)
		c := b.run(b.create().ID)
		signed := c.StatusChangedAt
		b.until(c.ID, signed.Add(test.at-time.Minute))
		if n := b.warnings(c.ID); n != 0 {
			t.Errorf("valid for %s: %d warnings too early", test.validity, n)
		}
		b.until(c.ID, signed.Add(test.at+time.Minute))
		if n := b.warnings(c.ID); n != 1 {
			t.Errorf("valid for %s: %d warnings in time", test.validity, n)
		}
		b.until(c.ID, end.Add(-time.Second))
		if n := b.warnings(c.ID); n != 1 {
			t.Errorf("valid for %s: %d warnings in all", test.validity, n)
		}
		b.until(c.ID, end.Add(time.Minute))
		if got := b.told(c.ID); !slices.Equal(got, []event.Type{event.TypeConsentAuthorized, event.TypeConsentExpiring, event.TypeConsentExpired}) {
			t.Errorf("told %v", got)
		}
	}
}

// validUntil answers a read of a consent: valid until then once it is signed.
func (b *env) validUntil(end time.Time) func(int) (institution.ConsentInfo, error) {
	return func(int) (institution.ConsentInfo, error) {
		if !b.bank.signed.Load() {
			return institution.ConsentInfo{State: institution.ConsentPending}, nil
		}
		return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: end}, nil
	}
}

// A server that was down warns when it is back, unless the end has come.
func TestExpiring_AfterDowntime(t *testing.T) {
	for back, want := range map[time.Duration]int{-24 * time.Hour: 1, time.Hour: 0} {
		b := newEnv(t)
		b.bank.onRead = b.validFor(90)
		c := b.run(b.create().ID)
		b.Clock.Set(c.ExpiresAt.Add(back))
		b.look(c.ID)
		if n := b.warnings(c.ID); n != want {
			t.Errorf("back %s after the end: %d warnings", back, n)
		}
	}
}

// A bank that shortens the validity is believed, and the new end is told too; one that
// prolongs it, or names a day that is over, is not.
func TestExpiring_AgainWhenTheBankShortensTheValidity(t *testing.T) {
	b := newEnv(t)
	end := b.Clock.Now().AddDate(0, 0, 90)
	b.bank.onRead = b.validUntil(end)
	c := b.run(b.create().ID)
	b.until(c.ID, end.AddDate(0, 0, -6))
	if n := b.warnings(c.ID); n != 1 {
		t.Fatalf("%d warnings", n)
	}
	for _, said := range []struct {
		until, want time.Time
		warnings    int
	}{
		{end.AddDate(0, 0, 30), end, 1},
		{end.AddDate(-1, 0, 0), end, 1},
		{end.AddDate(0, 0, -2), end.AddDate(0, 0, -2), 2},
	} {
		b.bank.onRead = b.validUntil(said.until)
		b.until(c.ID, b.Clock.Now().Add(25*time.Hour))
		if got := b.Consent(c.ID); got.Status != consent.Authorized || !got.ExpiresAt.Equal(said.want) || b.warnings(c.ID) != said.warnings {
			t.Errorf("the bank says %s: %s until %s, %d warnings", said.until, got.Status, got.ExpiresAt, b.warnings(c.ID))
		}
	}
	b.until(c.ID, end)
	if got := b.Consent(c.ID); got.Status != consent.Expired {
		t.Errorf("%s at the end that the bank has set", got.Status)
	}
}

// A bank that cannot be reached, or is not configured any more, does not stop a warning.
func TestExpiring_WithoutTheBank(t *testing.T) {
	for name, lose := range map[string]func(b *env){
		"not reached": func(b *env) {
			b.bank.onRead = func(int) (institution.ConsentInfo, error) {
				return institution.ConsentInfo{}, kind(institution.Unreachable)
			}
		},
		"not configured": func(b *env) { delete(b.Institutions.(institution.Set), theBank) },
	} {
		b := newEnv(t)
		b.bank.onRead = b.validFor(4)
		c := b.run(b.create().ID)
		lose(b)
		b.until(c.ID, c.ExpiresAt.Add(-47*time.Hour))
		if n := b.warnings(c.ID); n != 1 {
			t.Errorf("%s: %d warnings", name, n)
		}
	}
}

// A withdrawal at the bank is noticed by the daily check, and told.
func TestDailyCheck_TellsAWithdrawal(t *testing.T) {
	b := newEnv(t)
	b.bank.onRead = b.validFor(90)
	c := b.run(b.create().ID)
	b.bank.onRead = b.bank.answers(institution.ConsentRevoked)
	b.until(c.ID, b.Clock.Now().Add(24*time.Hour))
	if got := b.told(c.ID); !slices.Equal(got, []event.Type{event.TypeConsentAuthorized, event.TypeConsentRevoked}) {
		t.Errorf("told %v", got)
	}
}
