package authorize

import (
	"context"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// A watch hands its row back well before its budget ends, and has some seconds
// left to say so.
const (
	watchFor       = jobs.Budget - 5*time.Second
	handBackWithin = 2 * time.Second
)

// watch follows the authorisation. It asks the bank at its interval as long as
// its budget lasts and then hands the row back, to be claimed again at once.
func (v *visit) watch(ctx context.Context) (bool, error) {
	if v.bank.Authorizer == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	v.live.watch(v.c, v.secret.Instructions)
	started, interval := v.Clock.Now(), v.bank.Profile.PollInterval
	for asked := started; ; {
		// From question to question, so that a text that is new each second is
		// shown each second; a slow bank still gets a pause.
		pause := max(interval-v.Clock.Now().Sub(asked), interval/4)
		if err := clock.Sleep(ctx, v.Clock, pause); err != nil {
			return false, v.handBack(ctx)
		}
		now := v.Clock.Now()
		asked = now
		if !now.Before(v.c.AuthorizeBy) {
			return false, v.apply(ctx, consent.Ticked{}, now)
		}
		a, err := v.bank.Authorizer.AuthorizationStatus(ctx, v.access(), v.secret.AuthorizationID, v.secret.StatusLink, otherDevice(v.c))
		switch {
		case err != nil && institution.KindOf(err).Passing():
			// the bank may answer the next time; AuthorizeBy bounds the tries
		case err != nil:
			v.Log.Info("a bank ended an authorisation", "company", v.c.Company, "consent", v.c.ID, "error", err)
			return false, v.apply(ctx, consent.FailedWith{Code: failureOf(institution.KindOf(err))}, now)
		case a.State == institution.AuthorizationFailed:
			return false, v.apply(ctx, consent.FailedWith{Code: a.Failure}, now)
		case a.State == institution.AuthorizationDone:
			if decided, err := v.decide(ctx); decided || err != nil {
				return false, err
			}
		default:
			v.live.watch(v.c, a.Instructions)
		}
		if v.live.ended(v.c.ID) {
			return false, nil
		}
		if v.Clock.Now().Sub(started) > watchFor {
			return false, v.handBack(ctx)
		}
	}
}

// decide reads the consent back after the person has signed: that alone is not
// enough, the bank's own status decides (docs/reference/banks.md 4).
func (v *visit) decide(ctx context.Context) (decided bool, err error) {
	if v.bank.ConsentReader == nil {
		return true, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	info, err := v.bank.ConsentReader.Consent(ctx, v.access())
	if err != nil {
		if institution.KindOf(err).Passing() {
			return false, nil
		}
		failed := consent.FailedWith{Code: failureOf(institution.KindOf(err)), Cause: saidBy(err)}
		return true, v.apply(ctx, failed, v.Clock.Now())
	}
	switch info.State {
	case institution.ConsentValid:
		return true, v.grant(ctx, info)
	case institution.ConsentPending:
		return false, nil
	default:
		return true, v.apply(ctx, consent.FailedWith{Code: consent.Rejected, Cause: causeOf(info.State)}, v.Clock.Now())
	}
}

// grant commits what the person and the bank have agreed to. What was only
// needed for signing is forgotten now.
func (v *visit) grant(ctx context.Context, info institution.ConsentInfo) error {
	v.secret.Instructions, v.secret.StatusLink, v.secret.AuthorizationID = nil, "", ""
	v.secret.IPAddress, v.secret.UserAgent = "", ""
	now := v.Clock.Now()
	granted := consent.Granted{Scope: info.Scope, ValidUntil: info.ValidUntil}
	after, err := v.c.Apply(granted, now)
	if err != nil {
		return err
	}
	return v.apply(ctx, granted, nextLook(after, now))
}

// handBack makes the row due at once for whoever claims it next. It outlives the
// budget that made it necessary.
func (v *visit) handBack(ctx context.Context) error {
	wrap, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackWithin)
	defer cancel()
	if err := v.later(wrap, v.Clock.Now()); err != nil {
		return err
	}
	v.Pump.Wake(store.Consents)
	return nil
}
