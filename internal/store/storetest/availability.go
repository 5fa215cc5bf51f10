package storetest

import (
	"testing"
	"time"

	"samla/internal/availability"
	"samla/internal/store"
)

func testAvailability(_ *testing.T, f fixture) {
	hour := availability.HourOf(start)
	next := hour.Add(time.Hour)
	call := func(at time.Time, bucket int, n int64) availability.Call {
		return availability.Call{Company: "se-a", Start: at, Bucket: bucket, Calls: n}
	}
	person := func(at time.Time, digest byte, cause availability.Cause, seconds int) availability.Person {
		return availability.Person{Company: "se-a", Start: at, Digest: []byte{digest}, Cause: cause, At: at.Add(time.Duration(seconds) * time.Second)}
	}
	f.write(func(tx store.Tx) error {
		return tx.AddAvailability(f.ctx, []availability.Call{call(hour, 4, 2), call(hour, 9, 1), call(next, 1, 1)},
			[]availability.Person{person(hour, 1, availability.ByInstitution, 5), person(hour, 2, availability.Served, 5), person(next, 1, availability.Served, 1)})
	})
	f.write(func(tx store.Tx) error {
		return tx.AddAvailability(f.ctx, []availability.Call{call(hour, 4, 3)},
			[]availability.Person{person(hour, 1, availability.Served, 4), person(hour, 2, availability.BySamla, 6)}) // the first is older than what is stored
	})
	first := availability.Hour{Company: "se-a", Start: hour, Persons: 2, Failed: map[availability.Cause]int64{availability.ByInstitution: 1, availability.BySamla: 1}}
	first.Latency[4], first.Latency[9] = 5, 1
	second := availability.Hour{Company: "se-a", Start: next, Persons: 1, Failed: map[availability.Cause]int64{}}
	second.Latency[1] = 1
	got, err := f.s.AvailabilityHours(f.ctx, hour)
	check(f, "counted", got, err, []availability.Hour{first, second})
	for range 2 { // the second time finds nothing to do
		f.write(func(tx store.Tx) error { return tx.FoldAvailability(f.ctx, next, next) })
		got, err = f.s.AvailabilityHours(f.ctx, hour)
		check(f, "folded", got, err, []availability.Hour{first, second})
	}
	got, err = f.s.AvailabilityHours(f.ctx, next)
	check(f, "the later hour", got, err, []availability.Hour{second})
	f.write(func(tx store.Tx) error {
		return tx.FoldAvailability(f.ctx, next.Add(time.Hour), next.Add(availability.Keep+time.Second))
	})
	got, err = f.s.AvailabilityHours(f.ctx, hour)
	check(f, "after 90 days", got, err, nil)
}
