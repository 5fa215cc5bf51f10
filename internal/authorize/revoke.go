package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/store"
)

// Revoke revokes a consent of the user at once; the bank is told with retries
// (docs/reference/api.md 4.5). A consent that is revoked already is returned as it
// is. Faults: ConsentNotFound, ConsentNotRevocable.
func (s *Service) Revoke(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, error) {
	after, err := s.endBy(ctx, id, func(c consent.Consent) (consent.Event, error) {
		switch {
		case c.ClientID != clientID, c.UserID != userID, c.CollectionID != "":
			return nil, store.ErrNotFound
		case c.Status == consent.Revoked:
			return nil, store.ErrUnchanged
		}
		return consent.Revocation{Cause: consent.CauseUser}, nil
	})
	var illegal *consent.IllegalError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return after, fault.New(fault.ConsentNotFound)
	case errors.As(err, &illegal):
		return after, fault.New(fault.ConsentNotRevocable)
	}
	return after, err
}
