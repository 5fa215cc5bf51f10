package httpsig

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"samla/internal/clock"
)

// costSamples is how many signatures measure computes.
const costSamples = 3

// keyCost is the processor time of a signature with a key.
type keyCost struct {
	public    crypto.PublicKey
	algorithm algorithm
	took      time.Duration
}

func (c keyCost) of(k key) bool {
	public, comparable := k.public().(interface{ Equal(crypto.PublicKey) bool })
	return comparable && c.algorithm == k.algorithm() && public.Equal(c.public)
}

// cost returns the processor time of a signature on this machine. It is measured once for
// each key. Errors wrap ErrInvalidVariant: the key cannot sign.
func (l *Limit) cost(k key) (time.Duration, error) {
	l.mu.Lock()
	for _, c := range l.costs {
		if c.of(k) {
			l.mu.Unlock()
			return c.took, nil
		}
	}
	l.mu.Unlock()
	took, err := measure(k)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.costs = append(l.costs, keyCost{k.public(), k.algorithm(), took})
	return took, nil
}

// measure returns the shortest time of some signatures, because the others may have waited
// for a processor.
func measure(k key) (shortest time.Duration, err error) {
	hash, clk := sum(k.algorithm().hash(), nil), clock.System()
	for range costSamples {
		start := clk.Now()
		if _, err := k.sign(context.Background(), hash); err != nil {
			return 0, fmt.Errorf("%w: the QSealC cannot sign: %w", ErrInvalidVariant, err)
		}
		if took := clk.Now().Sub(start); shortest == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest, nil
}
