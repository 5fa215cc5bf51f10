package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

// claim claims everything that is due.
func (f fixture) claim(q store.Queue, now time.Time) []store.Job {
	f.Helper()
	jobs, err := f.s.Claim(f.ctx, q, now, lease, store.ClaimLimit{Rows: 1000})
	if err != nil {
		f.Fatal(err)
	}
	return jobs
}

func testJobAttempts(_ *testing.T, f fixture) {
	c := f.addConsent(func(c *consent.Consent) { c.WakeAt = start })
	now := start
	for n := 1; n <= 3; n++ { // the handler dies each time
		jobs := f.claim(store.Consents, now)
		if len(jobs) != 1 || jobs[0].ID != string(c.ID) || jobs[0].Attempts != n || !jobs[0].LeaseEnds.Equal(now.Add(lease)) {
			f.Fatalf("claim %d: %+v", n, jobs)
		}
		now = now.Add(lease)
	}
	c, err := f.s.Consent(f.ctx, c.ID)
	if err != nil {
		f.Fatal(err)
	}
	c.WakeAt = now
	f.write(func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, c); return err })
	if jobs := f.claim(store.Consents, now); len(jobs) != 1 || jobs[0].Attempts != 1 {
		f.Errorf("after the row was written: %+v", jobs)
	}
}

func testRetryJob(_ *testing.T, f fixture) {
	k := f.addCollection(func(k *collection.Collection) { k.WakeAt = start })
	j := f.claim(store.Collections, start)[0]
	j.Attempts = 5
	later := start.Add(time.Minute)
	if err := f.s.RetryJob(f.ctx, store.Collections, j, later, "a \x00 reason \xff"+strings.Repeat("é", 600)); err != nil {
		f.Fatal(err)
	}
	if jobs := f.claim(store.Collections, later.Add(-time.Microsecond)); len(jobs) != 0 {
		f.Errorf("before its time: %+v", jobs)
	}
	jobs := f.claim(store.Collections, later)
	if len(jobs) != 1 || jobs[0].Attempts != 6 {
		f.Errorf("at its time: %+v", jobs)
	}
	after, err := f.s.Collection(f.ctx, k.ID)
	check(f, "revision", after.Rev, err, k.Rev)

	// A row that another writer has ended stays ended.
	after.WakeAt = time.Time{}
	f.write(func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, after); return err })
	if err := f.s.RetryJob(f.ctx, store.Collections, j, later, "late"); err != nil {
		f.Error(err)
	}
	if err := f.s.ParkJob(f.ctx, store.Collections, j, later, "late"); err != nil {
		f.Error(err)
	}
	parked, err := f.s.ParkedJobs(f.ctx, store.Collections, 10)
	check(f, "an ended row is not parked", len(parked), err, 0)
	if jobs := f.claim(store.Collections, start.AddDate(10, 0, 0)); len(jobs) != 0 {
		f.Errorf("an ended row came back: %+v", jobs)
	}
}

func figures(f fixture, now time.Time, want store.QueueFigures) {
	f.Helper()
	got, err := f.s.QueueFigures(f.ctx, store.Consents, now)
	check(f, "figures of the queue", got, err, want)
}

func testParkedJobs(_ *testing.T, f fixture) {
	first, second := f.addConsent(func(c *consent.Consent) { c.WakeAt = start }), f.addConsent(func(c *consent.Consent) { c.WakeAt = start })
	for _, j := range f.claim(store.Consents, start) {
		j.Attempts = 19
		if err := f.s.RetryJob(f.ctx, store.Consents, j, start, "broken"); err != nil {
			f.Fatal(err)
		}
	}
	for i, j := range f.claim(store.Consents, start) {
		if err := f.s.ParkJob(f.ctx, store.Consents, j, start.Add(time.Duration(i)*time.Second), "broken"); err != nil {
			f.Fatal(err)
		}
	}
	if jobs := f.claim(store.Consents, start.AddDate(10, 0, 0)); len(jobs) != 0 {
		f.Errorf("parked rows were claimed: %+v", jobs)
	}
	parked, err := f.s.ParkedJobs(f.ctx, store.Consents, 10)
	if err != nil || len(parked) != 2 || parked[0].Attempts != 20 || parked[0].Reason != "broken" || !parked[0].ParkedAt.Equal(start) {
		f.Fatalf("%+v, %v", parked, err)
	}
	one, err := f.s.ParkedJobs(f.ctx, store.Consents, 1)
	check(f, "longest parked first", one, err, parked[:1])

	now := start.Add(time.Hour)
	figures(f, now, store.QueueFigures{Parked: 2})
	if err := f.s.ResumeJob(f.ctx, store.Consents, string(first.ID), now); err != nil {
		f.Fatal(err)
	}
	figures(f, now.Add(time.Minute), store.QueueFigures{Due: 1, OldestDue: time.Minute, Parked: 1})
	jobs := f.claim(store.Consents, now)
	if len(jobs) != 1 || jobs[0].ID != string(first.ID) || jobs[0].Attempts != 1 {
		f.Errorf("resumed: %+v", jobs)
	}
	for _, id := range []string{string(first.ID), newID(), "", "\x00"} {
		_, err := f.s.ParkedJob(f.ctx, store.Consents, id)
		for what, err := range map[string]error{"resume": f.s.ResumeJob(f.ctx, store.Consents, id, now), "drop": f.s.DropJob(f.ctx, store.Consents, id, now), "read": err} {
			if !errors.Is(err, store.ErrNotFound) {
				f.Errorf("%s of %q: %v", what, id, err)
			}
		}
	}
	of, err := f.s.ParkedJob(f.ctx, store.Consents, string(second.ID))
	check(f, "one that is parked", of, err, parked[1])
	if err := f.s.DropJob(f.ctx, store.Consents, string(second.ID), now); err != nil {
		f.Fatal(err)
	}
	dropped := f.claim(store.Consents, now)
	if len(dropped) != 1 || dropped[0].ID != string(second.ID) || dropped[0].Attempts != store.Dropped+1 {
		f.Errorf("dropped: %+v", dropped)
	}
	if err := f.s.ParkJob(f.ctx, store.Consents, dropped[0], now, "broken"); err != nil {
		f.Fatal(err)
	}
	second.WakeAt = now
	f.write(func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, second); return err })
	if jobs := f.claim(store.Consents, now); len(jobs) != 1 || jobs[0].Attempts != 1 {
		f.Errorf("written while parked: %+v", jobs)
	}
	parked, err = f.s.ParkedJobs(f.ctx, store.Consents, 10)
	check(f, "nothing is parked any more", len(parked), err, 0)
	if _, err := f.s.ParkedJobs(f.ctx, "clients; --", 1); err == nil {
		f.Error("an unknown queue was read")
	}
}

// The handler of an earlier claim may be slow to fail: what happened since counts.
func testFailureOfEarlierClaim(_ *testing.T, f fixture) {
	var claimed []store.Job
	for range 2 {
		c := f.addConsent(func(c *consent.Consent) { c.WakeAt = start })
		claimed = append(claimed, f.claim(store.Consents, start)...)
		if claimed[len(claimed)-1].ID != string(c.ID) {
			f.Fatalf("%+v", claimed)
		}
	}
	again, written := claimed[0], claimed[1]
	row, err := f.s.Consent(f.ctx, consent.ID(written.ID))
	if err != nil {
		f.Fatal(err)
	}
	row.WakeAt = start.AddDate(0, 0, 1)
	f.write(func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, row); return err })
	now := start.Add(lease)
	if got := f.claim(store.Consents, now); len(got) != 1 || got[0].ID != again.ID {
		f.Fatalf("%+v", got)
	}
	for _, err := range []error{
		f.s.RetryJob(f.ctx, store.Consents, again, now, "late"),
		f.s.ParkJob(f.ctx, store.Consents, again, now, "late"),
		f.s.ParkJob(f.ctx, store.Consents, written, now, "late"),
	} {
		if err != nil {
			f.Error(err)
		}
	}
	parked, err := f.s.ParkedJobs(f.ctx, store.Consents, 10)
	check(f, "parked", len(parked), err, 0)
	if got := f.claim(store.Consents, now); len(got) != 0 {
		f.Errorf("claimed within another claim: %+v", got)
	}
}

func testRenewLeases(_ *testing.T, f fixture) {
	var leases []store.Lease
	for i := range 200 {
		c := f.addConsent(func(c *consent.Consent) { c.WakeAt = start.Add(time.Duration(i%3) * time.Second) })
		leases = append(leases, store.Lease{ID: string(c.ID), Until: c.WakeAt})
	}
	seen, err := f.s.ConsentStatus(f.ctx, consent.ID(leases[0].ID))
	if err != nil {
		f.Fatal(err)
	}
	ended, err := f.s.Consent(f.ctx, consent.ID(leases[1].ID))
	if err != nil {
		f.Fatal(err)
	}
	ended.WakeAt = time.Time{}
	f.write(func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, ended); return err })
	taken := leases[2]
	leases[2].Until = leases[2].Until.Add(time.Millisecond) // another node's claim has moved it
	until := start.Add(time.Minute)
	ask := append(leases, store.Lease{ID: newID(), Until: start}, store.Lease{ID: "\x00", Until: start}, store.Lease{ID: leases[5].ID})
	held, err := f.s.RenewLeases(f.ctx, store.Consents, ask, until)
	check(f, "held", len(held), err, 198)
	for _, id := range held {
		if id == leases[1].ID || id == leases[2].ID {
			f.Error("a lease that was lost is held")
		}
	}
	row, err := f.s.Consent(f.ctx, consent.ID(taken.ID))
	check(f, "another node's lease", row.WakeAt, err, taken.Until)
	row, err = f.s.Consent(f.ctx, consent.ID(leases[0].ID))
	check(f, "renewed", row.WakeAt, err, until)
	again, err := f.s.ConsentStatus(f.ctx, consent.ID(leases[0].ID))
	check(f, "a renewed lease does not show", again, err, seen)
	none, err := f.s.RenewLeases(f.ctx, store.Consents, nil, until)
	check(f, "no leases", len(none), err, 0)
}
