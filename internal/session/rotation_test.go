package session

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// For some months of calls at random times: a key signs only when all cached copies of
// the public keys have it, no key is deleted while a token of it may be valid, and the
// keys are rotated in time.
func TestRotation_KeysOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
		end := now.AddDate(0, 0, 100)
		var keys []SigningKey
		lastSigned := map[string]time.Time{}
		longest := rapid.SampledFrom([]time.Duration{3 * time.Hour, 12 * time.Hour, 12 * 24 * time.Hour}).Draw(t, "longest")
		for now.Before(end) {
			p, err := Rotation(keys, now)
			if err != nil {
				t.Fatal(err)
			}
			if p.Add != "" {
				keys = append(keys, SigningKey{ID: p.Add, CreatedAt: now})
			}
			for _, kid := range p.Delete {
				if signed, ok := lastSigned[kid]; ok && now.Before(signed.Add(ViewMaxAge+MaxLife)) {
					t.Fatalf("%s was deleted at %v, signed at %v", kid, now, signed)
				}
				keys = slices.DeleteFunc(keys, func(k SigningKey) bool { return k.ID == kid })
			}
			if p, err = Rotation(keys, now); err != nil || p.Sign < 0 || p.Add != "" || len(p.Delete) > 0 {
				t.Fatalf("not settled: %+v, %v", p, err)
			}
			signer := keys[p.Sign]
			if len(lastSigned) > 0 && lastSigned[signer.ID].IsZero() && now.Before(signer.CreatedAt.Add(ViewMaxAge+JWKSMaxAge)) {
				t.Fatalf("%s signs %v after it was created", signer.ID, now.Sub(signer.CreatedAt))
			}
			lastSigned[signer.ID] = now
			if age := now.Sub(keys[len(keys)-1].CreatedAt); age > rotateAfter {
				t.Fatalf("the newest key is %v old", age)
			}
			if len(keys) > 3 {
				t.Fatalf("%d keys are kept", len(keys))
			}
			now = now.Add(time.Duration(rapid.Int64Range(int64(longest)/20, int64(longest)).Draw(t, "pause")))
		}
	})
}

func TestRotation_RefusesUnknownFormOfID(t *testing.T) {
	for _, kid := range []string{"", "s", "x1", "s0", "s-1", "sx"} {
		if _, err := Rotation([]SigningKey{{ID: kid}}, time.Time{}); err == nil {
			t.Errorf("%q was accepted", kid)
		}
	}
}

func TestRotation_NumbersGenerations(t *testing.T) {
	at := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	var keys []SigningKey
	for i := 8; i < 11; i++ {
		keys = append(keys, SigningKey{ID: fmt.Sprintf("s%d", i), CreatedAt: at})
	}
	p, err := Rotation(keys, at.Add(rotateAfter))
	if err != nil || p.Add != "s11" {
		t.Errorf("%+v, %v", p, err)
	}
}
