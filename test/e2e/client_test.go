package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"samla/internal/contract"
	"samla/internal/fault"
)

// client calls the API of one node with one credential.
type client struct {
	w      *world
	base   string
	header http.Header
}

// on is the same client at another node.
func (c client) on(base string) client {
	c.base = base
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request, which obeys the contract.
func (c client) do(t *testing.T, method, path string, body any) answer {
	t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.base+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Insurely-Version", contract.Version)
	for name, values := range c.header {
		r.Header[name] = values
	}
	if err := c.w.contract.CheckRequest(r); err != nil {
		t.Errorf("the test itself breaks the contract: %v", err)
	}
	judged := http.Client{Transport: c.w.contract.Transport(http.DefaultTransport, func(err error) { t.Errorf("against the contract: %v", err) })}
	res, err := judged.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, text}
}

// is holds the status against what is expected and decodes the body.
func (a answer) is(t *testing.T, status int, out any) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d instead of %d: %s", a.status, status, a.body)
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
	}
	return a
}

// problem is an error body, as far as these tests look at it.
type problem struct {
	Code          fault.Code `json:"code"`
	NextAllowedAt string     `json:"nextAllowedAt"`
	Details       string     `json:"details"`
	Errors        []struct {
		Pointer string          `json:"pointer"`
		Code    fault.FieldCode `json:"code"`
	} `json:"errors"`
}

// fails holds the answer against a documented problem.
func (a answer) fails(t *testing.T, code fault.Code) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code != code {
		t.Fatalf("%d instead of %s: %s", a.status, code, a.body)
	}
	return p
}

var counter atomic.Int64

// user makes a user of the client.
func (c client) user(t *testing.T) (id, externalID string) {
	t.Helper()
	externalID = fmt.Sprintf("customer-%d", counter.Add(1))
	var made struct{ UserUUID string }
	c.do(t, "POST", "/users", map[string]string{"externalId": externalID}).is(t, 201, &made)
	return made.UserUUID, externalID
}

// session makes a client that speaks for a user.
func (c client) session(t *testing.T, user string) client {
	t.Helper()
	var s struct{ Token string }
	c.do(t, "POST", "/users/"+user+"/sessions", nil).is(t, 201, &s)
	c.w.logs.secret("a session token", s.Token)
	c.header = http.Header{"Authorization": {"Bearer " + s.Token}}
	return c
}
