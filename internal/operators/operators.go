// Package operators keeps the operators of the console: who there is, how they sign in, and
// their sessions. The rules are in package operator, the pages in package console. Every
// act is in the audit log.
package operators

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Store is the part of a store that the service needs.
type Store interface {
	store.OperatorReader
	store.Transactor
}

// Deps is what the service works with. All members but Random and Log are required.
type Deps struct {
	Store Store
	Vault seal.Vault
	Clock clock.Clock
	IDs   *uuid7.Generator
	// URL returns the address of the console in browsers, such as "http://localhost:8081";
	// "" if it is not known: then links are paths.
	URL     func() string
	Journal journal.Recorder // nil = none; a restore applies it (Restored)
	Random  io.Reader        // nil = the machine's
	Log     *slog.Logger
}

// Service is the operators of an installation. Safe for concurrent use.
type Service struct {
	Deps
	tries      *tries // with a password
	passkeys   *tries // with a passkey
	ceremonies *ceremonies
	slots      chan struct{} // of passwords that are hashed at the same time
	dummy      string        // the hash of no password
	doors      sync.Map      // ids of operators by the hash of the secret of their door
}

// hashing is how many passwords are hashed at the same time: each takes 19 MiB.
const hashing = 4

// New returns the service.
func New(d Deps) (*Service, error) {
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	d.Journal = journal.Or(d.Journal)
	s := &Service{Deps: d, tries: newTries(d.Clock), passkeys: newTries(d.Clock), ceremonies: newCeremonies(d.Clock), slots: make(chan struct{}, hashing)}
	nothing, err := s.secret()
	if err != nil {
		return nil, err
	}
	s.dummy, err = s.hash(context.Background(), nothing)
	return s, err
}

// The errors of the service.
var (
	ErrExists    = errors.New("there is an operator of this name")
	ErrUnknown   = errors.New("there is no such operator")
	ErrLastAdmin = errors.New("this is the last admin: make another one first")
	ErrLink      = errors.New("the link was used, has expired, or is wrong")
)

// secret returns 256 random bits as text.
func (s *Service) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func place(id string) seal.Place { return seal.Place{Table: "operators", Column: "sealed", Row: id} }

func (s *Service) seal(ctx context.Context, id string, of operator.Secret) ([]byte, error) {
	plain, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	return s.Vault.Seal(ctx, seal.System, place(id), plain)
}

func (s *Service) open(ctx context.Context, a operator.Account) (of operator.Secret, err error) {
	plain, err := s.Vault.Open(ctx, seal.System, place(a.ID), a.Sealed)
	if err != nil {
		return of, err
	}
	if json.Unmarshal(plain, &of) != nil {
		return of, errors.New("operators: how an operator signs in does not parse")
	}
	return of, nil
}

// record adds an entry to the audit log. about has ids and words of closed sets: operator is
// who does it (none: the command line), account whom it is about. Empty members are left out.
func (s *Service) record(ctx context.Context, tx store.Tx, act string, about map[string]string) error {
	for name, value := range about {
		if value == "" {
			delete(about, name)
		}
	}
	return tx.AddAuditEntry(ctx, audit.OfCommand(s.IDs, act, about, s.Clock.Now()))
}

// link makes the secret of a link with which an operator chooses how to sign in.
func (s *Service) link(a *operator.Account) (string, error) {
	secret, err := s.secret()
	if err != nil {
		return "", err
	}
	a.Enrol, a.EnrolBy = operator.HashOf(secret), s.Clock.Now().Add(operator.EnrolLife)
	return s.URL() + EnrolPath + secret, nil
}

// EnrolPath is what the paths of links for new operators begin with.
const EnrolPath = "/enrol/"

// Add makes an operator and returns the link with which they choose how to sign in. by is
// the id of the operator who does it, "" for the command line. Error: ErrExists.
func (s *Service) Add(ctx context.Context, by, name string, role operator.Role) (a operator.Account, link string, err error) {
	if err := operator.CheckName(name); err != nil {
		return a, "", err
	}
	if _, err := operator.ParseRole(string(role)); err != nil {
		return a, "", err
	}
	a = operator.Account{Operator: operator.Operator{ID: s.IDs.New(), Name: name, Role: role}, Created: s.Clock.Now()}
	if link, err = s.link(&a); err != nil {
		return a, "", err
	}
	if a.Sealed, err = s.seal(ctx, a.ID, operator.Secret{}); err != nil {
		return a, "", err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddOperator(ctx, a); err != nil {
			return err
		}
		return s.record(ctx, tx, "operator add", map[string]string{"account": a.ID, "role": string(role), "operator": by})
	})
	if errors.Is(err, store.ErrExists) {
		err = ErrExists
	}
	return a, link, err
}

// List lists the operators by name.
func (s *Service) List(ctx context.Context) ([]operator.Account, error) {
	return s.Store.Operators(ctx)
}

// Find returns an operator by name. Error: ErrUnknown.
func (s *Service) Find(ctx context.Context, name string) (operator.Account, error) {
	a, err := s.Store.OperatorByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w as %q", ErrUnknown, name)
	}
	return a, err
}

// Ways says how an operator can sign in.
type Ways struct {
	Password bool // and code
	Passkeys []operator.Passkey
	Codes    int // recovery codes that are left
}

// WaysOf returns how an operator can sign in.
func (s *Service) WaysOf(ctx context.Context, a operator.Account) (Ways, error) {
	of, err := s.open(ctx, a)
	return Ways{Password: of.Password != "", Passkeys: of.Passkeys, Codes: len(of.Codes)}, err
}

// change changes an operator in a transaction that has locked all operators, with an entry
// in the audit log. After it there is an admin.
func (s *Service) change(ctx context.Context, by, id, act string, about map[string]string, do func(tx store.Tx, a *operator.Account) error) error {
	err := s.Store.Write(ctx, func(tx store.Tx) error {
		all, err := tx.LockOperators(ctx)
		if err != nil {
			return err
		}
		admins, found := 0, -1
		for i, a := range all {
			if a.ID == id {
				found = i
			} else if a.Role == operator.Admin {
				admins++
			}
		}
		if found < 0 {
			return ErrUnknown
		}
		a := all[found]
		wasAdmin := a.Role == operator.Admin
		if err := do(tx, &a); err != nil {
			return err
		}
		if wasAdmin && admins == 0 && (a.Role != operator.Admin || !a.Removed.IsZero()) {
			return ErrLastAdmin
		}
		if _, err := tx.PutOperator(ctx, a); err != nil {
			return err
		}
		entry := map[string]string{"account": id, "operator": by}
		for name, value := range about {
			entry[name] = value
		}
		return s.record(ctx, tx, act, entry)
	})
	return err
}

// SetRole gives an operator another role. Sessions go on with it. Errors: ErrUnknown,
// ErrLastAdmin.
func (s *Service) SetRole(ctx context.Context, by, id string, role operator.Role) error {
	if _, err := operator.ParseRole(string(role)); err != nil {
		return err
	}
	if err := s.decided(ctx, id, role, journal.Record{Kind: journal.OperatorRole, Detail: string(role)}); err != nil {
		return err
	}
	return s.change(ctx, by, id, "operator role", map[string]string{"role": string(role)}, func(_ store.Tx, a *operator.Account) error {
		a.Role = role
		return nil
	})
}

// Remove removes an operator and ends their sessions. Errors: ErrUnknown, ErrLastAdmin.
func (s *Service) Remove(ctx context.Context, by, id string) error {
	empty, err := s.seal(ctx, id, operator.Secret{})
	if err != nil {
		return err
	}
	if err := s.decided(ctx, id, "", journal.Record{Kind: journal.OperatorRemoved}); err != nil {
		return err
	}
	return s.change(ctx, by, id, "operator remove", nil, func(tx store.Tx, a *operator.Account) error {
		now := s.Clock.Now()
		a.Removed, a.Enrol, a.Sealed = now, "", empty
		_, err := tx.EndOperatorSessions(ctx, id, "", "", now)
		return err
	})
}

// Reset takes from an operator every way to sign in, ends their sessions, and returns a
// link with which they choose anew. Error: ErrUnknown.
func (s *Service) Reset(ctx context.Context, by, id string) (link string, err error) {
	empty, err := s.seal(ctx, id, operator.Secret{})
	if err != nil {
		return "", err
	}
	for {
		link, err = s.reset(ctx, by, id, empty)
		if !errors.Is(err, store.ErrConflict) || ctx.Err() != nil {
			return link, err
		}
	}
}

func (s *Service) reset(ctx context.Context, by, id string, empty []byte) (link string, err error) {
	before, err := s.Store.Operator(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !before.Removed.IsZero() {
		err = ErrUnknown
	}
	if err == nil {
		err = s.Journal.Record(ctx, waysChanged(before))
	}
	if err != nil {
		return "", err
	}
	err = s.change(ctx, by, id, "operator reset", nil, func(tx store.Tx, a *operator.Account) error {
		if a.Rev != before.Rev {
			return store.ErrConflict
		}
		if link, err = s.link(a); err != nil {
			return err
		}
		a.Sealed = empty
		if err := s.forgive(ctx, tx, a.Name); err != nil {
			return err
		}
		_, err := tx.EndOperatorSessions(ctx, id, "", "", s.Clock.Now())
		return err
	})
	return link, err
}
