package webhooks

import (
	"context"
	"errors"
	"time"

	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/webhook"
)

// rangeOf returns the positions around the events that were recorded from from (included) to
// to (excluded), both exclusive.
func (s *Service) rangeOf(ctx context.Context, clientID, id string, from, to time.Time) (after, before int64, err error) {
	switch {
	case !to.After(from):
		return 0, 0, fault.Param("/to", fault.Invalid, "must be after from")
	case to.Sub(from) > webhook.LongestReplay:
		return 0, 0, fault.Param("/to", fault.Invalid, "must be at most 30 days after from")
	}
	_, err = s.own(ctx, clientID, id)
	return from.UnixMicro() - 1, to.UnixMicro(), err
}

// CountRange returns how many events ReplayRange would deliver now. Faults as ReplayRange.
func (s *Service) CountRange(ctx context.Context, clientID, id string, from, to time.Time) (n int, err error) {
	after, before, err := s.rangeOf(ctx, clientID, id, from, to)
	if err == nil {
		n, err = s.Store.CountReplay(ctx, id, after, before)
	}
	return n, faultOf("count events", err)
}

// ReplayRange delivers the events again that were recorded from from (included) to to
// (excluded) and whose types the endpoint gets. Faults: WebhookEndpointNotFound,
// InvalidParameter at /to, WebhookReplayRunning.
func (s *Service) ReplayRange(ctx context.Context, clientID, id string, from, to time.Time) (webhook.Replay, error) {
	return s.replayRange(ctx, clientID, id, nil, from, to)
}

// ErrReplayed means that an endpoint has had another replay of a range meanwhile.
var ErrReplayed = errors.New("webhooks: another replay has begun meanwhile")

// ReplayRangeOnce is ReplayRange if the last replay of the endpoint has the id last still
// ("" = there was none): so a form that is sent twice sends the events once. Errors:
// ErrReplayed, and as ReplayRange.
func (s *Service) ReplayRangeOnce(ctx context.Context, clientID, id, last string, from, to time.Time) (webhook.Replay, error) {
	return s.replayRange(ctx, clientID, id, &last, from, to)
}

func (s *Service) replayRange(ctx context.Context, clientID, id string, last *string, from, to time.Time) (webhook.Replay, error) {
	after, before, err := s.rangeOf(ctx, clientID, id, from, to)
	if err != nil {
		return webhook.Replay{}, faultOf("replay events", err)
	}
	r := webhook.Replay{ID: s.IDs.New(), EndpointID: id, After: after, Before: before, StartedAt: s.Clock.Now()}
	err = s.Store.Write(ctx, func(tx store.Tx) (err error) {
		r, err = tx.AddWebhookReplay(ctx, r, last)
		return err
	})
	switch {
	case errors.Is(err, store.ErrExists):
		return r, fault.New(fault.WebhookReplayRunning)
	case errors.Is(err, store.ErrConflict):
		return r, ErrReplayed
	}
	if err == nil {
		s.Woken(id)
	}
	return r, faultOf("replay events", err)
}

// Replay returns the last replay of a range, and how many of its deliveries are not made
// yet. Faults: WebhookEndpointNotFound, NotFound if there was none.
func (s *Service) Replay(ctx context.Context, clientID, id string) (r webhook.Replay, remaining int, err error) {
	if _, err := s.own(ctx, clientID, id); err != nil {
		return r, 0, faultOf("read a replay", err)
	}
	r, err = s.Store.WebhookReplay(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return r, 0, fault.New(fault.WebhookReplayNotFound)
	}
	if err == nil && r.Running() {
		remaining, err = s.Store.PendingDeliveries(ctx, id, webhook.Replayed)
		remaining += r.Total - r.Queued
	}
	return r, remaining, faultOf("read a replay", err)
}
