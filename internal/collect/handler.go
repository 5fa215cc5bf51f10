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

// Handle is the job handler of collections: it advances one collection as far as it
// can now. It is not an error when another writer changed the collection meanwhile.
func (s *Service) Handle(ctx context.Context, id string) error {
	c, fresh := s.started.take(id)
	if !fresh {
		var err error
		c, err = s.Store.Collection(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	ctx = institution.WithSubject(ctx, c.Subject())
	err := s.advance(ctx, c)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) { // it was ended or erased meanwhile
		return nil
	}
	if err != nil && !s.Clock.Now().Before(s.latestEnd(c)) {
		return s.giveUpLate(ctx, id, err)
	}
	return err
}

// giveUpLate fails a collection whose handler still fails when it must have ended: what
// fails is not the institution, and its client must not poll for longer. It returns cause
// unless it has stored the failure.
func (s *Service) giveUpLate(ctx context.Context, id string, cause error) error {
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	if err := s.GiveUp(rest, id); err != nil {
		return errors.Join(cause, err)
	}
	s.Log.Error("a collection was given up at its deadline", "collection", id, "error", cause)
	return nil
}

func (s *Service) advance(ctx context.Context, c collection.Collection) error {
	if c.Status.Terminal() {
		_, err := s.put(ctx, c, time.Time{})
		return err
	}
	if c.Waiting() { // package refresh begins it
		return nil
	}
	c.PolledAt = s.polls.last(c)
	tick := collection.Ticked{Lease: s.Lease}
	ticked, err := c.Apply(tick, s.Clock.Now())
	if err != nil {
		return err
	}
	if ticked.Status.Terminal() {
		return s.conclude(ctx, c, tick, nil)
	}
	view, err := s.Store.ConsentStatus(ctx, c.ConsentID)
	if err != nil {
		return err
	}
	under := view.Consent
	switch under.Status {
	case consent.Authorized:
		return s.read(ctx, c, under)
	case consent.Initiated:
		return s.wait(ctx, c, under)
	case consent.AwaitingAuthorization:
		after, err := c.Apply(collection.Waits{In: collection.Login}, s.Clock.Now()) // the person is signing
		if err != nil {
			return err
		}
		return s.wait(ctx, after, under)
	default:
		if moved, err := s.continueRenewed(ctx, c); err != nil || moved {
			return err
		}
		return s.fail(ctx, c, statusOfEnded(c, under))
	}
}

// wait stores c. Nothing is due before the lease ends: changes of the consent wake the
// collection. A change that was committed after under was read has woken it already,
// without a change of the row version, and is not overwritten. Errors:
// store.ErrConflict for such a change.
func (s *Service) wait(ctx context.Context, c collection.Collection, under consent.Consent) error {
	c.WakeAt = s.leaseCheck(c)
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutCollection(ctx, c); err != nil { // locks the row: a later change waits, and wakes it again
			return err
		}
		now, err := tx.Consent(ctx, under.ID)
		if err == nil && now.Status != under.Status {
			return store.ErrConflict
		}
		return err
	})
}

// leaseCheck returns when the collection is due if nothing wakes it.
func (s *Service) leaseCheck(c collection.Collection) time.Time {
	if ends := c.LeaseEnds(s.Lease); !ends.IsZero() {
		return ends
	}
	return s.Clock.Now().Add(jobs.Lease)
}

// fail ends a collection without data.
func (s *Service) fail(ctx context.Context, c collection.Collection, in collection.Status) error {
	return s.conclude(ctx, c, collection.FailedWith{In: in}, nil)
}

// GiveUp is the last resort of the queue: it fails a collection whose handler has
// failed too often, so that its data does not stay. One whose failure cannot be stored
// now stays in its queue: its client would poll for ever. One that another writer changes
// meanwhile gets new attempts, unless somebody has dropped it: then it fails all the same.
func (s *Service) GiveUp(ctx context.Context, id string) error {
	var err error
	for range giveUpTries {
		var c collection.Collection
		c, err = s.Store.Collection(ctx, id)
		if err == nil && !c.Status.Terminal() {
			err = s.fail(ctx, c, collection.Failed)
		}
		overtaken := errors.Is(err, store.ErrConflict)
		switch {
		case err == nil, errors.Is(err, store.ErrNotFound), overtaken && !jobs.Dropped(ctx):
			return nil
		case !overtaken:
			return errors.Join(jobs.ErrKeepTrying, err)
		}
	}
	return errors.Join(jobs.ErrKeepTrying, err)
}

// giveUpTries is how often a dropped collection is read again that another writer changes
// meanwhile.
const giveUpTries = 5

// put stores c, due again at wake (zero: never).
func (s *Service) put(ctx context.Context, c collection.Collection, wake time.Time) (collection.Collection, error) {
	c.WakeAt = wake
	after := c
	err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
		after, err = putDue(ctx, tx, c)
		return err
	})
	return after, err
}

// putDue stores c, due at c.WakeAt. The job of a login by dialogue has a row of its own.
func putDue(ctx context.Context, tx store.Tx, c collection.Collection) (collection.Collection, error) {
	if c.Mode != collection.Dialogue {
		return tx.PutCollection(ctx, c)
	}
	due := c.WakeAt
	c.WakeAt = time.Time{}
	after, err := tx.PutCollection(ctx, c)
	if err != nil {
		return after, err
	}
	return after, tx.SetDialogueDue(ctx, c.ID, due)
}

// queueOf returns the queue that has the job of a collection.
func queueOf(c collection.Collection) store.Queue {
	if c.Mode == collection.Dialogue {
		return store.Dialogues
	}
	return store.Collections
}
