package access

import (
	"fmt"
	"strconv"
	"time"

	"samla/internal/store"
)

// JWKSMaxAge is how long others may cache the public keys.
const JWKSMaxAge = 5 * time.Minute

const (
	ringAge     = time.Minute         // how old a node's view of the signing keys may be
	rotateEvery = 30 * 24 * time.Hour // age at which a key gets a successor
	// publishAhead is how long a key is published before it signs: a node may
	// serve an old set for ringAge, which may then be cached for JWKSMaxAge;
	// as much again is for clocks that differ.
	publishAhead = 2 * (ringAge + JWKSMaxAge)
	// keepAfter is how long a key is kept after its successor took over: a node
	// may sign with it for ringAge, and that token may live for MaxLife under
	// whatever lifetime was configured then.
	keepAfter = MaxLife + publishAhead
)

// plan is what the rule of rotation says about the keys at a moment.
type plan struct {
	sign int      // index of the key that signs, -1 when there is none
	add  string   // kid of the key to make now; empty = none
	drop []string // kids whose last token has expired
}

// schedule is the rule of rotation. keys are sorted by generation, oldest first.
// A kid names its generation (s1, s2, …): nodes that make a key at the same time
// make the same kid, and the store lets one of them win.
func schedule(keys []store.SigningKey, now time.Time) (plan, error) {
	p := plan{sign: -1}
	newest := 0
	for i, k := range keys {
		n, err := generation(k.ID)
		if err != nil {
			return plan{}, err
		}
		newest = n
		// The oldest key has nothing to wait for: without it nobody could sign.
		if i == 0 || !now.Before(k.CreatedAt.Add(publishAhead)) {
			p.sign = i
		}
	}
	for i := 0; i < p.sign; i++ {
		if !now.Before(keys[i+1].CreatedAt.Add(publishAhead + keepAfter)) {
			p.drop = append(p.drop, keys[i].ID)
		}
	}
	if len(keys) == 0 || !now.Before(keys[len(keys)-1].CreatedAt.Add(rotateEvery)) {
		p.add = "s" + strconv.Itoa(newest+1)
	}
	return p, nil
}

func generation(kid string) (int, error) {
	if len(kid) < 2 || kid[0] != 's' {
		return 0, fmt.Errorf("access: the signing key %q is none of ours", kid)
	}
	n, err := strconv.Atoi(kid[1:])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("access: the signing key %q is none of ours", kid)
	}
	return n, nil
}
