package xs2a

import (
	"strings"
	"time"

	"samla/internal/fact"
)

// appendRows decodes rows into the history and returns how many it skipped.
func appendRows(h *fact.History, rows []transaction, isBooked bool) (skipped int) {
	for i := range rows {
		read, ok := rows[i].read(isBooked)
		if !ok {
			skipped++
			continue
		}
		h.Transactions = append(h.Transactions, read)
	}
	return skipped
}

func (t *transaction) read(isBooked bool) (fact.Transaction, bool) {
	m, ok := t.Amount.money()
	if !ok {
		return fact.Transaction{}, false
	}
	return fact.Transaction{
		ID:             first(t.ID, t.CardID),
		EntryReference: t.EntryReference.oneLine(),
		Booked:         isBooked,
		BookingDate:    t.BookingDate.date(),
		ValueDate:      firstDate(t.ValueDate, t.CardDate),
		Moment:         t.Moment.dateTime(),
		Amount:         m,
		CreditorName:   first(t.CreditorName, t.AcceptorName),
		DebtorName:     t.DebtorName.oneLine(),
		Text:           t.text(),
	}, true
}

// text returns the text that the person sees on a statement: the free text, or else
// the most similar member.
func (t *transaction) text() string {
	if s := t.Unstructured.oneLine(); s != "" {
		return s
	}
	if s := joined(t.UnstructuredArray); s != "" {
		return s
	}
	if s := text(t.Structured).oneLine(); s != "" {
		return s
	}
	if s := joined(t.StructuredArray); s != "" {
		return s
	}
	return first(t.CardDetails, t.Additional)
}

func joined[T ~string](parts []T) string {
	var lines []string
	for _, part := range parts {
		if s := text(part).oneLine(); s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, " ")
}

func first(texts ...text) string {
	for _, t := range texts {
		if s := t.oneLine(); s != "" {
			return s
		}
	}
	return ""
}

func firstDate(texts ...text) time.Time {
	for _, t := range texts {
		if d := t.date(); !d.IsZero() {
			return d
		}
	}
	return time.Time{}
}
