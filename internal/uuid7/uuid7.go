// Package uuid7 makes the ids of everything that is kept: UUIDs of version 7 whose
// time comes from the clock that is handed in, so that ids sort in the order of
// creation on every clock.
package uuid7

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"

	"github.com/google/uuid"

	"samla/internal/clock"
)

// Generator makes ids. It is safe for concurrent use.
type Generator struct {
	clk    clock.Clock
	random io.Reader

	mu   sync.Mutex
	last uint64 // milliseconds and 12 bits that grow within one
}

// NewGenerator returns a maker. A nil random means the system's.
func NewGenerator(clk clock.Clock, random io.Reader) *Generator {
	if random == nil {
		random = rand.Reader
	}
	return &Generator{clk: clk, random: random}
}

// New returns a UUID of version 7 (RFC 9562 section 5.7) that is greater than
// every id this maker made before: the field rand_a carries the time below a
// millisecond, and counts on where ids are made faster (section 6.2, method 3).
// Like crypto/rand it panics when there is no randomness to be had.
func (m *Generator) New() string {
	var id uuid.UUID
	now := m.clk.Now()

	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := io.ReadFull(m.random, id[8:]); err != nil {
		panic("uuid7: no randomness: " + err.Error())
	}
	tick := uint64(now.UnixMilli())<<12 | uint64(now.Nanosecond()%1e6)*4096/1e6
	if tick <= m.last {
		tick = m.last + 1
	}
	m.last = tick

	binary.BigEndian.PutUint64(id[:8], tick>>12<<16|0x7000|tick&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
