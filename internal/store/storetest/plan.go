package storetest

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/quota"
	"samla/internal/store"
)

func testRefreshPlans(_ *testing.T, f fixture) {
	none, err := f.s.RefreshPlan(f.ctx, f.client.ID, f.user.ID)
	missing(f, "a plan that nobody asked for", none, err)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteRefreshPlan(f.ctx, f.client.ID, f.user.ID) })
	p := quota.Refresh{ClientID: f.client.ID, UserID: f.user.ID, PerDay: 2, CreatedAt: start, UpdatedAt: start}
	f.write(func(tx store.Tx) error { return tx.PutRefreshPlan(f.ctx, p) })
	got, err := f.s.RefreshPlan(f.ctx, f.client.ID, f.user.ID)
	check(f, "a plan for all consents", got, err, p)
	again := p
	again.PerDay, again.Lineages, again.UpdatedAt, again.CreatedAt = 4, []consent.ID{"a", "b"}, start.Add(time.Hour), start.Add(time.Hour)
	f.write(func(tx store.Tx) error { return tx.PutRefreshPlan(f.ctx, again) })
	again.CreatedAt = start // the first one stays
	got, err = f.s.RefreshPlan(f.ctx, f.client.ID, f.user.ID)
	check(f, "a changed plan", got, err, again)
	got, err = f.s.RefreshPlan(f.ctx, newID(), f.user.ID)
	missing(f, "a plan of another client", got, err)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteRefreshPlan(f.ctx, newID(), f.user.ID) })
	f.write(func(tx store.Tx) error { return tx.DeleteRefreshPlan(f.ctx, f.client.ID, f.user.ID) })
	got, err = f.s.RefreshPlan(f.ctx, f.client.ID, f.user.ID)
	missing(f, "a deleted plan", got, err)
}

// newSchedule returns a schedule of the fixture's user with every member set.
func (f fixture) newSchedule() quota.Schedule {
	return quota.Schedule{Lineage: consent.ID(newID()), ClientID: f.client.ID, UserID: f.user.ID, Company: "testbank", PerDay: 3,
		State: quota.PausedFailing, Reason: quota.ReadFailed, Failures: 7, DueAt: start.Add(time.Hour), ReadAt: start.Add(time.Minute),
		Recent: []time.Time{start, start.Add(time.Second)}, CompleteAt: start.Add(2 * time.Second), Reading: "r", Queued: "q",
		QueuedAt: start.Add(2 * time.Hour), Rev: 5, WakeAt: start.Add(3 * time.Hour)}
}

func testSchedules(_ *testing.T, f fixture) {
	s := f.newSchedule()
	none, err := f.s.Schedule(f.ctx, s.Lineage)
	missing(f, "a schedule that is not stored", none, err)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.PutSchedule(f.ctx, s) })
	f.write(func(tx store.Tx) error { return tx.WakeSchedule(f.ctx, s.Lineage, start) })
	f.write(func(tx store.Tx) error { return tx.AddSchedule(f.ctx, s) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddSchedule(f.ctx, s) })
	got, err := f.s.Schedule(f.ctx, s.Lineage)
	check(f, "schedule", got, err, s)
	other := quota.Schedule{Lineage: consent.ID(newID()), ClientID: f.client.ID, UserID: f.user.ID, Company: "testbank"}
	f.write(func(tx store.Tx) error { return tx.AddSchedule(f.ctx, other) })
	all, err := f.s.SchedulesOf(f.ctx, f.client.ID, f.user.ID)
	check(f, "schedules of the user", all, err, []quota.Schedule{s, other})
	all, err = f.s.SchedulesOf(f.ctx, newID(), f.user.ID)
	check(f, "schedules of another client's user", all, err, []quota.Schedule(nil))

	claimed := f.claim(store.Schedules, start.Add(3*time.Hour))
	if len(claimed) != 1 || claimed[0].ID != string(s.Lineage) || claimed[0].Company != "testbank" {
		f.Fatalf("claimed %+v", claimed)
	}
	s.PerDay, s.Recent, s.Reading, s.WakeAt = 1, nil, "", start.Add(5*time.Hour)
	f.write(func(tx store.Tx) error { return tx.PutSchedule(f.ctx, s) })
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutSchedule(f.ctx, s) })
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.DeleteSchedule(f.ctx, s) })
	s.Rev++
	f.write(func(tx store.Tx) error {
		locked, err := tx.LockSchedule(f.ctx, s.Lineage)
		check(f, "locked schedule", locked, err, s)
		return nil
	})
	f.write(func(tx store.Tx) error { return tx.WakeSchedule(f.ctx, s.Lineage, start.Add(4*time.Hour)) })
	f.write(func(tx store.Tx) error { return tx.WakeSchedule(f.ctx, s.Lineage, start.Add(6*time.Hour)) })
	s.WakeAt, s.Rev = start.Add(4*time.Hour), s.Rev+1
	got, err = f.s.Schedule(f.ctx, s.Lineage)
	check(f, "woken schedule", got, err, s)
	f.write(func(tx store.Tx) error { return tx.WakeSchedule(f.ctx, other.Lineage, start) })
	got, err = f.s.Schedule(f.ctx, other.Lineage)
	check(f, "a schedule that is never due", got, err, other)
	f.write(func(tx store.Tx) error { return tx.DeleteSchedule(f.ctx, s) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteSchedule(f.ctx, s) })
	f.write(func(tx store.Tx) error {
		return tx.PutRefreshPlan(f.ctx, quota.Refresh{ClientID: f.client.ID, UserID: f.user.ID, PerDay: 1})
	})
	f.write(func(tx store.Tx) error { return tx.DeletePlansOf(f.ctx, f.client.ID, f.user.ID) })
	all, err = f.s.SchedulesOf(f.ctx, f.client.ID, f.user.ID)
	check(f, "schedules that were deleted with their user", all, err, []quota.Schedule(nil))
	plan, err := f.s.RefreshPlan(f.ctx, f.client.ID, f.user.ID)
	missing(f, "the plan that was deleted with its user", plan, err)
}

// One of several that write a schedule at the same time wins.
func testScheduleHasOneWinner(_ *testing.T, f fixture) {
	s := f.newSchedule()
	f.write(func(tx store.Tx) error { return tx.AddSchedule(f.ctx, s) })
	won := make(chan bool, 8)
	together(cap(won), func(int) {
		won <- f.s.Write(f.ctx, func(tx store.Tx) error { return tx.PutSchedule(f.ctx, s) }) == nil
	})
	winners := 0
	for range cap(won) {
		if <-won {
			winners++
		}
	}
	if winners != 1 {
		f.Errorf("%d winners", winners)
	}
}

func testUnattendedCalls(_ *testing.T, f fixture) {
	lineage, id := consent.ID(newID()), newID()
	count := func(id string, at time.Time, calls map[string]int) {
		f.write(func(tx store.Tx) error { return tx.CountCalls(f.ctx, lineage, id, at, calls) })
	}
	count(id, start, map[string]int{"b": 1, "a": 2})
	count(id, start.Add(time.Second), map[string]int{"a": 3})
	count(newID(), start.Add(time.Hour), map[string]int{"a": 1})
	got, err := f.s.UnattendedCalls(f.ctx, lineage, start.Add(-time.Second))
	check(f, "calls", got, err, []quota.Read{{At: start, Counter: "b", Calls: 1}, {At: start.Add(time.Second), Counter: "a", Calls: 5},
		{At: start.Add(time.Hour), Counter: "a", Calls: 1}})
	got, err = f.s.UnattendedCalls(f.ctx, lineage, start.Add(time.Second))
	check(f, "calls after a time", got, err, []quota.Read{{At: start.Add(time.Hour), Counter: "a", Calls: 1}})
	got, err = f.s.UnattendedCalls(f.ctx, consent.ID(newID()), start)
	check(f, "calls of another lineage", got, err, []quota.Read(nil))
	f.write(func(tx store.Tx) error {
		_, _, err := tx.Sweep(f.ctx, start.Add(2*quota.Window+time.Minute), time.Hour)
		return err
	})
	got, err = f.s.UnattendedCalls(f.ctx, lineage, start.Add(-time.Hour))
	check(f, "calls after a sweep", got, err, []quota.Read{{At: start.Add(time.Hour), Counter: "a", Calls: 1}})
}

// A queued collection counts from when it begins, and not before.
func testQueuedCollections(_ *testing.T, f fixture) {
	under := f.addConsent(nil)
	add := func(change func(*collection.Collection)) collection.Collection {
		return f.addCollection(func(c *collection.Collection) {
			c.ConsentID, c.Attended, c.Status, c.Filter, c.Rev = under.ID, false, collection.Running, nil, 0
			change(c)
		})
	}
	add(func(c *collection.Collection) { c.Status = collection.Failed })
	waiting := add(func(c *collection.Collection) { c.StartsAt, c.WakeAt = start.Add(time.Hour), time.Time{} })
	since := start.Add(-time.Hour)
	got, err := f.s.UnattendedSince(f.ctx, under.ID, since)
	check(f, "while it waits", got, err, []time.Time{start})
	running, err := f.s.UnattendedRunning(f.ctx, under.ID, since)
	check(f, "one that waits is running", running, err, []store.LineageRead(nil))
	if claimed := f.claim(store.Collections, start.AddDate(1, 0, 0)); len(claimed) != 1 {
		f.Errorf("claimed %+v", claimed)
	}
	waiting.BeganAt, waiting.WakeAt = start.Add(2*time.Hour), start.Add(2*time.Hour)
	f.write(func(tx store.Tx) (err error) { waiting, err = tx.PutCollection(f.ctx, waiting); return err })
	stored, err := f.s.Collection(f.ctx, waiting.ID)
	check(f, "the collection", stored, err, waiting)
	got, err = f.s.UnattendedSince(f.ctx, under.ID, start)
	check(f, "after it began", got, err, []time.Time{start.Add(2 * time.Hour)})
	running, err = f.s.UnattendedRunning(f.ctx, under.ID, since)
	check(f, "it is running", running, err, []store.LineageRead{{ID: waiting.ID, Status: waiting.Status, BeganAt: waiting.BeganAt, Filtered: waiting.Filter != nil}})
	running, err = f.s.UnattendedRunning(f.ctx, under.ID, start.Add(2*time.Hour))
	check(f, "it began earlier", running, err, []store.LineageRead(nil))
}

func testLastReads(_ *testing.T, f fixture) {
	first := f.addConsent(nil)
	renewed := f.addConsent(func(c *consent.Consent) { c.Lineage, c.Renews = first.ID, first.ID })
	add := func(under consent.ID, change func(*collection.Collection)) store.LineageRead {
		c := f.addCollection(func(c *collection.Collection) {
			c.ConsentID, c.Filter = under, nil
			change(c)
		})
		return store.LineageRead{ID: c.ID, Attended: c.Attended, Status: c.Status, BeganAt: c.Began(), Filtered: c.Filter != nil}
	}
	in := []collection.Status{collection.Completed, collection.CompletedPartial}
	none, err := f.s.LastReads(f.ctx, first.ID, in)
	check(f, "no read", none, err, []store.LineageRead(nil))
	add(first.ID, func(*collection.Collection) {})
	completed := add(first.ID, func(c *collection.Collection) {
		c.StartsAt, c.BeganAt, c.Attended, c.Filter = start, start.Add(time.Hour), false, []string{"x"}
	})
	failed := add(renewed.ID, func(c *collection.Collection) { c.Status = collection.Failed })
	add(renewed.ID, func(c *collection.Collection) { c.Status, c.StartsAt = collection.Running, start })
	add(first.ID, func(c *collection.Collection) { c.Mode = collection.OneTime })
	got, err := f.s.LastReads(f.ctx, first.ID, in)
	check(f, "the last reads", got, err, []store.LineageRead{failed, completed})
}

func testAuthorizedConsents(_ *testing.T, f fixture) {
	a := f.addConsent(nil)
	f.addConsent(func(c *consent.Consent) { c.Status = consent.Initiated })
	f.addConsent(func(c *consent.Consent) { c.CollectionID = newID() })
	b := f.addConsent(nil)
	got, err := f.s.AuthorizedConsents(f.ctx, f.client.ID, f.user.ID, 9)
	check(f, "authorized consents", got, err, []consent.Consent{b, a})
	got, err = f.s.AuthorizedConsents(f.ctx, f.client.ID, f.user.ID, 1)
	check(f, "the newest", got, err, []consent.Consent{b})
}
