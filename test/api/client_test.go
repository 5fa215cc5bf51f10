package api

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"testing"

	"samla/internal/contract"
	"samla/internal/fault"
)

// client calls the API with one credential.
type client struct {
	w      *world
	header http.Header
}

// with returns a client that also sends a header; an empty value takes it away.
func (c client) with(name, value string) client {
	header := http.Header{}
	maps.Copy(header, c.header)
	header[http.CanonicalHeaderKey(name)] = nil
	if value != "" {
		header.Set(name, value)
	}
	c.header = header
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is an error body, as far as tests look at it.
type problem struct {
	Code              fault.Code        `json:"code"`
	Status            int               `json:"status"`
	RequestID         string            `json:"requestId"`
	Instance          string            `json:"instance"`
	Details           string            `json:"details"`
	Attribution       fault.Attribution `json:"attribution"`
	UserUUID          string            `json:"userUuid"`
	NextAllowedAt     string            `json:"nextAllowedAt"`
	SupportedVersions []string          `json:"supportedVersions"`
	Errors            []struct {
		Pointer string          `json:"pointer"`
		Code    fault.FieldCode `json:"code"`
	} `json:"errors"`
}

// do sends a request; a body that is a string goes as it is, any other as JSON.
func (c client) do(t *testing.T, method, path string, body any) answer {
	t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = bytes.NewReader([]byte(b))
	default:
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.w.local.Server.URL()+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Insurely-Version", contract.Version)
	for name, values := range c.header {
		if r.Header[name] = values; values == nil {
			delete(r.Header, name)
		}
	}
	checked := http.Client{Transport: c.w.contract.Transport(http.DefaultTransport, func(err error) { t.Errorf("against the contract: %v", err) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := checked.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, text}
}

// get, post and remove send what is expected to succeed with the given status
// and decode the answer into out, unless that is nil.
func (c client) get(t *testing.T, path string, out any) answer {
	t.Helper()
	return c.do(t, http.MethodGet, path, nil).is(t, http.StatusOK, out)
}

func (c client) post(t *testing.T, path string, body, out any) answer {
	t.Helper()
	return c.do(t, http.MethodPost, path, body).is(t, http.StatusCreated, out)
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

// fails holds the answer against a documented problem.
func (a answer) fails(t *testing.T, code fault.Code) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("no problem (%v): status %d: %s", err, a.status, a.body)
	}
	if p.Code != code || a.status != fault.Of(code).Status {
		t.Fatalf("%d %s instead of %s: %s", a.status, p.Code, code, a.body)
	}
	return p
}

// The objects of the API, as a client would declare them.
type (
	userObject struct {
		UserUUID   string  `json:"userUuid"`
		ExternalID *string `json:"externalId"`
		Anonymized bool    `json:"anonymized"`
	}
	sessionObject struct {
		Token     string `json:"token"`
		ExpiresAt string `json:"expiresAt"`
		UserUUID  string `json:"userUuid"`
	}
)

// newUser makes a user.
func (c client) newUser(t *testing.T) userObject {
	t.Helper()
	var u userObject
	external := id(t)
	c.w.logs.secret("an external id", external)
	c.post(t, "/users", map[string]string{"externalId": external}, &u)
	return u
}

// session makes a client that speaks for a user.
func (c client) session(t *testing.T, u userObject) client {
	t.Helper()
	var s sessionObject
	c.post(t, "/users/"+u.UserUUID+"/sessions", nil, &s)
	c.w.logs.secret("a session token", s.Token)
	return client{w: c.w, header: http.Header{"Authorization": {"Bearer " + s.Token}}}
}

// person makes a user and a session of it.
func (c client) person(t *testing.T) (userObject, client) {
	t.Helper()
	u := c.newUser(t)
	return u, c.session(t, u)
}

// text is a body as do would send it.
func text(t *testing.T, body any) string {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
