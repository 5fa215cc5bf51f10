package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/authorize"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

// Users is the service for the persons of a client and their sessions (docs/reference/api.md 3).
// Its errors are faults; one that is not documented here is Internal.
type Users struct {
	g        *Gate
	consents *authorize.Service
}

// NewUsers returns the service; it mints the sessions that g lets in, and ends
// the consents of erased users through consents.
func NewUsers(g *Gate, consents *authorize.Service) *Users { return &Users{g, consents} }

// Token is a session as its maker sees it (docs/reference/api.md 3.1).
type Token struct {
	Token     string
	ExpiresAt time.Time
	UserID    string
}

// Create registers a user. also runs inside the transaction, after the user is
// written; without it, concurrent calls can share one, which is cheaper. Faults: InvalidParameter at /externalId, UserExists
// with the id of the existing user.
func (s *Users) Create(ctx context.Context, clientID, externalID string, also func(store.Tx, user.User) error) (user.User, error) {
	if f := user.CheckExternalID(externalID, "/externalId"); f != nil {
		return user.User{}, f
	}
	now := s.g.clk.Now()
	u := user.User{ID: s.g.ids.New(), ClientID: clientID, ExternalID: externalID, CreatedAt: now, UpdatedAt: now}
	var err error
	if also == nil {
		err = s.g.store.CreateUser(ctx, u)
	} else {
		err = s.g.store.Write(ctx, func(tx store.Tx) error {
			if err := tx.AddUser(ctx, u); err != nil {
				return err
			}
			return also(tx, u)
		})
	}
	if errors.Is(err, store.ErrExists) {
		err = s.taken(ctx, clientID, externalID)
	}
	if err != nil {
		return user.User{}, asFault("create a user", err)
	}
	return u, nil
}

func (s *Users) taken(ctx context.Context, clientID, externalID string) error {
	held, err := s.g.store.UserByExternalID(ctx, clientID, externalID)
	if err != nil {
		return err
	}
	f := fault.New(fault.UserExists)
	f.UserID = held.ID
	return f
}

// ByExternalID finds the client's living user with this external id. Faults:
// InvalidParameter at ?externalId when it is missing or breaks a rule,
// UserNotFound.
func (s *Users) ByExternalID(ctx context.Context, clientID, externalID string) (user.User, error) {
	if f := user.CheckExternalID(externalID, "?externalId"); f != nil {
		return user.User{}, f
	}
	u, err := s.g.store.UserByExternalID(ctx, clientID, externalID)
	return u, asFault("find a user", err)
}

// ByID finds the client's user, anonymized or not. Faults: UserNotFound.
func (s *Users) ByID(ctx context.Context, clientID, id string) (user.User, error) {
	u, err := s.g.store.User(ctx, clientID, id)
	return u, asFault("read a user", err)
}

// CreateSession mints a session token. Faults: UserNotFound, UserAnonymized.
// Nothing is stored, so a repeat that is not answered from memory does no harm.
func (s *Users) CreateSession(ctx context.Context, clientID, userID string) (Token, error) {
	u, err := s.ByID(ctx, clientID, userID)
	if err != nil {
		return Token{}, err
	}
	if u.Anonymized() {
		return Token{}, fault.New(fault.UserAnonymized)
	}
	token, expires, err := s.g.mint(ctx, clientID, u.ID)
	if err != nil {
		return Token{}, asFault("make a session", err)
	}
	return Token{Token: token, ExpiresAt: expires, UserID: u.ID}, nil
}

// asFault turns a lower layer's error into a fault, and nil into nil.
func asFault(deed string, err error) error {
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.UserNotFound)
	}
	return fault.Wrap(fmt.Errorf("access: %s: %w", deed, err))
}
