package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"samla/internal/wire/wiretest"
)

// Client calls the API with one credential.
type Client struct {
	Env    *Env
	Base   string // URL of the server
	Header http.Header
	// Contract is that of the version which the client speaks; nil = that of the Env.
	Contract *wiretest.Contract
	// Observe, if set, is called with each answer to an operation of the contract.
	Observe func(wiretest.Documented)
	// transport sends the requests; nil = http.DefaultTransport.
	transport http.RoundTripper
}

// From returns a client whose requests come from another address of this machine, such as
// 127.0.0.2: what the server limits for each address, it counts apart.
func (c Client) From(t *testing.T, ip string) Client {
	t.Helper()
	local, err := netip.ParseAddr(ip)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	c.transport = transport
	return c
}

// With returns a client that also sends a header; an empty value removes the header.
func (c Client) With(name, value string) Client {
	header := maps.Clone(c.Header)
	header[http.CanonicalHeaderKey(name)] = nil
	if value != "" {
		header.Set(name, value)
	}
	c.Header = header
	return c
}

var counter atomic.Int64

// UniqueID returns a text that no other test of this run uses.
func UniqueID(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), counter.Add(1)) }

// User creates a user with a unique external id.
func (c Client) User(t *testing.T) (id, externalID string) {
	t.Helper()
	externalID = UniqueID(t)
	c.Env.Log.Secret("an external id", externalID)
	var made struct{ UserUUID string }
	c.Do(t, http.MethodPost, "/users", map[string]string{"externalId": externalID}).WantStatus(t, http.StatusCreated, &made)
	return made.UserUUID, externalID
}

// Session creates a session of a user and returns a client that uses it.
func (c Client) Session(t *testing.T, user string) Client {
	t.Helper()
	var s struct{ Token string }
	c.Do(t, http.MethodPost, "/users/"+user+"/sessions", nil).WantStatus(t, http.StatusCreated, &s)
	c.Env.Log.Secret("a session token", s.Token)
	c.Header = http.Header{"Authorization": {"Bearer " + s.Token}}
	return c
}

// Do sends a request and validates the exchange with the contract. A string body is sent
// unchanged, any other body as JSON. Redirects are not followed.
func (c Client) Do(t *testing.T, method, path string, body any) Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, bodyReader(t, body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	contract := cmp.Or(c.Contract, c.Env.Contract)
	r.Header.Set("Insurely-Version", contract.Version())
	for name, values := range c.Header {
		if r.Header[name] = values; values == nil {
			delete(r.Header, name)
		}
	}
	if r.Header["Insurely-Version"] == nil && c.Env.Older.Find(r) != nil {
		contract = c.Env.Older // the lowest version that has the route answers
	}
	if c.Env.CheckRequests {
		if err := contract.CheckRequest(r); err != nil {
			t.Errorf("the test's request violates the contract: %v", err)
		}
	}
	validating := http.Client{
		Transport:     contract.Transport(cmp.Or(c.transport, http.DefaultTransport), func(err error) { t.Errorf("contract violation: %v", err) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := validating.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := Response{res.StatusCode, res.Header, text}
	if op := contract.Find(r); op != nil && c.Observe != nil {
		c.Observe(wiretest.Documented{Operation: op.ID, Status: answer.Status, Code: answer.code()})
	}
	return answer
}

func bodyReader(t *testing.T, body any) io.Reader {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(b)
	default:
		return strings.NewReader(JSON(t, b))
	}
}

// JSON returns a body as Do sends it.
func JSON(t *testing.T, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
