package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"samla/internal/account"
	"samla/internal/ledger"
	"samla/internal/store"
)

// addFeed stores a feed of the fixture's user with rows at the positions 1, 2, …
func (f fixture) addFeed(rows int) (store.FeedHead, []store.FeedRow) {
	f.Helper()
	h := store.FeedHead{AccountID: newID(), UserID: f.user.ID, Generation: 7, Pos: int64(rows), Sealed: []byte{1, 2}}
	all := make([]store.FeedRow, rows)
	for i := range all {
		all[i] = feedRow(int64(i + 1))
	}
	f.write(func(tx store.Tx) error {
		if _, err := tx.AddFeedKey(f.ctx, f.user.ID, []byte("key")); err != nil {
			return err
		}
		return tx.PutFeed(f.ctx, h, all)
	})
	h.Rev, h.Key = 1, []byte("key")
	return h, all
}

// feedRow returns a row with every member set.
func feedRow(pos int64) store.FeedRow {
	return store.FeedRow{Row: ledger.Row{ID: newID(), Item: ledger.Item{Pending: true,
		Marks: ledger.Marks{Form: [16]byte{15: byte(pos)}, Bank: 1 << 63, Amount: 2, Text: 3, Name: 4}}},
		Pos: pos, Born: pos, DayMark: -pos % 3, Source: "link", Sealed: []byte(fmt.Sprint(pos))}
}

// told is a row as FeedPage returns it.
func told(r store.FeedRow) store.FeedRow {
	return store.FeedRow{Row: ledger.Row{ID: r.ID, Removed: r.Removed}, Pos: r.Pos, Born: r.Born, RemovedAt: r.RemovedAt, Sealed: r.Sealed}
}

func allTold(rows []store.FeedRow) (all []store.FeedRow) {
	for _, r := range rows {
		all = append(all, told(r))
	}
	return all
}

func testFeeds(_ *testing.T, f fixture) {
	_, err := f.s.FeedKey(f.ctx, f.user.ID)
	missing(f, "key", 0, err)
	h, rows := f.addFeed(70)
	other, otherRows := f.addFeed(3)
	got, err := f.s.Feed(f.ctx, h.AccountID)
	check(f, "head", got, err, h)
	f.write(func(tx store.Tx) error {
		key, err := tx.AddFeedKey(f.ctx, f.user.ID, []byte("another"))
		check(f, "key", key, err, []byte("key"))
		return nil
	})
	all, err := f.s.FeedPage(f.ctx, h.AccountID, 0, 0, 100)
	check(f, "all rows", all, err, allTold(rows))
	some, err := f.s.FeedPage(f.ctx, h.AccountID, 10, 0, 5)
	check(f, "a page", some, err, allTold(rows[10:15]))

	withoutSealed := cmpopts.IgnoreFields(store.FeedRow{}, "Sealed")
	byID := cmpopts.SortSlices(func(a, b store.FeedRow) bool { return a.ID < b.ID })
	compare := func(what string, days []int64, want []store.FeedRow) {
		f.Helper()
		got, err := f.s.FeedRows(f.ctx, h.AccountID, days)
		if diff := cmp.Diff(want, got, withoutSealed, byID, cmpopts.EquateEmpty()); err != nil || diff != "" {
			f.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	compare("every row", nil, rows)
	compare("no day", []int64{}, nil)
	compare("days", []int64{-1, 7}, slices.DeleteFunc(slices.Clone(rows), func(r store.FeedRow) bool { return r.DayMark != -1 }))
	many := make([]int64, 200)
	for i := range many {
		many[i] = int64(-i)
	}
	compare("many days", many, rows)

	// Rows 5 and 6 change, 7 is removed.
	changed := slices.Clone(rows[4:7])
	for i := range changed {
		changed[i].Pos, changed[i].Pending, changed[i].DayMark, changed[i].Sealed = int64(71+i), false, 99, []byte("new")
		changed[i].Marks.Bank = 0
	}
	changed[1].Born = 72
	changed[2].Removed, changed[2].RemovedAt, changed[2].Sealed = true, start, nil
	next := h
	next.Pos, next.Generation, next.Sealed, next.Parent = 73, 8, nil, other.AccountID
	f.write(func(tx store.Tx) error { return tx.PutFeed(f.ctx, next, changed) })
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutFeed(f.ctx, next, nil) })
	f.fails(store.ErrConflict, func(tx store.Tx) error {
		return tx.PutFeed(f.ctx, store.FeedHead{AccountID: h.AccountID, UserID: f.user.ID}, nil)
	})
	next.Rev = 2
	got, err = f.s.Feed(f.ctx, h.AccountID)
	check(f, "changed head", got, err, next)
	some, err = f.s.FeedPage(f.ctx, h.AccountID, 69, 70, 10)
	check(f, "changes", some, err, append(allTold(rows[69:]), allTold(changed)...))
	some, err = f.s.FeedPage(f.ctx, h.AccountID, 69, 73, 10)
	check(f, "without what was removed", some, err, append(allTold(rows[69:]), allTold(changed[:2])...))
	compare("a day", []int64{99}, changed)

	f.write(func(tx store.Tx) error {
		return tx.MoveFeedRows(f.ctx, other.AccountID, 100, []string{rows[0].ID, rows[1].ID})
	})
	moved := allTold(rows[:2])
	for i := range moved {
		moved[i].Pos, moved[i].Born = moved[i].Pos+100, moved[i].Born+100
	}
	all, err = f.s.FeedPage(f.ctx, other.AccountID, 0, 0, 10)
	check(f, "moved rows", all, err, append(allTold(otherRows), moved...))

	account := account.Record{ID: h.AccountID, ClientID: f.client.ID, UserID: f.user.ID, CreatedAt: start, SeenAt: start}
	bare := account
	bare.ID = newID()
	f.write(func(tx store.Tx) error {
		return tx.PutAccounts(f.ctx, accountChange(f, account, bare))
	})
	got, err = f.s.AccountFeed(f.ctx, f.client.ID, h.AccountID)
	next.Rev = 2
	check(f, "feed of an account", got, err, next)
	got, err = f.s.AccountFeed(f.ctx, f.client.ID, bare.ID)
	check(f, "feed of an account without one", got, err, store.FeedHead{AccountID: bare.ID, UserID: f.user.ID, Key: []byte("key")})
	got, err = f.s.AccountFeed(f.ctx, newID(), h.AccountID)
	missing(f, "feed of another client's account", got, err)

	f.write(func(tx store.Tx) error { return tx.RestartFeeds(f.ctx, start) })
	got, err = f.s.Feed(f.ctx, h.AccountID)
	next.Generation, next.Rev = start.UnixMilli(), 3
	check(f, "started again", got, err, next)
}

// accountChange puts accounts of the fixture's user, who has none.
func accountChange(f fixture, records ...account.Record) account.Change {
	return account.Change{ClientID: f.client.ID, UserID: f.user.ID, Put: records}
}

func testSweepFeeds(_ *testing.T, f fixture) {
	h, rows := f.addFeed(9)
	kept, _ := f.addFeed(2)
	for i := range 6 {
		rows[i].Removed, rows[i].RemovedAt, rows[i].Pos = true, start.Add(time.Duration(i)*time.Hour), int64(i+10)
	}
	h.Pos = 15
	f.write(func(tx store.Tx) error { return tx.PutFeed(f.ctx, h, rows[:6]) })
	sweep := func(hour, limit, want int) {
		f.Helper()
		f.write(func(tx store.Tx) error {
			n, err := tx.SweepFeeds(f.ctx, start.Add(time.Duration(hour)*time.Hour), limit)
			check(f, "swept", n, err, want)
			return nil
		})
	}
	sweep(0, 10, 0)
	sweep(4, 3, 3)
	sweep(4, 3, 1)
	sweep(4, 3, 0)
	got, err := f.s.Feed(f.ctx, h.AccountID)
	check(f, "swept up to", got.Swept, err, int64(13))
	got, err = f.s.Feed(f.ctx, kept.AccountID)
	check(f, "another feed", got.Swept, err, int64(0))
	left, err := f.s.FeedPage(f.ctx, h.AccountID, 0, 0, 20)
	check(f, "rows", len(left), err, 5)
}

func testDropFeeds(_ *testing.T, f fixture) {
	into, _ := f.addFeed(5)
	merged, _ := f.addFeed(4)
	kept, _ := f.addFeed(3)
	merged.Parent = into.AccountID
	f.write(func(tx store.Tx) error { return tx.PutFeed(f.ctx, merged, nil) })
	there := func(h store.FeedHead, want bool) {
		f.Helper()
		if _, err := f.s.Feed(f.ctx, h.AccountID); (err == nil) != want {
			f.Errorf("feed: %v", err)
		}
	}
	drop := func(ids ...string) {
		f.Helper()
		f.write(func(tx store.Tx) error { return tx.DropFeeds(f.ctx, ids, start) })
	}
	drop(merged.AccountID) // its account is gone, the other one has it
	there(merged, true)
	grandchild, _ := f.addFeed(1)
	grandchild.Parent = newID()
	f.write(func(tx store.Tx) error { return tx.PutFeed(f.ctx, grandchild, nil) })
	f.write(func(tx store.Tx) error { return tx.AdoptFeeds(f.ctx, grandchild.Parent, into.AccountID) })
	want := []string{merged.AccountID, grandchild.AccountID}
	slices.Sort(want)
	parts, err := f.s.MergedFeeds(f.ctx, into.AccountID)
	check(f, "merged feeds", parts, err, want)
	drop(into.AccountID)
	there(grandchild, false)
	there(into, false)
	there(merged, false)
	there(kept, true)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutFeed(f.ctx, into, nil) })

	for i := 0; ; i++ {
		var n int
		f.write(func(tx store.Tx) (err error) {
			n, err = tx.EraseDroppedFeeds(f.ctx, 4)
			return err
		})
		if n == 0 {
			break
		}
		if n > 4 || i > 10 {
			f.Fatalf("%d rows at once", n)
		}
	}
	for _, h := range []store.FeedHead{into, merged} {
		left, err := f.s.FeedRows(f.ctx, h.AccountID, nil)
		check(f, "rows of a dropped feed", len(left), err, 0)
	}
	left, err := f.s.FeedRows(f.ctx, kept.AccountID, nil)
	check(f, "rows of another feed", len(left), err, 3)

	f.write(func(tx store.Tx) error { return tx.EraseFeedsOfUser(f.ctx, f.user.ID, start) })
	there(kept, false)
	_, err = f.s.FeedKey(f.ctx, f.user.ID)
	missing(f, "key", 0, err)
}

// A follower that reads while others write sees every position once, in order: none
// becomes visible after a greater one.
func testFeedHasNoGaps(t *testing.T, f fixture) {
	h, _ := f.addFeed(0)
	const writers, each = 4, 25
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for n := 0; n < each; {
				head, err := f.s.Feed(f.ctx, h.AccountID)
				if err != nil {
					t.Error(err)
					return
				}
				rows := make([]store.FeedRow, 1+(w+n)%3)
				for i := range rows {
					head.Pos++
					rows[i] = feedRow(head.Pos)
				}
				if err := f.s.Write(f.ctx, func(tx store.Tx) error { return tx.PutFeed(f.ctx, head, rows) }); err == nil {
					n++
				} else if f.ctx.Err() != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { done.Wait(); close(finished) }()
	var at int64
	for ended := false; ; {
		select {
		case <-finished:
			ended = true
		default:
		}
		rows, err := f.s.FeedPage(f.ctx, h.AccountID, at, 0, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Pos != at+1 {
				t.Fatalf("position %d follows %d", r.Pos, at)
			}
			at = r.Pos
		}
		if ended && len(rows) == 0 {
			break
		}
	}
	got, err := f.s.Feed(f.ctx, h.AccountID)
	check(f, "the last position", at, err, got.Pos)
}
