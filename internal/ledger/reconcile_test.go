package ledger_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"samla/internal/ledger"
	"samla/internal/money"
	"samla/internal/product"
)

// spelled reads a transaction: + or - for booked and pending with the day of March 2026
// (0: none), the amount, and the members text=, name=, id=.
func spelled(text string) (product.Psd2Transaction, string) {
	words := strings.Fields(text)
	amount := money.Must(words[1], "SEK")
	t := product.Psd2Transaction{Amount: amount, Direction: product.DirectionOf(amount), Status: product.Booked}
	if words[0][0] == '-' {
		t.Status = product.Pending
	}
	if day, _ := strconv.Atoi(words[0][1:]); day > 0 {
		t.BookingDate, _ = product.ParseDate(fmt.Sprintf("2026-03-%02d", day))
	}
	bank := ""
	for _, word := range words[2:] {
		switch member, value, _ := strings.Cut(word, "="); member {
		case "text":
			t.Description = value
		case "name":
			t.CounterpartyName = value
		case "id":
			bank = value
		case "no":
			t.TransactionID = value
		default:
			panic(word)
		}
	}
	return t, bank
}

// march returns the number of a day of March 2026.
func march(day int32) int32 { return 20512 + day }

var marker = ledger.NewMarker(make([]byte, ledger.KeySize))

func items(texts ...string) []ledger.Item {
	list := make([]ledger.Item, len(texts))
	for i, text := range texts {
		t, bank := spelled(text)
		list[i] = marker.Item(&t, bank)
	}
	return list
}

// feed is the feed of an account.
type feed struct {
	rows []ledger.Row
	next int
}

// apply changes the feed as a plan says, and returns it in short: a added, m modified, r
// returned, d removed, with the ids.
func (f *feed) apply(list ledger.List) string {
	p := ledger.Reconcile(f.rows, list)
	var did []string
	for _, pair := range p.Modified {
		f.rows[pair.Row].Item = list.Items[pair.Item]
		did = append(did, "m"+f.rows[pair.Row].ID)
	}
	for _, pair := range p.Returned {
		f.rows[pair.Row].Item, f.rows[pair.Row].Removed = list.Items[pair.Item], false
		did = append(did, "r"+f.rows[pair.Row].ID)
	}
	for _, r := range p.Removed {
		f.rows[r].Removed = true
		did = append(did, "d"+f.rows[r].ID)
	}
	for _, i := range p.Added {
		f.next++
		id := fmt.Sprint(f.next)
		f.rows = append(f.rows, ledger.Row{ID: id, Item: list.Items[i]})
		did = append(did, "a"+id)
	}
	slices.Sort(did)
	return strings.Join(did, " ")
}

func TestDay_IsTheDayOfTheTransaction(t *testing.T) {
	if got := items("+1 -10")[0].Day; got != march(1) {
		t.Errorf("1 March 2026 is day %d, want %d", got, march(1))
	}
}

// step is a list that is applied: the rows of a wholly read list from 1 March, unless
// the first element says otherwise: "part", "from N", "booked".
type step struct {
	list []string
	did  string
}

func TestReconcile_Cases(t *testing.T) {
	for name, steps := range map[string][]step{
		"pending becomes booked in place": {
			{[]string{"-10 -129 text=ICA", "+9 -5 text=x"}, "a1 a2"},
			{[]string{"+11 -129 text=ICA", "+9 -5 text=x"}, "m1"},
		},
		"pending becomes booked with other texts": {
			{[]string{"-10 -129 text=Reserverat"}, "a1"},
			{[]string{"+12 -129 text=ICA name=Kvantum"}, "m1"},
		},
		"pending becomes booked with the same name or text in a list that was read in part": {
			{[]string{"-10 -129 text=Res name=ICA", "-10 -77 text=Bensin"}, "a1 a2"},
			{[]string{"part", "+12 -129 text=Kort name=ICA", "+12 -77 text=Bensin name=Preem"}, "m1 m2"},
		},
		"rows of the first day of a list stay": {
			{[]string{"+10 -1 text=x", "+10 -2 text=y", "+11 -3 text=z"}, "a1 a2 a3"},
			{[]string{"+10 -1 text=x"}, "d3"},
		},
		"pending becomes booked with another amount and the same reference": {
			{[]string{"-10 -500 name=Preem id=R7"}, "a1"},
			{[]string{"+12 -431.50 name=Preem id=R7"}, "m1"},
		},
		"a pending row without a day": {
			{[]string{"-0 -129 text=ICA"}, "a1"},
			{[]string{"+12 -129 text=ICA"}, "m1"},
		},
		"two equal pending rows become booked one after the other": {
			{[]string{"-10 -20 text=Kaffe", "-10 -20 text=Kaffe"}, "a1 a2"},
			{[]string{"+11 -20 text=Kaffe", "-10 -20 text=Kaffe"}, "m2"},
			{[]string{"+11 -20 text=Kaffe", "+11 -20 text=Kaffe"}, "m1"},
		},
		"a pending row that vanishes is removed": {
			{[]string{"-10 -129 text=ICA", "-0 -7 text=y"}, "a1 a2"},
			{[]string{}, "d1 d2"},
		},
		"a pending row stays where pending ones were not read": {
			{[]string{"-10 -129 text=ICA"}, "a1"},
			{[]string{"booked", "+11 -3 text=z"}, "a2"},
		},
		"equal payments of a day stay several": {
			{[]string{"+10 -20 text=Kaffe", "+10 -20 text=Kaffe", "+2 -1 text=x"}, "a1 a2 a3"},
			{[]string{"+10 -20 text=Kaffe", "+10 -20 text=Kaffe", "+10 -20 text=Kaffe", "+2 -1 text=x"}, "a4"},
			{[]string{"+10 -20 text=Kaffe", "+2 -1 text=x"}, "d2 d4"},
		},
		"a changed text": {
			{[]string{"+10 -20 text=Kortkop", "+2 -1 text=x"}, "a1 a2"},
			{[]string{"+10 -20 text=ICA", "+2 -1 text=x"}, "m1"},
		},
		"a changed date": {
			{[]string{"+10 -20 text=ICA", "+2 -1 text=x"}, "a1 a2"},
			{[]string{"+12 -20 text=ICA", "+2 -1 text=x"}, "m1"},
		},
		"a changed spelling": {
			{[]string{"+10 -20 text=ICA"}, "a1"},
			{[]string{"part", "+10 -20 text=ica"}, "m1"},
		},
		"the bank renumbers its ids": {
			{[]string{"+10 -20 text=ICA id=1", "+11 -20 text=Coop id=2", "+12 -30 text=Hyra id=3"}, "a1 a2 a3"},
			{[]string{"+10 -20 text=ICA id=2", "+11 -20 text=Coop id=3", "+12 -30 text=Hyra id=4", "+13 -20 text=New id=1"}, "a4"},
		},
		"a reference finds a row in a list that was read in part": {
			{[]string{"+10 -20 text=Kortkop id=R1"}, "a1"},
			{[]string{"part", "+14 -20 text=ICA id=R1"}, "m1"},
		},
		"a part removes nothing and replaces nothing": {
			{[]string{"+10 -20 text=ICA", "+11 -30 text=Hyra"}, "a1 a2"},
			{[]string{"part", "+10 -20 text=Coop"}, "a3"},
			{[]string{"part"}, ""},
		},
		"a shorter window removes nothing before it": {
			{[]string{"+10 -20 text=ICA", "+15 -30 text=Hyra", "+20 -1 text=x"}, "a1 a2 a3"},
			{[]string{"from 15", "+20 -1 text=x"}, ""},
			{[]string{"from 14", "+14 -2 text=y", "+20 -1 text=x"}, "a4 d2"},
		},
		"a list without booked rows removes none": {
			{[]string{"+10 -20 text=ICA", "-0 -7 text=y", "-9 -8 text=z"}, "a1 a2 a3"},
			{[]string{}, "d2 d3"},
		},
		"the bank gives less of the past than it was asked for": {
			{[]string{"+3 -20 text=ICA", "+10 -30 text=Hyra", "+12 -40 text=El", "+15 -50 text=Lan"}, "a1 a2 a3 a4"},
			{[]string{"+10 -30 text=Hyra", "+15 -50 text=Lan"}, "d3"},
			{[]string{"from 0", "+10 -30 text=Hyra"}, "d4"},
		},
		"what was removed comes back under its id": {
			{[]string{"+10 -20 text=ICA", "+2 -1 text=x"}, "a1 a2"},
			{[]string{"+2 -1 text=x"}, "d1"},
			{[]string{"+10 -20 text=ica", "+2 -1 text=x"}, "r1"},
		},
		"a removed pending row comes back booked": {
			{[]string{"-10 -20 text=ICA"}, "a1"},
			{[]string{}, "d1"},
			{[]string{"+10 -20 text=ICA"}, "r1"},
		},
		"another payment does not revive a removed one": {
			{[]string{"+10 -20 text=ICA", "+2 -1 text=x"}, "a1 a2"},
			{[]string{"+2 -1 text=x"}, "d1"},
			{[]string{"+10 -20 text=Coop", "+2 -1 text=x"}, "a3"},
		},
		"weekly payments are not one that moved": {
			{[]string{"+3 -59 text=Gym", "+10 -59 text=Gym"}, "a1 a2"},
			{[]string{"+3 -59 text=Gym", "+10 -59 text=Gym", "+17 -59 text=Gym"}, "a3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var f feed
			for n, s := range steps {
				list := listOf(s.list)
				if did := f.apply(list); did != s.did {
					t.Fatalf("list %d: %q, want %q", n+1, did, s.did)
				}
				if did := f.apply(list); did != "" {
					t.Fatalf("list %d again: %q", n+1, did)
				}
			}
		})
	}
}

func listOf(texts []string) ledger.List {
	list := ledger.List{Whole: true, From: march(1)}
	if len(texts) > 0 {
		switch word, day, _ := strings.Cut(texts[0], " "); word {
		case "part":
			list.Whole, texts = false, texts[1:]
		case "booked":
			list.BookedOnly, texts = true, texts[1:]
		case "from":
			n, _ := strconv.Atoi(day)
			if list.From = 0; n > 0 {
				list.From = march(int32(n))
			}
			texts = texts[1:]
		}
	}
	list.Items = items(texts...)
	return list
}
