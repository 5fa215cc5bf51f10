package feeds_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/fault"
	"samla/internal/feeds"
	"samla/internal/ledger"
	"samla/internal/store"
)

func TestFeeds_TellsWhatAListChanges(t *testing.T) {
	onBoth(t, func(e *env) {
		if p, err := e.PageOf(e.Context(), "a", "", 10); err != nil || p.Generation != 0 || p.Next != "" {
			t.Errorf("without a list: %+v, %v", p, err)
		}
		news := e.read(e.reading("a", "bank", "+2 -9 El", "+10 -20 ICA", "+10 -20 ICA", "-12 -30 Hyra"))["a"]
		if news.Added != 4 || news.Generation == 0 {
			t.Errorf("first list: %+v", news)
		}
		f := follow("a").follows(e, 2)
		e.has("a", "+2 -9 El", "+10 -20 ICA", "+10 -20 ICA", "-12 -30 Hyra")
		e.Clock.Advance(time.Hour)
		if news = e.read(e.reading("a", "bank", "+2 -9 El", "+10 -20 ICA", "+13 -30 Hyra", "+14 -1 Avgift"))["a"]; news.Added != 1 || news.Modified != 1 || news.Removed != 1 {
			t.Errorf("second list: %+v", news)
		}
		e.has("a", "+2 -9 El", "+10 -20 ICA", "+13 -30 Hyra", "+14 -1 Avgift")
		p, err := f.page(e, 10)
		if err != nil || len(p.Rows) != 3 || p.More || p.Generation != news.Generation {
			t.Errorf("%d rows, %v", len(p.Rows), err)
		}
		f.same(e)
		e.Clock.Advance(time.Hour)
		if news, told := e.read(e.reading("a", "bank", "+2 -9 El", "+10 -20 ICA", "+13 -30 Hyra", "+14 -1 Avgift"))["a"]; told && news.Added+news.Modified+news.Removed > 0 {
			t.Errorf("the same list again: %+v", news)
		}
		if p, err := f.page(e, 10); err != nil || len(p.Rows) != 0 || p.Next == "" {
			t.Errorf("nothing new: %+v, %v", p, err)
		}
	})
}

// What was not read, was read in part, or is late, removes nothing.
func TestFeeds_KeepsWhatAListDoesNotShow(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "+10 -20 ICA", "+12 -30 Hyra"))
		for name, change := range map[string]func(*feeds.Reading){
			"not read":       func(r *feeds.Reading) { r.Transactions = nil },
			"in part":        func(r *feeds.Reading) { r.Whole = false },
			"late":           func(r *feeds.Reading) { r.Late = true },
			"older":          func(r *feeds.Reading) { r.At = r.At.Add(-time.Minute) },
			"another source": func(r *feeds.Reading) { r.Link = "broker" },
			"shorter":        func(r *feeds.Reading) { r.From = "2026-03-12" },
		} {
			r := e.reading("a", "bank")
			change(&r)
			if news := e.read(r)["a"]; news.Removed+news.Modified+news.Added > 0 {
				t.Errorf("%s: %+v", name, news)
			}
		}
		e.has("a", "+10 -20 ICA", "+12 -30 Hyra")
	})
}

// A pending transaction is gone when a list with pending ones does not have it, and stays
// when pending ones were not asked for.
func TestFeeds_KeepPendingOnesThatWereNotAskedFor(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "-10 -20 ICA"))
		booked := e.reading("a", "bank")
		booked.BookedOnly = true
		e.read(booked)
		e.has("a", "-10 -20 ICA")
		e.read(e.reading("a", "bank"))
		e.has("a")
	})
}

// Followers that began at any time and read while lists are applied have in the end the
// copy that a new one gets.
func TestFeeds_GiveTheSameCopyFromAnyCursor(t *testing.T) {
	e := newEnv(t, t.TempDir())
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		account := fmt.Sprint("account-", n)
		var followers []*follower
		for range rapid.IntRange(1, 6).Draw(rt, "lists") {
			e.Clock.Advance(time.Duration(rapid.IntRange(0, 10).Draw(rt, "days")) * 24 * time.Hour)
			texts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
				return fmt.Sprintf("%s%d -%d %s", rapid.SampledFrom([]string{"+", "+", "-"}).Draw(t, "status"), rapid.IntRange(1, 30).Draw(t, "day"),
					rapid.IntRange(1, 3).Draw(t, "amount"), rapid.SampledFrom([]string{"ICA", "Hyra"}).Draw(t, "text"))
			}), 0, 10).Draw(rt, "rows")
			r := e.reading(account, rapid.SampledFrom([]string{"bank", "bank", "broker"}).Draw(rt, "link"), texts...)
			r.Whole = rapid.IntRange(0, 3).Draw(rt, "whole") > 0
			r.From = fmt.Sprintf("2026-03-%02d", rapid.IntRange(1, 20).Draw(rt, "from"))
			r.Gone = func(string) bool { return rapid.IntRange(0, 5).Draw(rt, "gone") == 0 }
			e.read(r)
			again := r
			again.Gone = nil
			if news := e.read(again)[account]; news.Added+news.Modified+news.Removed > 0 && r.Link == "bank" && len(followers) == 0 {
				rt.Fatalf("the same list again: %+v", news)
			}
			followers = append(followers, follow(account))
			for _, f := range followers {
				for range rapid.IntRange(0, 2).Draw(rt, "pages") {
					if _, err := f.page(e, rapid.IntRange(1, 5).Draw(rt, "limit")); err != nil {
						rt.Fatal(err)
					}
				}
			}
		}
		for _, f := range followers {
			f.follows(e, 4).same(e)
		}
	})
}

// Two nodes apply lists while a follower reads: it misses nothing.
func TestFeeds_HaveNoGapsWhileNodesApply(t *testing.T) {
	onBoth(t, func(e *env) {
		e.read(e.reading("a", "bank"))
		nodes := []*env{e, of(e.Node())}
		done := make(chan struct{})
		var all sync.WaitGroup
		for n, node := range nodes {
			all.Go(func() {
				for i := range 15 {
					texts := make([]string, 0, 20)
					for k := range 20 {
						texts = append(texts, fmt.Sprintf("+%d -%d row%d", 2+k, 1+k, (i+n)%(k+1)))
					}
					node.read(node.reading("a", "bank", texts...))
				}
			})
		}
		go func() { all.Wait(); close(done) }()
		f := follow("a")
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			if _, err := f.page(e, 3); err != nil {
				t.Error(err)
				<-done
				return
			}
		}
		f.follows(e, 7).same(e)
	})
}

func TestFeeds_MergeAndUndo(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "+20 -20 ICA", "+22 -30 Hyra"), e.reading("b", "broker", "+2 -1 old", "+20 -20 Kortkop", "+22 -30 Betalning"))
		a, b := follow("a").follows(e, 10), follow("b").follows(e, 10)
		news := e.apply(feeds.Change{Moves: []feeds.Move{{Link: "broker", From: "b", To: "a"}}, Deleted: []string{"b"}})
		if news["a"].Generation <= a.generation {
			t.Errorf("the generation is %d after %d", news["a"].Generation, a.generation)
		}
		if _, err := a.page(e, 10); fault.CodeOf(err) != fault.FeedRestarted {
			t.Errorf("a cursor from before the merge: %v", err)
		}
		e.has("a", "+2 -1 old", "+20 -20 ICA", "+22 -30 Hyra")

		e.Clock.Advance(time.Hour)
		e.read(e.reading("a", "broker", "+2 -1 old", "+20 -20 Kortkop", "+22 -30 Betalning", "+25 -7 new"))
		e.has("a", "+2 -1 old", "+20 -20 ICA", "+22 -30 Hyra")

		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "broker", From: "a", To: "b"}}})
		e.has("a", "+20 -20 ICA", "+22 -30 Hyra")
		e.has("b", "+2 -1 old", "+20 -20 Kortkop", "+22 -30 Betalning")
		again := follow("b").follows(e, 10)
		if len(again.rows) != len(b.rows) {
			t.Errorf("%d rows instead of %d", len(again.rows), len(b.rows))
		}
		for id := range b.rows {
			if again.rows[id] == "" {
				t.Error("a row has another id after the undoing")
			}
		}
		if _, err := b.page(e, 10); fault.CodeOf(err) != fault.FeedRestarted {
			t.Errorf("a cursor from before the merge: %v", err)
		}
		e.Clock.Advance(time.Hour)
		e.read(e.reading("b", "broker", "+2 -1 old", "+20 -20 Kortkop", "+25 -7 new"))
		e.has("b", "+2 -1 old", "+20 -20 Kortkop", "+25 -7 new")
	})
}

// A chain of merges, then the first account leaves again, and another link gets an
// account of its own.
func TestFeeds_MergeTwiceAndSplit(t *testing.T) {
	onBoth(t, func(e *env) {
		e.read(e.reading("a", "1", "+2 -1 one"))
		e.read(e.reading("b", "2", "+15 -2 two"))
		e.read(e.reading("c", "3", "+28 -3 three"))
		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "1", From: "a", To: "b"}}, Deleted: []string{"a"}})
		e.has("b", "+2 -1 one", "+15 -2 two")
		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "1", From: "b", To: "c"}, {Link: "2", From: "b", To: "c"}}, Deleted: []string{"b"}})
		e.has("c", "+2 -1 one", "+15 -2 two", "+28 -3 three")
		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "1", From: "c", To: "a"}, {Link: "2", From: "c", To: "new"}}})
		e.has("a", "+2 -1 one")
		e.has("new", "+15 -2 two")
		e.has("c", "+28 -3 three")
		e.Write(func(tx store.Tx) error { return tx.DropFeeds(e.Context(), []string{"c"}, e.Clock.Now()) })
		if _, err := e.Store.Feed(e.Context(), "a"); err != nil {
			t.Errorf("an account that left is dropped with the other: %v", err)
		}
		if _, err := e.Store.Feed(e.Context(), "b"); err == nil {
			t.Error("what was merged into a dropped account is there")
		}
	})
}

// Accounts that were merged in a chain and split in any order have what their links told.
func TestFeeds_SplitAChainInAnyOrder(t *testing.T) {
	to := map[string]string{"1": "a", "2": "b", "3": "c"}
	for _, order := range []string{"12", "21", "13", "31", "23", "32"} {
		onSQLite(t, func(e *env) {
			e.read(e.reading("a", "1", "+28 -3 one"))
			e.read(e.reading("b", "2", "+2 -1 two", "+27 -2 two"))
			e.read(e.reading("c", "3", "+1 -7 three"))
			before := follow("b").follows(e, 10)
			e.apply(feeds.Change{Moves: []feeds.Move{{Link: "2", From: "b", To: "a"}}, Deleted: []string{"b"}})
			e.has("a", "+2 -1 two", "+28 -3 one")
			e.apply(feeds.Change{Moves: []feeds.Move{{Link: "1", From: "a", To: "c"}, {Link: "2", From: "a", To: "c"}}, Deleted: []string{"a"}})
			at := "c"
			for _, link := range strings.Split(order, "") {
				if to[link] != at {
					e.apply(feeds.Change{Moves: []feeds.Move{{Link: link, From: at, To: to[link]}}})
					continue
				}
				e.apply(feeds.Change{Moves: []feeds.Move{{Link: link, From: at, To: "new"}}})
				to[link] = "new"
				defer func() { to[link] = at }()
			}
			for link, texts := range map[string][]string{"1": {"+28 -3 one"}, "2": {"+2 -1 two", "+27 -2 two"}, "3": {"+1 -7 three"}} {
				account := to[link]
				if !strings.Contains(order, link) {
					account = at
				}
				e.has(account, texts...)
			}
			if strings.Contains(order, "2") {
				again := follow("b").follows(e, 10)
				for id := range before.rows {
					if again.rows[id] == "" {
						t.Errorf("%s: a row has another id after the undoing", order)
					}
				}
			}
		})
	}
}

func TestFeeds_RefuseCursors(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "+10 -20 ICA"), e.reading("b", "bank2", "+10 -20 ICA"))
		f := follow("a").follows(e, 10)
		refused := func(what, account, cursor string, want fault.Code) {
			t.Helper()
			if _, err := e.PageOf(e.Context(), account, cursor, 10); fault.CodeOf(err) != want {
				t.Errorf("%s: %v, want %s", what, err, want)
			}
		}
		refused("another account's", "b", f.cursor, fault.InvalidParameter)
		refused("no cursor", "a", "x", fault.InvalidParameter)
		refused("no feed", "c", f.cursor, fault.InvalidParameter)
		e.Clock.Advance(ledger.CursorLife)
		if _, err := e.PageOf(e.Context(), "a", f.cursor, 10); err != nil {
			t.Errorf("a cursor of 90 days: %v", err)
		}
		e.Clock.Advance(time.Second)
		refused("an old one", "a", f.cursor, fault.CursorExpired)
		f = follow("a").follows(e, 10)
		e.Write(func(tx store.Tx) error { return tx.RestartFeeds(e.Context(), e.Clock.Now()) })
		refused("one from before a restore", "a", f.cursor, fault.FeedRestarted)
	})
}

// Tombstones are kept as long as a cursor lives that has not seen them.
func TestFeeds_SweepNoTombstoneThatACursorNeeds(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "+10 -20 ICA", "+11 -1 x"))
		f := follow("a").follows(e, 10)
		e.Clock.Advance(time.Minute)
		e.read(e.reading("a", "bank", "+10 -20 ICA"))
		sweep := func() (n int) {
			e.Write(func(tx store.Tx) (err error) {
				n, err = tx.SweepFeeds(e.Context(), e.Clock.Now().Add(-ledger.TombstoneLife), 100)
				return err
			})
			return n
		}
		e.Clock.Advance(ledger.CursorLife - time.Minute)
		if n := sweep(); n != 0 {
			t.Errorf("%d rows are swept too early", n)
		}
		f.follows(e, 1).same(e)
		e.Clock.Advance(25 * time.Hour)
		if n := sweep(); n != 1 {
			t.Errorf("%d rows are swept", n)
		}
		f.follows(e, 1).same(e)
	})
}

// A long list is stored in pieces, also where it takes the account over from another
// source: of the three payments that it lacks, the one of its first day stays.
func TestFeeds_StoreLongListsInPieces(t *testing.T) {
	onBoth(t, func(e *env) {
		e.WriteAtMost(7)
		texts := []string{}
		for i := range 40 {
			texts = append(texts, fmt.Sprintf("+%d -%d t%d", 2+i%28, 1+i, i))
		}
		if news := e.read(e.reading("a", "bank", texts...))["a"]; news.Added != 40 {
			t.Errorf("%+v", news)
		}
		e.has("a", texts...)
		other := make([]string, len(texts))
		for i := range texts {
			other[i] = strings.Replace(texts[i], " t", " other", 1)
		}
		r := e.reading("a", "broker", other[3:]...)
		r.Gone = func(link string) bool { return link == "bank" }
		e.read(r)
		if n := len(follow("a").follows(e, 9).rows); n != 38 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestFeeds_AreGoneWithTheKey(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "bank", "+10 -20 ICA"))
		e.Write(func(tx store.Tx) error { return tx.DestroyDataKey(e.Context(), e.User.ID, e.Clock.Now()) })
		e.Vault.Evict(e.User.ID)
		if p, err := e.PageOf(e.Context(), "a", "", 10); err == nil {
			t.Errorf("%d rows are read", len(p.Rows))
		}
		if _, err := e.Plan(e.Context(), feeds.Change{UserID: e.User.ID, Readings: []feeds.Reading{e.reading("a", "bank")}}); err == nil {
			t.Error("a list is applied")
		}
	})
}

// Two lists of one account in one collection: the lead's counts.
func TestFeeds_TakeOneListOfACollection(t *testing.T) {
	onSQLite(t, func(e *env) {
		e.read(e.reading("a", "1", "+10 -20 ICA"))
		e.Clock.Advance(time.Hour)
		e.read(e.reading("a", "2", "+10 -20 Kort", "+11 -20 Kort"), e.reading("a", "1", "+10 -20 ICA", "+11 -20 Coop"))
		e.has("a", "+10 -20 ICA", "+11 -20 Coop")
	})
}

// A restore erases a link that belonged to an account of its own when it was deleted, and
// is in another account in the backup: its rows go, the others stay.
func TestFeeds_EraseALinkOfAnAccount(t *testing.T) {
	onBoth(t, func(e *env) {
		e.read(e.reading("a", "l1", "+20 -1 one", "+21 -2 two"), e.reading("b", "l2", "+1 -3 three", "+22 -4 four"))
		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "l2", From: "b", To: "a"}}, Deleted: []string{"b"}})
		e.has("a", "+20 -1 one", "+21 -2 two", "+1 -3 three")
		e.apply(feeds.Change{Moves: []feeds.Move{{Link: "l2", From: "a", To: "b"}}, Deleted: []string{"b"}})
		e.has("a", "+20 -1 one", "+21 -2 two")
		if _, err := e.Store.Feed(e.Context(), "b"); !errors.Is(err, store.ErrNotFound) {
			e.Errorf("the feed of what was erased: %v", err)
		}
		var n int
		e.Write(func(tx store.Tx) (err error) {
			n, err = tx.EraseDroppedFeeds(e.Context(), 100)
			return err
		})
		if n != 3 { // two rows and the feed
			e.Errorf("%d rows are erased", n)
		}
	})
}
