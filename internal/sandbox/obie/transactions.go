package obie

import (
	"net/http"
	"net/url"
	"time"

	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/persona"
)

// window is what a list of transactions shows. The link to a page contains it, so that all
// pages show the same; the page itself is not fixed: rows may come and go meanwhile.
type window struct {
	Consent string      `json:"c"`
	Account string      `json:"a,omitempty"` // empty: all
	From    persona.Day `json:"f"`
	To      persona.Day `json:"t"`
	Offset  int         `json:"o"`
	Issued  int64       `json:"i"` // Unix seconds
}

// pageLifetime is how long a link to a page works.
const pageLifetime = 15 * time.Minute

// parsePage reads the token of a link of this consent and account.
func (c *call) parsePage(token, account string) (window, *apiError) {
	bad := badRequest(resource.FieldInvalid, "the link to the page is invalid or too old", "pg")
	var w window
	if !c.pageKey.Open(token, &w) || w.Consent != c.consent.ID || w.Account != account || c.Clock.Now().Sub(time.Unix(w.Issued, 0)) > pageLifetime {
		return window{}, bad
	}
	return w, nil
}

// parseWindow reads the filter of a first page. Days outside the range of the consent or
// of the bank are valid and show nothing; a time zone is ignored (docs/reference/families.md 4.5).
func (c *call) parseWindow(q url.Values, account string) (window, *apiError) {
	w := window{Consent: c.consent.ID, Account: account, From: c.available, To: c.today(), Issued: c.Clock.Now().Unix()}
	if !c.consent.From.IsZero() {
		w.From = max(w.From, persona.DayAt(c.consent.From))
	}
	if !c.consent.To.IsZero() {
		w.To = min(w.To, persona.DayAt(c.consent.To))
	}
	for name, set := range map[string]func(persona.Day){
		"fromBookingDateTime": func(d persona.Day) { w.From = max(w.From, d) },
		"toBookingDateTime":   func(d persona.Day) { w.To = min(w.To, d) },
	} {
		if !q.Has(name) {
			continue
		}
		at, ok := filterTime(q.Get(name))
		if !ok {
			return w, badRequest(resource.FieldInvalidDate, "a filter is a date, with or without a time", name)
		}
		day := persona.DayAt(at)
		if name == "fromBookingDateTime" && at.After(day.Time()) {
			day++ // rows are booked at midnight
		}
		set(day)
	}
	return w, nil
}

// filterTime reads a date or a time, whose zone is ignored.
func filterTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC), true
		}
	}
	return time.Time{}, false
}

func (c *call) readTransactions() (answer, *apiError) {
	a, e := c.account()
	if e != nil {
		return answer{}, e
	}
	if a.TransactionsStatus != 0 {
		return answer{}, unexpected()
	}
	return c.transactions([]resource.Account{a}, a.ID)
}

func (c *call) listTransactions() (answer, *apiError) { return c.transactions(c.covered(), "") }

// transactions is one page. The first row of a page is the last one of the page before it:
// clients must expect that (docs/reference/families.md 4.6).
func (c *call) transactions(accounts []resource.Account, id string) (answer, *apiError) {
	q := c.r.URL.Query()
	var (
		w window
		e *apiError
	)
	if q.Has("pg") {
		w, e = c.parsePage(q.Get("pg"), id)
	} else if w, e = c.parseWindow(q, id); e == nil {
		e = c.countRead("transactions", id)
	}
	if e != nil {
		return answer{}, e
	}
	type line struct {
		account resource.Account
		row     resource.Row
	}
	var lines []line
	for _, a := range accounts {
		for _, r := range resource.Rows(a, c.ledger(a.Account), c.consent, w.From, w.To) {
			lines = append(lines, line{a, r})
		}
	}
	start := min(w.Offset, len(lines))
	end := min(start+c.PageSize, len(lines))
	list := make([]any, 0, end-start)
	for _, l := range lines[start:end] {
		list = append(list, c.Version.Transaction(l.account, l.row, c.consent, c.BIC))
	}
	a := c.document(map[string]any{"Transaction": list})
	d := a.body.(resource.Document)
	link := func(offset int) string {
		to := w
		to.Offset = offset
		return c.Origin() + c.r.URL.Path + "?pg=" + c.pageKey.Seal(to)
	}
	if end < len(lines) {
		d.Links.Next = link(end - 1)
	}
	if start > 0 {
		d.Links.First, d.Links.Prev = link(0), link(max(start-c.PageSize+1, 0))
	}
	if d.Meta.TotalPages != nil {
		*d.Meta.TotalPages = pages(len(lines), c.PageSize)
	}
	d.Meta.FirstAvailable, d.Meta.LastAvailable = resource.DateTime(c.available.Time()), resource.DateTime(c.Clock.Now())
	return answer{http.StatusOK, d}, nil
}

// pages is how many pages rows fill if each page but the first repeats one row.
func pages(rows, size int) int {
	if rows <= size {
		return 1
	}
	return (rows-2)/(size-1) + 1
}
