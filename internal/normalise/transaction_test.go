package normalise

import (
	"strconv"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

func rowsOf(told []fact.Transaction) []product.Psd2Transaction {
	return account{lacks: &deviation.Counts{}, histories: []fact.History{{Transactions: told}}}.transactions("acc")
}

// rowsOfPages returns the rows of the pages of an account, and what could not be told
// apart.
func rowsOfPages(pages ...[]fact.Transaction) ([]product.Psd2Transaction, int) {
	var lacks deviation.Counts
	a := account{lacks: &lacks}
	for _, page := range pages {
		a.histories = append(a.histories, fact.History{Transactions: page, At: time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)})
	}
	return a.transactions("acc"), lacks[deviation.IndistinctRows]
}

// spelled reads a row from a text: +/- for pending and booked, then separated by spaces
// the day of March 2026 (0: none), the amount and the text. More words are members:
// id=, ref=, e2e=, after=, value=, made=, name=.
func spelled(text string) fact.Transaction {
	words := strings.Fields(text)
	t := fact.Transaction{Booked: words[0][0] == '+', BookingDate: march(words[0][1:]), Amount: money.Must(words[1], "SEK"), Text: words[2]}
	for _, word := range words[3:] {
		member, value, _ := strings.Cut(word, "=")
		switch member {
		case "id":
			t.ID = value
		case "ref":
			t.EntryReference = value
		case "e2e":
			t.EndToEndID = value
		case "after":
			after := money.Must(value, "SEK")
			t.BalanceAfter = &after
		case "value":
			t.ValueDate = march(value)
		case "made":
			t.TransactionDate = march(value)
		case "name":
			t.CreditorName = value
		default:
			panic(word)
		}
	}
	if t.Text == "-" {
		t.Text = ""
	}
	return t
}

func march(day string) time.Time {
	n, err := strconv.Atoi(day)
	if err != nil {
		panic(err)
	}
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC)
}

// page reads rows that are separated by semicolons.
func page(text string) []fact.Transaction {
	rows := []fact.Transaction{}
	for _, row := range strings.Split(text, ";") {
		if strings.TrimSpace(row) != "" {
			rows = append(rows, spelled(row))
		}
	}
	return rows
}
