package storetest

import (
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/deviation"
	"samla/internal/store"
)

func testUses(_ *testing.T, f fixture) {
	day := client.DayOf(start)
	use := func(key string, named bool, day time.Time, n int64, at time.Time) client.Use {
		return client.Use{ClientID: f.client.ID, KeyID: key, Version: "2026-04-01", Named: named, Day: day, Requests: n, LastAt: at}
	}
	add := func(now time.Time, uses ...client.Use) {
		f.write(func(tx store.Tx) error { return tx.AddUses(f.ctx, uses, now) })
	}
	add(start, use("k", true, day, 3, start.Add(time.Minute)), use("", false, day, 1, start))
	add(start, use("k", true, day, 4, start), use("k", false, day, 2, start), use("k", true, day.Add(24*time.Hour), 1, start.Add(24*time.Hour)))
	got, err := f.s.UsesSince(f.ctx, day)
	all := []client.Use{use("", false, day, 1, start), use("k", false, day, 2, start), use("k", true, day, 7, start.Add(time.Minute)), use("k", true, day.Add(24*time.Hour), 1, start.Add(24*time.Hour))}
	check(f, "uses", got, err, all)
	got, err = f.s.UsesSince(f.ctx, day.Add(time.Hour))
	check(f, "later uses", got, err, all[3:])
	add(day.Add(client.KeepUse + time.Hour))
	got, err = f.s.UsesSince(f.ctx, day)
	check(f, "kept uses", got, err, all[3:])
}

func testDeviations(_ *testing.T, f fixture) {
	hour := start.Truncate(time.Hour)
	of := func(company string, k deviation.Kind, hours int, n int64) deviation.Hour {
		return deviation.Hour{Company: company, Kind: k, Start: hour.Add(time.Duration(hours) * time.Hour), N: n}
	}
	add := func(now time.Time, all ...deviation.Hour) {
		f.write(func(tx store.Tx) error { return tx.AddDeviations(f.ctx, all, now) })
	}
	add(start, of("a", deviation.UnknownMember, 0, 3), of("b", deviation.UnknownMember, 0, 9), of("a", deviation.Bounded, 1, 1))
	add(start, of("a", deviation.UnknownMember, 0, 4), of("a", deviation.UnknownMember, 2, 5))
	got, err := f.s.DeviationsSince(f.ctx, "a", hour)
	check(f, "deviations", got, err, []deviation.Hour{of("a", deviation.UnknownMember, 0, 7), of("a", deviation.Bounded, 1, 1), of("a", deviation.UnknownMember, 2, 5)})
	got, err = f.s.FirstDeviations(f.ctx, "a")
	check(f, "first", got, err, []deviation.Hour{of("a", deviation.Bounded, 1, 1), of("a", deviation.UnknownMember, 0, 7)})
	add(hour.Add(deviation.Keep + 90*time.Minute))
	got, err = f.s.DeviationsSince(f.ctx, "a", hour)
	check(f, "kept", got, err, []deviation.Hour{of("a", deviation.UnknownMember, 2, 5)})
}
