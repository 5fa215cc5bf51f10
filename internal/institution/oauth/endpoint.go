package oauth

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// Hosts are the hosts of one bank that may be called, a client each: with our
// certificate where the bank wants it, and signing where the bank signs OAuth messages
// (Nordea does, the Berlin Group does not: docs/reference/families.md 2.3, 3.3).
type Hosts []*httpclient.Client

// Endpoint is an address at one of the Hosts.
type Endpoint struct {
	client  *httpclient.Client
	path    string // escaped, below the base URL
	query   string // escaped
	address string
}

// Endpoint returns the endpoint at an absolute https address. Errors: an
// *institution.Error of kind ForeignAddress if the address is not below the base URL of
// one of the hosts, so that no document of a bank sends our requests elsewhere.
func (h Hosts) Endpoint(address string) (Endpoint, error) {
	if checkAddress(address) == nil {
		for _, c := range h {
			if l, err := c.ParseLink(address); err == nil && l.Host == httpclient.OwnHost && l.Below && l.Path != "" {
				return Endpoint{c, l.Path, l.Query, address}, nil
			}
		}
	}
	return Endpoint{}, &institution.Error{Kind: institution.ForeignAddress, NotSent: true}
}

// Address returns the address as it was given.
func (e Endpoint) Address() string { return e.address }

// IsZero reports whether there is no endpoint.
func (e Endpoint) IsZero() bool { return e.client == nil }

// do sends a request to the endpoint, with more query members behind those of the
// address. Errors: *institution.Error, without an answer.
func (e Endpoint) do(ctx context.Context, method string, query url.Values, h http.Header, body []byte, maxBody int64) (*httpclient.Response, error) {
	if e.IsZero() {
		return nil, &institution.Error{Kind: institution.ForeignAddress, NotSent: true}
	}
	id := h.Get(requestIDHeader)
	target, err := e.client.Below(e.path, joinQuery(e.query, query.Encode()))
	if err != nil {
		return nil, httperror.Transport(err, id)
	}
	resp, err := e.client.Do(ctx, httpclient.Request{Method: method, Target: target, Header: h, Body: body, MaxBody: maxBody})
	if err != nil {
		return nil, httperror.Transport(err, id)
	}
	return resp, nil
}

// GET reads a JSON document of at most maxBody bytes. Errors: *institution.Error, also
// for any status but 200.
func (e Endpoint) GET(ctx context.Context, maxBody int64) ([]byte, error) {
	resp, err := e.do(ctx, http.MethodGet, nil, http.Header{"Accept": {"application/json"}}, nil, maxBody)
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, &institution.Error{Kind: documentKind(resp.Status), HTTPStatus: resp.Status}
	}
	return resp.Body, nil
}

// documentKind is the kind of an answer to GET that is not the document.
func documentKind(status int) institution.ErrorKind {
	switch {
	case status == http.StatusTooManyRequests:
		return institution.Busy
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return institution.Unreachable
	case status >= 300 && status < 400:
		return institution.ForeignAddress
	}
	return institution.MalformedResponse
}

func joinQuery(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + "&" + second
}

// checkAddress returns an error unless s is an absolute https address without user and
// fragment (RFC 6749 3.1, 3.2); http is allowed on the loopback interface, as in
// httpclient.
func checkAddress(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || len(s) > maxAddress:
		return errAddress
	case u.User != nil || u.Fragment != "" || u.RawFragment != "":
		return errAddress
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errAddress
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
