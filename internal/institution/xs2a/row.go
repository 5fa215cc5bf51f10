package xs2a

import (
	"strings"
	"time"
	"unicode"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/plaintext"
)

// appendRows decodes rows into the history, without those of days before the
// first that q asks for, and counts what it cannot read.
func (b *Bank) appendRows(h *fact.History, lacks *deviation.Counts, rows []transaction, isBooked bool, q institution.Question) {
	first, _ := text(q.From).day()
	_, card := strings.CutPrefix(q.Account, cardPrefix)
	for i := range rows {
		read, ok := rows[i].read(isBooked, lacks)
		if !ok {
			lacks.Add(deviation.UnreadableRow, 1)
			continue
		}
		b.wire.rows.apply(&read, card)
		if day := read.Day(); !day.IsZero() && day.Before(first) {
			continue
		}
		h.Transactions = append(h.Transactions, read)
	}
}

// read returns the row. It is not ok without an amount.
func (t *transaction) read(isBooked bool, lacks *deviation.Counts) (fact.Transaction, bool) {
	m, said, ok := t.signedAmount(lacks)
	if !ok {
		return fact.Transaction{}, false
	}
	row := fact.Transaction{
		ID:              id(t.ID, t.CardID),
		EntryReference:  id(t.EntryReference),
		EndToEndID:      id(t.EndToEndID),
		Booked:          isBooked,
		Moment:          t.Moment.moment(),
		Amount:          m,
		Direction:       said,
		CreditorName:    whole(t.CreditorName, t.Creditor.Name, t.UltimateCreditor, t.AcceptorName),
		CreditorAccount: string(firstNumber(t.CreditorAccount, t.Creditor.Account)),
		DebtorName:      whole(t.DebtorName, t.Debtor.Name, t.UltimateDebtor),
		DebtorAccount:   string(firstNumber(t.DebtorAccount, t.Debtor.Account)),
		Text:            t.text(),
	}
	t.readDays(&row, lacks)
	if t.BalanceAfter != nil {
		if after, ok := t.BalanceAfter.Amount.money(); ok {
			row.BalanceAfter = &after
		}
	}
	return row, true
}

// signedAmount returns the amount and what the row says about its sign.
func (t *transaction) signedAmount(lacks *deviation.Counts) (m money.Amount, said fact.Direction, ok bool) {
	for _, a := range []*rowAmount{&t.Amount, &t.OldAmount} {
		if m, ok = a.money(); !ok {
			continue
		}
		said, read := t.direction.read()
		if said == fact.Unsaid && read {
			said, read = a.direction.read()
		}
		if !read {
			lacks.Add(deviation.UnclearSign, 1)
		}
		return m, said, true
	}
	return money.Amount{}, fact.Unsaid, false
}

// noCurrency is the ISO 4217 code of a transaction without a currency.
const noCurrency = "XXX"

// money returns the amount, without a currency if the bank writes none: it is that of
// the account.
func (a *rowAmount) money() (money.Amount, bool) {
	for _, number := range []text{a.Amount, a.Content, a.Value} {
		if number == "" {
			continue
		}
		number, code := withoutUnit(number)
		currency := a.Currency
		switch {
		case plaintext.IsFiller(string(currency)):
			currency = code
		case code != "" && !strings.EqualFold(string(code), currency.oneLine()):
			return money.Amount{}, false
		}
		if currency != "" {
			return amount{Amount: number, Currency: currency}.money()
		}
		m, err := money.ParseLenient(string(number), noCurrency)
		if err == nil {
			m, err = money.New(m.Value(), "")
		}
		return m, err == nil
	}
	return money.Amount{}, false
}

// withoutUnit returns the number before or after a unit ("kr"), and the unit if it is the
// code of a currency.
func withoutUnit(number text) (rest, code text) {
	s := strings.TrimSpace(string(number))
	rest = text(strings.TrimLeftFunc(s, unicode.IsLetter))
	unit := s[:len(s)-len(rest)]
	if unit == "" {
		rest = text(strings.TrimRightFunc(s, unicode.IsLetter))
		unit = s[len(rest):]
	}
	if unit = strings.ToUpper(unit); money.IsCurrency(unit) {
		code = text(unit)
	}
	return rest, code
}

// readDays sets the days of the row. A date that cannot be read is counted if the row
// is without a day then, or with a less suitable one. A pending row needs none.
func (t *transaction) readDays(row *fact.Transaction, lacks *deviation.Counts) {
	var ok [3]bool
	row.BookingDate, ok[0] = firstDay(t.BookingDate, t.BookingDateTime)
	row.ValueDate, ok[1] = firstDay(t.ValueDate, t.ValueDateTime)
	row.TransactionDate, ok[2] = firstDay(t.TransactionDate, t.Moment)
	for i, day := range []time.Time{row.BookingDate, row.ValueDate, row.TransactionDate} {
		if !ok[i] {
			lacks.Add(deviation.UnreadableDate, 1)
			return
		}
		if !day.IsZero() || !row.Booked {
			return
		}
	}
}

// text returns the text that the person sees on a statement: the free text, or else
// the most similar member; or all of it, where that member has only its beginning.
func (t *transaction) text() string {
	if t.Unstructured != "" && plaintext.Contains(string(t.UnstructuredArray), string(t.Unstructured)) {
		return string(t.UnstructuredArray)
	}
	return whole(t.Unstructured, t.UnstructuredArray, t.Structured, t.StructuredArray, t.CardDetails, t.Additional)
}

// id returns the first text that can identify something. Place-holders do not: fillers,
// words such as PENDING, and the same sign all over.
func id(texts ...text) string {
	for _, t := range texts {
		if s := t.oneLine(); !plaintext.IsFiller(s) && !placeholders[strings.ToLower(s)] && !isOneSign(s) {
			return s
		}
	}
	return ""
}

// placeholders are the words that banks write in place of an id; NONREF is that of
// SWIFT.
var placeholders = map[string]bool{"pending": true, "reserved": true, "reservation": true, "reserverat": true, "preliminary": true,
	"temp": true, "temporary": true, "unbooked": true, "nonref": true, "noref": true, "noreference": true, "no reference": true,
	"unavailable": true, "missing": true, "dummy": true, "default": true, "string": true, "id": true, "test": true}

func isOneSign(s string) bool { return len(s) >= 4 && strings.Count(s, s[:1]) == len(s) }

func firstNumber(numbers ...accountNumber) accountNumber {
	for _, n := range numbers {
		if n != "" {
			return n
		}
	}
	return ""
}
