// Package users owns the persons whose data a client collects: it creates, finds
// and erases them, and opens their sessions (docs/reference/api.md 3).
package users

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/uuid7"
)

// Deps is what the service works with. All members but Journal are required.
type Deps struct {
	Store  store.Store
	Vault  seal.Vault
	Flows  []Flow // are ended in this order when a user is erased
	Tokens TokenIssuer
	Clock  clock.Clock
	IDs    *uuid7.Generator
	// Journal is told of an erasure before it begins; nil: none.
	Journal journal.Recorder
}

// TokenIssuer issues session tokens.
type TokenIssuer interface {
	// IssueToken returns a session token for a user and the time at which it
	// expires. It stores nothing.
	IssueToken(ctx context.Context, clientID, userID string) (token string, expiresAt time.Time, err error)
}

// Service is safe for concurrent use. The errors of its methods are faults; one
// that a method does not document is Internal.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service {
	d.Journal = journal.Or(d.Journal)
	return &Service{d}
}

// Session is a new session (docs/reference/api.md 3.1).
type Session struct {
	Token     string
	ExpiresAt time.Time
	UserID    string
}

// Create creates a user. The response that answer prepares is stored in the same
// transaction. When there is none, concurrent calls can share a transaction, which
// is cheaper. Faults: InvalidParameter at /externalId, UserExists with the id of
// the existing user.
func (s *Service) Create(ctx context.Context, clientID, externalID string, answer idempotency.Answer[user.User]) (user.User, error) {
	if f := user.CheckExternalID(externalID, "/externalId"); f != nil {
		return user.User{}, f
	}
	now := s.Clock.Now()
	u := user.User{ID: s.IDs.New(), ClientID: clientID, ExternalID: externalID, CreatedAt: now, UpdatedAt: now}
	response, err := answer.Prepare(ctx, u)
	if err != nil {
		return user.User{}, faultOf("create a user", err)
	}
	for {
		err := s.add(ctx, u, response)
		if err == nil {
			return u, nil
		}
		if !errors.Is(err, store.ErrExists) {
			return user.User{}, faultOf("create a user", err)
		}
		existing, err := s.Store.UserByExternalID(ctx, clientID, externalID)
		if err == nil {
			f := fault.New(fault.UserExists)
			f.UserID = existing.ID
			return user.User{}, f
		}
		if !errors.Is(err, store.ErrNotFound) {
			return user.User{}, faultOf("find the existing user", err)
		}
		// The existing user was erased in between: the external id can be used.
	}
}

// add stores a new user, and the response with it. Error: store.ErrExists.
func (s *Service) add(ctx context.Context, u user.User, response *idempotency.Record) error {
	if response == nil {
		return s.Store.CreateUser(ctx, u)
	}
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddUser(ctx, u); err != nil {
			return err
		}
		return response.Complete(ctx, tx)
	})
}

// ByExternalID returns the client's user with the given external id. An anonymized
// user has none. Faults: InvalidParameter at ?externalId, UserNotFound.
func (s *Service) ByExternalID(ctx context.Context, clientID, externalID string) (user.User, error) {
	if f := user.CheckExternalID(externalID, "?externalId"); f != nil {
		return user.User{}, f
	}
	u, err := s.Store.UserByExternalID(ctx, clientID, externalID)
	return u, faultOf("find a user", err)
}

// ByID returns the client's user with the given id, anonymized or not. Fault:
// UserNotFound.
func (s *Service) ByID(ctx context.Context, clientID, id string) (user.User, error) {
	u, err := s.Store.UserStatus(ctx, id)
	if err == nil && u.ClientID != clientID {
		u, err = user.User{}, store.ErrNotFound
	}
	return u, faultOf("read a user", err)
}

// CreateSession opens a session for a user. It stores nothing but the response that
// answer prepares. Faults: UserNotFound, UserAnonymized.
func (s *Service) CreateSession(ctx context.Context, clientID, userID string, answer idempotency.Answer[Session]) (Session, error) {
	session, err := s.createSession(ctx, clientID, userID, answer)
	if err != nil {
		return Session{}, faultOf("create a session", err)
	}
	return session, nil
}

func (s *Service) createSession(ctx context.Context, clientID, userID string, answer idempotency.Answer[Session]) (Session, error) {
	if err := live(s.Store.User(ctx, clientID, userID)); err != nil {
		return Session{}, err
	}
	session := Session{UserID: userID}
	var err error
	if session.Token, session.ExpiresAt, err = s.Tokens.IssueToken(ctx, clientID, userID); err != nil {
		return Session{}, err
	}
	response, err := answer.Prepare(ctx, session)
	if err != nil || response == nil {
		return session, err
	}
	return session, s.Store.Write(ctx, func(tx store.Tx) error {
		// The lock lets an erasure find the response.
		if err := live(tx.LockUser(ctx, clientID, userID)); err != nil {
			return err
		}
		return response.Complete(ctx, tx)
	})
}

// live returns the fault UserAnonymized for a user who was read and is anonymized.
func live(u user.User, err error) error {
	if err == nil && u.Anonymized() {
		return fault.New(fault.UserAnonymized)
	}
	return err
}

// faultOf returns the fault for the error of an operation, and nil for nil.
func faultOf(operation string, err error) error {
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.UserNotFound)
	}
	return fault.Wrap(fmt.Errorf("users: %s: %w", operation, err))
}
