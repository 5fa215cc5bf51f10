package nordea

import (
	"cmp"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
)

// transaction has the members of Transaction (docs/reference/families.md 3.6).
type transaction struct {
	ID              text   `json:"transaction_id"`
	BookingDate     text   `json:"booking_date"`
	ValueDate       text   `json:"value_date"`
	TransactionDate text   `json:"transaction_date"`
	PaymentDate     text   `json:"payment_date"`
	Status          text   `json:"status"`
	Amount          amount `json:"amount"` // negative: out
	Currency        text   `json:"currency"`
	BalanceAfter    amount `json:"balance_after_transaction"`
	Kind            text   `json:"type_description"`
	Narrative       text   `json:"narrative"`
	Message         text   `json:"message"`
	OwnMessage      text   `json:"own_message"`
	Reference       text   `json:"reference"`
	Name            text   `json:"counterparty_name"`
	Account         text   `json:"counterparty_account"`
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
			Transactions list[transaction] `json:"transactions"`
		} `json:"response"`
	}
	if err := decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	rows := body.Response.Transactions
	if rows == nil {
		return institution.Reading{}, malformed(errMissing)
	}
	p := pageOf(a, len(rows))
	for i := range rows {
		p.add(rows[i].read(&p.reading.Deviations))
	}
	return p.end(body.Header.Pagination.Key), nil
}

// read returns the row. It is not ok without an amount.
func (t *transaction) read(d *deviation.Counts) (fact.Transaction, bool) {
	m, ok := t.Amount.money(t.Currency)
	if !ok {
		return fact.Transaction{}, false
	}
	row := fact.Transaction{
		ID: t.ID.clean(), Booked: !known(pending, t.Status, d), Amount: m,
		Text: cmp.Or(t.Narrative.clean(), t.Message.clean(), t.OwnMessage.clean(), t.Reference.clean(), t.Kind.clean()),
	}
	row.BookingDate = dayOf(d, t.BookingDate)
	row.ValueDate = dayOf(nil, t.ValueDate)
	row.TransactionDate = dayOf(nil, t.TransactionDate, t.PaymentDate)
	setParty(&row, t.Name.clean(), t.Account.clean())
	if after, ok := t.BalanceAfter.money(t.Currency); ok {
		row.BalanceAfter = &after
	}
	return row, true
}

// setParty sets the other party of a row by the sign of its amount.
func setParty(row *fact.Transaction, name, number string) {
	if row.Amount.Sign() < 0 {
		row.CreditorName, row.CreditorAccount = name, number
		return
	}
	row.DebtorName, row.DebtorAccount = name, number
}
