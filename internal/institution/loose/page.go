package loose

import (
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
)

// Page collects the rows of one page of transactions. Deviations counts what is wrong with
// them.
type Page struct {
	Deviations deviation.Counts
	History    fact.History
	first      time.Time
}

// NewPage returns a page without rows for an answer that has n of them. from is the day from
// which transactions were asked for in place of the question's, or "": a shorter period than
// every bank gives is counted.
func NewPage(a institution.Answer, n int, from string) *Page {
	p := &Page{History: fact.History{Account: a.Question.Account, At: a.FetchedAt, Transactions: make([]fact.Transaction, 0, n)}}
	p.first, _ = Text(a.Question.From).Day()
	if from > institution.DaysBefore(a.FetchedAt, institution.CertainHistory-1) {
		p.Deviations.Add(deviation.ShortHistory, 1)
	}
	return p
}

// Add adds a row, unless it is of a day before the first that was asked for: a bank may
// ignore the dates, or know filters of whole months only, and what was not asked for is not
// handed on. Rows of days after the last are kept: a bank may go by another date than we do,
// and then gives them here only. What comes twice is told by normalise.
func (p *Page) Add(row fact.Transaction) {
	if day := row.Day(); day.IsZero() || !day.Before(p.first) {
		p.History.Transactions = append(p.History.Transactions, row)
	}
}

// Reading returns the reading of the page, with the questions that follow it.
func (p *Page) Reading(next ...institution.Question) institution.Reading {
	return institution.Reading{Facts: fact.Facts{Histories: []fact.History{p.History}}, Questions: next, Deviations: p.Deviations}
}

// Known returns the value that a text stands for, in any case, and counts a text that is not
// among them.
func Known[T any](values map[string]T, said Text, d *deviation.Counts) T {
	word := strings.ToLower(said.Clean())
	v, ok := values[word]
	if !ok && word != "" {
		d.Add(deviation.UnknownValue, 1)
	}
	return v
}

// FirstDay returns the first date that is there. One that cannot be read is counted in d,
// unless d is nil.
func FirstDay(d *deviation.Counts, dates ...Text) time.Time {
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
