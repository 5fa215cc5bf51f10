package api

import (
	"encoding/base64"
	"net/url"
	"strconv"

	"samla/internal/fault"
	"samla/internal/store"
)

// defaultLimit is the number of items of a page (docs/reference/api.md 1.8).
const defaultLimit = 100

// Page returns the page that the query parameters limit and cursor select. It has room
// for one row more than the client asked for, which shows whether more rows follow.
func Page(q url.Values) (store.Page, error) {
	limit, err := Limit(q)
	p := store.Page{Limit: limit + 1}
	if err != nil {
		return p, err
	}
	if text := q.Get("cursor"); text != "" {
		id, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || !IsID(string(id)) {
			return p, fault.Param("?cursor", fault.Invalid, "must be taken from the header Link")
		}
		p.After = string(id)
	}
	return p, nil
}

// Limit returns how many items the client asks for. The contract has its bounds.
func Limit(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.Param("?limit", fault.Invalid, "must be a whole number from 1 to 200")
	}
	return n, nil
}

// WritePage answers with the rows of a page as show appends them, and with a link to
// the next page if there is one.
func WritePage[Row any](c *Call, q url.Values, p store.Page, rows []Row, id func(*Row) string, show func([]byte, *Row) []byte) error {
	if len(rows) == p.Limit {
		rows = rows[:len(rows)-1]
		c.link(q, id(&rows[len(rows)-1]))
	}
	return c.WriteAppended(func(b []byte) []byte {
		b = append(b, '[')
		for i := range rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = show(b, &rows[i])
		}
		return append(b, ']')
	})
}

// link sets the header Link to the page after the row with the id last
// (docs/reference/api.md 1.8, RFC 8288). The URL is relative: the server does not know
// its public address.
func (c *Call) link(q url.Values, last string) {
	next := url.Values{}
	for _, name := range c.route.QueryParameters() {
		if values := q[name]; len(values) > 0 {
			next[name] = values
		}
	}
	next.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(last)))
	c.w.Header()["Link"] = []string{"<" + c.r.URL.EscapedPath() + "?" + next.Encode() + `>; rel="next"`}
}
