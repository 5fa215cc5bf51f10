package authorize

import (
	"context"
	"errors"
	"net/url"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

// brought commits what an authorization ended with, to be exchanged.
func (j *job) brought(ctx context.Context, what url.Values) error {
	before := j.secret
	j.secret.Exchange = j.newExchange("", what)
	if err := j.apply(ctx, consent.Brought{}, j.Clock.Now()); err != nil {
		j.secret = before
		return err
	}
	j.Jobs.Wake(store.Consents)
	return nil
}

// newExchange returns the exchange of what was brought, which begins now.
func (s *Service) newExchange(by consent.Carrier, what url.Values) *consent.Exchange {
	return &consent.Exchange{Brought: what.Encode(), By: by, ID: s.IDs.New(), Since: s.Clock.Now()}
}

// complete exchanges what the person came back with, one exchange after the other. Each
// attempt is committed before it is made, and its outcome before anything follows of it.
func (j *job) complete(ctx context.Context) (more bool, err error) {
	for {
		e := j.secret.Exchange
		if j.bank.Completer == nil || e == nil {
			return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
		}
		what, err := url.ParseQuery(e.Brought)
		if err != nil || e.Tries >= consent.MostExchangeTries {
			return false, j.apply(ctx, consent.FailedWith{Code: consent.AuthenticationFailed}, j.Clock.Now())
		}
		e.Tries++
		if err := j.storeSecret(ctx); err != nil {
			return false, err
		}
		done, err := j.bank.Completer.Complete(ctx, institution.Completion{RequestID: e.ID, ConsentID: j.secret.RemoteID,
			AuthorizationID: j.secret.AuthorizationID, Link: j.secret.StatusLink, Token: j.secret.Tokens.Access, Refresh: j.secret.Tokens.Refresh,
			PSU: j.secret.Context, Way: j.wayTo(j.c.Company, j.secret.Way), Brought: what, By: e.By})
		ctx := context.WithoutCancel(ctx) // the outcome is stored although the time is up
		if err != nil {
			return false, j.exchangeFailed(ctx, err)
		}
		j.Observer.Exchanged(j.c.Company, j.exchangeOutcome(done))
		if more, err = j.completedOnce(ctx, e.ID, done); err != nil || j.c.Step != consent.StepComplete {
			return more, err
		}
	}
}

// completed stores the result of an exchange. Tokens are stored before anything is judged:
// if another writer has ended the consent, they are revoked.
func (j *job) completed(ctx context.Context, exchange string, done institution.Completed) (more bool, err error) {
	if done.Tokens != nil {
		j.secret.Tokens = *done.Tokens
	}
	if done.Remote != "" {
		j.secret.RemoteID = done.Remote
	}
	j.secret.Exchange = nil
	if done.Signer != "" {
		j.secret.Signer = done.Signer
	}
	failure := done.Failure
	if !j.isSigner(done) {
		done.State, failure = institution.AuthorizationFailed, consent.AuthenticationMismatch
	}
	switch {
	case done.State == institution.AuthorizationFailed:
		if done.Tokens != nil || done.Remote != "" {
			err = j.storeSecret(ctx)
		}
		if err == nil {
			return false, j.apply(ctx, consent.FailedWith{Code: failure}, j.Clock.Now())
		}
	case done.State == institution.AuthorizationPending && done.Next != nil:
		j.secret.Exchange = j.newExchange("", done.Next)
		err = j.storeSecret(ctx)
	case j.loginEnds():
		err = j.loggedIn(ctx)
	default:
		j.secret.AuthorizationID, j.secret.StatusLink, j.secret.Silent = "", "", false // the consent itself says what follows
		err = j.apply(ctx, consent.Exchanged{}, j.leaseEnd())
	}
	if errors.Is(err, store.ErrConflict) && j.adopts(ctx, exchange) {
		return j.completed(ctx, exchange, done)
	}
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) {
		return false, errors.Join(err, j.revokeLate(ctx))
	}
	return err == nil, err
}

// isSigner reports whether the person who has signed is the one that the consent was asked
// for, as far as the institution says who it was.
func (j *job) isSigner(done institution.Completed) bool {
	return done.Signer == "" || j.secret.PersonalNumber == "" || done.Signer == j.secret.PersonalNumber
}

// exchangeOutcome names what came of an exchange that was answered.
func (j *job) exchangeOutcome(done institution.Completed) ExchangeOutcome {
	switch {
	case !j.isSigner(done):
		return ExchangeMismatch
	case done.State == institution.AuthorizationFailed:
		return ExchangeRefused
	case done.State == institution.AuthorizationPending && done.Next != nil:
		return ExchangeNext
	case done.State == institution.AuthorizationPending:
		return ExchangePending
	}
	return ExchangeDone
}

// exchangeFailed decides what follows an exchange that failed: the same one once more, if
// its answer may have been lost, or the end.
func (j *job) exchangeFailed(ctx context.Context, cause error) error {
	now, e := j.Clock.Now(), j.secret.Exchange
	j.Log.Info("an exchange with a bank failed", "company", j.c.Company, "consent", j.c.ID, "error", cause)
	again := saysNothing(cause) || notHandled(cause)
	if notSent(cause) || notHandled(cause) {
		e.Tries--
	}
	if wait, inTime := j.nextAttemptSince(e.Since, cause, now); again && inTime && e.Tries < consent.MostExchangeTries {
		j.Observer.Exchanged(j.c.Company, ExchangeRepeated)
		return j.storeSecretUntil(ctx, now.Add(wait))
	}
	j.Observer.Exchanged(j.c.Company, ExchangeFailed)
	code := failureOf(institution.KindOf(cause))
	if e.Tries >= consent.MostExchangeTries {
		code = consent.AuthenticationFailed
	}
	return j.apply(ctx, consent.FailedWith{Code: code}, now)
}

// storeSecret commits the secret. The row is due again if this handler dies.
func (j *job) storeSecret(ctx context.Context) error { return j.storeSecretUntil(ctx, j.leaseEnd()) }

func (j *job) storeSecretUntil(ctx context.Context, wake time.Time) error {
	c, err := j.sealSecret(ctx, j.c, j.secret)
	if err == nil {
		j.c, err = j.save(ctx, j.c, c, wake)
	}
	return err
}
