package sqlstore

import (
	"fmt"
	"testing"

	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

// BenchmarkConsentsOf reads a list of 50 consents.
func BenchmarkConsentsOf(b *testing.B) {
	s, err := Open(b.Context(), Config{DSN: b.TempDir(), Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(b.Context(), func(tx store.Tx) error {
		if err := tx.AddUser(b.Context(), user.User{ID: "u", ClientID: "c", ExternalID: "e", CreatedAt: began}); err != nil {
			return err
		}
		for i := range 50 {
			if err := tx.AddConsent(b.Context(), consent.Consent{ID: consent.ID(fmt.Sprintf("k-%02d", i)), ClientID: "c", UserID: "u", Company: "se-demo-psd2",
				Status: consent.Initiated, Requested: consent.Scope{Balances: true, Transactions: true}, CreatedAt: began}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if list, err := s.ConsentsOf(b.Context(), "c", "u", store.Page{Limit: 51}); err != nil || len(list) != 50 {
			b.Fatal(len(list), err)
		}
	}
}
