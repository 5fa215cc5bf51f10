package quota

import (
	"hash/fnv"
	"math"
	"time"
)

// The limits of how often a plan reads.
const (
	MinPerDay = 1
	MaxPerDay = 4
)

const (
	// late is how long after its time a read may begin as if it were on time. A later one
	// was missed: this node, or all of them, did not run.
	late = 10 * time.Minute
	// catchUpWithin is the longest time over which the reads that an outage has delayed are
	// spread.
	catchUpWithin = 6 * time.Hour
	// catchUpQueued is the same for collections that a client has queued.
	catchUpQueued = 30 * time.Minute

	firstRetry   = time.Hour
	longestRetry = Window
)

// interval is the time between two reads of a plan.
func interval(perDay int) time.Duration { return Window / time.Duration(max(1, perDay)) }

// fraction returns a number in [0, 1) that is always the same for the same texts.
func fraction(texts ...string) float64 {
	h := fnv.New64a()
	for _, text := range texts {
		_, _ = h.Write([]byte(text)) // never fails
		_, _ = h.Write([]byte{0})
	}
	// The last bits of an FNV hash are its best: a multiplication brings them to the front.
	return math.Min(float64((h.Sum64()*0x9E3779B97F4A7C15)>>11)/(1<<53), math.Nextafter(1, 0))
}

// part returns the part of d that belongs to these texts.
func part(d time.Duration, texts ...string) time.Duration {
	return time.Duration(fraction(texts...) * float64(d)).Truncate(time.Second)
}

// slot returns the first time of a plan that is not before from. The times of a lineage
// are at the same minutes every day, so that the plans of a server are spread over the day.
func slot(lineage string, perDay int, from time.Time) time.Time {
	every := interval(perDay)
	offset := part(every, lineage)
	first := from.Truncate(every).Add(offset) // Truncate counts from the zero time: a midnight
	if first.Before(from) {
		first = first.Add(every)
	}
	return first
}

// retryAfter returns how long to wait after a number of failures in a row: an hour, two,
// four and so on up to a day, a quarter more or less, so that the plans that an outage of a
// bank has stopped do not come back together.
func retryAfter(lineage string, failures int) time.Duration {
	wait := longestRetry
	if failures < 6 {
		wait = min(longestRetry, firstRetry<<max(0, failures-1))
	}
	return wait*3/4 + part(wait/2, lineage, "retry")
}
