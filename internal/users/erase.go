package users

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/audit"
	"samla/internal/fault"
	"samla/internal/journal"
	"samla/internal/outbox"
	"samla/internal/store"
	"samla/internal/user"
)

const (
	// eraseBatch is how many collections, or stored responses, lose their data in
	// one transaction: so few that other writers are not kept waiting.
	eraseBatch = 50
	// eraseWithin is how long one call deletes data; the outbox continues after it.
	// It is shorter than jobs.Budget.
	eraseWithin = 10 * time.Second
	// eraseLease is when the outbox takes over from a call that does not finish,
	// because its process has died.
	eraseLease = 20 * time.Second
	// handBackWithin bounds the write that hands an erasure to the outbox.
	handBackWithin = 5 * time.Second
)

// Flow owns what is live for a user, such as consents or collections.
type Flow interface {
	// EndUser ends everything of the flow that is live for a user who is
	// anonymized, whatever other writers do at the same time. Nothing new begins
	// for the user. Errors: the store's, or that of ctx.
	EndUser(ctx context.Context, clientID, userID string) error
}

// Erase erases a user (docs/reference/api.md 3.4).
//
// When it returns nil, for this call or for an earlier one:
//   - The user is anonymized. Nothing can be created for the user, and no session
//     of the user is valid.
//   - No consent and no collection of the user is live. The banks are told of the
//     revoked consents by the outbox, with retries.
//   - The user's data key is destroyed on this node and in the database, and the
//     stored responses about the user are deleted. Other nodes drop the key from
//     memory within a minute, and no route returns data of an erased user before.
//   - The scopes of the user's consents name no accounts any more, and the user has no
//     lasting accounts.
//   - What was sealed under the key, raw answers and products, is deleted, and
//     collections and the consents inside them name no accounts any more. When
//     that takes longer than eraseWithin, the outbox finishes it.
//
// Our ids, times and scopes without account ids stay, in the rows and in the audit
// log. What a bank must be told stays in the outbox until it is told, sealed under
// the server's key. A message that must repeat an opening to learn the bank's id
// holds the personal number and account ids, for seven days at most.
//
// The first step is to anonymize the user, together with an outbox message that
// continues the erasure on any node: an error after that step means that the
// erasure is not finished yet, never that it will not be. A concurrent change of a
// row is no error. Fault: UserNotFound.
func (s *Service) Erase(ctx context.Context, clientID, id string) error {
	m, err := s.beginErasure(ctx, clientID, id)
	if err != nil {
		return faultOf("erase a user", err)
	}
	if m != nil {
		if err := s.ContinueErasure(ctx, *m); err != nil {
			// Whatever it is, the user exists.
			return fault.Wrap(fmt.Errorf("users: erase a user: %w", err))
		}
	}
	s.Vault.Evict(id) // also when another node has destroyed the key
	return nil
}

// beginErasure anonymizes a user and stores the message that continues the
// erasure. It returns the stored message of an erasure that has begun but is not
// finished, and nil for one that is finished.
func (s *Service) beginErasure(ctx context.Context, clientID, id string) (*outbox.Message, error) {
	if err := s.journalErasure(ctx, clientID, id); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	m := outbox.Message{ID: id, Kind: outbox.EraseUser, CreatedAt: now, WakeAt: now.Add(eraseLease)}
	begun := false
	_, err := store.UpdateUser(ctx, s.Store, clientID, id, func(u user.User) (user.User, func(store.Tx) error, error) {
		anonymized, changed := u.Anonymize(now)
		if begun = changed; !changed {
			return u, nil, store.ErrUnchanged
		}
		var err error
		m.Sealed, err = s.sealErasure(ctx, id, outbox.Erasure{ClientID: clientID})
		return anonymized, func(tx store.Tx) error {
			if err := tx.AddAuditEntry(ctx, audit.OfErasure(s.IDs, clientID, id, now)); err != nil {
				return err
			}
			return tx.AddOutboxMessage(ctx, m)
		}, err
	})
	if err != nil {
		return nil, err
	}
	if begun {
		return &m, nil
	}
	m, err = s.Store.OutboxMessage(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &m, err
}

// journalErasure writes the erasure of a user who exists to the journal, before it begins:
// a database that is restored from an older backup erases the user again. Error:
// store.ErrNotFound.
func (s *Service) journalErasure(ctx context.Context, clientID, id string) error {
	u, err := s.Store.User(ctx, clientID, id)
	if err != nil || u.Anonymized() {
		return err
	}
	return s.Journal.Record(ctx, journal.Record{Kind: journal.UserErased, ID: id, Client: clientID})
}

// ContinueErasure takes the steps of an erasure that are left; it is the handler of
// outbox messages of the kind EraseUser. Each step can be repeated, and two calls
// may work on one erasure at the same time.
func (s *Service) ContinueErasure(ctx context.Context, m outbox.Message) error {
	e, err := s.openErasure(ctx, m)
	if err != nil {
		return err
	}
	deadline := s.Clock.Now().Add(eraseWithin)
	for _, f := range s.Flows {
		if err := f.EndUser(ctx, e.ClientID, m.ID); err != nil {
			return err
		}
	}
	// Nothing is live, so nothing needs the key any more.
	if err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.DestroyDataKey(ctx, m.ID, s.Clock.Now()) }); err != nil {
		return err
	}
	s.Vault.Evict(m.ID)
	if err := s.eraseResponses(ctx, e.ClientID, m.ID); err != nil {
		return err
	}
	if err := s.eraseScopes(ctx, m.ID); err != nil {
		return err
	}
	if err := s.eraseAccounts(ctx, m.ID); err != nil {
		return err
	}
	for !s.Clock.Now().After(deadline) {
		var last string
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			last, err = tx.EraseUserData(ctx, m.ID, e.After, s.Clock.Now(), eraseBatch)
			return err
		})
		if err != nil {
			return errors.Join(err, s.handBack(ctx, m, e))
		}
		if last == "" {
			return s.endErasure(ctx, m.ID)
		}
		e.After = last
	}
	return s.handBack(ctx, m, e)
}

// eraseResponses deletes the stored responses about a user.
func (s *Service) eraseResponses(ctx context.Context, clientID, userID string) error {
	for {
		var n int
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = tx.EraseIdempotencyKeys(ctx, clientID, userID, eraseBatch)
			return err
		})
		if err != nil || n < eraseBatch {
			return err
		}
	}
}

// eraseScopes removes the account ids from the scopes of a user's consents, except
// those inside collections, whose ids go with the data.
func (s *Service) eraseScopes(ctx context.Context, userID string) error {
	for after := ""; ; {
		var last string
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			last, err = tx.EraseUserScopes(ctx, userID, after, eraseBatch)
			return err
		})
		if err != nil || last == "" {
			return err
		}
		after = last
	}
}

// eraseAccounts deletes the lasting accounts of a user. None is added to a user who is
// anonymized.
func (s *Service) eraseAccounts(ctx context.Context, userID string) error {
	for {
		var n int
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = tx.EraseAccounts(ctx, userID, eraseBatch)
			return err
		})
		if err != nil || n < eraseBatch {
			return err
		}
	}
}

// endErasure deletes the message: everything is done.
func (s *Service) endErasure(ctx context.Context, id string) error {
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, id) })
	if errors.Is(err, store.ErrNotFound) {
		return nil // another call has finished first
	}
	return err
}

// handBack stores how far the erasure has come and makes its message due now. It
// does so also when ctx has ended.
func (s *Service) handBack(ctx context.Context, m outbox.Message, e outbox.Erasure) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBackWithin)
	defer cancel()
	var err error
	if m.Sealed, err = s.sealErasure(ctx, m.ID, e); err != nil {
		return err
	}
	m.WakeAt = s.Clock.Now()
	err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, m) })
	if errors.Is(err, store.ErrNotFound) {
		return nil // another call has finished
	}
	return err
}
