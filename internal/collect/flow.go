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

// Step looks at a collection and takes it as far as it goes now; it is the
// handler of the queue of collections. A change that somebody else made
// meanwhile is no error: that change has its own look coming.
func (s *Service) Step(ctx context.Context, id string) error {
	c, err := s.Store.Collection(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx = institution.WithSubject(ctx, c.Subject())
	if err := s.step(ctx, c); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

func (s *Service) step(ctx context.Context, c collection.Collection) error {
	if c.Status.Terminal() {
		_, err := s.later(ctx, c, time.Time{})
		return err
	}
	c.PolledAt = s.polls.of(c)
	ticked, err := c.Apply(collection.Ticked{}, s.Clock.Now())
	if err != nil {
		return err
	}
	if ticked.Status.Terminal() {
		return s.conclude(ctx, c, ticked, nil)
	}
	under, err := s.Store.Consent(ctx, c.ConsentID)
	if err != nil {
		return err
	}
	switch under.Status {
	case consent.Authorized:
		return s.read(ctx, c, under)
	case consent.Initiated:
		_, err := s.later(ctx, c, s.leaseCheck(c))
		return err
	case consent.AwaitingAuthorization:
		return s.waits(ctx, c)
	default:
		return s.fail(ctx, c, endedUnder(c, under))
	}
}

// endedUnder is the status of a collection whose consent has ended. A stored
// consent that ends before it is read was authorized once: signing in failed.
func endedUnder(c collection.Collection, under consent.Consent) collection.Status {
	if c.Mode == collection.Stored {
		return collection.AuthenticationError
	}
	return statusOf(under)
}

// waits shows that the person is signing in. Until the consent wakes the
// collection, only its lease is watched.
func (s *Service) waits(ctx context.Context, c collection.Collection) error {
	after, err := c.Apply(collection.Waits{In: collection.Login}, s.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.later(ctx, after, s.leaseCheck(c))
	return err
}

func (s *Service) leaseCheck(c collection.Collection) time.Time {
	if ends := c.LeaseEnds(); !ends.IsZero() {
		return ends
	}
	return s.Clock.Now().Add(jobs.Lease)
}

// read takes the collection through COLLECTING to its end, as far as the budget
// of this look goes.
func (s *Service) read(ctx context.Context, c collection.Collection, under consent.Consent) error {
	from, known := s.Institutions.Find(c.Company)
	if !known || from.Source == nil {
		s.Log.Error("no bank is set up that could be read", "company", c.Company, "collection", c.ID)
		return s.fail(ctx, c, collection.Failed)
	}
	fresh := c.Status != collection.Collecting
	if fresh {
		reads, err := c.Apply(collection.Reads{}, s.Clock.Now())
		if err != nil {
			return err
		}
		if c, err = s.later(ctx, reads, s.Clock.Now().Add(jobs.Lease)); err != nil {
			return err
		}
	}
	access, err := s.access(ctx, c, under)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return s.fail(ctx, c, collection.Failed)
	}
	if err != nil {
		return err
	}
	r := newReading(s, c, under, from.Source, from.Profile, access)
	if !fresh {
		if err := r.resume(ctx); err != nil {
			return err
		}
	}
	err = r.run(ctx)
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	var said *institution.Error
	switch {
	case err == nil:
		return s.complete(rest, r)
	case ctx.Err() != nil:
		return s.handBack(rest, r)
	case errors.Is(err, errNotPermitted):
		return s.fail(rest, r.c, collection.AuthenticationError)
	case errors.As(err, &said):
		return s.broken(rest, r.c, under, said)
	default:
		return err
	}
}

// concludeWithin is the time kept for storing what a look has brought, after its
// budget.
const concludeWithin = 4 * time.Second

// handBack stores what was read so far and makes the row due at once.
func (s *Service) handBack(ctx context.Context, r *reading) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	if _, err := s.later(ctx, r.c, s.Clock.Now()); err != nil {
		return err
	}
	s.Pump.Wake(store.Collections)
	return nil
}

// broken ends a collection whose accounts could not be read at all, and the
// consent with it where the bank said that it is over.
func (s *Service) broken(ctx context.Context, c collection.Collection, under consent.Consent, cause *institution.Error) error {
	kind := cause.Kind
	s.Log.Info("a collection failed at the bank", "company", c.Company, "collection", c.ID, "error", cause)
	if c.Mode == collection.Stored {
		if err := s.Consents.Doubt(ctx, under, kind); err != nil {
			return err
		}
	}
	return s.fail(ctx, c, failureOf(kind))
}

// failureOf maps a bank's failure to what the client is told (docs/reference/api.md 5.7).
func failureOf(kind institution.ErrorKind) collection.Status {
	switch kind {
	case institution.Unreachable, institution.Busy, institution.AccessExceeded, institution.Garbled, institution.ForeignAddress:
		return collection.ThirdPartyError
	case institution.ConsentGone, institution.ConsentOver, institution.SCARequired:
		return collection.AuthenticationError
	case institution.PersonRefused:
		return collection.CustomerEnrollmentRequired
	default:
		return collection.Failed
	}
}

func (s *Service) fail(ctx context.Context, c collection.Collection, in collection.Status) error {
	after, err := c.Apply(collection.FailedWith{In: in}, s.Clock.Now())
	if err != nil {
		return err
	}
	return s.conclude(ctx, c, after, nil)
}

// later commits c as it is, to be looked at again at wake (zero = never).
func (s *Service) later(ctx context.Context, c collection.Collection, wake time.Time) (collection.Collection, error) {
	c.WakeAt = wake
	after := c
	err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
		after, err = tx.PutCollection(ctx, c)
		return err
	})
	return after, err
}

// access is what the bank is told of the consent and the person.
func (s *Service) access(ctx context.Context, c collection.Collection, under consent.Consent) (institution.Access, error) {
	a, locale, err := s.Consents.Access(ctx, under)
	if err != nil {
		return a, err
	}
	a.PSU, err = s.psu(ctx, c, locale)
	return a, err
}
