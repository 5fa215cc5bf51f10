// Package apiclient is a client of Samla's API that is independent of the server's code.
// It makes the calls of the main flow over HTTP, including those of the person's phone
// to the sandbox. The command demo, benchmarks and tests use it.
package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// version is the API version of the requests.
const version = "2026-04-01"

// Client calls the API of one server with one API key.
type Client struct {
	Base   string // URL of the API, without a trailing slash
	APIKey string
	HTTP   *http.Client
}

// Problem is an error response of the API: a problem document (docs/reference/api.md 1.6)
// and its HTTP status. One that is no problem document has the status alone.
type Problem struct {
	Status      int
	Code        string `json:"code"`
	Message     string `json:"message"`
	Details     string `json:"details"`
	Attribution string `json:"attribution"` // who has to act: CLIENT, BANK, SAMLA or USER
	Remedy      string `json:"remedy"`
	RequestID   string `json:"requestId"`
	UserID      string `json:"userUuid"` // of USER_EXISTS: the user that there is
	// RetryAfter is how long to wait before the next try; 0: the server says nothing about that.
	RetryAfter time.Duration `json:"-"`
	Errors     []struct {
		Pointer string `json:"pointer"`
		Message string `json:"message"`
	} `json:"errors"`
}

// Error implements error.
func (p *Problem) Error() string {
	text := fmt.Sprintf("HTTP %d %s: %s %s", p.Status, p.Code, p.Message, p.Remedy)
	for _, e := range p.Errors {
		text += fmt.Sprintf("\n  %s: %s", e.Pointer, e.Message)
	}
	return text
}

// do sends one request, with a session token, or with the API key if token is empty. It
// decodes the response's body into out; a *[]byte gets the raw body. For an error
// response the error wraps a *Problem.
func (c *Client) do(ctx context.Context, method, path, token string, in, out any) error {
	data, _, err := c.send(ctx, method, path, token, in)
	if err != nil {
		return err
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = data
		return nil
	default:
		return json.Unmarshal(data, out)
	}
}

// send is do without decoding.
func (c *Client) send(ctx context.Context, method, path, token string, in any) ([]byte, http.Header, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, nil, err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Insurely-Version", version)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		r.Header.Set("authorization-token", c.APIKey)
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode >= 300 {
		p := &Problem{Status: resp.StatusCode}
		_ = json.Unmarshal(data, p)
		p.Status, p.RetryAfter = resp.StatusCode, retryAfter(resp.Header)
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, p)
	}
	return data, resp.Header, nil
}

// retryAfter returns the wait of the header Retry-After (RFC 9110, 10.2.3): seconds, or a date
// beside that of the answer. 0: there is none that can be read.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), maxRetryAfter)) * time.Second
	}
	until, err := http.ParseTime(text)
	now, noDate := http.ParseTime(h.Get("Date"))
	if err != nil || noDate != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter*time.Second)
}

// maxRetryAfter is the longest wait that is told apart, in seconds.
const maxRetryAfter = 24 * 60 * 60

func exchange(client *http.Client, r *http.Request) ([]byte, int, error) {
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return data, resp.StatusCode, err
}

// Phone is the simulated BankID app of the sandbox's persons.
type Phone struct {
	Sandbox string // URL of the sandbox, without a trailing slash
	HTTP    *http.Client
}

// NewPhone returns a phone that trusts the sandbox's certificate authority.
func NewPhone(address string, caPEM []byte) *Phone {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(caPEM)
	return &Phone{Sandbox: address, HTTP: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}}
}

// Act performs an action on the order of an autostart token or QR text: "open",
// "approve" or "cancel". The acting person is personalNumber, or the person whom the
// bank expects if that is empty.
func (p *Phone) Act(ctx context.Context, action, autoStartToken, qrData, personalNumber string) error {
	body := map[string]string{"action": action}
	for name, value := range map[string]string{"autoStartToken": autoStartToken, "qrData": qrData, "personalNumber": personalNumber} {
		if value != "" {
			body[name] = value
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Sandbox+"/sandbox/bankid", bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, status, err := exchange(p.HTTP, r)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("the phone could not %s: HTTP %d %s", action, status, answer)
	}
	return nil
}
