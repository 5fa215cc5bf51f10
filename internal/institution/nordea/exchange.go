package nordea

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
	"samla/internal/jsontext"
	"samla/internal/psu"
)

// call is one request to the bank.
type call struct {
	operation operation
	method    string
	path      []string // segments below the base
	query     url.Values
	psu       psu.Context
	token     string
	json      any        // body; nil = none
	form      url.Values // body; nil = none
}

// operation is the kind of a request: the same answer means different things for
// different operations.
type operation int

const (
	opStart     operation = iota // starts an authentication, or a redirect
	opStatus                     // of an authentication
	opAuthorize                  // exchanges the code of an authentication for that of the accounts
	opToken                      // a token request
	opRevoke
	opAssets  // what the person has granted
	opList    // the list of accounts
	opCards   // the list of cards
	opAccount // of one account or card
)

// reads reports whether the operation needs an access token.
func (o operation) reads() bool { return o >= opAssets }

// maxSmallBody limits the answers to all requests but reads of accounts.
const maxSmallBody = 1 << 20

// exchange sends one request and returns the answer, whatever its status. Errors:
// *institution.Error without an answer.
func (b *Bank) exchange(ctx context.Context, c call) (*httpclient.Response, error) {
	target, err := b.client.NewTarget(c.query, c.path...)
	if err != nil {
		return nil, httperror.Transport(err, "")
	}
	h := b.headers(c)
	var body []byte
	switch {
	case c.json != nil:
		if body, err = jsontext.Marshal(c.json); err != nil {
			return nil, &institution.Error{Kind: institution.Refused, NotSent: true, Cause: err}
		}
		h.Set("Content-Type", "application/json")
	case c.form != nil:
		// Encode sorts the names, as the digest wants them (docs/reference/families.md 3.3).
		body = []byte(c.form.Encode())
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r := httpclient.Request{Method: c.method, Target: target, Header: h, Body: body, Room: institution.RoomOf(ctx)}
	if c.operation < opList {
		r.MaxBody = maxSmallBody
	}
	resp, err := b.client.Do(ctx, r)
	if err != nil {
		return nil, httperror.Transport(err, "")
	}
	if jsontext.HasManyElements(resp.Body, loose.MaxElements) {
		return nil, &institution.Error{Kind: institution.MalformedResponse, Reason: institution.AnswerTooLarge, HTTPStatus: resp.Status}
	}
	return resp, nil
}

// success is exchange for requests that are answered with 200: any other status, and an
// error in place of the answer, is an *institution.Error.
func (b *Bank) success(ctx context.Context, c call) (*httpclient.Response, error) {
	resp, err := b.exchange(ctx, c)
	if err != nil {
		return nil, err
	}
	f := failureIn(resp)
	if resp.Status < 200 || resp.Status > 299 || f.isAnswer {
		return nil, b.refusal(c, resp, f)
	}
	return resp, nil
}

// headers returns the headers of one request (docs/reference/families.md 3.2), without
// those of the signature.
func (b *Bank) headers(c call) http.Header {
	h := make(http.Header, 12)
	h.Set("Accept", "application/json")
	h.Set("X-IBM-Client-Id", b.config.ClientID)
	h.Set("X-IBM-Client-Secret", b.secret)
	h.Set(hostHeader, b.host)
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	setPersonHeaders(h, c.psu)
	return h
}

// setPersonHeaders sets the headers about a person who is present. The address alone says
// that the person is, so without it none of them is sent: the bank counts the request as
// unattended (RTS art. 36(5)).
func setPersonHeaders(h http.Header, p psu.Context) {
	if p.IPAddress == "" {
		return
	}
	h.Set("X-Nordea-Originating-User-Ip", httpclient.HeaderValue(p.IPAddress))
	if agent := httpclient.HeaderValue(p.UserAgent); agent != "" {
		h.Set("X-Nordea-Originating-User-Agent", agent)
	}
}

// The ids that the bank gives its answers (message_identification) are shown to operators
// if they have this form: then they say nothing about a person.
var messageRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{3,63}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{16,64}$`)

func messageID(s string) string {
	if messageRE.MatchString(s) {
		return s
	}
	return ""
}
