package collect

import "context"

// eraseBatch is how many running collections of an erased user are read at once.
const eraseBatch = 100

// EndUser stops every running collection of a user who is anonymized. Collections
// that others end at the same time do no harm: EndUser goes on until none is
// running or ctx ends.
func (s *Service) EndUser(ctx context.Context, clientID, userID string) error {
	for {
		running, err := s.Store.RunningCollections(ctx, clientID, userID, eraseBatch)
		if err != nil || len(running) == 0 {
			return err
		}
		for _, c := range running {
			if _, err := s.Stop(ctx, Owner{ClientID: clientID, UserID: userID}, c.ID); err != nil {
				return err
			}
		}
	}
}
