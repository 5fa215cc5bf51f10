package availability

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// buckets is the number of buckets of a Histogram.
const buckets = 32

// first is the upper bound of the first bucket; each bound is growth times the one before,
// so that the last one is a minute and a half.
const (
	first  = 5 * time.Millisecond
	growth = 1.3717421 // (90 s / 5 ms) to the power of 1/31
)

// Histogram counts durations in buckets that grow by a third. The last bucket has what is
// longer than all bounds.
type Histogram [buckets]int64

var bounds = func() (b [buckets]time.Duration) {
	at := float64(first)
	for i := range b {
		b[i] = time.Duration(at)
		at *= growth
	}
	return b
}()

// BucketOf returns the bucket of a duration.
func BucketOf(d time.Duration) int {
	for i, bound := range bounds {
		if d <= bound {
			return i
		}
	}
	return buckets - 1
}

// Quantile returns the duration that a share q of the counted ones do not exceed, with two
// digits, or nil if nothing was counted. It is exact to a bucket: at most a third too much.
func (h Histogram) Quantile(q float64) *time.Duration {
	var total int64
	for _, n := range h {
		total += n
	}
	if total == 0 {
		return nil
	}
	rank, at := int64(math.Ceil(q*float64(total))), int64(0)
	for i, n := range h {
		if at += n; at >= rank {
			d := round(bounds[i])
			return &d
		}
	}
	return nil
}

// round rounds a duration up to two digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 100 {
		unit *= 10
	}
	return (d + unit - 1) / unit * unit
}

// String encodes the counts, for example "3:10,4:22".
func (h Histogram) String() string {
	var b strings.Builder
	for i, n := range h {
		if n == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(i) + ":" + strconv.FormatInt(n, 10))
	}
	return b.String()
}

// ParseHistogram is the reverse of String. It reports false for any other text.
func ParseHistogram(text string) (h Histogram, ok bool) {
	if text == "" {
		return h, true
	}
	for part := range strings.SplitSeq(text, ",") {
		bucket, count, _ := strings.Cut(part, ":")
		i, err := strconv.Atoi(bucket)
		n, countErr := strconv.ParseInt(count, 10, 64)
		if err != nil || countErr != nil || i < 0 || i >= buckets || n <= 0 || h[i] != 0 {
			return Histogram{}, false
		}
		h[i] = n
	}
	return h, true
}
