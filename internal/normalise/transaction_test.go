package normalise

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

func rowsOf(told []fact.Transaction) []product.Psd2Transaction {
	return account{lacks: &deviation.Counts{}, histories: []fact.History{{Transactions: told}}}.transactions("acc")
}

func TestTransactions_AreWrittenOnce(t *testing.T) {
	day := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	row := func(id, entry string, booked bool) fact.Transaction {
		tx := fact.Transaction{ID: id, EntryReference: entry, Booked: booked, Amount: money.Must("-10.50", "SEK"), Text: "Kaffe"}
		if booked {
			tx.BookingDate = day
		}
		return tx
	}
	rows := rowsOf([]fact.Transaction{
		row("a", "", false), row("a", "", true), row("", "e1", true), row("", "e1", true),
		row("", "", true), row("", "", true), row("", "", false)})
	if len(rows) != 5 {
		t.Fatalf("%d rows, want a, e1, two equal ones and a pending one", len(rows))
	}
	if rows[0].Status != product.Pending || rows[1].Status != product.Booked {
		t.Error("pending rows do not come first")
	}
	again := rowsOf([]fact.Transaction{row("", "", true), row("", "", true)})
	if again[0].TransactionID == again[1].TransactionID {
		t.Error("two equal rows have one id")
	}
	for _, r := range again {
		if r.TransactionID != rows[3].TransactionID && r.TransactionID != rows[4].TransactionID {
			t.Error("the same row has another id in another collection")
		}
	}
}

// Whatever a bank sends, no row is lost but repeats, every row belongs to its
// account and its sign agrees with its direction.
func TestTransactions_LoseNoRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "rows")
		var given []fact.Transaction
		ids := map[string]bool{}
		anonymous := 0
		for range n {
			tx := fact.Transaction{Booked: rapid.Bool().Draw(t, "booked"),
				Amount: money.Must(strconv.Itoa(rapid.IntRange(-3, 3).Draw(t, "amount")), "SEK")}
			if id := rapid.IntRange(0, 9).Draw(t, "id"); id > 0 {
				tx.ID = strconv.Itoa(id)
				ids[tx.ID] = true
			} else {
				anonymous++
			}
			given = append(given, tx)
		}
		rows := rowsOf(given)
		if len(rows) != len(ids)+anonymous {
			t.Fatalf("%d rows of %d ids and %d without", len(rows), len(ids), anonymous)
		}
		for _, r := range rows {
			if r.AccountID != "acc" || r.TransactionID == "" || (r.Amount.Sign() < 0) != (r.Direction == product.Debit) {
				t.Fatalf("row %+v", r)
			}
		}
	})
}
