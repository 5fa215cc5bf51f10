package session

import (
	"fmt"
	"strconv"
	"time"
)

const (
	// JWKSMaxAge is how long others may cache the public keys.
	JWKSMaxAge = 5 * time.Minute
	// ViewMaxAge is how old a node's view of the signing keys may be.
	ViewMaxAge = time.Minute

	rotateAfter = 30 * 24 * time.Hour // age at which a key gets a successor
	// publishAhead is how long a key is published before it signs. A node may
	// serve an old set for ViewMaxAge, which others may then cache for
	// JWKSMaxAge; the time is doubled for clocks that differ.
	publishAhead = 2 * (ViewMaxAge + JWKSMaxAge)
	// keepAfter is how long a key is kept after its successor took over. A node
	// may sign with it for ViewMaxAge, and that token may live for MaxLife,
	// whatever lifetime was configured then.
	keepAfter = MaxLife + publishAhead
)

// Plan is what the rotation rule requires for the keys at one time.
type Plan struct {
	Sign   int      // index of the key that signs; -1 if there is none
	Add    string   // id of the key to create now; "" = none
	Delete []string // ids of keys whose last token has expired
}

// Rotation returns the plan for keys at the time now. The keys are sorted by
// generation, oldest first. An id names its generation (s1, s2, …), so nodes
// that create a key at the same time choose the same id, and the store keeps one
// of them. It returns an error for an id that does not name a generation.
func Rotation(keys []SigningKey, now time.Time) (Plan, error) {
	p := Plan{Sign: -1}
	newest := 0
	for i, k := range keys {
		n, err := generation(k.ID)
		if err != nil {
			return Plan{}, err
		}
		newest = n
		// The first key signs at once, because there is no other.
		if i == 0 || !now.Before(k.CreatedAt.Add(publishAhead)) {
			p.Sign = i
		}
	}
	for i := 0; i < p.Sign; i++ {
		if !now.Before(keys[i+1].CreatedAt.Add(publishAhead + keepAfter)) {
			p.Delete = append(p.Delete, keys[i].ID)
		}
	}
	if len(keys) == 0 || !now.Before(keys[len(keys)-1].CreatedAt.Add(rotateAfter)) {
		p.Add = "s" + strconv.Itoa(newest+1)
	}
	return p, nil
}

func generation(id string) (int, error) {
	if len(id) < 2 || id[0] != 's' {
		return 0, fmt.Errorf("session: signing key %q has an unknown form of id", id)
	}
	n, err := strconv.Atoi(id[1:])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("session: signing key %q has an unknown form of id", id)
	}
	return n, nil
}
