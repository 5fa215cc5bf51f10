// Package permissions is My permissions as a service: the visits of persons, what they see
// of their consents and of what was read, and what they do (docs/reference/api.md 3.7). A
// visit belongs to one user of one client, and everything here is asked for that user: the
// services that own consents, users and the audit log do what is done.
package permissions

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"samla/internal/auditing"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/persons"
	"samla/internal/refresh"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/users"
	"samla/internal/uuid7"
	"samla/internal/words"
)

// LinkPath is what the path of a link begins with; its secret follows.
const LinkPath = "/permissions/link/"

// Deps is what the service works with. All members but BankID and Zone are required.
type Deps struct {
	Store     store.Store
	Vault     seal.Vault
	Consents  *authorize.Service
	Reads     *refresh.Service
	People    *users.Service
	Audit     *auditing.Service
	Tokens    users.TokenIssuer
	Clock     clock.Clock
	IDs       *uuid7.Generator
	Log       *slog.Logger
	Random    io.Reader // of secrets
	PublicURL func() string
	Persons   *persons.Service
	BankID    Identifier     // nil: nobody can sign in with it
	Version   string         // of the API, in which archives are written
	Zone      *time.Location // of the times in the texts of archives; nil = Sweden's
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	api     http.Handler
	signIns signIns
}

// New returns the service.
func New(d Deps) *Service {
	if d.Zone == nil {
		d.Zone = clock.Sweden()
	}
	return &Service{Deps: d, signIns: newSignIns(d)}
}

// ReadBy sets the API, which archives are read from: they hold what a client is given, and
// nothing else. It is called before anything else.
func (s *Service) ReadBy(api http.Handler) { s.api = api }

// NewLink is a link with its address, which is known only now.
type NewLink struct {
	session.Visit
	URL string
}

// CreateLink makes a link for a user. language may be empty. The response that answer
// prepares is stored in the same transaction. Faults: InvalidParameter, UserNotFound,
// UserAnonymized.
func (s *Service) CreateLink(ctx context.Context, clientID, userID, language string, answer idempotency.Answer[NewLink]) (NewLink, error) {
	if _, known := words.Find(language); language != "" && !known {
		return NewLink{}, fault.Param("/language", fault.Invalid, "must be one of sv, en, nb, da, fi")
	}
	if err := s.user(ctx, clientID, userID); err != nil {
		return NewLink{}, err
	}
	secret, err := s.secret()
	if err != nil {
		return NewLink{}, err
	}
	now := s.Clock.Now()
	l := NewLink{URL: s.PublicURL() + LinkPath + secret, Visit: session.Visit{ID: s.IDs.New(), ClientID: clientID, UserID: userID,
		Link: session.HashOfSecret(secret), Language: language, CreatedAt: now, OpenBy: now.Add(session.VisitLinkLife)}}
	response, err := answer.Prepare(ctx, l)
	if err != nil {
		return NewLink{}, err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		// The lock lets an erasure find the visit.
		if err := authorize.LockUser(ctx, tx, clientID, userID); err != nil {
			return err
		}
		if err := tx.AddVisit(ctx, l.Visit); err != nil {
			return err
		}
		return response.Complete(ctx, tx)
	})
	if errors.Is(err, fault.New(fault.Unauthorized)) { // erased meanwhile
		err = fault.New(fault.UserAnonymized)
	}
	return l, err
}

// user checks that a client has a user who is not erased. Faults: UserNotFound,
// UserAnonymized.
func (s *Service) user(ctx context.Context, clientID, userID string) error {
	u, err := s.Store.User(ctx, clientID, userID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.UserNotFound)
	case err == nil && u.Anonymized():
		return fault.New(fault.UserAnonymized)
	}
	return err
}

func (s *Service) secret() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fmt.Errorf("permissions: make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Link returns the visit of a link and changes nothing. Errors: store.ErrNotFound,
// session.ErrLinkUsed, session.ErrLinkExpired; with the last two it returns the visit too.
func (s *Service) Link(ctx context.Context, secret string) (session.Visit, error) {
	v, err := s.Store.VisitByLink(ctx, session.HashOfSecret(secret))
	if err != nil {
		return v, err
	}
	_, err = v.Opened("x", s.Clock.Now())
	return v, err
}

// Open opens a link, once, and returns the secret that the browser keeps. Errors: those of
// Link.
func (s *Service) Open(ctx context.Context, secret string) (key string, v session.Visit, err error) {
	if v, err = s.Store.VisitByLink(ctx, session.HashOfSecret(secret)); err != nil {
		return "", v, err
	}
	if key, err = s.secret(); err != nil {
		return "", v, err
	}
	opened, err := store.UpdateVisit(ctx, s.Store, v.ID, func(old session.Visit) (session.Visit, func(store.Tx) error, error) {
		next, err := old.Opened(session.HashOfSecret(key), s.Clock.Now())
		return next, nil, err
	})
	if err != nil {
		return "", v, err
	}
	return key, opened, nil
}

// Visiting returns the visits of the person who has the secret of a browser: one that began
// by a link, or one of each user of a person who has signed in; none if the person is not
// signed in. A user who was erased is not among them.
func (s *Service) Visiting(ctx context.Context, key string) (live []session.Visit, err error) {
	if key == "" {
		return nil, nil
	}
	all, err := s.Store.VisitsByKey(ctx, session.HashOfSecret(key))
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		v, ok, err := s.see(ctx, v)
		if err != nil {
			return nil, err
		}
		if ok {
			live = append(live, v)
		}
	}
	return live, nil
}

// see notes that a visit was seen, and reports whether it lives.
func (s *Service) see(ctx context.Context, v session.Visit) (session.Visit, bool, error) {
	if !v.Live(s.Clock.Now()) {
		return v, false, nil
	}
	if err := s.user(ctx, v.ClientID, v.UserID); err != nil {
		var f *fault.Fault
		if errors.As(err, &f) && f.Code != fault.Internal {
			return v, false, nil
		}
		return v, false, err
	}
	if _, worth := v.Seen(s.Clock.Now()); !worth {
		return v, true, nil
	}
	v, err := store.UpdateVisit(ctx, s.Store, v.ID, func(old session.Visit) (session.Visit, func(store.Tx) error, error) {
		next, worth := old.Seen(s.Clock.Now())
		if !worth || !old.Live(s.Clock.Now()) {
			return old, nil, store.ErrUnchanged
		}
		return next, nil, nil
	})
	return v, err == nil && v.Live(s.Clock.Now()), err
}

// Owner returns the visit, among those of a browser, to whose person a permission belongs.
// Fault: ConsentNotFound.
func (s *Service) Owner(ctx context.Context, visits []session.Visit, id consent.ID) (session.Visit, error) {
	for _, v := range visits {
		switch _, err := s.lineage(ctx, v, id); {
		case err == nil:
			return v, nil
		case !errors.Is(err, fault.New(fault.ConsentNotFound)):
			return v, err
		}
	}
	return session.Visit{}, fault.New(fault.ConsentNotFound)
}

// Whole reports whether the person may download and erase all of the user of a visit. Who
// came by a link of the client may; who has signed in, if nothing of it can be of another
// person.
func (s *Service) Whole(ctx context.Context, v session.Visit) (bool, error) {
	if v.Person == "" {
		return true, nil
	}
	return s.Store.OnlyPerson(ctx, v.ClientID, v.UserID, v.Person)
}

// ErrNotWhole says that Whole is false.
var ErrNotWhole = errors.New("permissions: some of it may be of another person")

func (s *Service) checkWhole(ctx context.Context, v session.Visit) error {
	whole, err := s.Whole(ctx, v)
	if err == nil && !whole {
		err = ErrNotWhole
	}
	return err
}

// SignOut ends a visit.
func (s *Service) SignOut(ctx context.Context, v session.Visit) error {
	_, err := store.UpdateVisit(ctx, s.Store, v.ID, func(old session.Visit) (session.Visit, func(store.Tx) error, error) {
		return old.Ended(s.Clock.Now()), nil, nil
	})
	return err
}

// Erase erases the user of a visit: users.Service.Erase says what that means. Error:
// ErrNotWhole.
func (s *Service) Erase(ctx context.Context, v session.Visit) error {
	if err := s.checkWhole(ctx, v); err != nil {
		return err
	}
	return s.People.Erase(ctx, v.ClientID, v.UserID)
}

// EndUser deletes the visits of a user who is anonymized. It implements users.Flow.
func (s *Service) EndUser(ctx context.Context, clientID, userID string) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.EraseVisits(ctx, clientID, userID) })
}

// twoYears is how long a permission that has ended is shown.
const twoYears = 2 * 365 * 24 * time.Hour
