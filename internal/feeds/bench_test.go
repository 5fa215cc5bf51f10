package feeds_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"samla/internal/feeds"
	"samla/internal/flowtest"
	"samla/internal/product"
)

// benchRows is the number of transactions of the account: SAMLA_FEED_ROWS, or 10 000.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("SAMLA_FEED_ROWS")); err == nil {
		return n
	}
	return 10_000
}

// large is a list of n transactions over ten years.
func large(e *env, n int) feeds.Reading {
	r := e.reading("a", "bank")
	r.From = ""
	first := flowtest.Start.AddDate(-10, 0, 0)
	for i := range n {
		t := paid(fmt.Sprintf("+1 -%d Kortkop", 1+i%5000))
		t.TransactionID, t.CounterpartyName = fmt.Sprintf("%032d", i), fmt.Sprint("Butik ", i%97)
		t.BookingDate = product.DateOf(first.AddDate(0, 0, i*3650/n))
		r.Transactions = append(r.Transactions, t)
	}
	return r
}

// BenchmarkPage reads pages of 200 rows, and the same rows without opening them.
func BenchmarkPage(b *testing.B) {
	e := newEnv(b, b.TempDir())
	rows := benchRows()
	e.read(large(e, rows))
	b.Run("page", func(b *testing.B) {
		cursor := ""
		for b.Loop() {
			p, err := e.PageOf(b.Context(), "a", cursor, 200)
			if err != nil {
				b.Fatal(err)
			}
			if cursor = p.Next; !p.More {
				cursor = ""
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	})
	b.Run("bare", func(b *testing.B) {
		var after int64
		for b.Loop() {
			got, err := e.Store.FeedPage(b.Context(), "a", after, 0, 201)
			if err != nil {
				b.Fatal(err)
			}
			if after = 0; len(got) > 200 {
				after = got[199].Pos
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	})
}

// BenchmarkApply applies the first list of an account, the same one again, and the last 90 days of it
// with ten new rows.
func BenchmarkApply(b *testing.B) {
	e := newEnv(b, b.TempDir())
	rows := benchRows()
	list := large(e, rows)
	n := 0
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			n++
			r := list
			r.AccountID = fmt.Sprint("first-", n)
			e.read(r)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	e.read(list)
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			e.read(list)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("90 days", func(b *testing.B) {
		for b.Loop() {
			n++
			r := list
			r.Transactions = append([]product.Psd2Transaction{}, list.Transactions[rows-rows/40:]...)
			r.From = flowtest.Start.AddDate(0, 0, -90).Format(time.DateOnly)
			for i := range 10 {
				r.Transactions = append(r.Transactions, paid(fmt.Sprintf("+30 -%d new%d", i+1, n)))
			}
			e.read(r)
		}
		b.ReportMetric(float64(rows/40)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
