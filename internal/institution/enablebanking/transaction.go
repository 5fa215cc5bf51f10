package enablebanking

import (
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
	"samla/internal/plaintext"
)

// transaction is a row of the gateway (docs/reference/families.md 11.1, Objects). Its
// transaction_id changes with each answer and is not used.
type transaction struct {
	Reference       loose.Text     `json:"entry_reference"`
	Amount          amount         `json:"transaction_amount"`
	Creditor        party          `json:"creditor"`
	CreditorAccount accountNumbers `json:"creditor_account"`
	Debtor          party          `json:"debtor"`
	DebtorAccount   accountNumbers `json:"debtor_account"`
	Code            struct {
		Description loose.Text `json:"description"`
	} `json:"bank_transaction_code"`
	Indicator   loose.Text             `json:"credit_debit_indicator"`
	Status      loose.Text             `json:"status"`
	BookingDate loose.Text             `json:"booking_date"`
	ValueDate   loose.Text             `json:"value_date"`
	Date        loose.Text             `json:"transaction_date"`
	After       *amount                `json:"balance_after_transaction"`
	Remittance  loose.List[loose.Text] `json:"remittance_information"`
}

type party struct {
	Name loose.Text `json:"name"`
}

// readTransactions decodes a page, and asks for the next one, also after an empty page. It
// skips rows without an amount, rows that are not on the account, and rows of days before
// the first that was asked for: some banks ignore the dates. Rows of days after the last are
// kept: a bank may go by another date than we do, and what comes twice is told by normalise.
func readTransactions(a institution.Answer, m manner) (institution.Reading, error) {
	var body struct {
		Rows loose.List[transaction] `json:"transactions"`
		Key  loose.Text              `json:"continuation_key"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Rows == nil {
		return institution.Reading{}, malformed("transactions must be a list")
	}
	var r institution.Reading
	h := fact.History{Account: a.Question.Account, At: a.FetchedAt, Transactions: make([]fact.Transaction, 0, len(body.Rows))}
	first, _ := time.Parse(time.DateOnly, a.Question.From)
	for i := range body.Rows {
		row, ok := body.Rows[i].read(&r.Deviations)
		if day := row.Day(); ok && (day.IsZero() || !day.Before(first)) {
			h.Transactions = append(h.Transactions, row)
		}
	}
	note(&r.Deviations, deviation.ShortHistory, isShortHistory(a, m))
	r.Facts.Histories = []fact.History{h}
	if key := string(body.Key); key != "" {
		next := a.Question
		m.page = key
		next.Detail, next.Onward = m.String(), true
		r.Questions = []institution.Question{next}
	}
	if m.page == "" {
		r.Questions = append(r.Questions, m.before(a.Question)...)
	}
	return r, nil
}

// before returns the question for what a period leaves out that was asked for in doubt.
func (m manner) before(q institution.Question) []institution.Question {
	first, err := time.Parse(time.DateOnly, m.from)
	if !m.doubt || err != nil || q.From == "" {
		return nil
	}
	q.Until = institution.DaysBefore(first, 1)
	q.Detail = manner{uid: m.uid, alone: m.alone, older: true}.String()
	return []institution.Question{q}
}

// read returns the row. It is not ok if there is no amount, or if the status says that it
// is not on the account: scheduled, rejected or cancelled.
func (t *transaction) read(d *deviation.Counts) (fact.Transaction, bool) {
	row := fact.Transaction{
		EntryReference: t.Reference.Clean(),
		CreditorName:   t.Creditor.Name.Clean(), CreditorAccount: t.CreditorAccount.number(),
		DebtorName: t.Debtor.Name.Clean(), DebtorAccount: t.DebtorAccount.number(), Text: t.text(),
	}
	if plaintext.IsFiller(row.EntryReference) {
		row.EntryReference = ""
	}
	for _, day := range []struct {
		said loose.Text
		to   *time.Time
	}{{t.BookingDate, &row.BookingDate}, {t.ValueDate, &row.ValueDate}, {t.Date, &row.TransactionDate}} {
		var ok bool
		*day.to, ok = day.said.Day()
		note(d, deviation.UnreadableDate, !ok)
	}
	switch status := strings.ToUpper(t.Status.Clean()); status {
	case "BOOK":
		row.Booked = true
	case "PDNG", "HOLD":
	case "SCHD", "RJCT", "CNCL":
		return row, false
	default: // OTHR, or nothing that is documented: what has a booking date is booked
		row.Booked = !row.BookingDate.IsZero()
		note(d, deviation.UnknownValue, status != "OTHR")
	}
	m, ok := t.Amount.money()
	if !ok {
		d.Add(deviation.UnreadableRow, 1)
		return row, false
	}
	// The sign is in the indicator, whatever the amount has.
	row.Amount = m.Abs()
	switch strings.ToUpper(t.Indicator.Clean()) {
	case "DBIT":
		row.Direction = fact.Debit
	case "CRDT":
		row.Direction = fact.Credit
	default:
		row.Amount = m
		note(d, deviation.UnclearSign, m.Sign() >= 0)
	}
	if t.After != nil {
		if after, ok := t.After.money(); ok {
			row.BalanceAfter = &after
		}
	}
	return row, true
}

// text returns what the bank writes about the row, or else the kind of transaction.
func (t *transaction) text() string {
	var lines []string
	for _, line := range t.Remittance {
		if s := line.Clean(); s != "" {
			lines = append(lines, s)
		}
	}
	if len(lines) == 0 {
		return t.Code.Description.Clean()
	}
	return strings.Join(lines, " ")
}

// readApplication decodes what the gateway knows of the application.
func readApplication(body []byte) (Application, error) {
	var in struct {
		Name         loose.Text             `json:"name"`
		Environment  loose.Text             `json:"environment"`
		Active       bool                   `json:"active"`
		RedirectURLs loose.List[loose.Text] `json:"redirect_urls"`
		Countries    loose.List[loose.Text] `json:"countries"`
		Services     loose.List[loose.Text] `json:"services"`
	}
	if err := loose.Decode(body, &in); err != nil {
		return Application{}, err
	}
	texts := func(list loose.List[loose.Text]) (out []string) {
		for _, t := range list {
			out = append(out, t.Clean())
		}
		return out
	}
	return Application{in.Name.Clean(), in.Environment.Clean(), in.Active, texts(in.RedirectURLs), texts(in.Countries), texts(in.Services)}, nil
}
