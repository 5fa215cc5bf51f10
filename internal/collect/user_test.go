package collect_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"samla/internal/collect"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/store"
)

// A client drops its session on 401, so an error of the database must not become
// one.
func TestStart_ReturnsErrorWhenUserCannotBeRead(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	for name, r := range map[string]collect.Request{"stored": b.request(under, ""), "one-time": b.oneTimeRequest()} {
		for _, err := range []error{errors.New("connection lost"), context.DeadlineExceeded, &pgconn.PgError{Code: "57P01"}} {
			s := &flowtest.UserErrors{Store: b.Store, Err: err}
			s.Times.Store(1)
			b.Service.Store = s
			if _, got := b.Start(t.Context(), r, nil); !errors.Is(got, err) {
				t.Errorf("%s: got %v, want %v", name, got, err)
			}
		}
	}
}

// PostgreSQL repeats a transaction that lost to another one. It recognises that by
// the error, which must reach it unchanged.
func TestStart_IsRepeatedAfterSerializationFailure(t *testing.T) {
	b := newEnvOn(t, flowtest.Postgres(t))
	s := &flowtest.UserErrors{Store: b.Store, Err: &pgconn.PgError{Code: "40001"}}
	s.Times.Store(3)
	b.Service.Store = s
	if c, err := b.Start(t.Context(), b.oneTimeRequest(), nil); err != nil || c.ID == "" {
		t.Error(err)
	}
}

func TestStart_RefusesUserWhoseKeyIsDestroyed(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	for name, r := range map[string]collect.Request{"stored": b.request(under, ""), "one-time": b.oneTimeRequest()} {
		_, err := b.Start(t.Context(), r, nil)
		isFault(t, name, err, fault.Unauthorized)
	}
}

// A client drops its API key on 401, but the key is valid: the user was erased after
// the stored consent was read.
func TestStart_ReturnsConsentRevokedToClientWhenUserIsErased(t *testing.T) {
	for name, erase := range map[string]func(context.Context, *env, store.Tx) error{
		"key destroyed": func(ctx context.Context, b *env, tx store.Tx) error {
			return tx.DestroyDataKey(ctx, b.User.ID, b.Clock.Now())
		},
		"anonymized": func(ctx context.Context, b *env, tx store.Tx) error {
			gone, _ := b.User.Anonymize(b.Clock.Now())
			return tx.PutUser(ctx, b.User, gone)
		},
	} {
		b := newEnv(t)
		r := b.request(b.authorizedConsent(), "")
		r.UserID = ""
		b.Write(func(tx store.Tx) error { return erase(t.Context(), b, tx) })
		b.Vault.Evict(b.User.ID)
		_, err := b.Start(t.Context(), r, nil)
		isFault(t, name, err, fault.ConsentRevoked)
	}
}
