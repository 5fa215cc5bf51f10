package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	// endWithin is how long it is tried to end a login at its institution. The
	// institution ends it by itself long before.
	endWithin = 24 * time.Hour
	// replayWithin is how long the start of a login may be repeated to learn its session:
	// institutions remember request ids for an hour (docs/source-protocol, Rules).
	replayWithin = 30 * time.Minute

	firstEndRetry   = time.Second
	longestEndRetry = time.Hour
)

func endingPlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// planEnding plans the message that ends the login of a collection at its institution, or
// returns nil when there is none to end. It opens and seals, and must not run inside a
// transaction. The message outlives the data key of the collection.
func (s *Service) planEnding(ctx context.Context, c collection.Collection) (*outbox.Message, error) {
	if c.Mode != collection.Dialogue || len(c.Sealed) == 0 {
		return nil, nil
	}
	secret, err := s.secret(ctx, c)
	switch {
	case errors.Is(err, seal.ErrKeyDestroyed):
		return nil, nil
	case errors.Is(err, seal.ErrDecryption):
		s.Log.Error("the institution cannot be told that a login has ended: its secret does not open", "company", c.Company, "collection", c.ID)
		return nil, nil
	case err != nil || secret.Dialogue == nil:
		return nil, err
	}
	state := secret.Dialogue
	if state.Session == "" && !state.Sent {
		return nil, nil
	}
	e := outbox.Ending{CollectionID: c.ID, Session: state.Session, RequestID: state.EndID}
	if state.Session == "" {
		r := loginRequest(c, secret)
		e.Login = &outbox.Login{RequestID: r.RequestID, LoginMethod: r.LoginMethod, PSU: r.PSU, Email: r.Email, UserID: r.UserID}
	}
	now := s.Clock.Now()
	m := &outbox.Message{ID: s.IDs.New(), Kind: outbox.EndLogin, Company: c.Company, CreatedAt: now, WakeAt: now}
	m.Sealed, err = s.sealEnding(ctx, m.ID, e)
	return m, err
}

func (s *Service) sealEnding(ctx context.Context, id string, e outbox.Ending) ([]byte, error) {
	plain, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode the end of a login: %w", err)
	}
	return s.Vault.Seal(ctx, seal.System, endingPlace(id), plain)
}

// DeliverEnding tries to end a login at its institution; it is the handler of outbox
// messages of the kind EndLogin. A message that cannot be delivered is tried again, with
// growing waits, for a day.
func (s *Service) DeliverEnding(ctx context.Context, m outbox.Message) error {
	failure := s.deliverEnding(ctx, &m)
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	now := s.Clock.Now()
	givenUp := errors.Is(failure, errEndingUnknown) || !now.Before(m.CreatedAt.Add(endWithin))
	if failure != nil && !givenUp {
		m.Attempts++
		m.WakeAt = now.Add(clock.Backoff(m.Attempts, firstEndRetry, longestEndRetry))
		// What is known of the person, who may be erased, is not kept longer than it can be used.
		if unused := m.CreatedAt.Add(replayWithin); now.Before(unused) && m.WakeAt.After(unused) {
			m.WakeAt = unused
		}
		err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, m) })
		if errors.Is(err, store.ErrNotFound) {
			return nil // another node has delivered it
		}
		return err
	}
	if failure != nil {
		s.Log.Warn("a login was not ended at its institution, and is given up", "company", m.Company, "attempts", m.Attempts, "error", failure)
	}
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, m.ID) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// errEndingUnknown says that the session of a login cannot be learned any more.
var errEndingUnknown = errors.New("collect: the session of the login is not known")

func (s *Service) deliverEnding(ctx context.Context, m *outbox.Message) error {
	var e outbox.Ending
	plain, err := s.Vault.Open(ctx, seal.System, endingPlace(m.ID), m.Sealed)
	if err != nil {
		return fmt.Errorf("open outbox message %s: %w", m.ID, err)
	}
	if json.Unmarshal(plain, &e) != nil {
		return fmt.Errorf("the payload of outbox message %s does not parse", m.ID)
	}
	// The person counts once, however many logins end.
	switch c, err := s.Store.Collection(ctx, e.CollectionID); {
	case err == nil:
		ctx = institution.WithSubject(ctx, c.Subject())
	case !errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("read collection %s: %w", e.CollectionID, err)
	}
	loginer := s.Institutions.Of(m.Company).Loginer
	if loginer == nil {
		return errors.New("collect: the institution is not configured, or nobody can log in there")
	}
	if e.Session == "" {
		if e.Session, err = s.learnSession(ctx, loginer, m, e); err != nil {
			return err
		}
		e.Login = nil // the person need not be known any more
		if m.Sealed, err = s.sealEnding(ctx, m.ID, e); err != nil {
			return err
		}
	}
	return loginer.EndLogin(ctx, e.Session, e.RequestID)
}

// learnSession repeats the start of a login whose answer was not stored.
func (s *Service) learnSession(ctx context.Context, l institution.Loginer, m *outbox.Message, e outbox.Ending) (string, error) {
	if e.Login == nil || !s.Clock.Now().Before(m.CreatedAt.Add(replayWithin)) {
		return "", errEndingUnknown
	}
	begun, err := l.Login(ctx, institution.LoginRequest{RequestID: e.Login.RequestID, LoginMethod: e.Login.LoginMethod, PSU: e.Login.PSU,
		Email: e.Login.Email, UserID: e.Login.UserID})
	if err != nil && !institution.KindOf(err).Transient() {
		return "", errEndingUnknown // it refuses the login, so there is none
	}
	return begun.ID, err
}
