package nordea

import (
	"cmp"
	"slices"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// card has the members of CreditCard (docs/reference/families.md 3.7). parallel_cards are
// those of other holders on the same credit: their rows are among those of the card, which
// name the card that each was made with. They are no accounts of their own.
type card struct {
	ID        loose.Text `json:"id"`
	Product   loose.Text `json:"product_name"`
	Credit    loose.Text `json:"masked_credit_card_number"`
	Debit     loose.Text `json:"masked_debit_card_number"`
	Number    loose.Text `json:"credit_account_number"`
	Holder    loose.Text `json:"cardholder_name"`
	Booked    amount     `json:"credit_booked_balance"`
	Available amount     `json:"credit_available_balance"`
	Limit     amount     `json:"credit_limit"`
}

// readCards decodes the list of cards, with their balances, and returns questions for
// their transactions.
func (b *Bank) readCards(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Header   header `json:"group_header"`
		Response *struct {
			Cards loose.List[card] `json:"cards"`
			Key   loose.Text       `json:"continuation_key"`
		} `json:"response"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Response == nil {
		return institution.Reading{}, malformed(errMissing)
	}
	var r institution.Reading
	asked := mannerOf(a.Question.Detail)
	for i := range body.Response.Cards { // no member is required: without the list there are none
		entry := &body.Response.Cards[i]
		read, ok := entry.read()
		if !ok {
			r.Deviations.Add(deviation.UnreadableAccount, 1)
			continue
		}
		read.DebitPositive = b.config.Profile.CardDebitPositive
		r.Facts.Accounts = append(r.Facts.Accounts, read)
		if asked.balances {
			found := balances(read.Key, "", entry.Booked, entry.Available, a.FetchedAt, &r.Deviations)
			r.Facts.Balances = append(r.Facts.Balances, found...)
		}
		if asked.rows && read.ID != "" && slices.Contains(b.config.CardScopes, scopeCardRows) {
			r.Questions = append(r.Questions, institution.Windows(transactionsOf(read.Key, a.Question.From), b.config.Profile.CardWindowDays, a.FetchedAt)...)
		}
	}
	r.Questions = append(r.Questions, nextPage(a.Question, cmp.Or(body.Response.Key, body.Header.Pagination.Key), &r.Deviations)...)
	return r, nil
}

// read returns the entry as a fact. It is not ok without an id or a number. The number of
// the account of the credit counts only without a number of the card: several cards of one
// account are told apart by theirs. The bank names no currency of a card.
func (c *card) read() (fact.Account, bool) {
	read := fact.Account{
		ID: c.ID.Clean(), Card: true, MaskedPAN: cmp.Or(c.Credit.Compact(), c.Debit.Compact()),
		Name: c.Product.Clean(), Product: c.Product.Clean(), OwnerName: c.Holder.Clean(),
	}
	if read.MaskedPAN == "" {
		read.BBAN = c.Number.Compact()
	}
	id := cmp.Or(read.ID, read.MaskedPAN, read.BBAN)
	if id == "" {
		return fact.Account{}, false
	}
	read.Key = cardPrefix + id
	if limit, ok := c.Limit.money(""); ok {
		read.Credit = &limit
	}
	return read, true
}

// cardTransaction has the members of CreditCardTransaction.
type cardTransaction struct {
	ID              loose.Text `json:"id"`
	Amount          amount     `json:"amount"`
	Currency        loose.Text `json:"currency"`
	BookingDate     loose.Text `json:"booking_date"`
	TransactionDate loose.Text `json:"transaction_date"`
	Beneficiary     loose.Text `json:"beneficiary"`
	Kind            loose.Text `json:"transaction_type"`
}

// readCardTransactions decodes one page of the transactions of a card. The key of the next
// page is in the response, not in the header.
func (b *Bank) readCardTransactions(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Header   header `json:"group_header"`
		Response *struct {
			Transactions loose.List[cardTransaction] `json:"transactions"`
			Key          loose.Text                  `json:"continuation_key"`
		} `json:"response"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Response == nil || body.Response.Transactions == nil {
		return institution.Reading{}, malformed(errMissing)
	}
	rows := body.Response.Transactions
	p := loose.NewPage(a, len(rows), mannerOf(a.Question.Detail).from)
	p.History.DebitPositive = b.config.Profile.CardDebitPositive
	for i := range rows {
		add(p, rows[i].read)
	}
	return p.Reading(nextPage(a.Question, cmp.Or(body.Response.Key, body.Header.Pagination.Key), &p.Deviations)...), nil
}

// read returns the row. It is not ok without an amount. A row that is not booked has no
// booking date: the bank has no status for it.
func (t *cardTransaction) read(d *deviation.Counts) (fact.Transaction, bool) {
	m, ok := t.Amount.money(t.Currency)
	if !ok {
		return fact.Transaction{}, false
	}
	row := fact.Transaction{ID: t.ID.Clean(), Amount: m, Text: cmp.Or(t.Beneficiary.Clean(), t.Kind.Clean())}
	row.BookingDate = loose.FirstDay(d, t.BookingDate)
	row.TransactionDate = loose.FirstDay(nil, t.TransactionDate)
	row.Booked = !row.BookingDate.IsZero()
	return row, true
}
