package authorize

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/store"
)

// Revoke withdraws what the user has permitted, at once; the bank is told with retries
// (docs/reference/api.md 4.5). id can be that of any consent of a lineage that was ever
// authorized: it ends the living one, and a renewal of it that waits for the user, because
// a user who revokes by an id that a client has kept must not be read any longer. A
// consent that was never authorized stands for itself.
//
// It returns the consent that was ended, or one that had been revoked before as it is.
// Faults: ConsentNotFound, ConsentNotRevocable.
func (s *Service) Revoke(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, error) {
	named, err := s.Store.Consent(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (named.ClientID != clientID || named.UserID != userID || named.CollectionID != ""):
		return named, fault.New(fault.ConsentNotFound)
	case err != nil:
		return named, err
	}
	ended, err := s.withdraw(ctx, named)
	if err != nil || ended.ID != "" {
		return ended, err
	}
	if named, err = s.Store.Consent(ctx, id); err != nil {
		return named, err
	}
	if named.WasAuthorized() && named.Status != consent.Revoked {
		if named, err = Living(ctx, s.Store, named); err != nil {
			return named, err
		}
	}
	if named.Status != consent.Revoked {
		return named, fault.New(fault.ConsentNotRevocable)
	}
	return named, nil
}

// withdraw ends what a revocation of a consent ends, and returns the one of them that
// worked, or else the last; none has no id. A renewal that waits ends before the living
// consent, so that it cannot be granted in between and take its place.
func (s *Service) withdraw(ctx context.Context, named consent.Consent) (ended consent.Consent, err error) {
	for range staleChecks { // another renewal may have begun meanwhile
		live := []consent.Consent{named}
		if named.WasAuthorized() {
			if live, err = s.Store.LineageConsents(ctx, named.LineageID()); err != nil {
				return ended, err
			}
		}
		live = slices.DeleteFunc(live, func(c consent.Consent) bool { return c.Status.Final() })
		if len(live) == 0 {
			return ended, nil
		}
		slices.SortStableFunc(live, func(a, b consent.Consent) int {
			return cmp.Compare(rankOfEnd(a), rankOfEnd(b))
		})
		for _, c := range live {
			after, err := s.endBy(ctx, c.ID, func(c consent.Consent) (consent.Event, error) {
				if c.Status.Final() {
					return nil, store.ErrUnchanged
				}
				return consent.Revocation{Cause: consent.CauseUser}, nil
			})
			if err != nil {
				return ended, err
			}
			if after.Status == consent.Revoked && (ended.ID == "" || after.WasAuthorized()) {
				ended = after
			}
		}
		if named, err = s.Store.Consent(ctx, named.ID); err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// rankOfEnd orders the consents of a lineage for its withdrawal.
func rankOfEnd(c consent.Consent) int {
	if c.Status.Pending() {
		return 0
	}
	return 1
}
