package authorize

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/psu"
)

// person returns the hash of who has signed, if that is known for sure; judged is false if it
// could not be found out now. A grant does not fail because of that: the person then comes by
// a link of the client.
func (j *job) person(ctx context.Context, secret consent.Secret) (mark string, judged bool) {
	number := secret.Signer
	if number == "" && j.bank.Profile.ProvesNumber() {
		number = secret.PersonalNumber
	}
	if j.Mark == nil || number == "" {
		return "", j.Mark != nil
	}
	mark, err := j.Mark(ctx, string(number))
	if err != nil {
		j.Log.Error("who has signed a consent could not be noted", "consent", j.c.ID, "error", err)
	}
	return mark, err == nil
}

// isStranger reports whether somebody else has signed a renewal than the person whose
// permission it was, as far as both are known.
func (j *job) isStranger(ctx context.Context, person string) (bool, error) {
	if person == "" || j.c.Renews == "" {
		return false, nil
	}
	old, err := j.Store.Consent(ctx, j.c.Renews)
	return err == nil && old.Person != "" && old.Person != person, err
}

// recognized returns an authorized consent c with the hash of its person, if it was granted
// by a version that noted none and the number kept with it is known to be that of the signer.
// That is judged once, by the profile of the day: one that is changed later says nothing about
// who signed before. Who was sent to a page of the institution may have been anybody. A node
// that does not have the institution, as while a banks file is rolled out, does not judge.
func (j *job) recognized(ctx context.Context, c consent.Consent, now time.Time) consent.Consent {
	before := c
	if j.Mark == nil || !j.known || c.Person != "" {
		return c
	}
	secret, err := j.openSecret(ctx, c)
	if err != nil || secret.Judged {
		return c // without its key the next use of it says so
	}
	if c.Visit == nil {
		var mark string
		if mark, secret.Judged = j.person(ctx, secret); !secret.Judged {
			return c
		}
		if mark != "" {
			if c, err = c.Apply(consent.Recognized{Person: mark}, now); err != nil {
				return c
			}
		}
	}
	secret.Judged = true
	sealed, err := j.sealSecret(ctx, c, secret)
	if err != nil {
		j.Log.Warn("who has given a consent could not be noted", "consent", c.ID, "error", err)
		return before
	}
	return sealed
}

// checkPerson refuses to renew a consent as somebody else than the person who gave it, where
// that is known: with another number, or without one at an institution that would make sure
// of it. Fault: InvalidParameter.
func (s *Service) checkPerson(ctx context.Context, old Old, number psu.Number, at string) error {
	if s.Mark == nil || old.Person == "" {
		return nil
	}
	if number == "" {
		if !s.Institutions.Of(old.Company).Profile.ProvesNumber() {
			return nil
		}
		return fault.Param(at, fault.Required, "the personal number of the person who gave the consent that is renewed is needed")
	}
	mark, err := s.Mark(ctx, string(number))
	if err == nil && mark != old.Person {
		return fault.Param(at, fault.NotAllowed, "must be the number of the person who gave the consent that is renewed")
	}
	return err
}
