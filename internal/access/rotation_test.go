package access

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/store"
)

// Over some months of random visits: a key signs only when everybody who may cache
// the public keys knows it, no key goes while a token of it may live, and a
// lively server rotates in time.
func TestRotationOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
		end := now.AddDate(0, 0, 100)
		var keys []store.SigningKey
		lastSigned := map[string]time.Time{}
		longest := rapid.SampledFrom([]time.Duration{3 * time.Hour, 12 * time.Hour, 12 * 24 * time.Hour}).Draw(t, "longest")
		for now.Before(end) {
			p, err := schedule(keys, now)
			if err != nil {
				t.Fatal(err)
			}
			if p.add != "" {
				keys = append(keys, store.SigningKey{ID: p.add, CreatedAt: now})
			}
			for _, kid := range p.drop {
				if signed, ok := lastSigned[kid]; ok && now.Before(signed.Add(ringAge+MaxLife)) {
					t.Fatalf("%s was dropped at %v, signed at %v", kid, now, signed)
				}
				keys = slices.DeleteFunc(keys, func(k store.SigningKey) bool { return k.ID == kid })
			}
			if p, err = schedule(keys, now); err != nil || p.sign < 0 || p.add != "" || len(p.drop) > 0 {
				t.Fatalf("not settled: %+v, %v", p, err)
			}
			signer := keys[p.sign]
			if len(lastSigned) > 0 && lastSigned[signer.ID].IsZero() && now.Before(signer.CreatedAt.Add(ringAge+JWKSMaxAge)) {
				t.Fatalf("%s signs %v after it was made", signer.ID, now.Sub(signer.CreatedAt))
			}
			lastSigned[signer.ID] = now
			if age := now.Sub(keys[len(keys)-1].CreatedAt); age > rotateEvery {
				t.Fatalf("the newest key is %v old", age)
			}
			if len(keys) > 3 {
				t.Fatalf("%d keys are kept", len(keys))
			}
			now = now.Add(time.Duration(rapid.Int64Range(int64(longest)/20, int64(longest)).Draw(t, "pause")))
		}
	})
}

func TestRotationRefusesForeignKeys(t *testing.T) {
	for _, kid := range []string{"", "s", "x1", "s0", "s-1", "sx"} {
		if _, err := schedule([]store.SigningKey{{ID: kid}}, time.Time{}); err == nil {
			t.Errorf("%q was taken", kid)
		}
	}
}

func TestGenerationsCountOn(t *testing.T) {
	at := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	var keys []store.SigningKey
	for i := 8; i < 11; i++ {
		keys = append(keys, store.SigningKey{ID: fmt.Sprintf("s%d", i), CreatedAt: at})
	}
	p, err := schedule(keys, at.Add(rotateEvery))
	if err != nil || p.add != "s11" {
		t.Errorf("%+v, %v", p, err)
	}
}
