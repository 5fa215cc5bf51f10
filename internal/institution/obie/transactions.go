package obie

import (
	"cmp"
	"strings"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
	"samla/internal/plaintext"
)

// transaction has the members of OBTransaction6 of both versions (docs/reference/families.md
// 4.5, 4.8).
type transaction struct {
	Account     loose.Text `json:"AccountId"`
	ID          loose.Text `json:"TransactionId"`
	Reference   loose.Text `json:"TransactionReference"`
	Indicator   loose.Text `json:"CreditDebitIndicator"`
	Status      loose.Text `json:"Status"`
	Booked      loose.Text `json:"BookingDateTime"`
	Value       loose.Text `json:"ValueDateTime"`
	Information loose.Text `json:"TransactionInformation"`
	Amount      amount     `json:"Amount"`
	Merchant    struct {
		Name loose.Text `json:"MerchantName"`
	} `json:"MerchantDetails"`
	Creditor         cashAcc `json:"CreditorAccount"`
	Debtor           cashAcc `json:"DebtorAccount"`
	UltimateCreditor party   `json:"UltimateCreditor"` // 4.0
	UltimateDebtor   party   `json:"UltimateDebtor"`
	Balance          *struct {
		Amount    amount     `json:"Amount"`
		Indicator loose.Text `json:"CreditDebitIndicator"`
		Type      loose.Text `json:"Type"`
	} `json:"Balance"`
}

type party struct {
	Name loose.Text `json:"Name"`
}

// standing is what the status of a row says of it.
type standing int8

const (
	unsaidStanding standing = iota // not documented: it may still become another one
	bookedRow
	pendingRow
	noRow // rejected, in the future, or for information: nothing has moved
)

var standings = map[string]standing{
	"booked": bookedRow, "pending": pendingRow, "rejected": noRow,
	"book": bookedRow, "pdng": pendingRow, "rjct": noRow, "futr": noRow, "info": noRow,
}

// readTransactions decodes one page of the transactions of an account, and asks for the
// next one. It skips rows that are not on the account.
func (b *Bank) readTransactions(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Data struct {
			Rows loose.List[transaction] `json:"Transaction"`
		} `json:"Data"`
		Links links `json:"Links"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	// Without rows, the member may be missing: the standard does not require it.
	rows := body.Data.Rows
	p := loose.NewPage(a, len(rows), mannerOf(a.Question.Detail).from)
	for i := range rows {
		if row, ok := rows[i].read(a.Question.Account, &p.Deviations); ok {
			p.Add(row)
		}
	}
	return p.Reading(b.next(a.Question, body.Links, &p.Deviations)...), nil
}

// read returns the row. It is not ok if nothing has moved by it, if its amount or the way
// that the money went cannot be read, or if it is of another account.
func (t *transaction) read(account string, d *deviation.Counts) (fact.Transaction, bool) {
	status := loose.Known(standings, t.Status, d)
	m, ok := t.Amount.money()
	switch {
	case status == noRow:
		return fact.Transaction{}, false
	case !ok || !isOf(t.Account, account):
		d.Add(deviation.UnreadableRow, 1)
		return fact.Transaction{}, false
	}
	row := fact.Transaction{ID: t.ID.Clean(), EntryReference: t.Reference.Clean(), Booked: status == bookedRow, Amount: m, Text: t.text()}
	if row.Direction, ok = directionOf(t.Indicator); !ok {
		d.Add(deviation.UnclearSign, 1) // an amount without a sign says nothing of it
		return fact.Transaction{}, false
	}
	if plaintext.IsFiller(row.EntryReference) {
		row.EntryReference = ""
	}
	row.BookingDate, row.ValueDate = loose.FirstDay(d, t.Booked), loose.FirstDay(d, t.Value)
	row.CreditorName, row.CreditorAccount = cmp.Or(t.Creditor.Name.Clean(), t.UltimateCreditor.Name.Clean()), t.Creditor.number()
	row.DebtorName, row.DebtorAccount = cmp.Or(t.Debtor.Name.Clean(), t.UltimateDebtor.Name.Clean()), t.Debtor.number()
	other := &row.DebtorName
	if row.Direction == fact.Debit {
		other = &row.CreditorName
	}
	*other = cmp.Or(*other, t.Merchant.Name.Clean())
	if t.Balance != nil {
		kind := balanceKinds[strings.ToLower(t.Balance.Type.Clean())]
		if after, ok := signed(&t.Balance.Amount, t.Balance.Indicator); ok && bookedKinds[kind] {
			row.BalanceAfter = &after
		}
	}
	return row, true
}

// text returns what the bank writes about the row, or else the name of the shop.
func (t *transaction) text() string {
	return cmp.Or(t.Information.Clean(), t.Merchant.Name.Clean())
}
