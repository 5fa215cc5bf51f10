package withdraw_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/withdraw"
)

var now = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

const dutyID = "0195f0c0-0000-7000-8000-000000000001"

func newID() string { return dutyID }

func vault(t *testing.T) (store.Store, *keyset.Vault) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	v, err := keyset.New(m, s, clock.NewManual(now))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// given is a consent of a user, or of a collection without one, that holds plain.
func given(t *testing.T, v seal.Vault, userID, plain string) consent.Consent {
	t.Helper()
	c := consent.Consent{ID: "consent", UserID: userID, CollectionID: "collection", Company: "se-demo"}
	var err error
	if c.Sealed, err = v.Seal(t.Context(), c.Subject(), withdraw.SecretPlace(c.ID), []byte(plain)); err != nil {
		t.Fatal(err)
	}
	return c
}

func secret(s consent.Secret) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestADutyOutlivesTheSubjectsKey(t *testing.T) {
	for _, userID := range []string{"user", ""} {
		s, v := vault(t)
		c := given(t, v, userID, secret(consent.Secret{Context: psu.Context{PersonalNumber: "200002292399"}, RemoteID: "bank", Token: "bearer"}))
		d, owed, err := withdraw.Plan(t.Context(), v, c, now, newID)
		if err != nil || !owed {
			t.Fatal(owed, err)
		}
		if d.ID != dutyID || d.Kind != outbox.RevokeConsent || d.Company != "se-demo" || d.ConsentID != "consent" ||
			!d.CreatedAt.Equal(now) || !d.WakeAt.Equal(now) || d.Attempts != 0 {
			t.Errorf("%+v", d)
		}
		if err := s.Write(t.Context(), func(tx store.Tx) error { return tx.DestroyKey(t.Context(), c.Subject(), now) }); err != nil {
			t.Fatal(err)
		}
		v.Evict(c.Subject())
		p, err := withdraw.Open(t.Context(), v, d)
		if err != nil || p != (withdraw.Payload{RemoteID: "bank", Token: "bearer"}) {
			t.Errorf("%+v, %v", p, err)
		}
		d.ID = "another"
		if _, err := withdraw.Open(t.Context(), v, d); !errors.Is(err, seal.ErrDecryption) {
			t.Errorf("moved to another row: %v", err)
		}
		if _, owed, err := withdraw.Plan(t.Context(), v, c, now, newID); owed || err != nil {
			t.Errorf("the forgotten owe %v, %v", owed, err)
		}
	}
}

func TestNothingIsOwedToABankThatGaveNothing(t *testing.T) {
	_, v := vault(t)
	unopened := given(t, v, "user", secret(consent.Secret{Context: psu.Context{PersonalNumber: "200002292399"}}))
	for name, c := range map[string]consent.Consent{"not opened": unopened, "no secret": {ID: "x", UserID: "user"}} {
		if d, owed, err := withdraw.Plan(t.Context(), v, c, now, newID); owed || err != nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestABrokenSecretIsAnErrorThatTellsNothing(t *testing.T) {
	_, v := vault(t)
	c := given(t, v, "user", `{"pnr":"200002292399`)
	if _, owed, err := withdraw.Plan(t.Context(), v, c, now, newID); owed || err == nil || strings.Contains(err.Error(), "20000229") {
		t.Errorf("%v, %v", owed, err)
	}
	c.ID = "another"
	if _, owed, err := withdraw.Plan(t.Context(), v, c, now, newID); owed || !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("%v, %v", owed, err)
	}
	d := outbox.Message{ID: dutyID}
	var err error
	if d.Sealed, err = v.Seal(t.Context(), seal.System, seal.Place{Table: "duties", Column: "sealed", Row: dutyID}, []byte(`{"token":1`)); err != nil {
		t.Fatal(err)
	}
	if _, err := withdraw.Open(t.Context(), v, d); err == nil {
		t.Error("took a payload that does not parse")
	}
}
