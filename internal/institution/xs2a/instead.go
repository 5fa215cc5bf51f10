package xs2a

import (
	"bytes"
	"net/http"
	"time"

	"samla/internal/institution"
)

// shortHistories are the days of transactions that are asked for in place of a longer
// period, after those of the profile without the person.
var shortHistories = []int{institution.CertainHistory, 30}

// Instead implements institution.Collector. What a refused question asks for too much is
// taken from its code, or from the parameter that the bank names. If it says neither, one
// thing after the other is left out: pending rows, and the period in steps. A further
// page whose link lacks the parameters that every page needs gets them.
func (b *Bank) Instead(q institution.Question, e *institution.Error, day time.Time) (institution.Question, bool) {
	m := mannerOf(q.Detail)
	switch {
	case q.Kind == askAccounts && m.withBalance && !m.page && (e.Kind == institution.Refused || e.Kind == institution.NotCovered):
		m.withBalance = false
	case q.Kind != askTransactions:
		return q, false
	case m.page && refusesForm(e):
		return b.withFirstParameters(q, m)
	case m.page:
		return q, false
	case refusesForm(e):
		return b.less(q, m, e, day)
	case e.Kind == institution.SCARequired || e.Kind == institution.NotCovered && e.HTTPStatus != http.StatusNotFound:
		// Some banks answer so to a period that needs a new signature
		// (docs/reference/banks.md 11.2).
		from := institution.DaysBefore(day, b.profile.HistoryUnattended)
		if before := m.dateFrom(q); before == "" || from <= before || isAfterUntil(from, q) {
			return q, false
		}
		m.from = from
	default:
		return q, false
	}
	q.Detail = m.String()
	return q, true
}

// refusesForm reports whether a bank refuses the form of a request, does not have it
// (501), or does not say what it refuses.
func refusesForm(e *institution.Error) bool {
	return e.Kind == institution.Refused && (formCodes[e.Code] || e.HTTPStatus == http.StatusNotImplemented || e.Code == "" && e.HTTPStatus >= 400 && e.HTTPStatus < 500)
}

// formCodes are the codes about the form of a request. Nothing was read then.
var formCodes = map[string]bool{
	"FORMAT_ERROR": true, "PARAMETER_NOT_CONSISTENT": true, "PARAMETER_NOT_SUPPORTED": true, periodInvalid: true, timestampInvalid: true,
}

const (
	periodInvalid    = "PERIOD_INVALID"
	timestampInvalid = "TIMESTAMP_INVALID"
)

// less returns the question for a first page with less. If it is not known what is too
// much, pending rows are left out first and come back with the next shorter period.
func (b *Bank) less(q institution.Question, m manner, e *institution.Error, day time.Time) (institution.Question, bool) {
	own := parameterOf(q.Link, statusParameter) // of the bank's link
	canBook := !m.booked && b.wire.bookingStatus != booked && own != booked
	aboutPeriod := e.Code == periodInvalid || e.Code == timestampInvalid || e.Parameter == fromParameter
	before := m.dateFrom(q)
	switch {
	case canBook && !aboutPeriod:
		m.booked = true
	case before == "", e.Parameter == statusParameter && !aboutPeriod:
		return q, false
	default:
		if !aboutPeriod {
			m.booked = false
		}
		m.from = institution.Shorter(before, day, append([]int{b.profile.HistoryUnattended}, shortHistories...)...)
		m.undated = m.from == "" // rows from before q.From are left out when they are read
		if q.Until != "" && (m.undated || isAfterUntil(m.from, q)) {
			return q, false
		}
	}
	q.Detail, q.BookedOnly = m.String(), m.booked
	return q, true
}

// isAfterUntil reports whether a day is after the period of a question: a bank that gives
// a shorter history has nothing of it.
func isAfterUntil(day string, q institution.Question) bool { return q.Until != "" && day > q.Until }

// withFirstParameters returns the question for a further page with the parameters of a
// first page that its link lacks.
func (b *Bank) withFirstParameters(q institution.Question, m manner) (institution.Question, bool) {
	before := q.Link
	if parameterOf(q.Link, statusParameter) == "" {
		q.Link = withParameter(q.Link, statusParameter, b.statusOf(m))
	}
	if from := m.dateFrom(q); from != "" && parameterOf(q.Link, fromParameter) == "" {
		q.Link = withParameter(q.Link, fromParameter, from)
	}
	return q, q.Link != before
}

// parameterNamed returns the one of our parameters that the body of a refusal names, or
// "" if it names none or several, as a body with our whole request does. It returns
// nothing of the body itself.
func parameterNamed(body []byte) (named string) {
	body = bytes.ToLower(body[:min(len(body), longestErrorBody)])
	for _, name := range []string{statusParameter, fromParameter, balanceParameter} {
		if bytes.Contains(body, bytes.ToLower([]byte(name))) {
			if named != "" {
				return ""
			}
			named = name
		}
	}
	return named
}

// isShortHistory reports whether transactions were asked for over a shorter period than
// every bank gives.
func isShortHistory(a institution.Answer) bool {
	from := mannerOf(a.Question.Detail).from
	return from > institution.DaysBefore(a.FetchedAt, institution.CertainHistory-1)
}
