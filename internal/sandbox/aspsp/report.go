package aspsp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/sandbox/persona"
)

// unattendedDays is how far back a TPP may read without the PSU while the last SCA is
// less than 180 days old (RTS art. 10a).
const unattendedDays = 90

// window is the range of a transaction report. The page token contains it, so that
// all pages show the same range.
type window struct {
	Consent string      `json:"c"`
	Account string      `json:"a"`
	From    persona.Day `json:"f"`
	To      persona.Day `json:"t"`
	Status  string      `json:"s"`
	Offset  int         `json:"o"`
	Issued  int64       `json:"i"` // Unix seconds
	Balance bool        `json:"b,omitempty"`
}

// pageTokenLifetime is how long a page token can be used.
const pageTokenLifetime = 15 * time.Minute

// parsePageToken parses a page token of this bank for this consent and account.
func (c *call) parsePageToken(token, consent string) (window, *apiError) {
	bad := formatError("the page link is invalid or expired")
	var w window
	if !c.pageKey.Open(token, &w) || w.Consent != consent || w.Account != c.accountID ||
		c.Clock.Now().Sub(time.Unix(w.Issued, 0)) > pageTokenLifetime {
		return window{}, bad
	}
	return w, nil
}

// fresh reports whether the whole history can be read with a consent now.
func (c *call) fresh(consent Consent) bool {
	return c.attended && (c.FreshFor == 0 || c.Clock.Now().Sub(consent.SCA) <= c.FreshFor)
}

// parseWindow parses the query of a first page (docs/reference/banks.md 6.1). Without fresh
// it does not reach further back than the days that can be read without a new signature.
func (c *call) parseWindow(values url.Values, consent string, fresh bool) (window, *apiError) {
	today := c.today()
	w := window{Consent: consent, Account: c.accountID, Status: values.Get("bookingStatus"), To: today, Issued: c.Clock.Now().Unix()}
	unsupported := func(text string) (window, *apiError) {
		return w, newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", text)
	}
	switch w.Status {
	case "booked", "pending", "both":
	case "information", "all":
		if c.cards {
			return w, formatError("bookingStatus of a card is booked, pending or both")
		}
	default:
		return w, formatError("bookingStatus is missing or unknown")
	}
	if !slices.Contains(c.BookingStatuses, w.Status) {
		return unsupported("this bookingStatus is not supported")
	}
	if values.Has("entryReferenceFrom") || values.Has("deltaList") {
		return unsupported("delta reports are not supported")
	}
	if !values.Has("dateFrom") {
		return w, formatError("dateFrom is required")
	}
	var f *apiError
	if w.From, f = date(values.Get("dateFrom")); f != nil {
		return w, f
	}
	if values.Has("dateTo") {
		if w.To, f = date(values.Get("dateTo")); f != nil {
			return w, f
		}
	}
	if w.From > w.To || w.From > today || int(today-w.From) > c.HistoryDays {
		return w, newError(http.StatusBadRequest, "PERIOD_INVALID", "the period is empty or outside the history of this bank")
	}
	w.To = min(w.To, today)
	if w.Balance, f = c.withBalance(values); f != nil {
		return w, f
	}
	if !fresh && int(today-w.From) > unattendedDays {
		if c.RejectLate {
			return w, consentInvalid("SCA is needed for rows older than 90 days")
		}
		w.From = today - unattendedDays
		if w.To < w.From {
			w.To = w.From
		}
	}
	return w, nil
}

func date(s string) (persona.Day, *apiError) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, formatError("a date is YYYY-MM-DD")
	}
	return persona.DayAt(t), nil
}

// report is one page of the transactions in a window, newest first.
type report struct {
	account persona.Account
	scope   Scope
	booked  []persona.Transaction // nil if not requested
	pending []persona.Transaction
	links   map[string]link
	balance bool
}

// report handles a request for the transactions of an account or card.
func (c *call) report(parameters ...string) (report, *apiError) {
	values, f := c.query(append(parameters, "bookingStatus", "dateFrom", "dateTo", "entryReferenceFrom", "deltaList", "page")...)
	if f != nil {
		return report{}, f
	}
	rd, f := c.reader()
	if f != nil {
		return report{}, f
	}
	a, s, f := c.coveredAccount(rd, func(s Scope) bool { return s.Transactions })
	if f != nil {
		return report{}, f
	}
	if a.TransactionsStatus != 0 {
		return report{}, &apiError{status: a.TransactionsStatus}
	}
	var w window
	if values.Has("page") {
		if w, f = c.parsePageToken(values.Get("page"), rd.ID); f == nil && values.Get("bookingStatus") != w.Status {
			f = formatError("bookingStatus is not that of the first page")
		}
	} else if w, f = c.parseWindow(values, rd.ID, c.fresh(rd.Consent)); f == nil && w.Balance && !s.Balances {
		f = consentInvalid("the consent does not cover balances")
	} else if f == nil {
		f = c.countRead(rd.Consent, "transactions/"+a.ID)
	}
	if f != nil {
		return report{}, f
	}
	return c.page(a, s, w), nil
}

func (c *call) page(a persona.Account, s Scope, w window) report {
	root := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.Path, c.base+c.AccountsPath()+"/"), "/transactions")
	out := report{account: a, scope: s, balance: w.Balance, links: map[string]link{}}
	ledger := c.customers.Ledger(a, c.today())
	first := w.Offset == 0
	pageLink := func(offset int) link {
		w := w
		w.Offset = offset
		q := url.Values{"bookingStatus": {w.Status}, "page": {c.pageKey.Seal(w)}}
		return c.href(root + "/transactions?" + q.Encode())
	}
	if w.Status == "booked" || w.Status == "both" {
		rows := between(ledger.Booked, w.From, w.To)
		size, offset := c.PageSize, min(w.Offset, len(rows))
		if size == 0 {
			size = len(rows)
		}
		end := min(offset+size, len(rows))
		out.booked = make([]persona.Transaction, 0, end-offset)
		for i := offset; i < end; i++ {
			out.booked = append(out.booked, rows[len(rows)-1-i])
		}
		if end < len(rows) {
			out.links["next"] = pageLink(end)
		}
		if offset > 0 {
			out.links["first"], out.links["previous"] = pageLink(0), pageLink(max(offset-size, 0))
		}
	}
	if w.Status == "pending" || w.Status == "both" {
		out.pending = []persona.Transaction{}
		if first && w.To == c.today() {
			out.pending = append(out.pending, ledger.Pending...)
		}
	}
	return out
}

// between returns the rows of the days from to to. The rows are sorted, oldest first.
func between(rows []persona.Transaction, from, to persona.Day) []persona.Transaction {
	day := func(r persona.Transaction, d persona.Day) int { return int(r.Day - d) }
	lo, _ := slices.BinarySearchFunc(rows, from, day)
	hi, _ := slices.BinarySearchFunc(rows, to+1, day)
	return rows[lo:hi]
}
