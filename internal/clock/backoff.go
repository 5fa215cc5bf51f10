package clock

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before the attempt after the given number of
// failed ones: it doubles from first up to longest, and draws the last fifth by
// chance so that many rows do not come back at once.
func Backoff(failed int, first, longest time.Duration) time.Duration {
	d := longest
	if shift := failed - 1; shift < 30 && first<<max(shift, 0) < longest {
		d = first << max(shift, 0)
	}
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}
