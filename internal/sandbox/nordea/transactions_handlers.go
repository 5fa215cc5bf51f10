package nordea

import (
	"net/url"
	"time"

	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

// window is what a list of transactions shows. The continuation key has it, so that the key
// is bound to the resource and to the parameters of the first page.
type window struct {
	Grant    string      `json:"g"`
	Resource string      `json:"r"`
	Asked    [2]string   `json:"q"` // from_date and to_date as they were sent
	Language string      `json:"l,omitempty"`
	From     persona.Day `json:"f"`
	To       persona.Day `json:"t"`
	Offset   int         `json:"o"`
}

// window parses the parameters of a list.
func (c *call) window(g grant.Grant, resource string, parameters ...string) (window, *apiError) {
	values, f := c.query(append(parameters, "from_date", "to_date", "continuation_key")...)
	if f != nil {
		return window{}, f
	}
	w := window{
		Grant: g.ID, Resource: resource, Asked: [2]string{values.Get("from_date"), values.Get("to_date")},
		Language: values.Get("language"), From: c.earliest(g), To: c.today(),
	}
	from, f := day(values, "from_date", w.From)
	if f != nil {
		return w, f
	}
	to, f := day(values, "to_date", w.To)
	if f != nil {
		return w, f
	}
	switch {
	case values.Has("from_date") && values.Has("to_date") && from > to:
		return w, invalid("from_date", "Range", "The first day is after the last one.")
	case values.Has("language") && !account.IsLanguage(w.Language):
		return w, invalid("language", "Enum", "The language is unknown.")
	}
	w.From, w.To = max(from, w.From), min(to, w.To)
	if !values.Has("continuation_key") {
		return w, nil
	}
	var next window
	if !c.pageKey.Open(values.Get("continuation_key"), &next) || next.Grant != w.Grant || next.Resource != w.Resource || next.Asked != w.Asked || next.Language != w.Language {
		return w, invalid("continuation_key", "Invalid", "The key is not of this request.")
	}
	return next, nil
}

func day(values url.Values, name string, otherwise persona.Day) (persona.Day, *apiError) {
	if !values.Has(name) {
		return otherwise, nil
	}
	t, err := time.Parse(time.DateOnly, values.Get(name))
	if err != nil {
		return 0, invalid(name, "Date", "The date is malformed.")
	}
	return persona.DayAt(t), nil
}

// earliest returns the first day that can be read: max_tx_history, and without the person,
// or too long after they signed, 90 days (docs/reference/families.md 3.8).
func (c *call) earliest(g grant.Grant) persona.Day {
	first := persona.DayAt(c.today().Time().AddDate(0, -g.Months, 0))
	late := c.FullHistoryFor > 0 && c.Clock.Now().Sub(g.Signed) >= c.FullHistoryFor
	if !c.attended || late {
		first = max(first, c.today()-unattendedDays)
	}
	return first
}

// page returns the page of a window's rows, and the key of the next page; "" if it is the
// last one.
func (c *call) page(w window, list []account.Row) ([]account.Row, string) {
	list = list[min(w.Offset, len(list)):]
	if len(list) <= c.PageSize {
		return list, ""
	}
	w.Offset += c.PageSize
	return list[:c.PageSize], c.pageKey.Seal(w)
}

func (c *call) listTransactions() (response, *apiError) {
	g, a, f := c.account(grant.Basic, grant.Transactions)
	if f != nil {
		return response{}, f
	}
	w, f := c.window(g, a.V5, "language")
	if f != nil {
		return response{}, f
	}
	if a.TransactionsStatus != 0 {
		return response{}, scripted(a.TransactionsStatus)
	}
	if w.Offset == 0 {
		if f := c.countRead(g, "transactions/"+a.V5); f != nil {
			return response{}, f
		}
	}
	ledger, now := c.ledger(a.Account)
	list, key := c.page(w, a.Rows(ledger, now, w.From, w.To))
	transactions := []account.Object{}
	for _, r := range list {
		transactions = append(transactions, a.Transaction(r, c.version, w.Language))
	}
	v := account.Object{"transactions": transactions}
	if c.version == "v5" {
		v["account_number"] = a.Numbers()[0]
	}
	var page *pagination
	if key != "" {
		page = &pagination{key}
		query := url.Values{"continuation_key": {key}}
		for i, name := range []string{"from_date", "to_date"} {
			if w.Asked[i] != "" {
				query.Set(name, w.Asked[i])
			}
		}
		if w.Language != "" {
			query.Set("language", w.Language)
		}
		v["_links"] = []account.Link{{Rel: "next", Href: "/" + c.path + "?" + query.Encode()}}
	}
	return c.envelope(page, v), nil
}
