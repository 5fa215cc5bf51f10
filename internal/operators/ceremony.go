package operators

import (
	"sync"

	"github.com/go-webauthn/webauthn/webauthn"

	"samla/internal/clock"
	"samla/internal/lru"
	"samla/internal/operator"
)

// ceremony is what the server remembers between its challenge and the answer. It is kept
// in memory: behind a proxy, requests of one browser go to one node.
type ceremony struct {
	operatorID string // "" = whoever has the passkey
	enrol      string // hash of the link, of a new operator
	challenge  webauthn.SessionData
	totp       []byte // key of codes that was shown
}

// ceremonies are those that wait for an answer. Each is taken once.
type ceremonies struct {
	mu sync.Mutex
	by *lru.Cache[string, ceremony]
}

// waiting is how many challenges wait at most; the oldest is forgotten for a newer one.
const waiting = 10_000

func newCeremonies(c clock.Clock) *ceremonies {
	return &ceremonies{by: lru.New[string, ceremony](c, waiting, operator.CeremonyLife)}
}

func (c *ceremonies) put(id string, of ceremony) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by.Put(id, of)
}

func (c *ceremonies) take(id string) (ceremony, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, ok := c.by.Peek(id)
	c.by.Drop(id)
	return of, ok
}
