package ledger_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/ledger"
)

// drawItem draws a transaction that has much in common with others.
func drawItem(t *rapid.T) ledger.Item {
	text := rapid.SampledFrom([]string{"-", "+", "+"}).Draw(t, "status") + fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "day")) +
		" " + rapid.SampledFrom([]string{"-20", "-20", "7"}).Draw(t, "amount")
	for _, member := range []string{"text", "name", "id", "no"} {
		if v := rapid.IntRange(0, 3).Draw(t, member); v < 2 {
			text += fmt.Sprint(" ", member, "=", v)
		}
	}
	return items(text)[0]
}

func drawList(t *rapid.T) ledger.List {
	l := ledger.List{
		Items: rapid.SliceOfN(rapid.Custom(drawItem), 0, 12).Draw(t, "items"),
		Whole: rapid.IntRange(0, 3).Draw(t, "whole") > 0, BookedOnly: rapid.IntRange(0, 3).Draw(t, "booked only") == 0,
		Takeover: rapid.IntRange(0, 5).Draw(t, "takeover") == 0,
	}
	if from := rapid.IntRange(0, 9).Draw(t, "from"); from > 0 {
		l.From = march(int32(from))
	}
	if to := rapid.IntRange(0, 12).Draw(t, "to"); to > 9 {
		l.To = march(int32(to))
	}
	return l
}

// forms counts the forms of what is in the window of a list, or everything.
func forms(all []ledger.Item, within func(*ledger.Item) bool) map[[16]byte]int {
	n := map[[16]byte]int{}
	for i := range all {
		if within == nil || within(&all[i]) {
			n[all[i].Form]++
		}
	}
	return n
}

func (f *feed) live() []ledger.Item {
	var all []ledger.Item
	for _, r := range f.rows {
		if !r.Removed {
			all = append(all, r.Item)
		}
	}
	return all
}

// shows reports whether the absence of a transaction in a list means that it is gone
// (docs/reference/api.md 12.2), written as the documentation says it.
func shows(l ledger.List) func(*ledger.Item) bool {
	var oldest int32 // booked item
	for _, i := range l.Items {
		if !i.Pending && i.Day != 0 && (oldest == 0 || i.Day < oldest) {
			oldest = i.Day
		}
	}
	return func(i *ledger.Item) bool {
		switch {
		case !l.Whole, i.Day != 0 && l.To != 0 && i.Day > l.To:
			return false
		case i.Pending && i.Day == 0:
			return !l.BookedOnly
		case i.Pending:
			return !l.BookedOnly && i.Day > l.From
		}
		return i.Day != 0 && oldest != 0 && i.Day > oldest && i.Day > l.From
	}
}

func TestReconcile_KeepsWhatTheListsShow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var f feed
		for range rapid.IntRange(1, 8).Draw(rt, "lists") {
			l, before := drawList(rt), f.live()
			f.apply(l)
			now := forms(f.live(), nil)
			for form, n := range forms(l.Items, nil) {
				if now[form] < n {
					rt.Fatal("an item of the list is not in the feed")
				}
			}
			if got, want := forms(f.live(), shows(l)), forms(l.Items, shows(l)); !maps.Equal(got, want) {
				rt.Fatalf("inside the window the feed has %d forms, the list %d", len(got), len(want))
			}
			if !l.Whole && len(f.live()) < len(before) {
				rt.Fatal("a list that was read in part has removed a row")
			}
			if did := f.apply(l); did != "" {
				rt.Fatalf("the same list again: %s", did)
			}
		}
	})
}

func TestReconcile_DoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var f feed
		for range rapid.IntRange(0, 4).Draw(rt, "lists") {
			f.apply(drawList(rt))
		}
		l := drawList(rt)
		shuffled, other := f, l
		shuffled.rows, other.Items = slices.Clone(f.rows), slices.Clone(l.Items)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		r.Shuffle(len(shuffled.rows), func(i, j int) { shuffled.rows[i], shuffled.rows[j] = shuffled.rows[j], shuffled.rows[i] })
		r.Shuffle(len(other.Items), func(i, j int) { other.Items[i], other.Items[j] = other.Items[j], other.Items[i] })
		first := f.next
		f.apply(l)
		shuffled.apply(other)
		old := func(f feed) map[string]string {
			m := map[string]string{}
			for _, row := range f.rows {
				var n int
				if fmt.Sscan(row.ID, &n); n <= first {
					m[row.ID] = fmt.Sprint(row.Removed, row.Form)
				}
			}
			return m
		}
		if !maps.Equal(old(f), old(shuffled)) || !maps.Equal(forms(f.live(), nil), forms(shuffled.live(), nil)) {
			rt.Fatal("another order gives another feed")
		}
	})
}

// A payment that goes from pending to booked and gets other texts is one row with one
// id, whatever the others do.
func TestReconcile_KeepsTheIDOfAPayment(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var f feed
		others := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Item {
			return items(fmt.Sprintf("+%d -%d text=%d", rapid.IntRange(2, 20).Draw(t, "day"), rapid.IntRange(1, 3).Draw(t, "amount"), rapid.IntRange(0, 2).Draw(t, "text")))[0]
		}), 0, 20).Draw(rt, "others")
		for n, form := range []string{"-10 -99 text=Reserverat", "-10 -99 text=Preem", "+12 -99 text=Preem", "+12 -99 text=PreemAB", "+13 -99 text=PreemAB"} {
			f.apply(ledger.List{Whole: true, From: march(1), Items: append(items(form, "+1 -50 text=first"), others[:min(len(others), n*5)]...)})
			var ids []string
			for _, r := range f.rows {
				if r.Amount == items(form)[0].Amount {
					ids = append(ids, r.ID)
				}
			}
			if len(ids) != 1 {
				rt.Fatalf("form %d: the payment has the ids %v", n, ids)
			}
		}
	})
}

// stored is a feed with positions, as a store has it.
type stored struct {
	feed
	head ledger.Head
	pos  map[string]int64
	born map[string]int64
}

// write applies a list and gives what has changed its positions.
func (s *stored) write(l ledger.List) {
	before := map[string]ledger.Row{}
	for _, r := range s.rows {
		before[r.ID] = r
	}
	s.apply(l)
	for _, r := range s.rows {
		old, known := before[r.ID]
		if known && old == r {
			continue
		}
		s.head.Pos++
		if s.pos[r.ID] = s.head.Pos; !known || old.Removed {
			s.born[r.ID] = s.head.Pos
		}
	}
}

// page returns the rows after a cursor and whether more follow.
func (s *stored) page(c ledger.Cursor, limit int) ([]ledger.Row, bool) {
	var rows []ledger.Row
	for _, r := range s.rows {
		if pos := s.pos[r.ID]; pos > c.Pos && !(r.Removed && pos <= c.Base) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b ledger.Row) int { return int(s.pos[a.ID] - s.pos[b.ID]) })
	return rows[:min(limit, len(rows))], len(rows) > limit
}

// follower keeps a copy by following a feed.
type follower struct {
	text string
	rows map[string][16]byte
}

func (f *follower) read(rt *rapid.T, s *stored, limit int, now time.Time) (more bool) {
	c := s.head.Begin(now)
	if f.text != "" {
		var err error
		if c, err = marker.Read("acc", f.text, s.head, now); err != nil {
			rt.Fatal(err)
		}
	}
	rows, more := s.page(c, limit)
	last := s.head.Pos
	for _, r := range rows {
		_, has := f.rows[r.ID]
		switch c.Told(r.Removed, s.born[r.ID]) {
		case ledger.Gone:
			delete(f.rows, r.ID)
		case ledger.Modified:
			if !has {
				rt.Fatal("a row is modified that the follower never had")
			}
			f.rows[r.ID] = r.Form
		case ledger.Added:
			f.rows[r.ID] = r.Form
		}
		if more {
			last = s.pos[r.ID]
		}
	}
	f.text = marker.Text("acc", c.Next(last, more, now))
	return more
}

// The feed replayed from any cursor gives the same copy: followers that began at any
// time, read pages of any size while lists are applied, and stopped at any time, have
// in the end what the feed has.
func TestFeed_GivesTheSameCopyFromAnyCursor(t *testing.T) {
	now := time.Date(2026, 3, 20, 8, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		s := stored{pos: map[string]int64{}, born: map[string]int64{}, head: ledger.Head{Generation: 1}}
		var followers []*follower
		for range rapid.IntRange(1, 12).Draw(rt, "turns") {
			s.write(drawList(rt))
			followers = append(followers, &follower{rows: map[string][16]byte{}})
			for _, f := range followers {
				for range rapid.IntRange(0, 2).Draw(rt, "pages") {
					f.read(rt, &s, rapid.IntRange(1, 4).Draw(rt, "limit"), now)
				}
			}
		}
		want := map[string][16]byte{}
		for _, r := range s.rows {
			if !r.Removed {
				want[r.ID] = r.Form
			}
		}
		for n, f := range followers {
			for f.read(rt, &s, rapid.IntRange(1, 5).Draw(rt, "limit"), now) {
			}
			if !maps.Equal(f.rows, want) {
				rt.Fatalf("follower %d has %d rows, the feed %d", n, len(f.rows), len(want))
			}
		}
	})
}

func FuzzReconcile(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz"), uint8(3), true, int32(3), int32(0))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8, whole bool, from, to int32) {
		var all []ledger.Item
		for len(data) >= 4 && len(all) < 200 {
			i := ledger.Item{Pending: data[0]&1 != 0, Day: int32(data[1] % 40)}
			i.Amount, i.Text, i.Name, i.Bank = uint64(data[2]&3)+1, uint64(data[2]>>2&3), uint64(data[2]>>4&3), uint64(data[3]&3)
			binary.BigEndian.PutUint32(i.Form[:], binary.BigEndian.Uint32([]byte{data[0] & 1, data[1] % 40, data[2], data[3] >> 6}))
			all, data = append(all, i), data[4:]
		}
		at := min(int(cut), len(all))
		fd := feed{}
		fd.apply(ledger.List{Items: all[:at]})
		l := ledger.List{Items: all[at:], Whole: whole, From: from % 64, To: to % 64}
		fd.apply(l)
		if did := fd.apply(l); did != "" {
			t.Fatalf("the same list again: %s", did)
		}
		now := forms(fd.live(), nil)
		for form, n := range forms(l.Items, nil) {
			if now[form] < n {
				t.Fatal("an item of the list is not in the feed")
			}
		}
	})
}
