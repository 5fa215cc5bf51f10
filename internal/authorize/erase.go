package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/store"
)

// eraseBatch is how many live consents of an erased user are read at once.
const eraseBatch = 100

// EndUser ends every live consent of a user who is anonymized, those inside
// one-time collections included, and stores the messages to the banks. The
// messages outlive the user's data key. Ends of other writers do no harm: EndUser
// goes on until nothing is live or ctx ends.
func (s *Service) EndUser(ctx context.Context, clientID, userID string) error {
	for {
		live, err := s.Store.LiveConsents(ctx, clientID, userID, eraseBatch)
		if err != nil || len(live) == 0 {
			return err
		}
		for _, c := range live {
			_, err := s.endAsPlanned(ctx, c.ID, func(c consent.Consent) (*End, error) { return s.planErasure(ctx, c) })
			if err != nil {
				return err
			}
		}
	}
}

// planErasure plans the end of a consent whose user is erased.
func (s *Service) planErasure(ctx context.Context, c consent.Consent) (*End, error) {
	if c.Status.Final() {
		return nil, store.ErrUnchanged
	}
	return s.planCertainEnd(ctx, c, consent.Revocation{Cause: consent.CauseUserErased}, openingClaimed(c))
}
