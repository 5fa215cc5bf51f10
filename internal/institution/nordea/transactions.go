package nordea

import (
	"cmp"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// transaction has the members of Transaction (docs/reference/families.md 3.6).
type transaction struct {
	ID              loose.Text `json:"transaction_id"`
	BookingDate     loose.Text `json:"booking_date"`
	ValueDate       loose.Text `json:"value_date"`
	TransactionDate loose.Text `json:"transaction_date"`
	PaymentDate     loose.Text `json:"payment_date"`
	Status          loose.Text `json:"status"`
	Amount          amount     `json:"amount"` // negative: out
	Currency        loose.Text `json:"currency"`
	BalanceAfter    amount     `json:"balance_after_transaction"`
	Kind            loose.Text `json:"type_description"`
	Narrative       loose.Text `json:"narrative"`
	Message         loose.Text `json:"message"`
	OwnMessage      loose.Text `json:"own_message"`
	Reference       loose.Text `json:"reference"`
	Name            loose.Text `json:"counterparty_name"`
	Account         loose.Text `json:"counterparty_account"`
}

// pending are the documented statuses, and whether they are of rows that are not booked.
var pending = map[string]bool{"reserved": true, "billed": false, "confirmed": false}

// readTransactions decodes one page of the transactions of an account, and asks for the
// next page. It skips rows without an amount, and rows of days before the first that was
// asked for: what was not asked for is not handed on.
func (b *Bank) readTransactions(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Header   header `json:"group_header"`
		Response struct {
			Transactions loose.List[transaction] `json:"transactions"`
		} `json:"response"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	rows := body.Response.Transactions
	if rows == nil {
		return institution.Reading{}, malformed(errMissing)
	}
	p := loose.NewPage(a, len(rows), mannerOf(a.Question.Detail).from)
	for i := range rows {
		add(p, rows[i].read)
	}
	return p.Reading(nextPage(a.Question, body.Header.Pagination.Key, &p.Deviations)...), nil
}

// add adds a row that can be read, or counts it.
func add(p *loose.Page, read func(*deviation.Counts) (fact.Transaction, bool)) {
	if row, ok := read(&p.Deviations); ok {
		p.Add(row)
	} else {
		p.Deviations.Add(deviation.UnreadableRow, 1)
	}
}

// read returns the row. It is not ok without an amount.
func (t *transaction) read(d *deviation.Counts) (fact.Transaction, bool) {
	m, ok := t.Amount.money(t.Currency)
	if !ok {
		return fact.Transaction{}, false
	}
	row := fact.Transaction{
		ID: t.ID.Clean(), Amount: m,
		Text: cmp.Or(t.Narrative.Clean(), t.Message.Clean(), t.OwnMessage.Clean(), t.Reference.Clean(), t.Kind.Clean()),
	}
	row.BookingDate = loose.FirstDay(d, t.BookingDate)
	row.Booked = !loose.Known(pending, t.Status, d)
	if _, documented := pending[lower(t.Status)]; !documented && row.BookingDate.IsZero() {
		row.Booked = false // nothing says that it is
	}
	row.ValueDate = loose.FirstDay(nil, t.ValueDate)
	row.TransactionDate = loose.FirstDay(nil, t.TransactionDate, t.PaymentDate)
	setParty(&row, t.Name.Clean(), t.Account.Clean())
	if after, ok := t.BalanceAfter.money(t.Currency); ok {
		row.BalanceAfter = &after
	}
	return row, true
}

// setParty sets the direction and the other party of a row by the sign of its amount.
func setParty(row *fact.Transaction, name, number string) {
	switch row.Amount.Sign() {
	case -1:
		row.Direction, row.CreditorName, row.CreditorAccount = fact.Debit, name, number
		return
	case 1:
		row.Direction = fact.Credit
	}
	row.DebtorName, row.DebtorAccount = name, number
}
