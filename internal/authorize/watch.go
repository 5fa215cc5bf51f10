package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
	"samla/internal/watch"
)

// WatchLimits bound what following authorizations costs this node. Zero members
// are the defaults of package watch.
type WatchLimits struct {
	InFlight            int     // questions to banks under way at once
	PerInstitution      int     // of one institution
	SignaturesPerSecond float64 // for banks whose requests we sign; 0 = no bound
}

func (s *Service) newScheduler() *watch.Scheduler {
	return watch.New(watch.Config{
		Clock: s.Clock, Ask: s.ask, Log: s.Log, LeaseTime: jobs.Lease, Timeout: jobs.Budget,
		Renew: func(ctx context.Context, leases []watch.Lease, until time.Time) ([]string, error) {
			return s.Store.RenewLeases(ctx, store.Consents, leases, until)
		},
		Dropped: func(id string) {
			s.watched.Delete(id)
			s.instructions.drop(consent.ID(id)) // what this node has is no longer kept fresh
		},
		InFlight: s.Watch.InFlight, PerGroup: s.Watch.PerInstitution, SignaturesPerSecond: s.Watch.SignaturesPerSecond,
	})
}

// Start begins to follow authorizations.
func (s *Service) Start() { s.watching.Start() }

// Stop ends that and hands the rows back, so that another node goes on at once.
func (s *Service) Stop(ctx context.Context) error { return s.watching.Stop(ctx) }

// watch hands the consent to the scheduler, which keeps the row's lease and asks
// the bank at its interval until the authorization ends.
func (v *visit) watch(ctx context.Context) (bool, error) {
	if v.bank.Authorizer == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	v.instructions.put(v.c, v.secret.Instructions)
	id := string(v.c.ID)
	v.watched.Store(id, v)
	if !v.watching.Add(watch.Item{ID: id, Group: v.c.Company, Interval: v.bank.Profile.PollInterval,
		Signed: v.bank.Profile.Signed, Lease: v.c.WakeAt}) {
		v.watched.Delete(id)
		return false, v.later(ctx, v.Clock.Now()) // this node stops: the row is due for another
	}
	return false, nil
}

// ask is one question of the scheduler.
func (s *Service) ask(ctx context.Context, id string) watch.Outcome {
	found, ok := s.watched.Load(id)
	if !ok {
		return watch.Outcome{Done: true}
	}
	v := found.(*visit)
	done, err := v.question(institution.WithSubject(ctx, v.c.Subject()))
	switch {
	case errors.Is(err, store.ErrConflict):
		done = !v.reread(ctx)
	case err != nil && ctx.Err() == nil:
		s.Log.Warn("the answer of a bank could not be used", "company", v.c.Company, "consent", id, "error", err)
		done = false
	}
	return watch.Outcome{Done: done}
}

// reread reads the row after another writer was faster and reports whether there
// is still an authorization to follow.
func (v *visit) reread(ctx context.Context) bool {
	c, err := v.Store.Consent(ctx, v.c.ID)
	if err != nil {
		return !errors.Is(err, store.ErrNotFound)
	}
	v.c = c
	return c.Step == consent.StepWatch
}

// question asks the bank once how the authorization stands and commits what
// follows. done reports that it has ended.
func (v *visit) question(ctx context.Context) (done bool, err error) {
	now := v.Clock.Now()
	if !now.Before(v.c.AuthorizeBy) {
		return true, v.apply(ctx, consent.Ticked{}, now)
	}
	a, err := v.bank.Authorizer.AuthorizationStatus(ctx, v.access(), v.secret.AuthorizationID, v.secret.StatusLink, otherDevice(v.c))
	switch {
	case err != nil && institution.KindOf(err).Transient():
		return false, nil // the bank may answer the next time; AuthorizeBy bounds the tries
	case err != nil:
		v.Log.Info("a bank ended an authorization", "company", v.c.Company, "consent", v.c.ID, "error", err)
		return true, v.apply(ctx, consent.FailedWith{Code: failureOf(institution.KindOf(err))}, now)
	case a.State == institution.AuthorizationFailed:
		return true, v.apply(ctx, consent.FailedWith{Code: a.Failure}, now)
	case a.State == institution.AuthorizationDone:
		return v.decide(ctx)
	}
	v.instructions.put(v.c, a.Instructions)
	return false, nil
}

// decide reads the consent back after the person has signed: that alone is not
// enough, the bank's own status decides (docs/reference/banks.md 4).
func (v *visit) decide(ctx context.Context) (decided bool, err error) {
	if v.bank.ConsentReader == nil {
		return true, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	info, err := v.bank.ConsentReader.Consent(ctx, v.access())
	if err != nil {
		if institution.KindOf(err).Transient() {
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

// grant commits what the person and the bank have agreed to. Only what a later
// collection needs is kept of the secret: the personal number is not, because banks
// read it only while a consent is opened and authorized.
func (v *visit) grant(ctx context.Context, info institution.ConsentInfo) error {
	now := v.Clock.Now()
	granted := consent.Granted{Scope: info.Scope, ValidUntil: info.ValidUntil}
	after, err := v.c.Apply(granted, now)
	if err != nil {
		return err
	}
	before := v.secret
	v.secret = consent.Secret{Context: before.Unattended(), RemoteID: before.RemoteID, Token: before.Token}
	if err = v.apply(ctx, granted, nextLook(after, now)); err != nil {
		v.secret = before // the next question needs it
	}
	return err
}
