package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	// staleAfter is how old a QR text may be before a poll on a node that does not
	// watch the authorization asks the bank itself.
	staleAfter = 900 * time.Millisecond
	// refreshTime bounds one such question, maxRefreshes how many are under way at
	// once on this node.
	refreshTime  = 5 * time.Second
	maxRefreshes = 64
)

// Poll answers a status poll of a user's own consent: the consent, and what the
// person has to do while it awaits authorization. Faults: ConsentNotFound, and
// Unauthorized once the user was anonymized.
func (s *Service) Poll(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, *Shown, error) {
	view, err := s.Store.ConsentStatus(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return view.Consent, nil, fault.New(fault.ConsentNotFound)
	case err != nil:
		return view.Consent, nil, err
	case view.ClientID != clientID, view.UserID != userID, view.CollectionID != "":
		return view.Consent, nil, fault.New(fault.ConsentNotFound)
	case view.UserAnonymized:
		return view.Consent, nil, fault.New(fault.Unauthorized)
	}
	shown, err := s.Show(ctx, view.Consent)
	return view.Consent, shown, err
}

// Show returns what the person has to do, for a consent that awaits authorization;
// nil in any other status, or when it is not known. It returns the newest that this
// node has. If this node does not watch the authorization, and the QR text is too old or
// what is shown has stopped working, it asks the bank in the background, for the next poll.
func (s *Service) Show(ctx context.Context, c consent.Consent) (*Shown, error) {
	if c.Status != consent.AwaitingAuthorization {
		return nil, nil
	}
	shown, found := s.showCached(c)
	if found {
		return shown, nil
	}
	secret, err := s.openSecret(ctx, c)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, nil // the user was erased after the row was read
	}
	if err != nil || secret.Instructions == nil {
		return nil, err
	}
	inst, _ := s.Institutions.Find(c.Company)
	j := job{Service: s, c: c, secret: secret, bank: inst}
	s.instructions.put(c, j.newSigning(), secret.Instructions)
	shown, _ = s.showCached(c)
	return shown, nil
}

func (s *Service) showCached(c consent.Consent) (*Shown, bool) {
	inst, known := s.Institutions.Find(c.Company)
	stale := staleAfter
	if !known || inst.Authorizer == nil || s.watching.Watches(string(c.ID)) {
		stale = 0 // there is no bank to ask, or the scheduler asks it
	}
	now := s.Clock.Now()
	if s.instructions.seen(c.ID, now) {
		moves, _ := s.instructions.state(c.ID, now)
		s.watching.Sooner(string(c.ID), paceOf(inst.Profile, moves, consent.ProgressUnknown, 0))
	}
	shown, refresh, found := s.instructions.show(c, inst.Profile.QR, now, stale)
	if refresh != 0 {
		select {
		case s.refreshes <- struct{}{}:
			go s.refresh(c, inst, refresh)
		default: // enough questions are under way; a later poll asks again
			s.instructions.asked(c.ID, refresh)
		}
	}
	return shown, found
}

// refresh asks the bank for the state of the authorization. The answer has the same
// effect as on the node that watches, because a bank may give the result of a signing
// only once.
func (s *Service) refresh(c consent.Consent, inst institution.Institution, number int) {
	defer func() { <-s.refreshes }()
	defer s.instructions.asked(c.ID, number)
	ctx, cancel := context.WithTimeout(institution.WithSubject(context.Background(), c.Subject()), refreshTime)
	defer cancel()
	row, err := s.Store.Consent(ctx, c.ID) // the view does not have all of the row
	if err != nil || row.Step != consent.StepWatch {
		return
	}
	j := job{Service: s, c: row, bank: inst, known: true}
	if j.secret, err = s.openSecret(ctx, row); err != nil || j.secret.Silent || j.secret.PartlySigned {
		return // the bank is not asked, or seldom
	}
	j.signing = j.newSigning()
	if _, err := j.question(ctx); err != nil && !errors.Is(err, store.ErrConflict) && ctx.Err() == nil {
		s.Log.Warn("the answer to a refresh could not be used", "company", c.Company, "consent", c.ID, "error", err)
	}
}
