package aspsp

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"samla/internal/sandbox/persona"
)

// unattendedDays is how far back a TPP may read without the PSU when 180 days
// of SCA have not passed (RTS art. 10a).
const unattendedDays = 90

// window is which rows a report holds. It travels in the page token, so that
// later pages show the same window.
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

// tokenLife is how long a page token can be used.
const tokenLife = 15 * time.Minute

// token writes the window as an opaque page token.
func (b *Bank) token(w window) string {
	text, _ := json.Marshal(w) // numbers and strings: it cannot fail
	return base64.RawURLEncoding.EncodeToString(append(b.mac(string(text)), text...))
}

// window reads a page token of this bank for this consent and account.
func (c *call) window(token, consent string) (window, *refusal) {
	bad := formatError("the page link is not one of this bank's, or too old")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 16 || !hmac.Equal(raw[:16], c.mac(string(raw[16:]))) {
		return window{}, bad
	}
	var w window
	if json.Unmarshal(raw[16:], &w) != nil || w.Consent != consent || w.Account != c.account ||
		c.Clock.Now().Sub(time.Unix(w.Issued, 0)) > tokenLife {
		return window{}, bad
	}
	return w, nil
}

// asked reads the query of a first page (docs/reference/banks.md 6.1).
func (c *call) asked(values url.Values, consent string) (window, *refusal) {
	today := c.today()
	w := window{Consent: consent, Account: c.account, Status: values.Get("bookingStatus"), To: today, Issued: c.Clock.Now().Unix()}
	unsupported := func(text string) (window, *refusal) {
		return w, refuse(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", text)
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
		return unsupported("this bookingStatus is not offered")
	}
	if values.Has("entryReferenceFrom") || values.Has("deltaList") {
		return unsupported("delta reports are not offered")
	}
	if !values.Has("dateFrom") {
		return w, formatError("dateFrom is required")
	}
	var f *refusal
	if w.From, f = date(values.Get("dateFrom")); f != nil {
		return w, f
	}
	if values.Has("dateTo") {
		if w.To, f = date(values.Get("dateTo")); f != nil {
			return w, f
		}
	}
	if w.From > w.To || w.From > today || int(today-w.From) > c.HistoryDays {
		return w, refuse(http.StatusBadRequest, "PERIOD_INVALID", "the period is empty or outside the history of this bank")
	}
	w.To = min(w.To, today)
	if w.Balance, f = c.withBalance(values); f != nil {
		return w, f
	}
	if !c.attended && int(today-w.From) > unattendedDays {
		if c.RefuseLate {
			return w, consentInvalid("SCA is needed for rows older than 90 days")
		}
		w.From = today - unattendedDays
		if w.To < w.From {
			w.To = w.From
		}
	}
	return w, nil
}

func date(s string) (persona.Day, *refusal) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, formatError("a date is YYYY-MM-DD")
	}
	return persona.DayAt(t), nil
}

// report is one page: the rows of a window, newest first.
type report struct {
	account persona.Account
	scope   Scope
	booked  []persona.Row // nil when not asked for
	pending []persona.Row
	links   map[string]link
	balance bool
}

// report does what the transaction lists of accounts and cards share.
func (c *call) report(parameters ...string) (report, *refusal) {
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
		return report{}, &refusal{status: a.TransactionsStatus}
	}
	var w window
	if values.Has("page") {
		if w, f = c.window(values.Get("page"), rd.ID); f == nil && values.Get("bookingStatus") != w.Status {
			f = formatError("bookingStatus is not that of the first page")
		}
	} else if w, f = c.asked(values, rd.ID); f == nil && w.Balance && !s.Balances {
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
	root := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.Path, c.base+"/v1/"), "/transactions")
	out := report{account: a, scope: s, balance: w.Balance, links: map[string]link{}}
	ledger := c.people.Ledger(a, c.today())
	first := w.Offset == 0
	turn := func(offset int) link {
		w := w
		w.Offset = offset
		q := url.Values{"bookingStatus": {w.Status}, "page": {c.token(w)}}
		return c.href(root + "/transactions?" + q.Encode())
	}
	if w.Status != "pending" {
		rows := inside(ledger.Booked, w.From, w.To)
		size, offset := c.PageSize, min(w.Offset, len(rows))
		if size == 0 {
			size = len(rows)
		}
		end := min(offset+size, len(rows))
		out.booked = make([]persona.Row, 0, end-offset)
		for i := offset; i < end; i++ {
			out.booked = append(out.booked, rows[len(rows)-1-i])
		}
		if end < len(rows) {
			out.links["next"] = turn(end)
		}
		if offset > 0 {
			out.links["first"], out.links["previous"] = turn(0), turn(max(offset-size, 0))
		}
	}
	if w.Status != "booked" {
		out.pending = []persona.Row{}
		if first && w.To == c.today() {
			out.pending = append(out.pending, ledger.Pending...)
		}
	}
	return out
}

// inside cuts rows, oldest first, to the days from..to.
func inside(rows []persona.Row, from, to persona.Day) []persona.Row {
	day := func(r persona.Row, d persona.Day) int { return int(r.Day - d) }
	lo, _ := slices.BinarySearchFunc(rows, from, day)
	hi, _ := slices.BinarySearchFunc(rows, to+1, day)
	return rows[lo:hi]
}
