package normalise

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
)

// BenchmarkTransactions converts 10 000 rows in pages of 100.
func BenchmarkTransactions(b *testing.B) {
	for _, ids := range []bool{true, false} {
		b.Run("ids="+strconv.FormatBool(ids), func(b *testing.B) {
			histories := ledgerPages(10_000, 100, ids)
			b.ReportAllocs()
			for b.Loop() {
				if rows := (account{lacks: &deviation.Counts{}, histories: histories}).transactions("acc"); len(rows) != 10_000 {
					b.Fatal(len(rows))
				}
			}
		})
	}
}

func ledgerPages(n, size int, ids bool) []fact.History {
	first := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	var pages []fact.History
	for i := range n {
		if i%size == 0 {
			pages = append(pages, fact.History{})
		}
		day := first.AddDate(0, 0, -i/12)
		row := fact.Transaction{Booked: true, BookingDate: day, ValueDate: day, CreditorName: "Livsmedel Söder " + strconv.Itoa(i%97),
			Amount: money.Must("-"+strconv.Itoa(100+i%1013)+".50", "SEK"), Text: "Kortköp LIVSMEDEL SÖDER " + strconv.Itoa(i)}
		if ids {
			row.ID, row.EntryReference = "t-"+strconv.Itoa(1000000+i), "2026-"+strconv.Itoa(i)
		}
		page := &pages[len(pages)-1]
		page.Transactions = append(page.Transactions, row)
	}
	return pages
}
