// Package uuid7 generates the ids of stored records: UUIDs of version 7 (RFC 9562).
// Their time comes from a clock.Clock, so that ids sort in the order of creation
// under a manual clock too.
package uuid7

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"

	"github.com/google/uuid"

	"samla/internal/clock"
)

// Generator generates ids. It is safe for concurrent use.
type Generator struct {
	clk    clock.Clock
	random io.Reader

	mu   sync.Mutex
	last uint64 // Unix time in milliseconds << 12, plus 12 bits of sub-millisecond time or counter
}

// NewGenerator returns a Generator. If random is nil, crypto/rand is used.
func NewGenerator(clk clock.Clock, random io.Reader) *Generator {
	if random == nil {
		random = rand.Reader
	}
	return &Generator{clk: clk, random: random}
}

// New returns a UUID of version 7 (RFC 9562 section 5.7) that is greater than
// every id this Generator returned before. The field rand_a holds the fraction of
// the millisecond; it is incremented instead when ids are generated faster than
// the clock advances (section 6.2, method 3). New panics if random fails, as
// crypto/rand does.
func (g *Generator) New() string {
	var id uuid.UUID
	now := g.clk.Now()

	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := io.ReadFull(g.random, id[8:]); err != nil {
		panic("uuid7: no randomness: " + err.Error())
	}
	tick := uint64(now.UnixMilli())<<12 | uint64(now.Nanosecond()%1e6)*4096/1e6
	if tick <= g.last {
		tick = g.last + 1
	}
	g.last = tick

	binary.BigEndian.PutUint64(id[:8], tick>>12<<16|0x7000|tick&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
