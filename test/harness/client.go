package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"samla/internal/wire"
)

// Client calls the API with one credential.
type Client struct {
	World  *World
	Base   string // URL of the server
	Header http.Header
}

// With returns a client that also sends a header; an empty value takes it away.
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

// ID makes a text that no other test of the run uses.
func ID(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), counter.Add(1)) }

// User makes a user of the client; externalID is how the client knows them.
func (c Client) User(t *testing.T) (id, externalID string) {
	t.Helper()
	externalID = ID(t)
	c.World.Journal.Secret("an external id", externalID)
	var made struct{ UserUUID string }
	c.Do(t, http.MethodPost, "/users", map[string]string{"externalId": externalID}).Is(t, http.StatusCreated, &made)
	return made.UserUUID, externalID
}

// Session makes a client that speaks for a user, given by id.
func (c Client) Session(t *testing.T, user string) Client {
	t.Helper()
	var s struct{ Token string }
	c.Do(t, http.MethodPost, "/users/"+user+"/sessions", nil).Is(t, http.StatusCreated, &s)
	c.World.Journal.Secret("a session token", s.Token)
	c.Header = http.Header{"Authorization": {"Bearer " + s.Token}}
	return c
}

// Do sends a request and holds the exchange against the contract; a body that is
// a string goes as it is, any other as JSON. Redirects are not followed.
func (c Client) Do(t *testing.T, method, path string, body any) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, reader(t, body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Insurely-Version", wire.Version)
	for name, values := range c.Header {
		if r.Header[name] = values; values == nil {
			delete(r.Header, name)
		}
	}
	if c.World.Strict {
		if err := c.World.Contract.CheckRequest(r); err != nil {
			t.Errorf("the test itself breaks the contract: %v", err)
		}
	}
	judged := http.Client{
		Transport:     c.World.Contract.Transport(http.DefaultTransport, func(err error) { t.Errorf("against the contract: %v", err) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := judged.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read whole
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{res.StatusCode, res.Header, text}
}

func reader(t *testing.T, body any) io.Reader {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(b)
	default:
		return strings.NewReader(Text(t, b))
	}
}

// Text is a body as Do would send it.
func Text(t *testing.T, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
