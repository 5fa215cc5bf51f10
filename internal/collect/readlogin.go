package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/institution"
	"samla/internal/store"
)

// readLogin reads the data of a person who is logged in, to its end, or until ctx ends.
func (s *Service) readLogin(ctx context.Context, c collection.Collection, secret collection.Secret, i institution.Institution) error {
	state := secret.Dialogue
	access := institution.Access{Session: state.Session, PSU: secret.Context}
	if !i.Profile.ReadsWithNumber {
		access.PSU.PersonalNumber = ""
	}
	return s.crawl(ctx, c, secret, asIn(state), i, access, state.Person)
}

// asIn returns what a login allows, in the form of a consent, which the crawl knows: all
// that the institution has, from the moment at which the person was in. It has no id.
func asIn(s *dialogue.State) consent.Consent {
	return consent.Consent{Requested: consent.Scope{Balances: true, Transactions: true}, StatusChangedAt: s.InAt,
		SCAExpiresAt: s.InAt.Add(consent.MaxSCAAge)}
}

// checkRunning returns store.ErrConflict if the collection has ended, or its user is
// erased. It is called before each question, as checkConsent is.
func (c *crawl) checkRunning(ctx context.Context) error {
	view, err := c.Store.CollectionStatus(ctx, c.journalID)
	if err == nil && (view.Status.Terminal() || view.UserAnonymized) {
		err = store.ErrConflict
	}
	return err
}

// resumeLogin makes the login go on, because the institution wants that before it answers
// more. What was read stays, and the reading goes on from there when the person is in.
func (s *Service) resumeLogin(ctx context.Context, crawl *crawl) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	j := crawl.journal
	state, err := j.secret.Dialogue.Apply(dialogue.Resumed{}, s.limitsOf(j.c.Company), s.Clock.Now())
	if err != nil {
		return err
	}
	j.secret.Dialogue, j.reseal = &state, true
	if err := j.save(ctx, s.Clock.Now()); err != nil {
		return err
	}
	s.setKnown(j.c, state)
	s.Jobs.Wake(store.Dialogues)
	return nil
}
