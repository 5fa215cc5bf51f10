package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/seal"
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

// planErasure plans the end of a consent whose user is erased. A secret that does
// not open was tampered with and never will: the consent ends without a message to
// the bank, because waiting would keep the rest of the user's data.
func (s *Service) planErasure(ctx context.Context, c consent.Consent) (*End, error) {
	if c.Status.Final() {
		return nil, store.ErrUnchanged
	}
	erased := consent.Revocation{Cause: consent.CauseUserErased}
	end, err := s.PlanEnd(ctx, c, erased)
	if errors.Is(err, seal.ErrDecryption) {
		s.Log.Error("the bank cannot be told that a consent was revoked: its secret does not open", "company", c.Company, "consent", c.ID)
		return s.planSilentEnd(c, erased)
	}
	return end, err
}
