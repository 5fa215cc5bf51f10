package xs2a

import (
	"context"
	"net/http"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/jsontext"
	"samla/internal/psu"
)

// call is one request to the bank.
type call struct {
	operation   operation
	method      string
	target      httpclient.Target
	requestID   string // empty = a new one
	psu         psu.Context
	psuID       bool // PSU-ID can be sent
	consentID   string
	token       string
	clientToken string      // in place of token, see withClientToken
	header      http.Header // additional headers
	accept      string      // empty = JSON
	body        []byte
}

// response is a successful response. JSON is in UTF-8.
type response struct {
	requestID string
	status    int
	header    http.Header
	body      []byte
}

// maxSmallBody limits the answers to all requests but reads of accounts. They hold a
// status, links and at most a picture.
const maxSmallBody = 1 << 20

// maxBody returns the limit of an answer, or 0 for that of the client.
func (o operation) maxBody() int64 {
	switch o {
	case opCreateConsent, opAuthorize, opConsent:
		return maxSmallBody
	}
	return 0
}

// exchange sends one request, and before it, where the bank wants one and there is none, a
// request for a token of our own. It returns an *institution.Error for any status but 2xx.
func (b *Bank) exchange(ctx context.Context, c call) (response, error) {
	if c.requestID == "" {
		c.requestID = b.newID()
	}
	if b.usesClientToken(c) {
		return b.withClientToken(ctx, c)
	}
	return b.send(ctx, c)
}

// send sends one request.
func (b *Bank) send(ctx context.Context, c call) (response, error) {
	resp, err := b.client.Do(ctx, httpclient.Request{
		Method: c.method, Target: c.target, Header: b.headers(c), Body: c.body,
		MaxBody: c.operation.maxBody(), Room: institution.RoomOf(ctx),
	})
	if err != nil {
		return response{}, httperror.Transport(err, c.requestID)
	}
	if !strings.EqualFold(resp.Header.Get("X-Request-ID"), c.requestID) {
		if n := b.unechoed.Add(1); n&(n-1) == 0 { // log the 1st, 2nd, 4th, 8th, ... only
			b.log.Warn("the bank does not repeat our X-Request-ID", "answers", n)
		}
	}
	if jsontext.HasManyElements(resp.Body, maxElements) {
		return response{}, &institution.Error{Kind: institution.MalformedResponse, Reason: institution.AnswerTooLarge, RequestID: c.requestID}
	}
	if c.accept == "" {
		resp.Body = toUTF8(resp.Body, resp.Header.Get("Content-Type"))
	}
	if resp.Status < 200 || resp.Status > 299 {
		return response{}, errorResponse(c, resp, b.clock.Now())
	}
	return response{c.requestID, resp.Status, resp.Header, resp.Body}, nil
}

// sendConsent is exchange with the path of consents and more segments below it.
func (b *Bank) sendConsent(ctx context.Context, c call, segments ...string) (response, error) {
	target, err := b.client.NewTarget(nil, under(b.wire.paths.Consents, segments...)...)
	if err != nil {
		return response{}, httperror.Transport(err, c.requestID)
	}
	c.target = target
	return b.exchange(ctx, c)
}
