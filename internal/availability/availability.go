// Package availability defines the figures that are published about institutions: for each
// hour, how many persons were served, how long calls took, and who caused failures
// (docs/reference/api.md 6.4). The figures are about groups of persons, never about fewer
// than LeastPersons.
package availability

import (
	"math"
	"time"
)

// LeastPersons is the smallest number of persons that a figure is published about.
const LeastPersons = 5

// Keep is how long the figures of an hour are kept.
const Keep = 90 * 24 * time.Hour

// Cause says who caused the failure of a call, or has to act. The values are stored.
type Cause string

// The causes. The first is no failure.
const (
	Served        Cause = ""
	ByInstitution Cause = "BANK"
	BySamla       Cause = "SAMLA"
	ByPerson      Cause = "USER" // says nothing about the institution
)

// HourOf returns the hour that a time belongs to, by its beginning in UTC.
func HourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// Hour is what was counted about one institution in one hour, on all nodes together.
type Hour struct {
	Company string
	Start   time.Time
	Persons int64           // distinct
	Failed  map[Cause]int64 // persons by the cause of their last outcome in the hour; not Served
	Latency Histogram       // of calls that the institution has answered
}

// Call counts the calls that one institution has answered in an hour in about the same
// time.
type Call struct {
	Company string
	Start   time.Time
	Bucket  int // of Histogram
	Calls   int64
}

// Person is the last outcome of one person's work at an institution in an hour. Digest
// stands for the person and is kept until the hour is folded.
type Person struct {
	Company string
	Start   time.Time
	Digest  []byte
	Cause   Cause
	At      time.Time
}

// Published are the figures of some hours as they may be published: shares are rounded to
// whole percents, durations to two digits, and nil stands for too few persons.
type Published struct {
	Availability  *float64           // share of persons who were served
	Errors        map[Cause]*float64 // shares of persons by cause; nil in it also for fewer than LeastPersons who failed, 0 for none
	P50, P95, P99 *time.Duration
}

// Publish returns the figures of an hour.
func (h Hour) Publish() Published { return publish(h, h.Failed) }

// PublishSum returns the figures of several hours of one institution. A person who was
// there in several of them counts in each. Hours with fewer than LeastPersons are left out,
// since all of them together may be about one person.
func PublishSum(hours []Hour) Published {
	sum := Hour{Failed: map[Cause]int64{}}
	atOnce := map[Cause]int64{}
	for _, h := range hours {
		if h.Persons < LeastPersons {
			continue
		}
		sum.Persons += h.Persons
		for cause, n := range h.Failed {
			sum.Failed[cause] += n
			atOnce[cause] = max(atOnce[cause], n)
		}
		for i, n := range h.Latency {
			sum.Latency[i] += n
		}
	}
	return publish(sum, atOnce)
}

// publish returns the figures of h. At least atOnce distinct persons failed, by cause.
func publish(h Hour, atOnce map[Cause]int64) Published {
	p := Published{Errors: map[Cause]*float64{ByInstitution: nil, BySamla: nil}}
	if h.Persons < LeastPersons {
		return p
	}
	share := func(n int64) *float64 {
		s := math.Round(100*float64(n)/float64(h.Persons)) / 100
		return &s
	}
	p.Availability = share(h.Persons - h.Failed[ByInstitution] - h.Failed[BySamla])
	for cause := range p.Errors {
		if h.Failed[cause] == 0 || atOnce[cause] >= LeastPersons {
			p.Errors[cause] = share(h.Failed[cause])
		}
	}
	p.P50, p.P95, p.P99 = h.Latency.Quantile(0.50), h.Latency.Quantile(0.95), h.Latency.Quantile(0.99)
	return p
}
