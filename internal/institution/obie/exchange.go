package obie

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
	"samla/internal/jsontext"
	"samla/internal/psu"
)

// call is one request to the bank.
type call struct {
	operation operation
	method    string
	path      []string // segments below the base URL
	link      string   // in place of path and query: a link of the bank
	query     url.Values
	psu       psu.Context
	token     string
	requestID string // a UUID, or empty
	json      any    // body; nil = none
}

// operation is the kind of a request: the same answer means different things for
// different operations.
type operation int

const (
	opOpen    operation = iota // asks for a consent
	opConsent                  // reads or deletes one
	opRead                     // reads data of the person
)

// response is an answer with the id of its exchange.
type response struct {
	*httpclient.Response
	requestID string
}

func (r response) ok() bool { return r.Status >= 200 && r.Status <= 299 }

const (
	interactionHeader = "X-Fapi-Interaction-Id"
	maxSmallBody      = 1 << 20 // of an answer about a consent
)

// exchange sends one request and returns the answer, whatever its status. Errors:
// *institution.Error without an answer, and for the answer to another request.
func (b *Bank) exchange(ctx context.Context, c call) (response, error) {
	id := b.idOf(c.requestID)
	target, err := b.target(c)
	if err != nil {
		return response{}, httperror.Transport(err, id)
	}
	h := b.headers(c, id)
	r := httpclient.Request{Method: c.method, Target: target, Header: h, Room: institution.RoomOf(ctx)}
	if c.json != nil {
		if r.Body, err = jsontext.Marshal(c.json); err != nil {
			return response{}, &institution.Error{Kind: institution.Refused, RequestID: id, NotSent: true, Cause: err}
		}
		h.Set("Content-Type", "application/json")
	}
	if c.operation != opRead {
		r.MaxBody = maxSmallBody
	}
	resp, err := b.client.Do(ctx, r)
	if err != nil {
		return response{}, httperror.Transport(err, id)
	}
	// The bank plays the id back (docs/reference/families.md 4.3). With another one, the
	// answer is that to somebody else's request. A gateway that refuses sends none.
	if played := resp.Header.Get(interactionHeader); played != "" && !strings.EqualFold(played, id) {
		return response{}, &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: resp.Status, RequestID: id,
			Detail: "x-fapi-interaction-id must be that of the request"}
	}
	return response{resp, id}, nil
}

func (b *Bank) target(c call) (httpclient.Target, error) {
	if c.link != "" {
		return b.client.Resolve(c.link)
	}
	return b.client.NewTarget(c.query, c.path...)
}

// withOwnToken is exchange with our own token. The second result is the error of an answer
// that is not a success.
func (b *Bank) withOwnToken(ctx context.Context, c call) (resp response, err error) {
	newID := func() string { return b.idOf("") }
	get := func(ctx context.Context) (oauth.Tokens, error) { return b.server.own(ctx, newID) }
	err = b.server.ownToken.Use(ctx, get, func(token oauth.Secret) (refused bool, err error) {
		c.token = token.Reveal()
		if resp, err = b.exchange(ctx, c); err != nil || resp.ok() {
			return false, err
		}
		return resp.Status == http.StatusUnauthorized, b.refusal(c, resp)
	})
	return resp, err
}

// headers returns the headers of one request (docs/reference/families.md 4.3).
func (b *Bank) headers(c call, id string) http.Header {
	h := make(http.Header, 8)
	h.Set("Accept", "application/json")
	h.Set("Authorization", "Bearer "+c.token)
	h.Set(interactionHeader, id)
	if b.config.FinancialID != "" {
		h.Set("X-Fapi-Financial-Id", b.config.FinancialID)
	}
	setPersonHeaders(h, c.psu, b.clock.Now())
	return h
}

// setPersonHeaders sets the headers about a person who is present, all of them or none: the
// address alone says that the person is, and without it the bank counts the request as
// unattended (RTS art. 36(5)). The person is logged in with us now.
func setPersonHeaders(h http.Header, p psu.Context, now time.Time) {
	if !p.Attended() {
		return
	}
	h.Set("X-Fapi-Customer-Ip-Address", httpclient.HeaderValue(p.IPAddress))
	h.Set("X-Fapi-Auth-Date", now.UTC().Format(http.TimeFormat))
	if agent := httpclient.HeaderValue(p.UserAgent); agent != "" {
		h.Set("X-Customer-User-Agent", agent)
	}
}
