package collect

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/store"
)

// Poll answers a status poll: it returns the collection, renews its lease, and returns
// the time by which the next poll is due (zero: no poll is needed). The view has a
// Consent while the person signs. Faults: CollectionNotFound, and Unauthorized if the
// user was anonymized.
func (s *Service) Poll(ctx context.Context, o Owner, id string) (store.CollectionView, time.Time, error) {
	view, err := s.Store.CollectionStatus(ctx, id)
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
	now := s.Clock.Now()
	if s.polls.add(view.Collection, now) {
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.RecordPoll(ctx, id, now) })
	}
	return view, now.Add(collection.Lease), err
}
