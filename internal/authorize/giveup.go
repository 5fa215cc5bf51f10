package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/jobs"
	"samla/internal/store"
)

// giveUp is the last resort of the queue. A consent that waits for the person fails,
// so that its client stops polling. An authorized one stays in its queue, because
// time must still end it.
func (s *Service) giveUp(ctx context.Context, id string) error {
	c, err := s.Store.Consent(ctx, consent.ID(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case !c.Status.Pending():
		return jobs.ErrKeepTrying
	}
	_, err = s.End(ctx, c.ID, consent.FailedWith{Code: consent.InternalError})
	return err
}
