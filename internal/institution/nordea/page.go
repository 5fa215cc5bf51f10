package nordea

import (
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// page collects the rows of one page of transactions.
type page struct {
	answer  institution.Answer
	first   time.Time // rows of earlier days were not asked for
	history fact.History
	reading institution.Reading
}

func pageOf(a institution.Answer, rows int) *page {
	p := &page{answer: a, history: fact.History{Account: a.Question.Account, At: a.FetchedAt, Transactions: make([]fact.Transaction, 0, rows)}}
	p.first, _ = loose.Text(a.Question.From).Day()
	if isShort(a) {
		p.reading.Deviations.Add(deviation.ShortHistory, 1)
	}
	return p
}

// add adds a row, or counts one that cannot be read.
func (p *page) add(row fact.Transaction, ok bool) {
	if !ok {
		p.reading.Deviations.Add(deviation.UnreadableRow, 1)
		return
	}
	if day := row.Day(); !day.IsZero() && day.Before(p.first) {
		return
	}
	p.history.Transactions = append(p.history.Transactions, row)
}

// end returns the reading of the page, with the question for the next one.
func (p *page) end(key loose.Text) institution.Reading {
	p.reading.Facts.Histories = []fact.History{p.history}
	p.reading.Questions = nextPage(p.answer.Question, key, &p.reading.Deviations)
	return p.reading
}

// dayOf returns the first date that is there. One that cannot be read is counted in d,
// unless d is nil.
func dayOf(d *deviation.Counts, dates ...loose.Text) time.Time {
	for _, t := range dates {
		day, ok := t.Day()
		if !ok && d != nil {
			d.Add(deviation.UnreadableDate, 1)
		}
		if !day.IsZero() {
			return day
		}
	}
	return time.Time{}
}
