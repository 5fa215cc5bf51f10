// Package node answers the operations that belong to no version of the API: whether
// the process lives and can serve, the public keys of session tokens, and the contract.
package node

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"samla/internal/api"
	"samla/internal/fault"
	"samla/internal/gzipped"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/wire"
)

// Store is the part of the store that Ready needs.
type Store interface {
	// Ping returns an error if the database does not answer.
	Ping(ctx context.Context) error
}

// pingTimeout is how long the database may take to answer.
const pingTimeout = 2 * time.Second

// Health answers that the process lives.
func Health() api.Endpoint {
	return api.Endpoint{Serve: func(c *api.Call) error {
		return c.Write(http.StatusOK, []byte(`{"status":"ok"}`))
	}}
}

// Ready answers whether the node can serve requests: its database answers and has
// room. The reason of an outage is in the answer.
func Ready(s Store, outageOf func(error) store.Outage) api.Endpoint {
	return api.Endpoint{Serve: func(c *api.Call) error {
		ctx, cancel := context.WithTimeout(c.Context(), pingTimeout)
		defer cancel()
		if err := s.Ping(ctx); err != nil {
			c.LogCause(err)
			reason := cmp.Or(outageOf(err), "failed")
			return c.Write(http.StatusServiceUnavailable, []byte(`{"status":"unavailable","checks":{"store":"`+string(reason)+`"}}`))
		}
		return c.Write(http.StatusOK, []byte(`{"status":"ok","checks":{"store":"ok"}}`))
	}}
}

// Keys is the part of package authn that PublicKeys needs.
type Keys interface {
	// JWKS returns the public keys as a JWK set (RFC 7517).
	JWKS(ctx context.Context) ([]byte, error)
}

// PublicKeys answers with the keys that verify session tokens (docs/reference/api.md
// 1.3).
func PublicKeys(k Keys) api.Endpoint {
	cache := []string{"public, max-age=" + strconv.Itoa(int(session.JWKSMaxAge/time.Second))}
	return api.Endpoint{Serve: func(c *api.Call) error {
		keys, err := k.JWKS(c.Context())
		if err != nil {
			return err
		}
		c.Header()["Cache-Control"] = cache
		return c.Write(http.StatusOK, keys)
	}}
}

// Documents answers with one of the contracts, lowest first: the one of the version that
// the header Insurely-Version names, or the highest without one. A cache must ask again: a
// new release of the server changes it. Faults: UnsupportedVersion.
func Documents(contracts ...*wire.Contract) api.Endpoint {
	names, all := make([]string, len(contracts)), make([]document, len(contracts))
	for i, c := range contracts {
		d := document{plain: c.Text(), packed: gzipped.Compress(c.Text())}
		sum := sha256.Sum256(d.plain)
		d.tag = hex.EncodeToString(sum[:8])
		names[i], all[i] = c.Version(), d
	}
	return api.Endpoint{Serve: func(c *api.Call) error {
		i := len(all) - 1
		if name := c.Version(); name != "" {
			if i = slices.Index(names, name); i < 0 {
				f := fault.New(fault.UnsupportedVersion)
				f.SupportedVersions = names
				return f
			}
		}
		c.Header()["Cache-Control"] = []string{"no-cache"}
		c.Header()["Vary"] = append(c.Header()["Vary"], wire.VersionHeader)
		return c.WriteStored(&all[i])
	}}
}

// document is a contract, compressed once.
type document struct {
	tag           string
	plain, packed []byte
}

func (d *document) Tag() string                            { return d.tag }
func (d *document) Packed(context.Context) ([]byte, error) { return d.packed, nil }
func (d *document) Plain(context.Context) ([]byte, error)  { return d.plain, nil }
