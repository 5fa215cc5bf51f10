package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	// concludeWithin is the time to store the result of a run after the run's own time
	// is over.
	concludeWithin = 4 * time.Second
	// checkWithin limits the check of a consent after a refusal. The check ends with
	// the run's own time at the latest, so that concludeWithin still fits in the lease.
	checkWithin = jobs.Budget / 3
)

// read runs the collection in COLLECTING to its end, or until ctx ends.
func (s *Service) read(ctx context.Context, c collection.Collection, under consent.Consent) error {
	i, known := s.Institutions.Find(c.Company)
	if !known || i.Collector == nil {
		s.Log.Error("the institution of a collection is not configured", "company", c.Company, "collection", c.ID)
		return s.fail(ctx, c, collection.Failed)
	}
	secret, err := s.secret(ctx, c)
	if err == nil && secret.Held {
		if held, err := s.hold(ctx, c, under); err != nil || held {
			return err
		}
	}
	var access institution.Access
	var person psu.Number
	if err == nil {
		access, person, err = s.access(ctx, c, secret, under, i.Profile)
	}
	var said *institution.Error
	switch {
	case errors.Is(err, seal.ErrKeyDestroyed):
		return s.fail(ctx, c, collection.Failed)
	case errors.As(err, &said) && ctx.Err() != nil && said.Kind.Transient():
		// The time of the run is over while tokens are replaced, here or elsewhere: the next
		// run has them.
		_, err = s.put(context.WithoutCancel(ctx), c, s.Clock.Now())
		return err
	case errors.As(err, &said):
		return s.failAtInstitution(ctx, c, under, said)
	case err != nil:
		return err
	}
	return s.crawl(ctx, c, secret, under, i, access, person)
}

// crawl reads what a consent, or a login, allows.
func (s *Service) crawl(ctx context.Context, c collection.Collection, secret collection.Secret, under consent.Consent,
	i institution.Institution, access institution.Access, person psu.Number) error {
	started := c.Status == collection.Collecting
	if !started {
		// The run stores the status with its first answers, or after saveInterval. Most
		// runs end before and need no write of their own for it.
		var err error
		if c, err = c.Apply(collection.Reads{}, s.Clock.Now()); err != nil {
			return err
		}
	}
	room := s.memory.open(c.Company)
	defer room.close()
	j := newJournal(s, c, secret, i.Collector.Mapping())
	if started {
		err := j.load(ctx, room)
		if errors.Is(err, errNotRead) {
			_, err = s.put(context.WithoutCancel(ctx), c, s.Clock.Now()) // another run may have room
		}
		if err != nil {
			return err
		}
	}
	if j.lineage = under.LineageID(); !c.Attended && under.ID != "" {
		rule, err := s.Rule(ctx, under)
		if err == nil {
			j.counted, err = s.counters(ctx, j, access, rule)
		}
		if err != nil {
			return err
		}
	}
	crawl := newCrawl(s, room, j, under, i, access, person)
	return s.finish(ctx, crawl, under, crawl.run(ctx))
}

// finish stores the result of a run; err is the error of the run.
func (s *Service) finish(ctx context.Context, crawl *crawl, under consent.Consent, err error) error {
	var said *institution.Error
	if errors.As(err, &said) {
		if said.Kind == institution.TurnNeeded && crawl.journal.c.Mode == collection.Dialogue {
			return s.resumeLogin(ctx, crawl)
		}
		return s.failAtInstitution(ctx, crawl.journal.c, under, said)
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	switch {
	case err == nil: // the work before the result is stored has no limit: it is bounded by the answers
		if crawl.journal.c.Mode == collection.Stored {
			s.Consents.WasRead(under)
		}
		return s.complete(context.WithoutCancel(ctx), crawl)
	case errors.Is(err, errConsentEnded):
		if moved, err := s.continueRenewed(rest, crawl.journal.c); err != nil || moved {
			return err
		}
		return s.fail(rest, crawl.journal.c, collection.AuthenticationError)
	case ctx.Err() != nil:
		return s.pause(rest, crawl)
	case errors.Is(err, store.ErrConflict), errors.Is(err, seal.ErrKeyDestroyed):
		return err
	default:
		// The store failed. Save the answers if it is back: they may have been counted.
		return errors.Join(err, crawl.journal.save(rest, s.Clock.Now().Add(jobs.Lease)))
	}
}

// pause stores the answers so far and makes the collection due: now, or when the only
// questions that are left may be asked again.
func (s *Service) pause(ctx context.Context, crawl *crawl) error {
	now := s.Clock.Now()
	wake := now
	if retryAt := crawl.journal.retryAt; crawl.empty() && retryAt.After(now) {
		wake = minTime(retryAt, now.Add(jobs.Lease))
	}
	if err := crawl.journal.save(ctx, wake); err != nil {
		return err
	}
	s.Jobs.Wake(queueOf(crawl.journal.c))
	return nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// failAtInstitution ends a collection that failed at the institution. If the error
// says that the stored consent has ended, the consent is checked too.
func (s *Service) failAtInstitution(ctx context.Context, c collection.Collection, under consent.Consent, cause *institution.Error) error {
	s.Log.Info("a collection failed at the institution", "company", c.Company, "collection", c.ID, "error", cause)
	follow := func(context.Context) error { return nil }
	if c.Mode == collection.Stored {
		refusal := refusalOf(cause)
		if kept, err := s.keepForRenewal(ctx, c, under, refusal); err != nil || kept {
			return err
		}
		check, cancel := context.WithTimeout(ctx, checkWithin)
		defer cancel()
		var err error
		if follow, err = s.Consents.CheckAfterRefusal(check, under, refusal); err != nil {
			return err
		}
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	if err := follow(rest); err != nil {
		return err
	}
	return s.fail(rest, c, statusOfError(cause.Kind))
}

// access returns the consent and the PSU context for the exchanges, with an address
// only if the person is present, and with the personal number only if the institution
// wants it with reads. person is the number, if it is known.
func (s *Service) access(ctx context.Context, c collection.Collection, secret collection.Secret, under consent.Consent, p institution.Profile) (a institution.Access, person psu.Number, err error) {
	a, kept, err := s.Consents.Access(ctx, under, "")
	if err != nil {
		return a, "", err
	}
	if c.Attended {
		a.PSU = secret.Context
	}
	a.PSU.Locale = kept.Locale
	if p.ReadsWithNumber {
		a.PSU.PersonalNumber = kept.PersonalNumber
	}
	return a, kept.PersonalNumber, nil
}
