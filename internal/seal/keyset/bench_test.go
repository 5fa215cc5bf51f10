package keyset_test

import (
	"testing"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
)

// What the server seals for itself, under the master key and under an epoch key.
func BenchmarkSealSystem(b *testing.B) {
	m := master(b)
	r, err := keyset.OpenRing(keyset.RingConfig{Dir: b.TempDir() + "/keys", Master: m, Clock: clock.System()})
	if err != nil {
		b.Fatal(err)
	}
	r.Begin()
	for name, v := range map[string]*keyset.Vault{"master": vault(b, m, newMemory(), clock.System()), "epoch": keyset.NewEpochs(r, newMemory(), clock.System())} {
		b.Run(name, func(b *testing.B) {
			plain := make([]byte, 300)
			for b.Loop() {
				sealed, err := v.Seal(b.Context(), seal.System, systemPlace, plain)
				if err == nil {
					_, err = v.Open(b.Context(), seal.System, systemPlace, sealed)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
