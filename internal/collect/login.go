package collect

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
	"samla/internal/watch"
)

// startLogin creates a collection whose person logs in by dialogue. Nothing is sent to
// the institution before the collection is stored with the request id of the login.
func (s *Service) startLogin(ctx context.Context, r Request, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	now := s.Clock.Now()
	c := s.draft(r, now)
	c.Mode, c.UserID, c.Attended = collection.Dialogue, r.UserID, true
	person := r.Login.PSU
	if r.Login.PersonalNumber != "" {
		person.PersonalNumber = r.Login.PersonalNumber
	}
	state := dialogue.Start(s.IDs.New(), s.IDs.New(), person.PersonalNumber, now)
	state.Sent = true // from the commit on
	secret := collection.Secret{Context: person, Dialogue: &state, Email: r.Login.Email, UserID: r.Login.UserID}
	if err := s.admitLogin(c); err != nil {
		return c, err
	}
	watched := false
	defer func() {
		if !watched {
			s.loginWatch.Remove(c.ID)
		}
	}()
	c, err := s.sealed(ctx, c, secret)
	if err != nil {
		return c, err
	}
	c.WakeAt = now.Add(jobs.Lease) // this process begins at once
	added, err := s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error {
		due := c.WakeAt
		c.WakeAt = time.Time{} // a node of the release before must not claim it
		if err := r.put(ctx, tx, c); err != nil {
			return err
		}
		return tx.AddDialogue(ctx, c.ID, c.Company, due)
	})
	if err != nil {
		return added, err
	}
	watched = true
	due := added.WakeAt
	added.WakeAt = time.Time{}
	bank, _ := s.Institutions.Find(c.Company)
	if bank.Loginer == nil || !s.watchLogin(added, secret, bank, due) {
		s.Jobs.Wake(store.Dialogues) // the row is due when its lease ends, at any node
	}
	return added, nil
}

// admitLogin reserves room for a new login, until it is watched or ends. Fault:
// Unavailable with RetryAfter when this node could not keep it fresh.
func (s *Service) admitLogin(c collection.Collection) error {
	why := s.loginWatch.Admit(watch.Item{ID: c.ID, Group: c.Company, Pace: paceOf(dialogue.Turn{}, s.Institutions.Of(c.Company).Profile.LoginInterval)})
	if why == watch.Admitted {
		return nil
	}
	s.Log.Warn("new logins are refused for now", "company", c.Company, "error", string(why), "waiting", s.loginWatch.Len())
	f := fault.Detailed(fault.Unavailable, "Too many persons are logging in at the moment.")
	f.RetryAfter = busyAgain
	return f
}

// busyAgain is when a client that is refused may come again.
const busyAgain = 5 * time.Second

// loginRequest is the start of a login. It is the same each time it is sent.
func loginRequest(c collection.Collection, secret collection.Secret) institution.LoginRequest {
	return institution.LoginRequest{RequestID: secret.Dialogue.LoginID, LoginMethod: c.LoginMethod, PSU: secret.Context,
		Email: secret.Email, UserID: secret.UserID}
}
