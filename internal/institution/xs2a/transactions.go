package xs2a

import (
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
)

// readTransactionReport decodes one page of the transactions of an account, and asks
// for the next page. It skips rows without an amount, and rows of days before the first
// that was asked for: what was not asked for is not handed on.
func (b *Bank) readTransactionReport(a institution.Answer) (institution.Reading, error) {
	rows, err := readReport(a.Body)
	if err != nil {
		return institution.Reading{}, err
	}
	history := fact.History{
		Account: a.Question.Account, At: a.FetchedAt, DebitPositive: rows.debitAccounting,
		Transactions: make([]fact.Transaction, 0, len(rows.Booked)+len(rows.Pending)),
	}
	var read institution.Reading
	read.Deviations.Add(deviation.UnreadableRow, rows.unreadable)
	b.appendRows(&history, &read.Deviations, rows.Booked, true, a.Question)
	b.appendRows(&history, &read.Deviations, rows.Pending, false, a.Question)
	if isShortHistory(a) {
		read.Deviations.Add(deviation.ShortHistory, 1)
	}
	read.Facts.Histories = []fact.History{history}
	read.Questions = b.nextPages(a.Question, &read.Deviations, rows.next...)
	if next, ok := b.countedPage(a.Question, len(rows.Booked)+len(rows.Pending)); ok && len(read.Questions) == 0 {
		read.Questions = append(read.Questions, next)
	}
	return read, nil
}
