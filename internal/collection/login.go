package collection

import (
	"time"

	"samla/internal/dialogue"
)

// StatusOf returns the status of a collection whose login stands so
// (docs/reference/api.md 5.7). The institution may be working while the person has
// nothing to do: in is then the status that the collection has, if it has begun.
func StatusOf(s dialogue.State, in Status) Status {
	switch t := s.Turn; {
	case s.Ended != "":
		return statusOfReason[s.Ended]
	case s.In():
		return Collecting
	case t.Ask != nil:
		switch t.Ask.Kind {
		case dialogue.Contact:
			return ContactFormPending
		case dialogue.Input:
			return CollectionInputPending
		}
		return TwoFactorPending
	case t.Wait != nil:
		switch t.Wait.For {
		case dialogue.App, dialogue.EmailLink, dialogue.Page:
			return WaitingForUserAction
		case dialogue.Source:
			if in == Collecting {
				return in
			}
		}
		return Login
	case t.Device != nil:
		return Login
	}
	return in
}

var statusOfReason = map[dialogue.Reason]Status{
	dialogue.Cancelled:           AuthenticationCancelled,
	dialogue.TimedOut:            AuthenticationTimeout,
	dialogue.ChoiceTimedOut:      TwoFactorMethodSelectionTimeout,
	dialogue.InputTimedOut:       CollectionInputTimeout,
	dialogue.WrongCredentials:    IncorrectCredentials,
	dialogue.Locked:              AccountTemporarilyLocked,
	dialogue.Conflict:            AuthenticationConflict,
	dialogue.Mismatch:            AuthenticationMismatch,
	dialogue.KYCRequired:         KYCForm,
	dialogue.ContactRequired:     ContactForm,
	dialogue.EnrollmentRequired:  CustomerEnrollmentRequired,
	dialogue.MethodNotApplicable: LoginMethodNotApplicable,
	dialogue.Unavailable:         ThirdPartyError,
	dialogue.LoginFailed:         AuthenticationError,
	dialogue.Failed:              Failed,
}

// Follow returns the collection after its login has come to s, at the time now: in the
// status of s, by way of the statuses that docs/reference/api.md 5.7 wants in between.
// Success statuses are not among those of a login.
func (c Collection) Follow(s dialogue.State, now time.Time) (Collection, error) {
	switch to := StatusOf(s, c.Status); {
	case s.Ended != "":
		return c.Apply(FailedWith{In: to}, now)
	case to == Collecting:
		return c.Apply(Reads{}, now)
	case to.Class() != Waiting:
		return c, nil
	case c.Status == Running && to != Login:
		return c.through(Login, to, now)
	case c.Status == Collecting && to == Login:
		return c.through(WaitingForUserAction, to, now)
	default:
		return c.Apply(Waits{In: to}, now)
	}
}

func (c Collection) through(first, then Status, now time.Time) (Collection, error) {
	between, err := c.Apply(Waits{In: first}, now)
	if err != nil {
		return c, err
	}
	return between.Apply(Waits{In: then}, now)
}
