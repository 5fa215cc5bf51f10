package xs2a

import (
	"cmp"

	"samla/internal/fact"
	"samla/internal/institution"
)

// report is the list of transactions with its links.
type report struct {
	Booked  []transaction `json:"booked"`
	Pending []transaction `json:"pending"`
	paging
}

// isPresent reports whether the response has the report. A member of another type
// decodes to an empty report.
func (r *report) isPresent() bool {
	return r != nil && (r.Booked != nil || r.Pending != nil || len(r.Links) > 0)
}

// readTransactionReport decodes one page of the transactions of an account, and asks
// for the next page. It skips rows without an amount, and rows of days before the first
// that was asked for: what was not asked for is not handed on. A response with a
// download instead of rows is a MalformedResponse: the download is not followed.
func (b *Bank) readTransactionReport(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Transactions     *report `json:"transactions"`
		CardTransactions *report `json:"cardTransactions"`
		DebitAccounting  text    `json:"debitAccounting"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	rows := body.Transactions
	if !rows.isPresent() {
		rows = body.CardTransactions
	}
	if !rows.isPresent() {
		if body.Links["download"] != "" {
			return institution.Reading{}, malformed("", errDownload)
		}
		return institution.Reading{}, malformed("", errMissing)
	}
	if cmp.Or(rows.Links["download"], body.Links["download"]) != "" && len(rows.Booked)+len(rows.Pending) == 0 {
		return institution.Reading{}, malformed("", errDownload)
	}
	history := fact.History{
		Account: a.Question.Account, At: a.FetchedAt, DebitPositive: body.DebitAccounting.isTrue(),
		Transactions: make([]fact.Transaction, 0, len(rows.Booked)+len(rows.Pending)),
	}
	var read institution.Reading
	appendRows(&history, &read.Deviations, rows.Booked, true, a.Question.From)
	appendRows(&history, &read.Deviations, rows.Pending, false, a.Question.From)
	read.Facts.Histories = []fact.History{history}
	read.Questions = b.nextPages(a.Question, &read.Deviations, append(rows.next(), body.next()...)...)
	return read, nil
}
