package auditing_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/auditing"
	"samla/internal/clock/clocktest"
	"samla/internal/store"
)

func TestChain_GivesEachEntryItsPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		if r, err := e.export(); err != nil || r.Entries != 0 {
			t.Errorf("an empty log: %+v, %v", r, err)
		}
		ids := users(3)
		e.record(ids[0], 3)
		if n := e.chain(); n != 3 {
			t.Errorf("%d chained", n)
		}
		for range 90 { // more than one transaction
			e.record(ids[1], 3)
			e.record(ids[2], 1)
			e.record("", 1)
		}
		if n := e.chain(); n != 450 || e.chain() != 0 {
			t.Errorf("%d chained", n)
		}
		if r, err := e.export(); err != nil || r.Entries != 453 {
			t.Errorf("%+v, %v", r, err)
		}
		for id, n := range map[string]int64{ids[0]: 3, ids[1]: 270, ids[2]: 90, "nobody": 0} {
			if r, err := e.exportUser(id); err != nil || r.Entries != n {
				t.Errorf("%s: %+v, %v", id, r, err)
			}
		}
		found, err := e.Store.AuditEntries(t.Context(), "consent")
		if err != nil || len(found) != 453 || found[0].UserID != ids[0] {
			t.Errorf("%d entries about the consent, %v", len(found), err)
		}
	})
}

// Entries from before the chain, and those of the binary before, are in the old table.
func TestChain_TakesOldEntriesOldestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.sql(`INSERT INTO evidence VALUES ('z', 1000, 'c', 'u', 'x', 'CONSENT_CREATED', '{}'); INSERT INTO evidence VALUES ('a', 2000, 'c', 'u', 'x', 'CONSENT_REVOKED', '{}')`)
		if late, err := e.Late(t.Context()); err != nil || late < auditing.Late {
			t.Errorf("late by %v, %v", late, err)
		}
		e.chain()
		rows, err := e.Store.AuditRows(t.Context(), 0, 10)
		if err != nil || len(rows) != 2 || rows[0].ID != "z" || rows[1].UserSeq != 2 {
			t.Errorf("%+v, %v", rows, err)
		}
		if late, err := e.Late(t.Context()); err != nil || late != 0 {
			t.Errorf("late by %v, %v", late, err)
		}
	})
}

// One head of each hour stays, and the newest.
func TestExport_HasPartsBetweenHeads(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.Clock.Advance(30 * time.Minute)
		for range 5 {
			e.record("u", 2)
			e.chain()
			e.record("u", 1)
			e.chain()
			e.Clock.Advance(time.Hour)
		}
		heads, err := e.Store.AuditHeads(t.Context(), chain.End, 0, 100)
		if err != nil || len(heads) != 5 {
			t.Fatalf("%d heads, %v", len(heads), err)
		}
		var file bytes.Buffer
		if err := e.Export(t.Context(), &file, auditing.Range{From: heads[1].At, To: heads[3].At}); err != nil {
			t.Fatal(err)
		}
		text := file.Bytes()
		_, err = chain.Verify(bytes.NewReader(text), chain.Options{Public: e.public()})
		want(t, "a part", err, 1, chain.CutBeginning)
		r, err := chain.Verify(bytes.NewReader(text), chain.Options{Public: e.public(), Part: true, Kept: heads})
		if err == nil {
			t.Error("the last head kept outside is behind the end")
		}
		r, err = chain.Verify(bytes.NewReader(text), chain.Options{Public: e.public(), Part: true, Kept: heads[:4]})
		if err != nil || r.Begin != 6 || r.Entries != 6 || r.Older != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestSweep_LeavesLogThatVerifies(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.record("a", 5)
		e.record("b", 3)
		e.chain()
		early, err := e.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.Clock.Advance(keep - 4*time.Second)
		e.record("a", 2)
		e.chain()
		if n, err := e.Sweep(t.Context()); err != nil || n != 5 {
			t.Fatalf("%d removed, %v", n, err)
		}
		late, err := e.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := e.export(early, late); err != nil || r.Begin != 5 || !r.Removed || r.Entries != 5 || r.Older != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := e.exportUser("a"); err != nil || r.Entries != 2 || r.Begin != 5 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := e.exportUser("b"); err != nil || r.Entries != 3 || r.Begin != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		e.Clock.Advance(2 * keep)
		if n, err := e.Sweep(t.Context()); err != nil || n != 5 {
			t.Fatalf("%d removed, %v", n, err)
		}
		if r, err := e.export(early, late); err != nil || r.Begin != 10 || r.Entries != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := e.exportUser("a"); err != nil || r.Entries != 0 || r.Begin != 7 {
			t.Errorf("%+v, %v", r, err)
		}
		e.record("a", 1) // goes on behind what was removed
		e.chain()
		if r, err := e.exportUser("a"); err != nil || r.Entries != 1 || r.Begin != 7 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := e.export(); err != nil || r.Entries != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// Nodes write and chain at the same time; each entry has one place.
func TestChain_HasOneChainOnSeveralNodes(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		const writers, each = 4, 60
		ids := users(writers)
		ctx, end := context.WithCancel(t.Context())
		var chainers, all sync.WaitGroup
		for range 3 {
			n := node(e.Node(), e.database)
			chainers.Go(func() {
				for ctx.Err() == nil {
					if _, err := n.Chain(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for w := range writers {
			all.Go(func() {
				for i := range each {
					entry := audit.Access{ClientID: "c", UserID: ids[w], Route: "x"}.Entry(e.IDs, e.Clock.Now())
					var err error
					if i%2 == 0 {
						err = e.Store.RecordAccess(t.Context(), entry)
					} else {
						err = e.Store.Write(t.Context(), func(tx store.Tx) error { return tx.AddAuditEntry(t.Context(), entry) })
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		end()
		chainers.Wait()
		e.chain()
		if r, err := e.export(); err != nil || r.Entries != writers*each {
			t.Errorf("%+v, %v", r, err)
		}
		for _, id := range ids {
			if r, err := e.exportUser(id); err != nil || r.Entries != each {
				t.Errorf("%+v, %v", r, err)
			}
		}
	})
}

func TestStart_ChainsSweepsAndReports(t *testing.T) {
	e := newEnv(t, t.TempDir())
	e.record("u", 1)
	e.chain()
	e.Start()
	e.record("u", 1)
	clocktest.Poll(t, "all entries are chained", func() bool {
		if e.Clock.Waiting() > 0 {
			e.Clock.Advance(auditing.Interval)
		}
		found, err := e.Store.UnchainedEntries(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return len(found) == 0
	})
	e.Stop()
	e.Stop()
	if r, err := e.export(); err != nil || r.Entries != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if text := e.log.String(); strings.Contains(text, "level=ERROR") {
		t.Error(text)
	}
}

func TestChain_RefusesChangedEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		e.record("u", 4)
		e.chain()
		e.record("u", 1)
		undo := e.snapshot()
		for what, change := range map[string]string{
			"last entry changed": `UPDATE audit_log SET hash = prev WHERE seq = 4`,
			"last entry removed": `DELETE FROM audit_log WHERE seq = 4`,
			"entry added": `INSERT INTO audit_log SELECT 5, 'x', happened_at, client_id, user_id, consent_id, kind, detail, hash, user_seq, user_prev, hash
FROM audit_log WHERE seq = 4`,
			"head removed":        `DELETE FROM audit_heads`,
			"key removed":         `DELETE FROM audit_keys`,
			"head of another key": `UPDATE audit_heads SET signed = ` + otherHead(4),
		} {
			e.sql(change)
			fresh := node(e.Node(), e.database) // has no key in memory
			if _, err := fresh.Chain(t.Context()); !errors.Is(err, auditing.ErrTampered) {
				t.Errorf("%s: got %v", what, err)
			}
			e.sql(undo)
		}
		if n := e.chain(); n != 1 {
			t.Errorf("%d chained after all was put back", n)
		}
	})
}
