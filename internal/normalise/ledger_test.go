package normalise

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

// ledger draws the payments of an account, newest first. None is equal to another one,
// but they have much in common.
func ledger(t *rapid.T) []fact.Transaction {
	var rows []fact.Transaction
	day := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for n := range rapid.IntRange(1, 60).Draw(t, "payments") {
		if rapid.IntRange(0, 2).Draw(t, "next day") == 0 {
			day = day.AddDate(0, 0, -1)
		}
		row := fact.Transaction{Booked: true, BookingDate: day, Text: rapid.SampledFrom([]string{"", "Hyra", "Kortköp ICA", "Swish Åsa"}).Draw(t, "text"),
			CreditorName: rapid.SampledFrom([]string{"", "Eken", "ICA"}).Draw(t, "name"),
			Amount:       money.Must(rapid.SampledFrom([]string{"-100", "-12.50", "7", "0"}).Draw(t, "amount"), "SEK")}
		switch rapid.IntRange(0, 3).Draw(t, "id") {
		case 0:
			row.ID = fmt.Sprint("T", n)
		case 1:
			row.ID = fmt.Sprint(n % 3) // a counter
		case 2:
			row.EntryReference = "INV-1"
		}
		// What no rule could tell apart: one id, day and amount, and a text that the
		// other row lacks.
		if k := fmt.Sprint(row.ID, row.EntryReference, day, row.Amount); (row.ID != "" || row.EntryReference != "") && seen[k] {
			row.ID, row.EntryReference = "", ""
		} else {
			seen[k] = true
		}
		content := string(appendContent(nil, &row0(row)[0]))
		if seen[content] {
			row.Text += fmt.Sprint(" nr ", n)
		}
		seen[content] = true
		rows = append(rows, row)
	}
	return rows
}

// row0 returns the row of a transaction.
func row0(t fact.Transaction) []row {
	return (account{histories: []fact.History{{Transactions: []fact.Transaction{t}}}}).rows()
}

// pagesOf cuts rows into pages of a size, each of which begins with the last rows of the
// page before.
func pagesOf(rows []fact.Transaction, size, overlap int) [][]fact.Transaction {
	var pages [][]fact.Transaction
	for from := 0; ; from += size - overlap {
		to := min(from+size, len(rows))
		pages = append(pages, slices.Clone(rows[from:to]))
		if to == len(rows) {
			return pages
		}
	}
}

// respelled returns the row as another answer can have it.
func respelled(t *rapid.T, row fact.Transaction) fact.Transaction {
	if rapid.Bool().Draw(t, "spell") {
		row.Text = strings.ToUpper(strings.ReplaceAll(row.Text, " ", "  "))
		row.Amount, _ = money.New(row.Amount.Value().Pad(2), "SEK")
	}
	return row
}

func idsOf(rows []product.Psd2Transaction) []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.TransactionID
	}
	return slices.Sorted(slices.Values(ids))
}

// However an institution cuts, repeats, orders and spells the payments, each is there
// once and keeps its id.
func TestTransactions_DoNotDependOnThePages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := ledger(t)
		want, indistinct := rowsOfPages(rows)
		if len(want) != len(rows) || indistinct != 0 {
			t.Fatalf("%d rows of %d, %d indistinct", len(want), len(rows), indistinct)
		}
		size := rapid.IntRange(1, 12).Draw(t, "size")
		overlap := rapid.IntRange(0, size-1).Draw(t, "overlap")
		pages := pagesOf(rows, size, overlap)
		shuffle := overlap > 1 && rapid.Bool().Draw(t, "shuffle")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for _, page := range pages {
			for i := range page {
				page[i] = respelled(t, page[i])
			}
			if shuffle {
				random.Shuffle(len(page), func(i, j int) { page[i], page[j] = page[j], page[i] })
			}
		}
		got, indistinct := rowsOfPages(pages...)
		if !slices.Equal(idsOf(got), idsOf(want)) || indistinct != 0 {
			t.Fatalf("%d rows of %d, %d indistinct, size %d, overlap %d, shuffled %t", len(got), len(want), indistinct, size, overlap, shuffle)
		}
	})
}

// A later collection has the ids of the earlier one, for all payments that both have,
// and the ids do not depend on those of the institution.
func TestTransactions_KeepTheirIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := ledger(t)
		for i := range rows {
			if rapid.IntRange(0, 4).Draw(t, "twin") == 0 { // an equal payment of the day
				twin := rows[i]
				twin.ID, twin.EntryReference, rows[i].ID, rows[i].EntryReference = "", "", "", ""
				rows = append(rows, twin)
			}
		}
		slices.SortStableFunc(rows, func(x, y fact.Transaction) int { return y.BookingDate.Compare(x.BookingDate) })
		before, _ := rowsOfPages(rows)

		// The oldest days are not asked for any more, there is a new day, and the
		// institution has other ids.
		oldest := rows[rapid.IntRange(0, len(rows)-1).Draw(t, "oldest")].BookingDate
		next := []fact.Transaction{{Booked: true, BookingDate: rows[0].BookingDate.AddDate(0, 0, 1), Amount: rows[0].Amount, Text: rows[0].Text}}
		for i, row := range rows {
			if !row.BookingDate.Before(oldest) {
				row = respelled(t, row)
				row.ID, row.EntryReference = fmt.Sprint("N", i), ""
				next = append(next, row)
			}
		}
		after, _ := rowsOfPages(next)
		byDay := func(rows []product.Psd2Transaction) map[string][]string {
			days := map[string][]string{}
			for _, r := range rows {
				days[r.BookingDate.String()] = append(days[r.BookingDate.String()], r.TransactionID)
			}
			for day := range days {
				slices.Sort(days[day])
			}
			return days
		}
		was, is := byDay(before), byDay(after)
		for _, day := range slices.Sorted(maps.Keys(is)) {
			if day >= product.DateOf(oldest).String() && day <= product.DateOf(rows[0].BookingDate).String() && !slices.Equal(was[day], is[day]) {
				t.Fatalf("the ids of %s were %v and are %v", day, was[day], is[day])
			}
		}
		if all := idsOf(after); len(slices.Compact(all)) != len(after) {
			t.Fatal("two rows have one id")
		}
	})
}

// Rows that look alike keep their numbers when another one comes.
func TestTransactions_KeepTheirIDsWhenAnEqualOneComes(t *testing.T) {
	noon := time.Date(2026, 3, 30, 12, 0, 0, 0, time.UTC)
	first := fact.Transaction{Booked: true, BookingDate: march("30"), Amount: money.Must("-35", "SEK"), Text: "Kaffe", Moment: noon}
	second := first
	second.Moment = noon.Add(time.Hour)
	pending := first
	pending.Booked, pending.ID, pending.Moment = false, "p", noon.Add(-time.Hour)
	alone, _ := rowsOfPages([]fact.Transaction{first})
	for _, later := range [][]fact.Transaction{{second, first}, {pending, first}, {pending, second, first}} {
		rows, _ := rowsOfPages(later)
		for _, r := range rows {
			if (r.TransactionID == alone[0].TransactionID) != (r.Status == product.Booked && r.CreatedAt == alone[0].CreatedAt) {
				t.Errorf("of %d rows that of %s has the id %s", len(rows), r.CreatedAt, r.TransactionID)
			}
		}
	}
}

// A payment has the same id when it is booked, if the institution gives its day and text
// while it is pending.
func TestTransactions_KeepTheirIDsWhenBooked(t *testing.T) {
	pending, _ := rowsOfPages(page("-30 -100 Kaffe id=p"))
	booked, _ := rowsOfPages(page("+30 -100 Kaffe id=b"))
	if pending[0].TransactionID != booked[0].TransactionID {
		t.Error("the id changed")
	}
}

func TestTransactions_NameTheOtherSide(t *testing.T) {
	for _, c := range []struct{ amount, creditor, debtor, want string }{
		{"-1", "Eken", "Maj Tolvan", "Eken"}, {"1", "Maj Tolvan", "Eken", "Eken"},
		{"-1", "", "Eken", "Eken"}, {"1", "Eken", "", "Eken"},
		{"-1", "", "Maj Tolvan", ""}, {"-1", "", "TOLVAN, MAJ", ""}, {"-1", "Maj Tolvan", "", "Maj Tolvan"},
	} {
		a := account{Account: fact.Account{OwnerName: "Maj Tolvan"}, histories: []fact.History{{Transactions: []fact.Transaction{
			{Amount: money.Must(c.amount, "SEK"), CreditorName: c.creditor, DebtorName: c.debtor}}}}}
		if got := a.transactions("acc")[0].CounterpartyName; got != c.want {
			t.Errorf("%v: %q", c, got)
		}
	}
}

func TestTransactions_AreOrderedPendingFirstThenNewestFirst(t *testing.T) {
	rows, _ := rowsOfPages(page("+28 -1 a; +30 -2 b; -0 -3 c; +29 -4 d; -29 -5 e"))
	var got []string
	for _, r := range rows {
		got = append(got, r.Description)
	}
	if strings.Join(got, "") != "ecbda" {
		t.Errorf("order %v", got)
	}
}

// Whatever an institution sends: ids are not repeated, nothing is invented, and there are
// at least as many rows as on each page by itself.
func TestTransactions_AreNeverFewerThanOnOnePage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pages [][]fact.Transaction
		given := 0
		for range rapid.IntRange(1, 5).Draw(t, "pages") {
			var page []fact.Transaction
			for range rapid.IntRange(0, 8).Draw(t, "rows") {
				page = append(page, fact.Transaction{Booked: rapid.Bool().Draw(t, "booked"), BookingDate: march(rapid.SampledFrom([]string{"0", "29", "30", "31"}).Draw(t, "day")),
					ID: rapid.SampledFrom([]string{"", "", "1", "2"}).Draw(t, "id"), Text: rapid.SampledFrom([]string{"", "Hyra", "Kaffe"}).Draw(t, "text"),
					Amount: money.Must(rapid.SampledFrom([]string{"-1", "2"}).Draw(t, "amount"), "SEK")})
			}
			given += len(page)
			pages = append(pages, page)
		}
		rows, _ := rowsOfPages(pages...)
		if all := idsOf(rows); len(slices.Compact(all)) != len(rows) || len(rows) > given {
			t.Fatalf("%d rows of %d have %d ids", len(rows), given, len(all))
		}
		booked := func(rows []product.Psd2Transaction) (n int) {
			for _, r := range rows {
				if r.Status == product.Booked {
					n++
				}
			}
			return n
		}
		for _, page := range pages {
			alone, _ := rowsOfPages(page)
			if booked(alone) > booked(rows) {
				t.Fatalf("%d booked rows, and %d on one page", booked(rows), booked(alone))
			}
		}
	})
}
