// Package samla is a client of Samla's API, version 2026-04-01. api.go is generated from the
// OpenAPI document and has every type and operation; the other files are the parts of the
// main flows that a document cannot say: how to wait, what to show the person, how to
// answer what an institution asks, and how to verify a webhook.
package samla

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

//go:generate go tool -modfile=../../test/generators/go/go.mod oapi-codegen -config oapi.yaml -o api.go ../../internal/api/v20260401/openapi.json

// Version is the version of the API that the client asks for.
const Version = "2026-04-01"

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 256 << 20

// Client calls the API of one server with one credential. The operations are those of Calls.
// It can be used by several goroutines.
type Client struct {
	Calls
	base string
	http *http.Client
}

// New returns a client with an API key, for a back end. server is the address of the API;
// h may be nil. No redirect is followed, which would carry the credential elsewhere.
func New(server, apiKey string, h *http.Client) (*Client, error) {
	return newClient(server, h, "authorization-token", apiKey)
}

// ForSession returns a client of the same server with a token of a session, which may be in
// the hands of the person's own device.
func (c *Client) ForSession(token string) (*Client, error) {
	return newClient(c.base, c.http, "Authorization", "Bearer "+token)
}

func newClient(server string, h *http.Client, header, value string) (*Client, error) {
	if h == nil {
		h = http.DefaultClient
	}
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	requests, err := NewClient(server, WithHTTPClient(&own), WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Insurely-Version", Version)
		r.Header.Set(header, value)
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return &Client{Calls: Calls{requests}, base: server, http: h}, nil
}

// Problem is the error of a request that the server refused.
type Problem struct {
	Document   Error         // what the server says; of something between, the status alone
	RetryAfter time.Duration // ask again then; 0: the server says nothing about that
}

// Error names the request's outcome and what to do about it.
func (p *Problem) Error() string {
	text := fmt.Sprintf("HTTP %d %s: %s", p.Document.Status, p.Document.Code, p.Document.Message)
	if p.Document.Errors != nil {
		for _, e := range *p.Document.Errors {
			text += fmt.Sprintf("; %s: %s", e.Pointer, e.Message)
		}
	}
	if p.Document.Remedy != "" {
		text += " (" + p.Document.Remedy + ")"
	}
	return text
}

// Code is what went wrong, for programs: a code of the document /docs/errors.
func (p *Problem) Code() string { return p.Document.Code }

// receive reads an answer into out, or makes a Problem of it.
func receive(out any) func(*http.Response, error) (http.Header, error) {
	return func(r *http.Response, err error) (http.Header, error) {
		if err != nil {
			return nil, err
		}
		defer r.Body.Close()
		body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
		if err != nil {
			return nil, err
		}
		if r.StatusCode > 299 {
			p := &Problem{}
			if json.Unmarshal(body, &p.Document) != nil {
				p.Document = Error{}
			}
			p.Document.Status = r.StatusCode
			if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
				p.RetryAfter = time.Duration(seconds) * time.Second
			}
			return r.Header, p
		}
		if out == nil || len(bytes.TrimSpace(body)) == 0 {
			return r.Header, nil
		}
		return r.Header, json.Unmarshal(body, out)
	}
}

var nextRE = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// nextCursor returns the cursor of the next page (RFC 8288); empty: there is none.
func nextCursor(h http.Header) string {
	found := nextRE.FindStringSubmatch(h.Get("Link"))
	if found == nil {
		return ""
	}
	u, err := url.Parse(found[1])
	if err != nil {
		return ""
	}
	return u.Query().Get("cursor")
}

// jitter is a number from 0 to below 1, by chance.
func jitter() float64 { return rand.Float64() }
