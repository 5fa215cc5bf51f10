package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	refreshTimeout = 20 * time.Second // of one request for new tokens; less than consent.RefreshLease
	// refreshPoll is how often a row is read whose tokens another worker replaces. That
	// worker may be on another node.
	refreshPoll = 100 * time.Millisecond
)

// Access returns what a bank needs to recognize an authorized consent, without anything
// about the person, and what is kept of the person: number and locale. An access token
// that has run out, or that is refused, is replaced first: by one worker over all nodes,
// while the others wait for it. refused is the access token that the bank has refused;
// empty = none.
//
// Errors: seal.ErrKeyDestroyed; *institution.Error if there is no token to use. Of them,
// ConsentGone says that the bank has ended the grant, and that this is certain;
// TokenRefused, that nothing replaces the refused token.
func (s *Service) Access(ctx context.Context, c consent.Consent, refused string) (institution.Access, psu.Context, error) {
	_, secret, err := s.fresh(ctx, c, refused)
	return accessOf(secret), secret.Context, err
}

// fresh returns a consent, and its secret with tokens that can be used now.
func (s *Service) fresh(ctx context.Context, c consent.Consent, refused string) (consent.Consent, consent.Secret, error) {
	refresher := s.Institutions.Of(c.Company).Refresher
	for {
		secret, err := s.openSecret(ctx, c)
		if err != nil {
			return c, secret, err
		}
		now := s.Clock.Now()
		stale := secret.Tokens.Stale(now) || refused != "" && refused == secret.Tokens.Access
		switch {
		case !stale:
			return c, secret, nil
		case refresher == nil || secret.Tokens.Refresh == "":
			return c, secret, &institution.Error{Kind: institution.TokenRefused}
		case secret.Refreshing.Held(now):
			if err := clock.Sleep(ctx, s.Clock, refreshPoll); err != nil {
				return c, secret, &institution.Error{Kind: institution.Unreachable, NotSent: true, Cause: err}
			}
			if c, err = s.Store.Consent(ctx, c.ID); err != nil || c.Status.Final() {
				return c, secret, errors.Join(err, errEnded(c))
			}
			continue
		}
		if err := s.denials.check(c.Company, now); err != nil {
			s.Observer.Refreshed(c.Company, RefreshHeldBack)
			return c, secret, err
		}
		// The caller may have a view of the row, which does not say when it is due.
		row, err := s.Store.Consent(ctx, c.ID)
		if err != nil || row.Status.Final() {
			return c, secret, errors.Join(err, errEnded(row))
		}
		if row.Rev != c.Rev {
			c = row
			continue
		}
		marked, err := s.markRefresh(ctx, row, secret, now)
		if errors.Is(err, store.ErrConflict) {
			if c, err = s.Store.Consent(ctx, c.ID); err != nil || c.Status.Final() {
				return c, secret, errors.Join(err, errEnded(c))
			}
			continue
		}
		if err != nil {
			return c, secret, err
		}
		return s.refreshTokens(ctx, marked, secret)
	}
}

// errEnded returns an error for a consent that has ended while its tokens were waited for.
func errEnded(c consent.Consent) error {
	if c.Status.Final() {
		return &institution.Error{Kind: institution.Unreachable, NotSent: true}
	}
	return nil
}

// markRefresh commits that this worker replaces the tokens. Errors: store.ErrConflict.
func (s *Service) markRefresh(ctx context.Context, c consent.Consent, secret consent.Secret, now time.Time) (consent.Consent, error) {
	mark := &consent.Refreshing{ID: s.IDs.New(), At: now, Tries: 1}
	if before := secret.Refreshing; before.Within(now, recheckAfter) {
		mark.Tries += before.Tries
	}
	if mark.Tries > consent.MostRefreshTries {
		return c, &institution.Error{Kind: institution.Unreachable, NotSent: true}
	}
	secret.Refreshing = mark
	return s.putSecret(ctx, c, secret, c.WakeAt)
}

// refreshTokens asks the bank for new tokens and commits them, whatever else is written to
// the row meanwhile.
func (s *Service) refreshTokens(ctx context.Context, c consent.Consent, secret consent.Secret) (consent.Consent, consent.Secret, error) {
	call, cancel := context.WithTimeout(institution.WithSubject(ctx, c.Subject()), refreshTimeout)
	got, err := s.Institutions.Of(c.Company).Refresher.Refresh(call, accessOf(secret))
	cancel()
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	now := s.Clock.Now()
	denied := institution.KindOf(err) == institution.ConsentGone && err != nil
	outage := false
	if err == nil || denied {
		outage = s.recordDenial(c, now, denied)
	}
	used := secret.Tokens.Refresh
	var certain bool
	var after consent.Consent
	err2 := s.stored(c, func() (failed error) {
		after, failed = store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
			if old.Status.Final() {
				return old, nil, errOvertaken
			}
			opened, err2 := s.openSecret(ctx, old)
			if err2 != nil {
				return old, nil, err2 // secret is still what revokes the new tokens
			}
			secret = opened
			if secret.Tokens.Refresh != used {
				return old, nil, store.ErrUnchanged // another worker was taken for the one that replaces them
			}
			switch {
			case err == nil:
				secret.Tokens, secret.Refreshing, secret.Denial = secret.Tokens.Replaced(got.Since(secret.Tokens, now)), nil, nil
			case denied:
				var d consent.Denial
				d, certain = secret.Denial.Denied(now, outage)
				secret.Denial, secret.Refreshing = &d, nil
				if again := now.Add(consent.DenialConfirmedAfter + time.Second); !certain && old.Status == consent.Authorized && again.Before(old.WakeAt) {
					old.WakeAt = again // the daily check asks again
				}
			case notSent(err) || notHandled(err) || !saysNothing(err):
				secret.Refreshing = nil // it was not used, or the answer is not lost
			}
			old, err2 = s.sealSecret(ctx, old, secret)
			return old, nil, err2
		})
		return failed
	})
	s.Observer.Refreshed(c.Company, refreshOutcome(err, certain))
	switch {
	case errors.Is(err2, errOvertaken), errors.Is(err2, seal.ErrKeyDestroyed):
		return c, secret, errors.Join(&institution.Error{Kind: institution.Unreachable, NotSent: true}, s.revokeReplaced(ctx, c, secret, got))
	case err2 != nil:
		return c, secret, err2
	case certain:
		s.Log.Info("a bank has ended the grant of a consent", "company", c.Company, "consent", c.ID)
		return after, secret, err
	case denied:
		return after, secret, &institution.Error{Kind: institution.Unreachable, NotSent: true, Cause: err}
	}
	return after, secret, err
}

// recordDenial counts a bank's answer about the tokens of a consent, and reports whether an
// outage of the bank is suspected.
func (s *Service) recordDenial(c consent.Consent, now time.Time, denied bool) bool {
	outage, begins := s.denials.record(c.Company, c.ID, now, denied)
	if begins {
		s.Log.Warn("a bank refuses the tokens of many persons: an outage of it is suspected, and no consent ends by it before a day is over", "company", c.Company)
	}
	return outage
}

// refreshOutcome names what came of a request for new tokens. certain says that a denial is
// believed.
func refreshOutcome(err error, certain bool) RefreshOutcome {
	switch {
	case err == nil:
		return RefreshReplaced
	case certain:
		return RefreshEnded
	case institution.KindOf(err) == institution.ConsentGone:
		return RefreshDenied
	case saysNothing(err):
		return RefreshLost
	}
	return RefreshFailed
}

// errOvertaken says that a consent ended while its tokens were replaced.
var errOvertaken = errors.New("the consent has ended")

// revokeReplaced plans the revocation of tokens that were given while the consent ended:
// the message that the end has planned has the ones before.
func (s *Service) revokeReplaced(ctx context.Context, c consent.Consent, secret consent.Secret, got institution.Tokens) error {
	if got.Access == "" {
		return nil
	}
	secret.Tokens = secret.Tokens.Replaced(got)
	m, err := s.revocation(ctx, c, revocationOf(secret))
	if err != nil {
		return err
	}
	err = s.stored(c, func() error {
		return s.Store.Write(ctx, func(tx store.Tx) error { return tx.AddOutboxMessage(ctx, *m) })
	})
	if err != nil && !errors.Is(err, store.ErrExists) { // stored by a write whose answer was lost
		return err
	}
	s.Jobs.Wake(store.Outbox)
	return nil
}

// putSecret commits a secret, and nothing else of the row.
func (s *Service) putSecret(ctx context.Context, c consent.Consent, secret consent.Secret, wake time.Time) (consent.Consent, error) {
	after, err := s.sealSecret(ctx, c, secret)
	if err != nil {
		return c, err
	}
	return s.save(ctx, c, after, wake)
}
