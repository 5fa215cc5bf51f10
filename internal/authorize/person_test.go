package authorize_test

import (
	"context"
	"errors"
	"testing"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

// Who has signed in an app is known where the institution had the number; a grant does not
// fail because of the mark.
func TestGrant_KnowsWhoHasSigned(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*institution.Profile)
		number string
		err    error
		want   string
	}{
		"the number opens":        {func(*institution.Profile) {}, string(maja), nil, "mark of " + string(maja)},
		"it opens without":        {func(p *institution.Profile) { p.OpensWithoutNumber = true }, string(maja), nil, ""},
		"the signing needs it":    {func(p *institution.Profile) { p.OpensWithoutNumber, p.NeedsPSUID = true, true }, string(maja), nil, "mark of " + string(maja)},
		"no number was given":     {func(*institution.Profile) {}, "", nil, ""},
		"the mark cannot be made": {func(*institution.Profile) {}, string(maja), errors.New("no key"), ""},
	} {
		b := newEnv(t)
		b.profile(test.change)
		b.Mark = func(_ context.Context, number string) (string, error) {
			if test.err != nil {
				return "", test.err
			}
			return "mark of " + number, nil
		}
		r := b.request()
		r.PSU.PersonalNumber = psu.Number(test.number)
		c, err := b.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		c = b.run(c.ID)
		if c.Status != consent.Authorized || c.Person != test.want {
			t.Errorf("%s: %s of %q", name, c.Status, c.Person)
		}
	}
}

func markOf(_ context.Context, number string) (string, error) { return "mark of " + number, nil }

// day runs the daily check of an authorized consent.
func (b *env) day(id consent.ID) consent.Consent {
	b.Helper()
	b.Clock.Set(b.Consent(id).WakeAt)
	b.MustRun(b.Handle, string(id))
	return b.Consent(id)
}

// A consent that an older version has granted is of the person whose number the institution
// has made sure of; that is judged once.
func TestCheck_RecognizesWhoGaveAnOlderConsent(t *testing.T) {
	page := func(c *consent.Consent) { c.Visit = &consent.Visit{Hash: "h", Stage: consent.StageAccepted} }
	for name, test := range map[string]struct {
		then, now func(*institution.Profile)
		number    string
		change    func(*consent.Consent)
		want      string
	}{
		"the number opened it":               {number: string(maja), want: "mark of " + string(maja)},
		"no number was given":                {},
		"it was given on a page":             {number: string(maja), change: page},
		"the number was never told":          {then: func(p *institution.Profile) { p.OpensWithoutNumber = true }, number: string(maja)},
		"the number is told since yesterday": {then: func(p *institution.Profile) { p.OpensWithoutNumber = true }, now: func(p *institution.Profile) { p.OpensWithoutNumber = false }, number: string(maja)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			if test.then != nil {
				b.profile(test.then)
			}
			r := b.request()
			r.PSU.PersonalNumber = psu.Number(test.number)
			c, err := b.Create(t.Context(), r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c = b.run(c.ID); c.Status != consent.Authorized || b.secret(c).Judged {
				t.Fatalf("%s", c.Status)
			}
			if test.change != nil {
				b.Write(func(tx store.Tx) error {
					test.change(&c)
					_, err := tx.PutConsent(t.Context(), c)
					return err
				})
			}
			b.Mark = markOf
			c = b.day(c.ID)
			if c.Person != test.want || c.Status != consent.Authorized || !b.secret(c).Judged {
				t.Errorf("of %q, %s", c.Person, c.Status)
			}
			if test.now != nil {
				b.profile(test.now)
				if c = b.day(c.ID); c.Person != "" {
					t.Errorf("of %q by a profile that was changed", c.Person)
				}
			}
		})
	}
}

// A node that does not have the institution, as while a banks file is rolled out, does not judge
// by the profile that it does not have. A node that has it does.
func TestCheck_DoesNotJudgeWithoutTheInstitution(t *testing.T) {
	for name, change := range map[string]func(*institution.Profile){
		"":                        func(p *institution.Profile) { p.OpensWithoutNumber = true },
		"mark of " + string(maja): func(*institution.Profile) {},
	} {
		b := newEnv(t)
		b.profile(change)
		c := b.run(b.create().ID)
		b.Mark = markOf
		has := b.Institutions
		b.Institutions = institution.Set{}
		if c = b.day(c.ID); c.Person != "" || b.secret(c).Judged || c.Status != consent.Authorized {
			t.Errorf("without the institution: %s of %q, judged %v", c.Status, c.Person, b.secret(c).Judged)
		}
		b.Institutions = has
		if c = b.day(c.ID); c.Person != name || !b.secret(c).Judged {
			t.Errorf("with it: of %q instead of %q", c.Person, name)
		}
	}
}

// What cannot be found out today is looked at again tomorrow.
func TestCheck_RecognizesLaterWhatItCannotNow(t *testing.T) {
	b := newEnv(t)
	b.Mark = func(context.Context, string) (string, error) { return "", errors.New("no key") }
	c := b.run(b.create().ID)
	if c.Person != "" || b.secret(c).Judged {
		t.Fatalf("%+v", c)
	}
	b.Mark = markOf
	if c = b.day(c.ID); c.Person != "mark of "+string(maja) || c.Status != consent.Authorized {
		t.Errorf("of %q, %s", c.Person, c.Status)
	}
}

// An ended permission is given again by the person who gave it, and by nobody else.
func TestRenew_IsOfThePersonWhoGaveIt(t *testing.T) {
	b := newEnv(t)
	b.Mark = markOf
	old := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, old.ID); err != nil {
		t.Fatal(err)
	}
	renew := func(number psu.Number) (consent.Consent, error) {
		b.bank.signed.Store(false)
		return b.Renew(t.Context(), b.User.ClientID, b.User.ID, old.ID, func(authorize.Old) (authorize.Request, error) {
			r := b.request()
			r.PSU.PersonalNumber, r.NumberAt = number, "/number"
			return r, nil
		}, func(authorize.Old) idempotency.Answer[consent.Consent] { return nil })
	}
	for number, want := range map[psu.Number]fault.FieldCode{"198208149297": fault.NotAllowed, "": fault.Required} {
		_, err := renew(number)
		var refused *fault.Fault
		if !errors.As(err, &refused) || refused.Code != fault.InvalidParameter || len(refused.Fields) != 1 || refused.Fields[0].Code != want || refused.Fields[0].Pointer != "/number" {
			t.Errorf("%d digits: %v", len(number.Digits()), err)
		}
	}
	c, err := renew(maja)
	if err != nil {
		t.Fatal(err)
	}
	if c = b.run(c.ID); c.Status != consent.Authorized || c.Person != old.Person {
		t.Errorf("%s of %q", c.Status, c.Person)
	}
}

// Where the institution makes sure of nobody, the number is not asked for; one of somebody
// else is refused all the same.
func TestRenew_AsksForNoNumberThatProvesNothing(t *testing.T) {
	b := newEnv(t)
	b.Mark = markOf
	old := b.run(b.create().ID)
	if _, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, old.ID); err != nil {
		t.Fatal(err)
	}
	b.profile(func(p *institution.Profile) { p.OpensWithoutNumber = true })
	if _, err := b.renew(old.ID); err != nil {
		t.Error(err)
	}
}

// Somebody else who has signed gets no permission, and the bank is told.
func TestGrant_RefusesARenewalOfAnotherPerson(t *testing.T) {
	b := newEnv(t)
	b.Mark = markOf
	old := b.run(b.create().ID)
	c := b.mustRenew(old.ID)
	b.Write(func(tx store.Tx) error {
		other := b.Consent(old.ID)
		other.Person = "mark of somebody else"
		_, err := tx.PutConsent(t.Context(), other)
		return err
	})
	c = b.run(c.ID)
	b.checkEnd(c, consent.Failed, consent.AuthenticationMismatch)
	if got := b.Consent(old.ID); got.Status != consent.Authorized || len(b.dueMessages()) != 1 {
		t.Errorf("the old one is %s, %d messages", got.Status, len(b.dueMessages()))
	}
}
