package api

import (
	"encoding/base64"
	"net/url"
	"strconv"

	"samla/internal/fault"
	"samla/internal/store"
)

const defaultLimit = 100

// query reads the query and holds it against the contract.
func (c *call) query() (url.Values, *fault.Fault) {
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil { // the part that cannot be read would be ignored in silence
		return nil, fault.Param("", fault.Invalid, "the query of the URL cannot be read")
	}
	return q, c.route.op.CheckQuery(q)
}

// page reads limit and cursor of a query that the contract accepts. One row more
// than asked for is read, to know whether more follow.
func page(q url.Values) (store.Page, *fault.Fault) {
	p := store.Page{Limit: defaultLimit + 1}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return p, fault.Param("?limit", fault.Invalid, "must be a whole number from 1 to 200")
		}
		p.Limit = n + 1
	}
	if text := q.Get("cursor"); text != "" {
		id, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || !isID(string(id)) {
			return p, fault.Param("?cursor", fault.Invalid, "must be taken from the header Link")
		}
		p.After = string(id)
	}
	return p, nil
}

// link sets the header Link to the page that follows the row with the id last
// (docs/reference/api.md 1.8, RFC 8288). It is relative: the server does not know the address
// under which it is reached from outside.
func (c *call) link(q url.Values, last string) {
	next := url.Values{}
	for _, name := range []string{"latest", "statusIn", "limit"} {
		if values := q[name]; len(values) > 0 {
			next[name] = values
		}
	}
	next.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(last)))
	c.w.Header()["Link"] = []string{"<" + c.r.URL.EscapedPath() + "?" + next.Encode() + `>; rel="next"`}
}

// writePage answers with the rows of a page as show presents them, and with a
// link to the next page when there is one.
func writePage[Row, Body any](c *call, q url.Values, p store.Page, rows []Row, id func(Row) string, show func(Row) Body) error {
	if len(rows) == p.Limit {
		rows = rows[:len(rows)-1]
		c.link(q, id(rows[len(rows)-1]))
	}
	list := make([]Body, len(rows))
	for i, row := range rows {
		list[i] = show(row)
	}
	return c.writeJSON(list)
}
