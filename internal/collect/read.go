package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
)

// concludeWithin is the time kept for storing what a run has brought, after the
// run's own time is over.
const concludeWithin = 4 * time.Second

// read takes the collection through COLLECTING to its end, or as far as the time
// of ctx allows.
func (s *Service) read(ctx context.Context, c collection.Collection, under consent.Consent) error {
	i, known := s.Institutions.Find(c.Company)
	if !known || i.Collector == nil {
		s.Log.Error("no institution is set up to collect from", "company", c.Company, "collection", c.ID)
		return s.fail(ctx, c, collection.Failed)
	}
	started := c.Status == collection.Collecting
	if !started {
		reads, err := c.Apply(collection.Reads{}, s.Clock.Now())
		if err != nil {
			return err
		}
		if c, err = s.put(ctx, reads, s.Clock.Now().Add(jobs.Lease)); err != nil {
			return err
		}
	}
	secret, err := s.secret(ctx, c)
	var access institution.Access
	if err == nil {
		access, err = s.access(ctx, c, secret, under)
	}
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return s.fail(ctx, c, collection.Failed)
	}
	if err != nil {
		return err
	}
	j := newJournal(s, c, secret, i.Collector.Mapping())
	if started {
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	crawl := newCrawl(s, j, under, i, access)
	return s.end(ctx, crawl, under, crawl.run(ctx))
}

// end stores what a run has come to.
func (s *Service) end(ctx context.Context, crawl *crawl, under consent.Consent, err error) error {
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	var said *institution.Error
	switch {
	case err == nil:
		return s.complete(rest, crawl)
	case errors.Is(err, errNotPermitted):
		return s.fail(rest, crawl.journal.c, collection.AuthenticationError)
	case errors.As(err, &said):
		return s.failedThere(rest, crawl.journal.c, under, said)
	case ctx.Err() != nil:
		return s.pause(rest, crawl.journal)
	case errors.Is(err, store.ErrConflict), errors.Is(err, seal.ErrKeyDestroyed):
		return err
	default:
		// The store failed. What the institution has answered is worth another try.
		return errors.Join(err, crawl.journal.save(rest, s.Clock.Now().Add(jobs.Lease)))
	}
}

// pause stores what was read so far and makes the collection due at once.
func (s *Service) pause(ctx context.Context, j *journal) error {
	if err := j.save(ctx, s.Clock.Now()); err != nil {
		return err
	}
	s.Pump.Wake(store.Collections)
	return nil
}

// failedThere ends a collection that failed at the institution, and the consent
// with it where the institution said that it is over.
func (s *Service) failedThere(ctx context.Context, c collection.Collection, under consent.Consent, cause *institution.Error) error {
	s.Log.Info("a collection failed at the bank", "company", c.Company, "collection", c.ID, "error", cause)
	if c.Mode == collection.Stored {
		if err := s.Consents.CheckAfterRefusal(ctx, under, cause.Kind); err != nil {
			return err
		}
	}
	return s.fail(ctx, c, statusAfter(cause.Kind))
}

// access is what the institution is told of the consent and the person: an
// address only while the person is there.
func (s *Service) access(ctx context.Context, c collection.Collection, secret collection.Secret, under consent.Consent) (institution.Access, error) {
	a, locale, err := s.Consents.Access(ctx, under)
	if err != nil {
		return a, err
	}
	if c.Attended {
		a.PSU = secret.Context
	}
	a.PSU.Locale = locale
	return a, nil
}
