package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/watch"
)

// WatchLimits bound what following authorizations costs this node. Zero members
// take the defaults of package watch.
type WatchLimits struct {
	InFlight       int     // questions to banks under way at once
	PerInstitution int     // of one institution
	Processors     float64 // processors that the signatures of questions may use; 0 = no bound
	PerSecond      float64 // questions a second that are taken to be possible until they are measured
	MaxWaiting     int     // persons who may wait at once; 0 = as many as the bank can be asked about in time
}

func (s *Service) newScheduler() *watch.Scheduler {
	return watch.New(watch.Config{
		Clock: s.Clock, Ask: s.ask, Log: s.Log, LeaseTime: jobs.Lease, Timeout: jobs.Budget,
		Renew: func(ctx context.Context, leases []watch.Lease, until time.Time) ([]string, error) {
			return s.Store.RenewLeases(ctx, store.Consents, leases, until)
		},
		Dropped: func(id string) {
			if found, ok := s.watched.LoadAndDelete(id); ok && found.(*job).renews {
				s.Jobs.Wake(store.Consents)
			}
			s.instructions.drop(consent.ID(id)) // what this node has is no longer kept fresh
		},
		InFlight: s.Watch.InFlight, PerGroup: s.Watch.PerInstitution, Processors: s.Watch.Processors,
		PerSecond: s.Watch.PerSecond, MaxItems: s.Watch.MaxWaiting,
	})
}

// Start begins to follow authorizations.
func (s *Service) Start() { s.watching.Start() }

// Stop ends that and makes the rows due, so that another node goes on at once.
func (s *Service) Stop(ctx context.Context) error {
	s.stop()
	return s.watching.Stop(ctx)
}

// watch hands the consent to the scheduler, which keeps the row's lease and asks
// the bank at its interval until the authorization ends.
func (j *job) watch(ctx context.Context) (bool, error) {
	if j.bank.Authorizer == nil {
		return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	j.signing = j.newSigning()
	j.instructions.put(j.c, j.signing, j.secret.Instructions)
	switch {
	case j.secret.PartlySigned:
		return false, j.checkPartlySigned(ctx)
	case j.secret.Silent:
		j.watching.Remove(string(j.c.ID)) // it was admitted, and is not watched
		return false, j.reschedule(ctx, j.c.AuthorizeBy)
	}
	id := string(j.c.ID)
	j.watched.Store(id, j)
	added := j.watching.Add(j.item())
	// An earlier watch of the same row may have ended between the two calls, and its
	// end has removed this job: store it again.
	if j.watched.Store(id, j); !j.watching.Watches(id) {
		j.watched.Delete(id)
	}
	if !added {
		return false, j.reschedule(ctx, j.Clock.Now()) // this node stops: the row is due for another
	}
	return false, nil
}

// item is the consent as the scheduler watches it.
func (j *job) item() watch.Item {
	return watch.Item{ID: string(j.c.ID), Group: j.c.Company, Pace: j.pace(),
		Cost: j.bank.Profile.SignatureCost, Lease: j.c.WakeAt}
}

// pace returns how often the bank is asked now.
func (j *job) pace() watch.Pace {
	now := j.Clock.Now()
	moves, polled := j.instructions.state(j.c.ID, now)
	if !j.signing.Shown && now.Sub(j.signing.Started) < consent.StartWithin {
		moves = true // the person waits for the first code or token
	}
	return paceOf(j.bank.Profile, moves, j.signing.Progress, now.Sub(polled))
}

// ask is one question of the scheduler.
func (s *Service) ask(ctx context.Context, id string) watch.Outcome {
	found, ok := s.watched.Load(id)
	if !ok {
		return watch.Outcome{Done: true}
	}
	j := found.(*job)
	done, err := j.question(institution.WithSubject(ctx, j.c.Subject()))
	switch {
	case errors.Is(err, store.ErrConflict):
		done = !j.reread(ctx)
	case err != nil:
		done = false // the next question decides
		if ctx.Err() == nil {
			s.Log.Warn("the answer of a bank could not be used", "company", j.c.Company, "consent", id, "error", err)
		}
	}
	if done {
		return watch.Outcome{Done: true}
	}
	return watch.Outcome{Pace: j.pace()}
}

// reread reads the row after another writer was faster, with its secret, and reports whether there
// is still an authorization to follow.
func (j *job) reread(ctx context.Context) bool {
	c, err := j.Store.Consent(ctx, j.c.ID)
	if err != nil {
		return !errors.Is(err, store.ErrNotFound)
	}
	if c.Step != consent.StepWatch {
		return false
	}
	secret, err := j.openSecret(ctx, c)
	if err != nil {
		// Without the key the handler ends it. Otherwise the next question reads it again.
		return !errors.Is(err, seal.ErrKeyDestroyed)
	}
	j.c, j.secret = c, secret
	return true
}

// grant commits what the bank has granted. Only what a later collection needs is
// kept of the secret: of the person, the number, which products name
// (docs/reference/products.md 9), and the locale. A bank gets the number
// again only if its profile wants it with reads.
func (j *job) grant(ctx context.Context, info institution.ConsentInfo) error {
	ctx = context.WithoutCancel(ctx) // the person has signed: the grant is stored although the time is up
	now := j.Clock.Now()
	person, judged := j.person(ctx, j.secret)
	if stranger, err := j.isStranger(ctx, person); err != nil || stranger {
		if err == nil {
			err = j.apply(ctx, consent.FailedWith{Code: consent.AuthenticationMismatch}, now)
		}
		return err
	}
	granted := consent.Granted{Scope: info.Scope, ValidUntil: info.ValidUntil, Person: person}
	after, err := j.c.Apply(granted, now)
	if err != nil {
		return err
	}
	before := j.secret
	j.secret = consent.Secret{Context: before.Unattended(), RemoteID: before.RemoteID, Token: before.Token, Tokens: before.Tokens,
		ReadsPerDay: consent.ReadsPerDay(info.ReadsPerDay, info.OneOff)}
	j.secret.PersonalNumber, j.secret.Judged = before.PersonalNumber, judged
	if err = j.apply(ctx, granted, j.nextCheck(after, now)); err != nil {
		j.secret = before // the next question needs it
	}
	return err
}
