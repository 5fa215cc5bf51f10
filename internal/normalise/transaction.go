package normalise

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/plaintext"
	"samla/internal/product"
)

// transactions returns the rows of the account: each payment once, pending ones first,
// then by booking date, newest first. It returns nil if they are unknown, and an empty
// slice if there are none.
func (a account) transactions(accountID string) []product.Psd2Transaction {
	if a.histories == nil {
		return nil
	}
	rows := a.rows()
	rows = distinct(rows, a.lacks)
	rows = settle(rows, a.lacks)
	identify(accountID, rows)
	order := make([]*row, len(rows))
	for i := range rows {
		order[i] = &rows[i]
	}
	slices.SortStableFunc(order, func(x, y *row) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(y.booked, x.booked))
	})
	written := make([]product.Psd2Transaction, len(rows))
	var date product.Date // of the row before: most have the same
	for i, r := range order {
		if i == 0 || r.booked != order[i-1].booked {
			date = dateOf(r.booked)
		}
		written[i] = r.product(accountID, date)
	}
	return written
}

// row is a transaction of the account on its way to the product.
type row struct {
	*fact.Transaction
	page         int          // the answer that it is from
	at           int32        // the day of the answer; 0: unknown
	amount       money.Amount // signed, with a currency
	counterparty string
	day          int32 // of the transaction, since 1970; 0: unknown
	booked       int32 // the booking date that is written; 0: none
	id           string
}

// rank sorts pending rows before booked ones.
func rank(r *row) int {
	if r.Booked {
		return 1
	}
	return 0
}

// rows returns the rows of all answers, in their order.
func (a account) rows() []row {
	n := 0
	for _, h := range a.histories {
		n += len(h.Transactions)
	}
	rows := make([]row, 0, n)
	signs, owner := a.signs(), words(a.OwnerName)
	for page, h := range a.histories {
		for i := range h.Transactions {
			t := &h.Transactions[i]
			r := row{Transaction: t, page: page, at: dayNumber(h.At), day: dayNumber(t.Day())}
			var ok bool
			if r.amount, ok = signs.amount(t); !ok {
				a.lacks.Add(deviation.UnclearSign, 1)
			}
			if r.amount, ok = a.inCurrency(r.amount); !ok {
				a.lacks.Add(deviation.UnreadableRow, 1)
				continue
			}
			if r.booked = r.day; !t.Booked {
				r.booked = dayNumber(t.BookingDate)
			}
			r.counterparty = counterparty(t, r.amount.Sign() < 0, owner)
			rows = append(rows, r)
		}
	}
	return rows
}

// dayNumber returns the number of days since 1970, or 0 for the zero time.
func dayNumber(day time.Time) int32 {
	if day.IsZero() {
		return 0
	}
	return int32(day.Unix() / int64(24*time.Hour/time.Second))
}

// dateOf returns the date of a day number.
func dateOf(day int32) product.Date {
	if day == 0 {
		return product.Date{}
	}
	return product.DateOf(time.Unix(int64(day)*int64(24*time.Hour/time.Second), 0).UTC())
}

// inCurrency returns the amount with the currency of the account if it has none. It is
// not ok if the account has no single currency.
func (a account) inCurrency(m money.Amount) (money.Amount, bool) {
	if currencyOf(m) != "" {
		return m, true
	}
	if a.Currency == fact.SeveralCurrencies || !money.IsCurrency(a.Currency) {
		return m, false
	}
	m, err := money.New(m.Value(), a.Currency)
	return m, err == nil
}

// counterparty returns the name on the other side. Where the institution gives one name
// only it can be in the member of either side, but it is not the owner's.
func counterparty(t *fact.Transaction, debit bool, owner string) string {
	other, own := t.CreditorName, t.DebtorName
	if !debit {
		other, own = own, other
	}
	if other != "" || own == "" || owner != "" && words(own) == owner {
		return other
	}
	return own
}

// words returns the words of a name, folded and sorted: banks write "Tolvan, Maj" too.
func words(name string) string {
	if name == "" {
		return ""
	}
	list := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == ',' || r == '-' })
	for i, word := range list {
		list[i] = plaintext.Fold(word)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func (r *row) product(accountID string, date product.Date) product.Psd2Transaction {
	p := product.Psd2Transaction{
		TransactionID: r.id, AccountID: accountID, Amount: r.amount, Direction: product.DirectionOf(r.amount),
		Status: product.Pending, BookingDate: date, CreatedAt: product.At(r.Moment),
		CounterpartyName: r.counterparty, Description: r.Text,
	}
	if r.Booked {
		p.Status = product.Booked
	}
	return p
}
