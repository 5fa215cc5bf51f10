package xs2a

import (
	"context"
	"net/http"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/psu"
)

// call is one request to the bank.
type call struct {
	about     subject
	method    string
	target    httpclient.Target
	requestID string // empty = a new one
	psu       psu.Context
	psuID     bool // PSU-ID may be sent
	consentID string
	token     string
	header    http.Header // further headers
	body      []byte
}

// answer is a success: its body as it came.
type answer struct {
	requestID string
	body      []byte
}

// exchange sends one request. Any status but 2xx becomes a *institution.Error.
func (b *Bank) exchange(ctx context.Context, c call) (answer, error) {
	if c.requestID == "" {
		c.requestID = b.newID()
	}
	resp, err := b.client.Do(ctx, httpclient.Request{
		Method: c.method, Target: c.target, Header: b.headers(c), Body: c.body,
	})
	if err != nil {
		return answer{}, unanswered(err, c.requestID)
	}
	if !strings.EqualFold(resp.Header.Get("X-Request-ID"), c.requestID) {
		if n := b.unechoed.Add(1); n&(n-1) == 0 { // 1, 2, 4, 8: not a line for each
			b.log.Warn("the bank does not repeat our X-Request-ID", "answers", n)
		}
	}
	if resp.Status < 200 || resp.Status > 299 {
		return answer{}, refusal(c, resp, b.clock.Now())
	}
	return answer{c.requestID, resp.Body}, nil
}

// send is exchange to a path under /v1 of the bank's base URL.
func (b *Bank) send(ctx context.Context, c call, segments ...string) (answer, error) {
	target, err := b.client.NewTarget(nil, append([]string{"v1"}, segments...)...)
	if err != nil {
		return answer{}, unanswered(err, c.requestID)
	}
	c.target = target
	return b.exchange(ctx, c)
}
