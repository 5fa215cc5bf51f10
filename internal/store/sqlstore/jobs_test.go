package sqlstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
)

func TestReclaim_EndsLeases(t *testing.T) {
	ctx, lease := context.Background(), 20*time.Second
	s, err := sqlstore.Open(ctx, sqlstore.Config{DSN: t.TempDir(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u := user.User{ID: newID(), ClientID: newID(), ExternalID: "x", CreatedAt: began}
	wakes := map[string]time.Time{newID(): began, newID(): began.Add(lease + time.Second), newID(): {}}
	err = s.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddUser(ctx, u); err != nil {
			return err
		}
		for id, wake := range wakes {
			if err := tx.AddConsent(ctx, consent.Consent{ID: consent.ID(id), ClientID: u.ClientID, UserID: u.ID, Company: "se-a",
				Status: consent.Initiated, Step: consent.StepOpen, CreatedAt: began, WakeAt: wake}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	claim := func() []string {
		jobs, err := s.Claim(ctx, store.Consents, began, lease, store.ClaimLimit{Rows: 10})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
		return ids
	}
	leased := claim()
	if len(leased) != 1 || len(claim()) != 0 {
		t.Fatalf("claimed %v", leased)
	}
	if err := s.Reclaim(ctx, began, lease); err != nil {
		t.Fatal(err)
	}
	if again := claim(); !slices.Equal(again, leased) {
		t.Errorf("claimed %v, want %v, without the one that is due later and the one that is never due", again, leased)
	}
}

// A row that was stored as leased was not claimed. Its handler may have died all the
// same, so the claim after Reclaim is not the first attempt.
func TestReclaim_CountsAnAttempt(t *testing.T) {
	ctx, lease := t.Context(), 20*time.Second
	s, err := sqlstore.Open(ctx, sqlstore.Config{DSN: t.TempDir(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(ctx, func(tx store.Tx) error {
		return tx.AddConsent(ctx, consent.Consent{ID: consent.ID(newID()), CollectionID: newID(), Status: consent.Initiated,
			Step: consent.StepOpen, CreatedAt: began, WakeAt: began.Add(lease)})
	}); err != nil {
		t.Fatal(err)
	}
	now := began.Add(time.Second)
	if err := s.Reclaim(ctx, now, lease); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Claim(ctx, store.Consents, now, lease, store.ClaimLimit{Rows: 1}); err != nil || len(got) != 1 || got[0].Attempts != 2 {
		t.Errorf("claimed %+v, %v", got, err)
	}
}
