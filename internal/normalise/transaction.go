package normalise

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

// transactions returns the rows of the account without repetitions, pending rows first,
// then by booking date, newest first. It returns nil if they are unknown, and an empty
// slice if there are none.
func (a account) transactions(accountID string) []product.Psd2Transaction {
	if a.histories == nil {
		return nil
	}
	n := 0
	for _, h := range a.histories {
		n += len(h.Transactions)
	}
	l := list{rows: make([]product.Psd2Transaction, 0, n), at: make(map[string]int, n), same: map[string]int{}}
	signs := a.signs()
	for _, h := range a.histories {
		for i := range h.Transactions {
			t := &h.Transactions[i]
			amount, clear := signs.amount(t)
			if !clear {
				a.lacks.Add(deviation.UnclearSign, 1)
			}
			if amount, clear = a.inCurrency(amount); !clear {
				a.lacks.Add(deviation.UnreadableRow, 1)
				continue
			}
			l.add(transaction(accountID, t, amount))
		}
	}
	slices.SortStableFunc(l.rows, func(a, b product.Psd2Transaction) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.BookingDate.String(), a.BookingDate.String()))
	})
	return l.rows
}

// list collects rows and drops repetitions.
type list struct {
	rows []product.Psd2Transaction
	at   map[string]int // by transaction id
	same map[string]int // rows without an id, by content
}

func (l *list) add(row product.Psd2Transaction) {
	if row.TransactionID == "" {
		// Equal rows are distinguished by their order (docs/reference/banks.md 6.4).
		content := contentOf(row)
		l.same[content]++
		row.TransactionID = digest(content, l.same[content])
	}
	i, seen := l.at[row.TransactionID]
	switch {
	case !seen:
		l.at[row.TransactionID] = len(l.rows)
		l.rows = append(l.rows, row)
	case l.rows[i].Status == product.Pending && row.Status == product.Booked:
		l.rows[i] = row // it was booked between two answers
	}
}

// rank sorts pending rows, which have no booking date, before booked rows.
func rank(t product.Psd2Transaction) int {
	if t.Status == product.Pending {
		return 0
	}
	return 1
}

// inCurrency returns the amount with the currency of the account if it has none. It is
// not ok if the account has no single currency.
func (a account) inCurrency(m money.Amount) (money.Amount, bool) {
	if m.Currency() != "" {
		return m, true
	}
	if a.Currency == severalCurrencies || !money.IsCurrency(a.Currency) {
		return m, false
	}
	m, err := money.New(m.Value(), a.Currency)
	return m, err == nil
}

func transaction(accountID string, t *fact.Transaction, amount money.Amount) product.Psd2Transaction {
	row := product.Psd2Transaction{
		TransactionID: cmp.Or(t.ID, t.EntryReference), AccountID: accountID, Amount: amount,
		Direction: product.DirectionOf(amount), Status: product.Pending, Description: t.Text,
		CreatedAt: product.At(t.Moment),
	}
	day := t.BookingDate
	if t.Booked {
		row.Status, day = product.Booked, t.Day()
	}
	if !day.IsZero() {
		row.BookingDate = product.DateOf(day)
	}
	row.CounterpartyName = cmp.Or(t.DebtorName, t.CreditorName)
	if row.Direction == product.Debit {
		row.CounterpartyName = cmp.Or(t.CreditorName, t.DebtorName)
	}
	return row
}

func contentOf(t product.Psd2Transaction) string {
	return t.AccountID + "\x00" + t.BookingDate.String() + "\x00" + t.Amount.String() + "\x00" + t.Description
}

// digest returns an id for a row without one. It is the same in every collection as
// long as the institution gives the same content.
func digest(content string, ordinal int) string {
	sum := sha256.Sum256([]byte(content + "\x00" + strconv.Itoa(ordinal)))
	return hex.EncodeToString(sum[:16])
}
