package users

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

const (
	pageSize = 200
	// maxTries is how often a deletion starts anew because a flow was writing
	// one of the user's rows at the same moment.
	maxTries = 20
)

// Erase anonymizes a user (docs/reference/api.md 3.4): the external id goes, running
// collections stop, consents end and their banks are owed a word, all data is
// erased and the data key destroyed, in one transaction. Doing it twice changes
// nothing. Faults: UserNotFound.
func (s *Service) Erase(ctx context.Context, clientID, id string) error {
	for range maxTries {
		err := s.eraseOnce(ctx, clientID, id)
		if errors.Is(err, store.ErrConflict) {
			continue // somebody wrote in between: look again
		}
		if err == nil {
			s.Vault.Evict(id)
		}
		return faultOf("erase a user", err)
	}
	return faultOf("erase a user", store.ErrConflict)
}

// ending is what belongs to a user and has to end, as it was read.
type ending struct {
	consents    []consent.Consent // not final
	collections []collection.Collection
	ends        []*authorize.End // of the consents
}

func (s *Service) eraseOnce(ctx context.Context, clientID, id string) error {
	u, err := s.Store.User(ctx, clientID, id)
	if err != nil || u.Anonymized() {
		return err
	}
	now := s.Clock.Now()
	// Banks' tokens are sealed anew before the key goes. That reads the key
	// store and cannot be done inside the transaction; what changed since is
	// found there by comparing.
	found, err := s.gather(ctx, s.Store, u)
	if err != nil {
		return err
	}
	for _, c := range found.consents {
		end, err := s.Consents.PlanEnd(ctx, c, consent.Withdrawn{Cause: consent.CauseUserErased})
		if err != nil {
			return err
		}
		found.ends = append(found.ends, end)
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error { return s.end(ctx, tx, u, found, now) })
	if err != nil {
		return err
	}
	for _, end := range found.ends {
		end.Committed()
	}
	return nil
}

func (s *Service) end(ctx context.Context, tx store.Tx, u user.User, found ending, now time.Time) error {
	u, err := tx.User(ctx, u.ClientID, u.ID)
	if err != nil {
		return err
	}
	gone, changed := u.Anonymize(now)
	if !changed {
		return nil
	}
	if err := tx.PutUser(ctx, u, gone); err != nil {
		return err
	}
	current, err := s.gather(ctx, tx, u)
	if err != nil {
		return err
	}
	if !found.same(current) {
		return store.ErrConflict
	}
	for _, c := range found.collections {
		if err := s.stop(ctx, tx, c, now); err != nil {
			return err
		}
	}
	for _, end := range found.ends {
		if err := end.Write(ctx, tx); err != nil {
			return err
		}
	}
	if err := tx.EraseIdempotencyKeys(ctx, u.ClientID, u.ID); err != nil {
		return err
	}
	return tx.DestroyKey(ctx, u.ID, now)
}

// gather reads what has to end: consents that are not final, those inside
// one-time collections included, and every collection.
func (s *Service) gather(ctx context.Context, from store.Reader, u user.User) (ending, error) {
	var e ending
	for page := (store.Page{Limit: pageSize}); ; {
		part, err := from.ConsentsOf(ctx, u.ClientID, u.ID, page)
		if err != nil {
			return ending{}, err
		}
		for _, c := range part {
			if !c.Status.Final() {
				e.consents = append(e.consents, c)
			}
		}
		if len(part) < pageSize {
			break
		}
		page.After = string(part[len(part)-1].ID)
	}
	for page := (store.Page{Limit: pageSize}); ; {
		part, err := from.CollectionsOf(ctx, store.CollectionFilter{ClientID: u.ClientID, UserID: u.ID}, page)
		if err != nil {
			return ending{}, err
		}
		for _, c := range part {
			e.collections = append(e.collections, c)
			if c.Mode != collection.OneTime || c.ConsentID == "" {
				continue
			}
			inside, err := from.Consent(ctx, c.ConsentID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return ending{}, err
			}
			if err == nil && !inside.Status.Final() {
				e.consents = append(e.consents, inside)
			}
		}
		if len(part) < pageSize {
			return e, nil
		}
		page.After = part[len(part)-1].ID
	}
}

func (e ending) same(other ending) bool {
	if len(e.consents) != len(other.consents) || len(e.collections) != len(other.collections) {
		return false
	}
	for i, c := range e.consents {
		if c.ID != other.consents[i].ID || c.Rev != other.consents[i].Rev {
			return false
		}
	}
	for i, c := range e.collections {
		if c.ID != other.collections[i].ID || c.Rev != other.collections[i].Rev {
			return false
		}
	}
	return true
}

// stop ends a collection that runs, and erases what any one has read.
func (s *Service) stop(ctx context.Context, tx store.Tx, c collection.Collection, now time.Time) error {
	running, full := !c.Status.Terminal(), c.Status.HasData() && !c.DataGone(now)
	if running {
		var err error
		if c, err = c.Apply(collection.Stopped{}, now); err != nil {
			return err
		}
		c.WakeAt = time.Time{}
		if err := tx.AddAuditEntry(ctx, audit.OfCollection(s.IDs, c, now)); err != nil {
			return err
		}
	}
	if running || full {
		c.ErasedAt = now
		if _, err := tx.PutCollection(ctx, c); err != nil {
			return err
		}
	}
	return tx.EraseData(ctx, c.ID)
}
