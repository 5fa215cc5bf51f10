package v20260401

import (
	"net/url"
	"strconv"

	"samla/internal/api"
	"samla/internal/fault"
	"samla/internal/feeds"
	"samla/internal/jsontext"
	"samla/internal/ledger"
)

// feedLimit is the number of rows of a page (docs/reference/api.md 12.1).
const feedLimit = 200

// accountTransactions answers with what has changed of an account's transactions since a
// cursor (docs/reference/api.md 12).
func (o *operations) accountTransactions(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	limit, err := rowLimit(q)
	if err != nil {
		return err
	}
	by := c.Caller()
	p, err := o.Transactions.Page(c.Context(), feeds.Reader{ClientID: by.ClientID, UserID: by.UserID, KeyID: by.KeyID, Route: c.OperationID()},
		c.ID(), q.Get("cursor"), limit)
	if err != nil {
		return err
	}
	return c.WriteAppended(func(b []byte) []byte { return appendFeed(b, &p) })
}

func rowLimit(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return feedLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.Param("?limit", fault.Invalid, "must be a whole number from 1 to 1000")
	}
	return n, nil
}

func appendFeed(b []byte, p *feeds.Page) []byte {
	b = strconv.AppendInt(append(b, `{"generation":`...), p.Generation, 10)
	for _, list := range []struct {
		name string
		kind ledger.Kind
	}{{`,"added":[`, ledger.Added}, {`,"modified":[`, ledger.Modified}, {`,"removed":[`, ledger.Gone}} {
		b = append(b, list.name...)
		first := len(b)
		for i := range p.Rows {
			row := &p.Rows[i]
			if row.Kind != list.kind {
				continue
			}
			if len(b) > first {
				b = append(b, ',')
			}
			if row.Kind == ledger.Gone {
				b = jsontext.AppendString(b, row.ID)
				continue
			}
			b = jsontext.AppendMember(b, `{"id":`, row.ID)
			b = append(jsontext.AppendMember(b, `,"accountId":`, p.AccountID), row.Form...)
		}
		b = append(b, ']')
	}
	b = jsontext.AppendNonEmpty(b, `,"nextCursor":`, p.Next)
	return append(strconv.AppendBool(append(b, `,"hasMore":`...), p.More), '}')
}
