package collect

import (
	"context"
	"fmt"
	"time"

	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/store"
)

// View is the answer to a status poll.
type View struct {
	store.CollectionView
	// Shown is what the person is shown while a login by dialogue goes on; nil: nothing.
	Shown *dialogue.Shown
}

// Poll answers a status poll: it returns the collection, renews its lease, and returns
// the time by which the next poll is due (zero: no poll is needed). The view has a
// Consent while the person signs, and Shown while the person logs in. Faults:
// CollectionNotFound, and Unauthorized if the user was anonymized.
func (s *Service) Poll(ctx context.Context, o Owner, id string) (View, time.Time, error) {
	found, err := s.Store.CollectionStatus(ctx, id)
	view := View{CollectionView: found}
	if err != nil {
		return view, time.Time{}, notFound(err)
	}
	if !o.owns(view.Collection) {
		return view, time.Time{}, notFound(store.ErrNotFound)
	}
	if view.UserAnonymized && o.UserID != "" {
		return view, time.Time{}, fault.New(fault.Unauthorized)
	}
	if !view.Leased() {
		if view.Status.Terminal() {
			s.polls.forget(id)
		}
		return view, time.Time{}, nil
	}
	if view.Shown, err = s.shown(ctx, view.Collection); err != nil {
		return view, time.Time{}, err
	}
	now := s.Clock.Now()
	if s.polls.add(view.Collection, now) {
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.RecordPoll(ctx, id, now) })
	}
	return view, now.Add(s.Lease), err
}

// CheckLease returns an error if a polling lease cannot be set
// (docs/reference/api.md 5.1).
func CheckLease(lease time.Duration) error {
	if lease < collection.MinLease || lease > collection.MaxLease {
		return fmt.Errorf("a polling lease of %v is outside %v to %v", lease, collection.MinLease, collection.MaxLease)
	}
	return nil
}

// PollBy returns by when a new collection must be polled (zero: no poll is needed).
func (s *Service) PollBy(c collection.Collection) time.Time {
	if !c.Leased() {
		return time.Time{}
	}
	return c.PolledAt.Add(s.Lease)
}
