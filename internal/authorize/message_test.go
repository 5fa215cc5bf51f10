package authorize_test

import (
	"errors"
	"strings"
	"testing"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/store"
)

// given stores a consent of a user, or of a collection without one, whose sealed
// secret is plain.
func (b *env) given(userID, plain string) consent.Consent {
	b.Helper()
	c := consent.Consent{ID: consent.ID(b.IDs.New()), ClientID: b.User.ClientID, UserID: userID, Company: theBank,
		Status: consent.Authorized, Step: consent.StepKeep, CreatedAt: morning, StatusChangedAt: morning,
		AuthorizeBy: morning, ExpiresAt: morning.AddDate(0, 3, 0), SCAExpiresAt: morning.AddDate(0, 3, 0)}
	if userID == "" {
		c.CollectionID = b.IDs.New()
	}
	if plain != "" {
		var err error
		if c.Sealed, err = b.Vault.Seal(b.Context(), c.Subject(), authorize.SecretPlace(c.ID), []byte(plain)); err != nil {
			b.Fatal(err)
		}
	}
	b.Write(func(tx store.Tx) error { return tx.AddConsent(b.Context(), c) })
	return c
}

var revocation = consent.Revocation{Cause: consent.CauseUser}

func TestRevocation_OutlivesTheSubjectsKey(t *testing.T) {
	for _, of := range []string{"user", "collection"} {
		t.Run(of, func(t *testing.T) {
			b := newEnv(t)
			userID := b.User.ID
			if of == "collection" {
				userID = ""
			}
			c := b.given(userID, `{"bank":"bank-1","token":"bearer"}`)
			end, err := b.PlanEnd(t.Context(), c, revocation)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(func(tx store.Tx) error {
				if c.CollectionID != "" {
					if err := b.addCollection(tx, c); err != nil {
						return err
					}
				}
				if err := end.Write(t.Context(), tx); err != nil {
					return err
				}
				return tx.DestroyDataKey(t.Context(), c.Subject(), b.Clock.Now())
			})
			b.Vault.Evict(c.Subject())
			m, _ := b.message(b.dueMessages()[0])
			if m.Kind != outbox.RevokeConsent || m.Company != theBank || m.ConsentID != c.ID || m.Attempts != 0 || !m.CreatedAt.Equal(b.Clock.Now()) {
				t.Errorf("%+v", m)
			}
			r, err := authorize.OpenRevocation(t.Context(), b.Vault, m)
			if err != nil || r.RemoteID != "bank-1" || r.Token != "bearer" || r.PSU != nil || r.AccountIDs != nil {
				t.Errorf("%+v, %v", r, err)
			}
			m.ID = "another"
			if _, err := authorize.OpenRevocation(t.Context(), b.Vault, m); !errors.Is(err, seal.ErrDecryption) {
				t.Errorf("moved to another row: %v", err)
			}
		})
	}
}

// Without a remote id, without a secret or without its key there is nothing that
// a bank could be told.
func TestRevocation_NeedsARemoteID(t *testing.T) {
	for name, plain := range map[string]string{"not opened": `{}`, "no secret": "", "key destroyed": `{"bank":"bank-1"}`} {
		b := newEnv(t)
		c := b.given(b.User.ID, plain)
		if name == "key destroyed" {
			b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
			b.Vault.Evict(b.User.ID)
		}
		if _, err := b.End(t.Context(), c.ID, revocation); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ids := b.dueMessages(); len(ids) != 0 {
			t.Errorf("%s: %d messages", name, len(ids))
		}
	}
}

// A secret that does not open is not passed over: the bank would never be told.
func TestPlanEnd_FailsOnABrokenSecretAndRepeatsNothing(t *testing.T) {
	b := newEnv(t)
	c := b.given(b.User.ID, `{"pnr":"`+maja)
	if _, err := b.End(t.Context(), c.ID, revocation); err == nil || strings.Contains(err.Error(), maja[:8]) {
		t.Errorf("does not parse: %v", err)
	}
	if b.Consent(c.ID).Status != consent.Authorized {
		t.Error("ended all the same")
	}
	c.ID = "another"
	if _, err := b.PlanEnd(t.Context(), c, revocation); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("moved to another row: %v", err)
	}
	m := outbox.Message{ID: b.IDs.New()}
	var err error
	if m.Sealed, err = b.Vault.Seal(t.Context(), seal.System, seal.Place{Table: "duties", Column: "sealed", Row: m.ID}, []byte(`{"token":1`)); err != nil {
		t.Fatal(err)
	}
	if _, err := authorize.OpenRevocation(t.Context(), b.Vault, m); err == nil || strings.Contains(err.Error(), "token") {
		t.Errorf("a payload that does not parse: %v", err)
	}
}

// A restore counts the consents with refresh tokens. One whose secret was tampered with does
// not stop it.
func TestHasRefreshToken_PassesWhatDoesNotOpen(t *testing.T) {
	b := newEnv(t)
	c := b.given(b.User.ID, `{"tokens":{"refresh":"refresh-1"}}`)
	if has, err := b.HasRefreshToken(t.Context(), c); err != nil || !has {
		t.Errorf("%t, %v", has, err)
	}
	c.Sealed = []byte("tampered with")
	if has, err := b.HasRefreshToken(t.Context(), c); err != nil || has {
		t.Errorf("tampered with: %t, %v", has, err)
	}
}
