package apiclient

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
)

// maxPage is the largest number of items that a list returns at once (docs/reference/api.md
// 1.8).
const maxPage = 200

// Get returns what a route answers, as it is.
func (c *Client) Get(ctx context.Context, token, path string, query url.Values) (json.RawMessage, error) {
	data, _, err := c.send(ctx, "GET", target(path, query), token, nil)
	return data, err
}

// Send sends a body to a route, or none if in is nil, and returns what it answers, as it is.
func (c *Client) Send(ctx context.Context, method, token, path string, in any) (json.RawMessage, error) {
	data, _, err := c.send(ctx, method, path, token, in)
	return data, err
}

// List returns the first items of a list that is paged (docs/reference/api.md 1.8): at most
// limit of them, and whether there are more.
func (c *Client) List(ctx context.Context, token, path string, query url.Values, limit int) (items []json.RawMessage, more bool, err error) {
	query = clone(query)
	for {
		query.Set("limit", strconv.Itoa(min(maxPage, limit-len(items))))
		data, header, err := c.send(ctx, "GET", target(path, query), token, nil)
		if err != nil {
			return nil, false, err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(data, &page); err != nil {
			return nil, false, err
		}
		items = append(items, page...)
		cursor := nextCursor(header.Get("Link"))
		if cursor == "" || len(items) >= limit || len(page) == 0 {
			return items, cursor != "", nil
		}
		query.Set("cursor", cursor)
	}
}

var linkRE = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// nextCursor returns the cursor of the next page by the header Link (RFC 8288); empty: there
// is none.
func nextCursor(link string) string {
	found := linkRE.FindStringSubmatch(link)
	if found == nil {
		return ""
	}
	u, err := url.Parse(found[1])
	if err != nil {
		return ""
	}
	return u.Query().Get("cursor")
}

func target(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func clone(query url.Values) url.Values {
	copied := url.Values{}
	for name, values := range query {
		copied[name] = values
	}
	return copied
}

// FindUser returns the user that has the client's own id.
func (c *Client) FindUser(ctx context.Context, externalID string) (User, error) {
	var u User
	return u, c.do(ctx, "GET", target("/users", url.Values{"externalId": {externalID}}), "", nil, &u)
}

// CancelCollection stops a collection; one that has ended stays as it is.
func (c *Client) CancelCollection(ctx context.Context, token, id string) error {
	return c.do(ctx, "POST", "/collections/"+url.PathEscape(id)+"/cancel", token, nil, nil)
}

// RevokeConsent revokes a consent here and at the bank. Before it is authorized, that
// cancels what the bank waits for.
func (c *Client) RevokeConsent(ctx context.Context, token, id string) error {
	return c.do(ctx, "DELETE", "/consents/"+url.PathEscape(id), token, nil, nil)
}
