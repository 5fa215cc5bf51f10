package authorize_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/store"
	"samla/internal/user"
)

func TestDraft_ClipsTheValidity(t *testing.T) {
	for name, test := range map[string]struct{ asked, want time.Time }{
		"nothing asked": {time.Time{}, morning.AddDate(0, 0, 30)},
		"too long":      {morning.AddDate(1, 0, 0), morning.AddDate(0, 0, 30)},
		"shorter":       {morning.AddDate(0, 0, 7), morning.AddDate(0, 0, 7)},
		"today":         {morning.Truncate(24 * time.Hour), morning},
	} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.LongestConsent = 30 })
		r := b.request()
		r.ValidUntil = test.asked
		c, err := b.Draft(t.Context(), r)
		if y, m, d := test.want.Date(); err != nil || !c.ExpiresAt.Equal(time.Date(y, m, d, 23, 59, 59, 0, time.UTC)) {
			t.Errorf("%s: %s, %v", name, c.ExpiresAt, err)
		}
	}
}

func TestCreate_RefusesAnotherUser(t *testing.T) {
	b := newEnv(t)
	for name, change := range map[string]func(*authorize.Request){
		"unknown user":   func(r *authorize.Request) { r.UserID = b.IDs.New() },
		"another client": func(r *authorize.Request) { r.ClientID = b.IDs.New() },
	} {
		r := b.request()
		change(&r)
		_, err := b.Create(t.Context(), r, nil)
		isFault(t, name, err, fault.Unauthorized)
	}
	failed := errors.New("the answer failed")
	for name, answer := range map[string]idempotency.Answer[consent.Consent]{
		"failed answer": func(context.Context, consent.Consent) (*idempotency.Record, error) { return nil, failed },
		"lost claim":    func(context.Context, consent.Consent) (*idempotency.Record, error) { return &idempotency.Record{}, nil },
	} {
		if _, err := b.Create(t.Context(), b.request(), answer); !errors.Is(err, failed) && !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if list, err := b.List(t.Context(), b.User.ClientID, b.User.ID, store.Page{Limit: 10}); err != nil || len(list) != 0 {
		t.Errorf("%d consents are left, %v", len(list), err)
	}
}

func TestCreate_PreparesAnswerBeforeTransaction(t *testing.T) {
	b := newEnv(t)
	detector := &flowtest.WriteDetector{Store: b.Store}
	b.Service.Store = detector
	var answered consent.Consent
	c, err := b.Create(t.Context(), b.request(), func(_ context.Context, c consent.Consent) (*idempotency.Record, error) {
		if detector.InWrite() {
			t.Error("the answer is prepared inside the transaction")
		}
		answered = c
		return nil, nil
	})
	if err != nil || answered.ID != c.ID {
		t.Errorf("answered with %q, %v", answered.ID, err)
	}
}

// after is a store on which something happens just before the next transaction.
type after struct {
	store.Store
	before func()
	user   error // what reading a user returns
}

func (a *after) Write(ctx context.Context, fn func(store.Tx) error) error {
	if before := a.before; before != nil {
		a.before = nil
		before()
	}
	return a.Store.Write(ctx, func(tx store.Tx) error { return fn(failingUser{tx, a.user}) })
}

type failingUser struct {
	store.Tx
	err error
}

func (f failingUser) LockUser(ctx context.Context, clientID, id string) (user.User, error) {
	if f.err != nil {
		return user.User{}, f.err
	}
	return f.Tx.LockUser(ctx, clientID, id)
}

// erase erases the user, as the service for users does.
func (b *env) erase() {
	gone, _ := b.User.Anonymize(b.Clock.Now())
	b.Write(func(tx store.Tx) error {
		if err := tx.PutUser(b.Context(), b.User, gone); err != nil {
			return err
		}
		if _, err := tx.EraseUserScopes(b.Context(), b.User.ID, "", 100); err != nil {
			return err
		}
		return tx.DestroyDataKey(b.Context(), b.User.ID, b.Clock.Now())
	})
	b.Vault.Evict(b.User.ID)
}

// A user may be erased at any moment of a request.
func TestCreate_AnswersUnauthorizedForAnErasedUser(t *testing.T) {
	for name, erase := range map[string]func(*env, *after){
		"before it is sealed": func(b *env, _ *after) { b.erase() },
		"after it is sealed":  func(b *env, s *after) { s.before = b.erase },
	} {
		b := newEnv(t)
		s := &after{Store: b.Store}
		b.Service.Store = s
		erase(b, s)
		_, err := b.Create(t.Context(), b.request(), nil)
		isFault(t, name, err, fault.Unauthorized)
	}
}

// A database that does not answer says nothing about the user.
func TestCreate_PassesOnAnErrorOfTheDatabase(t *testing.T) {
	b := newEnv(t)
	down := errors.New("connection lost")
	b.Service.Store = &after{Store: b.Store, user: down}
	if _, err := b.Create(t.Context(), b.request(), nil); !errors.Is(err, down) || errors.As(err, new(*fault.Fault)) {
		t.Errorf("got %v", err)
	}
}

func isFault(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}
