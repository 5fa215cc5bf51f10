package normalise

import (
	"testing"
	"time"

	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

func TestTransactions_HavePendingAndBookedFormsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		rows            string
		booked, pending int
		indistinct      int
	}{
		"one reference":                       {"+30 -100 - id=T ref=E; -0 -100 - ref=E", 1, 0, 0},
		"one id":                              {"+30 -100 a id=T; -0 -100 b id=T", 1, 0, 0},
		"one end-to-end id":                   {"+30 -100 a id=T e2e=E; -29 -100 b id=P e2e=E", 1, 0, 0},
		"the id is the reference":             {"+30 -100 a id=T ref=P; -29 -100 b id=P", 1, 0, 0},
		"one id, the amount is final":         {"+30 -423 Macken-Alvik id=T; -29 -500 Macken id=T", 1, 0, 0},
		"one id, other payments":              {"+30 -423 Macken id=1; -29 -500 Bageriet id=1", 1, 1, 0},
		"one id, other direction":             {"+30 423 Macken id=1; -29 -423 Macken id=1", 1, 1, 0},
		"one reference, long ago":             {"+1 -100 Hyra ref=E; -31 -100 Hyra ref=E value=31", 1, 1, 0},
		"one reference, last month's payment": {"+1 -100 Hyra id=T e2e=E; -31 -100 Hyra id=P e2e=E", 1, 1, 0},
		"two of one reference":                {"+30 -100 a ref=E; -29 -100 a ref=E; -29 -100 a ref=E id=P", 1, 1, 0},
		"looks and day":                       {"+30 -100 Bageriet id=T; -29 -100 Bageriet", 1, 0, 0},
		"looks and value date":                {"+30 -100 - name=Bageriet id=T value=30; -0 -100 - name=Bageriet value=29", 1, 0, 0},
		"looks, an earlier value date":        {"+31 -100 Bageriet id=T value=28; -0 -100 Bageriet value=29", 1, 1, 0},
		"looks, the pending text is shorter":  {"+30 -100 Kortköp-Bageriet id=T; -29 -100 - name=Bageriet", 1, 0, 0},
		"looks, two pending":                  {"+30 -100 Bageriet; -29 -100 Bageriet; -29 -100 Bageriet", 1, 1, 0},
		"looks, two booked":                   {"+30 -100 Bageriet; +30 -100 Bageriet; -29 -100 Bageriet", 2, 0, 0},
		"looks, two and two":                  {"+30 -100 Bageriet; +29 -100 Bageriet; -29 -100 Bageriet; -29 -100 Bageriet", 2, 0, 0},
		"other ids":                           {"+30 -100 - name=Bageriet id=H; -0 -100 - name=Bageriet id=P", 1, 1, 0},
		"other ids and a day":                 {"+30 -100 Bageriet id=H; -30 -100 Bageriet id=P", 1, 1, 0},
		"other amount":                        {"+30 -101 Bageriet; -30 -100 Bageriet", 1, 1, 0},
		"other text":                          {"+30 -100 Bageriet; -30 -100 Macken", 1, 1, 0},
		"other name":                          {"+30 -100 Kortköp name=Bageriet; -30 -100 Kortköp name=Macken", 1, 1, 0},
		"booked before":                       {"+28 -100 Bageriet; -29 -100 Bageriet", 1, 1, 0},
		"booked long after":                   {"+30 -100 Bageriet; -20 -100 Bageriet", 1, 1, 0},
		"made on other days":                  {"+30 -100 Bageriet made=28; -0 -100 Bageriet made=29", 1, 1, 0},
		"made on one day":                     {"+30 -100 Bageriet made=29; -0 -100 Bageriet made=29", 1, 0, 0},
		"no day, may be another":              {"+30 -100 Bageriet id=T; -0 -100 Bageriet", 1, 1, 1},
		"no day, booked long ago":             {"+2 -100 Bageriet id=T; -0 -100 Bageriet", 1, 1, 0},
		"no text, may be another":             {"+30 -100 Bageriet id=T; -29 -100 -", 1, 1, 1},
		"no text, other ids":                  {"+30 -100 Bageriet id=T; -29 -100 - id=P", 1, 1, 0},
	} {
		rows, indistinct := rowsOfPages(page(c.rows))
		n := map[product.Status]int{}
		for _, r := range rows {
			n[r.Status]++
		}
		if n[product.Booked] != c.booked || n[product.Pending] != c.pending || indistinct != c.indistinct {
			t.Errorf("%s: %d booked, %d pending, %d indistinct", name, n[product.Booked], n[product.Pending], indistinct)
		}
	}
}

// An institution that sends any number of rows that are nearly equal does not cost the
// square of their number; what is not compared is counted.
func TestTransactions_SettleWithBoundedWork(t *testing.T) {
	at := time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	var rows []fact.Transaction
	for range 3_000 {
		row := fact.Transaction{Amount: money.Must("-1", "SEK"), BookingDate: at, Text: "aaa"}
		rows = append(rows, row)
		row.Booked, row.Text = true, "bbb"
		rows = append(rows, row)
	}
	if got, indistinct := rowsOfPages(rows); len(got) != len(rows) || indistinct < 2_000 {
		t.Errorf("%d rows, %d indistinct", len(got), indistinct)
	}
}
