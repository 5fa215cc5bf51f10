package clock

import (
	"math/rand/v2"
	"time"
)

// Backoff returns how long to wait before the next attempt; failed is the number
// of attempts in a row that have failed. The wait starts at first and doubles
// with each further failure, up to longest; both must be positive. A random part
// of up to one fifth is taken off, so that jobs that failed together are not all
// retried at the same time.
func Backoff(failed int, first, longest time.Duration) time.Duration {
	wait := min(first, longest)
	for ; failed > 1 && wait < longest; failed-- {
		if wait > longest/2 { // doubling would exceed longest, or overflow
			wait = longest
		} else {
			wait *= 2
		}
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5+1))
}
