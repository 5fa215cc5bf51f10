package httpsig

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// key computes signatures of one algorithm.
type key interface {
	algorithm() algorithm
	public() crypto.PublicKey
	// sign signs the hash of a text.
	sign(ctx context.Context, hash []byte) ([]byte, error)
}

// newKey returns the key for a private key. An empty algorithm is the default of the
// key.
func newKey(private crypto.PrivateKey, a algorithm, limit *Limit, m *meter) (key, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		if a == "" {
			a = rsaSHA256
		}
		if a == ecdsaSHA256 {
			return nil, fmt.Errorf("%w: algorithm: the QSealC has an RSA key", ErrInvalidVariant)
		}
		private.Precompute() // makes each signature about three times faster
		return rsaKey{private, a, limit, m}, nil
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: the QSealC has an ECDSA key of another curve than P-256", ErrInvalidVariant)
		}
		if a != "" && a != ecdsaSHA256 {
			return nil, fmt.Errorf("%w: algorithm: the QSealC has an ECDSA key", ErrInvalidVariant)
		}
		return ecdsaKey{private}, nil
	}
	return nil, fmt.Errorf("%w: the QSealC must have an RSA or ECDSA key", ErrInvalidVariant)
}

// rsaKey signs within the limit, because a signature costs about a millisecond.
type rsaKey struct {
	private *rsa.PrivateKey
	name    algorithm
	limit   *Limit
	meter   *meter // counts the wait for the limit
}

func (k rsaKey) algorithm() algorithm { return k.name }

func (k rsaKey) public() crypto.PublicKey { return k.private.Public() }

func (k rsaKey) sign(ctx context.Context, hash []byte) ([]byte, error) {
	return k.limit.do(ctx, k.meter, func() ([]byte, error) { return rsa.SignPKCS1v15(nil, k.private, k.name.hash(), hash) })
}

// ecdsaKey signs with P-256, in ASN.1 as draft-cavage-http-signatures has it. A
// signature costs about as much as reading the answer, and needs no limit.
type ecdsaKey struct{ private *ecdsa.PrivateKey }

func (k ecdsaKey) algorithm() algorithm { return ecdsaSHA256 }

func (k ecdsaKey) public() crypto.PublicKey { return k.private.Public() }

func (k ecdsaKey) sign(_ context.Context, hash []byte) ([]byte, error) {
	return ecdsa.SignASN1(rand.Reader, k.private, hash)
}
