package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/store"
)

const lease = 30 * time.Second

func ids(jobs []store.Job) []string {
	var list []string
	for _, j := range jobs {
		list = append(list, j.ID)
	}
	return list
}

func testClaimOrder(_ *testing.T, f fixture) {
	now := start.Add(time.Hour)
	var due []string
	for i := range 10 {
		// The newest one is due longest. Two are not due yet.
		c := f.addConsent(func(c *consent.Consent) { c.WakeAt = now.Add(time.Duration(2-i) * time.Second) })
		due = append([]string{string(c.ID)}, due...)
	}
	due = due[:8]
	for _, part := range [][]string{due[:3], due[3:6], due[6:], nil} {
		got, err := f.s.Claim(f.ctx, store.Consents, now, lease, store.ClaimLimit{Rows: 3})
		check(f, "longest due first", ids(got), err, part)
	}
	c, err := f.s.Consent(f.ctx, consent.ID(due[0]))
	check(f, "leased until", c.WakeAt, err, now.Add(lease))
	check(f, "revision", c.Rev, err, f.newConsent().Rev)

	// The rows of a worker that died are due again at the end of the lease.
	got, err := f.s.Claim(f.ctx, store.Consents, now.Add(lease-time.Microsecond), lease, store.ClaimLimit{Rows: 100})
	check(f, "before the end of the lease", len(got), err, 2) // the two that were not due
	got, err = f.s.Claim(f.ctx, store.Consents, now.Add(lease), lease, store.ClaimLimit{Rows: 100})
	check(f, "at the end of the lease", len(got), err, 8)
}

func testClaimLimitsCompanies(_ *testing.T, f fixture) {
	now := start.Add(time.Hour)
	add := func(company string, n int) (list []string) {
		for range n {
			c := f.addConsent(func(c *consent.Consent) { c.Company, c.WakeAt = company, now })
			list, now = append(list, string(c.ID)), now.Add(time.Second)
		}
		return list
	}
	slow, healthy, other := add("slow", 8), add("healthy", 3), add("other", 4)
	claim := func(what string, l store.ClaimLimit, want ...string) {
		f.Helper()
		got, err := f.s.Claim(f.ctx, store.Consents, now, lease, l)
		check(f, what, ids(got), err, want)
		for _, j := range got {
			c, err := f.s.Consent(f.ctx, consent.ID(j.ID))
			check(f, what+": company", j.Company, err, c.Company)
		}
	}
	claim("a company with room for two", store.ClaimLimit{Rows: 5, Company: map[string]int{"slow": 2}, Other: 3}, slow[0], slow[1])
	claim("a company without room hides no row", store.ClaimLimit{Rows: 5, Company: map[string]int{"slow": 0, "none": 0}, Other: 2},
		healthy[0], healthy[1], other[0], other[1])
	claim("companies that are not named", store.ClaimLimit{Rows: 20, Other: 1}, slow[2], healthy[2], other[2])
	claim("nothing that may be claimed", store.ClaimLimit{Rows: 20, Company: map[string]int{"slow": 0, "healthy": 0, "other": 0}, Other: 1})
	claim("without a limit", store.ClaimLimit{Rows: 20}, append(slices.Clone(slow[3:]), other[3])...)
}

func testClaimOverdue(_ *testing.T, f fixture) {
	now := start.Add(time.Hour)
	limit := store.ClaimLimit{Rows: 9, Overdue: &store.Overdue{Consents: start, Attended: start, Unattended: start.Add(-time.Minute)}}
	consentOf := func(status consent.Status, created time.Time) string {
		return string(f.addConsent(func(c *consent.Consent) { c.Status, c.CreatedAt = status, created }).ID)
	}
	collectionOf := func(attended bool, created time.Time) string {
		return f.addCollection(func(k *collection.Collection) { k.Attended, k.CreatedAt = attended, created }).ID
	}
	opening := consentOf(consent.Initiated, start)
	consentOf(consent.Initiated, start.Add(time.Microsecond))
	consentOf(consent.Authorized, start.Add(-time.Hour))
	attended, unattended := collectionOf(true, start), collectionOf(false, start.Add(-time.Minute))
	collectionOf(true, start.Add(time.Microsecond))
	collectionOf(false, start)
	m := outbox.Message{ID: newID(), Kind: outbox.RevokeConsent, CreatedAt: start.Add(-time.Hour), WakeAt: start}
	f.write(func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, m) })
	loginOf := func(status collection.Status, changed time.Time) string {
		k := f.addCollection(func(k *collection.Collection) {
			k.Mode, k.WakeAt, k.Status, k.StatusChangedAt = collection.Dialogue, time.Time{}, status, changed
		})
		f.write(func(tx store.Tx) error { return tx.AddDialogue(f.ctx, k.ID, k.Company, start) })
		return k.ID
	}
	reading, waiting := loginOf(collection.Collecting, start), loginOf(collection.TwoFactorPending, now)
	loginOf(collection.Collecting, start.Add(time.Microsecond))
	for q, want := range map[store.Queue][]string{store.Consents: {opening}, store.Collections: {attended, unattended}, store.Outbox: nil,
		store.Dialogues: {reading, waiting}} {
		got, err := f.s.Claim(f.ctx, q, now, lease, limit)
		have := ids(got)
		slices.Sort(have)
		slices.Sort(want)
		check(f, "overdue "+q.String(), have, err, want)
		again, err := f.s.Claim(f.ctx, q, now, lease, limit)
		check(f, "leased "+q.String(), len(again), err, 0)
	}
}

func testClaimHandsOutOnce(t *testing.T, f fixture) {
	const rows = 150
	want := map[string]bool{}
	f.write(func(tx store.Tx) error {
		for range rows {
			k := f.newCollection()
			want[k.ID] = true
			if err := tx.AddCollection(f.ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	for round := range 2 {
		now := start.Add(time.Hour + time.Duration(round)*lease)
		var mu sync.Mutex
		got := map[string]int{}
		together(8, func(int) {
			for {
				claimed, err := f.s.Claim(f.ctx, store.Collections, now, lease, store.ClaimLimit{Rows: 11})
				if err != nil {
					t.Error(err)
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, j := range claimed {
					got[j.ID]++
				}
				mu.Unlock()
			}
		})
		for id := range want {
			if got[id] != 1 {
				t.Fatalf("round %d: a row was handed out %d times", round, got[id])
			}
		}
		if len(got) != rows {
			t.Fatalf("round %d: %d rows were handed out, want %d", round, len(got), rows)
		}
	}
}

func testClaimLeavesRowsNotDue(t *testing.T, f fixture) {
	never := f.addCollection(func(k *collection.Collection) { k.WakeAt = time.Time{} })
	m := outbox.Message{ID: newID(), Kind: outbox.RevokeConsent, CreatedAt: start, WakeAt: start}
	f.write(func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, m) })
	late := start.AddDate(100, 0, 0)
	got, err := f.s.Claim(f.ctx, store.Collections, late, lease, store.ClaimLimit{Rows: 10})
	check(f, "a row without WakeAt", len(got), err, 0)
	got, err = f.s.Claim(f.ctx, store.Outbox, start, lease, store.ClaimLimit{Rows: 10})
	check(f, "messages", ids(got), err, []string{m.ID})
	got, err = f.s.Claim(f.ctx, store.Outbox, late, lease, store.ClaimLimit{Rows: 0})
	check(f, "limit 0", len(got), err, 0)

	never.WakeAt = start
	f.write(func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, never); return err })
	got, err = f.s.Claim(f.ctx, store.Collections, late, lease, store.ClaimLimit{Rows: 10})
	if err != nil || !slices.Equal(ids(got), []string{never.ID}) {
		t.Errorf("after an update with a WakeAt: %v, %v", got, err)
	}
	if _, err := f.s.Claim(f.ctx, "clients; --", late, lease, store.ClaimLimit{Rows: 10}); err == nil {
		t.Error("an unknown queue was read")
	}
}
