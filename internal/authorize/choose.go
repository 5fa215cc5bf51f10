package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

// mustList reports whether the person chooses accounts before the consent is opened, and has
// not done so.
func (j *job) mustList() bool {
	return j.secret.Chooses && j.secret.LoginDone && len(j.c.Requested.AccountIDs) == 0 && j.bank.AccountLister != nil
}

// list asks the bank for the accounts that the consent can name, for the person to choose
// from. Nothing is opened by that, so it is tried again as long as there is time.
func (j *job) list(ctx context.Context) error {
	call, cancel := j.untilOpenBy(ctx)
	defer cancel()
	accounts, err := j.bank.AccountLister.ListAccounts(call, j.openRequest())
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	if err == nil {
		j.secret.Listed = accounts
		return j.apply(ctx, consent.Listed{}, j.c.AuthorizeBy)
	}
	now, kind := j.Clock.Now(), institution.KindOf(err)
	if notHandled(err) || kind.Transient() {
		if wait, inTime := j.nextAttempt(err, now); inTime {
			return j.reschedule(ctx, now.Add(wait))
		}
	}
	j.Log.Info("a bank did not list the accounts to choose from", "company", j.c.Company, "consent", j.c.ID, "error", err)
	return j.apply(ctx, consent.FailedWith{Code: failureOf(kind)}, now)
}

// choose waits for the person.
func (j *job) choose(ctx context.Context) (more bool, err error) {
	return false, j.reschedule(ctx, j.c.AuthorizeBy)
}

// Accounts returns the accounts from which the person chooses what a consent covers; nil if
// there is nothing to choose now. Fault: ConsentNotFound.
func (s *Service) Accounts(ctx context.Context, clientID, userID string, id consent.ID) ([]consent.Account, error) {
	c, err := s.Store.Consent(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (c.ClientID != clientID || c.UserID != userID) {
		return nil, fault.New(fault.ConsentNotFound)
	}
	if err != nil || c.Step != consent.StepChoose {
		return nil, err
	}
	secret, err := s.openSecret(ctx, c)
	return secret.Listed, SealError(err)
}

// ErrNoChoice says that no account is chosen, or one that the bank has not listed.
var ErrNoChoice = errors.New("authorize: no account of the list is chosen")

// ChooseAccounts takes the choice of the person: the consent is opened for these accounts
// next. chosen is false if there was nothing to choose, such as after a choice in another
// page. Errors: ErrNoChoice; fault ConsentNotFound.
func (s *Service) ChooseAccounts(ctx context.Context, clientID, userID string, id consent.ID, accounts []string) (chosen bool, err error) {
	_, err = store.UpdateConsent(ctx, s.Store, id, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		chosen = false
		if c.ClientID != clientID || c.UserID != userID {
			return c, nil, fault.New(fault.ConsentNotFound)
		}
		if c.Step != consent.StepChoose || c.Status.Final() {
			return c, nil, store.ErrUnchanged
		}
		secret, err := s.openSecret(ctx, c)
		if err != nil {
			return c, nil, err
		}
		ids, ok := consent.ChosenOf(secret.Listed, accounts)
		if !ok {
			return c, nil, ErrNoChoice
		}
		now := s.Clock.Now()
		after, err := c.Apply(consent.Chosen{AccountIDs: ids}, now)
		if err != nil {
			return c, nil, err
		}
		secret.Listed, secret.StartedAt, after.WakeAt = nil, now, now
		chosen = true
		after, err = s.sealSecret(ctx, after, secret)
		return after, nil, err
	})
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, seal.ErrKeyDestroyed):
		return false, fault.New(fault.ConsentNotFound)
	case err == nil && chosen:
		s.Jobs.Wake(store.Consents)
	}
	return chosen, err
}
