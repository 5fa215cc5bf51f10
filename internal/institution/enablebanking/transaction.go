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
// skips rows without an amount, and rows that are not on the account.
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
	p := loose.NewPage(a, len(body.Rows), m.from)
	for i := range body.Rows {
		if row, ok := body.Rows[i].read(&p.Deviations); ok {
			p.Add(row)
		}
	}
	var next []institution.Question
	if m.page == "" {
		next = m.before(a.Question)
	}
	if m.page = string(body.Key); m.page != "" {
		q := a.Question
		q.Detail, q.Onward = m.String(), true
		next = append(next, q)
	}
	return p.Reading(next...), nil
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
	row.BookingDate, row.ValueDate, row.TransactionDate = loose.FirstDay(d, t.BookingDate), loose.FirstDay(d, t.ValueDate), loose.FirstDay(d, t.Date)
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
