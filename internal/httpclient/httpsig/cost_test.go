package httpsig

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
)

// counted counts the signatures of a key.
type counted struct {
	ecdsaKey
	made *int
}

func (c counted) sign(ctx context.Context, hash []byte) ([]byte, error) {
	*c.made++
	return c.ecdsaKey.sign(ctx, hash)
}

func TestLimit_MeasuresEachKeyOnce(t *testing.T) {
	l, made := NewLimit(1), 0
	var keys []counted
	for range 2 {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, counted{ecdsaKey{private}, &made})
	}
	for i, of := range []int{0, 0, 1, 1, 0} {
		if took, err := l.cost(keys[of]); err != nil || took <= 0 {
			t.Fatal(took, err)
		}
		if want := costSamples * (1 + min(i/2, 1)); made != want {
			t.Errorf("%d signatures after question %d, want %d", made, i, want)
		}
	}
}
