package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/jobs"
	"samla/internal/store"
)

// giveUp is the last resort of the queue. A consent that waits for the person fails,
// so that its client stops polling. Any other consent stays in its queue, because
// time must still end it; so does one whose failure cannot be stored now.
func (s *Service) giveUp(ctx context.Context, id string) error {
	given := false
	_, err := s.endAsPlanned(ctx, consent.ID(id), func(c consent.Consent) (*End, error) {
		if given = c.Status.Pending(); !given {
			return nil, store.ErrUnchanged
		}
		return s.planCertainEnd(ctx, c, consent.FailedWith{Code: consent.InternalError}, openingClaimed(c))
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return errors.Join(jobs.ErrKeepTrying, err)
	case !given:
		return jobs.ErrKeepTrying
	}
	return nil
}
