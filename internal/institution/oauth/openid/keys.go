package openid

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/jsontext"
)

// The times of a key set. Whoever sends us tokens with unknown keys must not make us call
// the bank for each of them.
const (
	keysAge     = time.Hour      // a set that is older is read again
	keysMaxAge  = 24 * time.Hour // a set that is older is not used if it cannot be read again
	keysPause   = time.Minute    // the least time between two reads, once there is a set
	maxKeys     = 100
	maxDocument = 512 << 10 // bytes
)

// Keys reads and caches the public keys of a server (JWKS, RFC 7517 5). It is safe for
// concurrent use.
//
// A token of a key that is not in the set makes it read the set again, once, and at most
// once a minute: that is how a bank changes its keys (docs/reference/families.md 15, O19).
type Keys struct {
	endpoint oauth.Endpoint
	clock    clock.Clock
	turn     chan struct{} // holds one value while nobody uses the fields below

	keys  []key
	read  time.Time // when keys were read; zero = never
	tried time.Time // when the last read began
	err   error     // of the last read
}

// key is a public key of a set that signatures can be checked with.
type key struct {
	id, algorithm string // "" = not said
	public        crypto.PublicKey
}

// NewKeys returns the keys at an endpoint (jwks_uri). Nothing is read yet.
func NewKeys(e oauth.Endpoint, clk clock.Clock) *Keys {
	k := &Keys{endpoint: e, clock: clk, turn: make(chan struct{}, 1)}
	k.turn <- struct{}{}
	return k
}

// find returns the keys that can have made a signature: of the id, or without an id in the
// token all of the algorithm. It returns none for a key that is unknown. Errors:
// *institution.Error if the set cannot be read; an error of ctx.
func (k *Keys) find(ctx context.Context, id, algorithm string) ([]crypto.PublicKey, error) {
	select {
	case <-k.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { k.turn <- struct{}{} }()
	now := k.clock.Now()
	if k.read.IsZero() || now.Sub(k.read) >= keysAge && k.mayRead(now) {
		k.load(ctx, now)
	}
	found := k.matching(id, algorithm)
	if len(found) == 0 && !k.read.IsZero() && k.mayRead(now) {
		k.load(ctx, now)
		found = k.matching(id, algorithm)
	}
	if k.read.IsZero() || now.Sub(k.read) >= keysMaxAge || len(found) == 0 {
		return nil, k.err // nil if the set is new and does not have the key
	}
	return found, nil
}

func (k *Keys) mayRead(now time.Time) bool { return now.Sub(k.tried) >= keysPause }

// load reads the set. A set that cannot be read leaves the older one in use. The end of ctx
// does not stop it: what it finds out is for all callers.
func (k *Keys) load(ctx context.Context, now time.Time) {
	k.tried = now
	body, err := k.endpoint.GET(context.WithoutCancel(ctx), maxDocument)
	var keys []key
	if err == nil {
		keys, err = parseKeys(body)
	}
	if k.err = err; err == nil {
		k.keys, k.read = keys, now
	}
}

func (k *Keys) matching(id, algorithm string) []crypto.PublicKey {
	var found []crypto.PublicKey
	for _, candidate := range k.keys {
		if (id == "" || candidate.id == id) && (candidate.algorithm == "" || candidate.algorithm == algorithm) && fits(candidate.public, algorithm) {
			found = append(found, candidate.public)
		}
	}
	return found
}

// fits reports whether a key is of the kind that an algorithm uses.
func fits(public crypto.PublicKey, algorithm string) bool {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return algorithm == "ES256"
	case *rsa.PublicKey:
		return algorithm == "PS256" || algorithm == "RS256"
	}
	return false
}

// parseKeys reads a key set. Keys that cannot be used are left out, as RFC 7517 5 demands:
// other types, keys for encryption, weak ones, and secrets.
func parseKeys(body []byte) ([]key, error) {
	malformed := &institution.Error{Kind: institution.MalformedResponse, Detail: "the key set must have keys"}
	if _, syntax := jsontext.Parse(string(body)); syntax != nil {
		return nil, malformed
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil || set.Keys == nil || len(set.Keys) > maxKeys {
		return nil, malformed
	}
	var keys []key
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) != nil || !k.Valid() || k.Use != "" && k.Use != "sig" {
			continue
		}
		switch public := k.Key.(type) {
		case *rsa.PublicKey:
			if public.N.BitLen() < 2048 {
				continue
			}
		case *ecdsa.PublicKey:
			if public.Curve != elliptic.P256() {
				continue
			}
		default:
			continue
		}
		keys = append(keys, key{k.KeyID, k.Algorithm, k.Key})
	}
	return keys, nil
}
