// Package apiclient is a client of Samla's API that knows nothing of its inside: it
// walks the main flow over HTTP as a backend, a front end and a person's phone
// would. The demonstration shows it, tests lean on it.
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
)

// version is the API version that the client asks for.
const version = "2026-04-01"

// Client calls the API of one server as one of its clients.
type Client struct {
	Base   string // address of the API, without a slash at the end
	APIKey string
	HTTP   *http.Client
}

// Problem is an answer of the API that is none of success.
type Problem struct {
	Status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// Error implements error.
func (p *Problem) Error() string {
	return fmt.Sprintf("HTTP %d %s: %s %s", p.Status, p.Code, p.Message, p.Remedy)
}

// do sends one request: with a session's token, or with the API key when token
// is empty. The answer's body is decoded into out, or kept as it is when out is
// a *[]byte.
func (c *Client) do(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
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
	data, status, err := exchange(c.HTTP, r)
	if err != nil {
		return err
	}
	if status >= 300 {
		p := &Problem{Status: status}
		_ = json.Unmarshal(data, p)
		return fmt.Errorf("%s %s: %w", method, path, p)
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

func exchange(client *http.Client, r *http.Request) ([]byte, int, error) {
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return data, resp.StatusCode, err
}

// Phone is the BankID app of a sandbox's persons.
type Phone struct {
	Sandbox string // address of the sandbox, without a slash at the end
	HTTP    *http.Client
}

// NewPhone makes a phone that trusts the sandbox's certificate authority.
func NewPhone(address string, caPEM []byte) *Phone {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(caPEM)
	return &Phone{Sandbox: address, HTTP: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}}
}

// Act is one deed of the person: open, approve or cancel, by the autostart token
// or the scanned QR text. With a personal number another person than the bank
// expects takes the phone.
func (p *Phone) Act(ctx context.Context, action, autoStartToken, qrData, personalNumber string) error {
	deed := map[string]string{"action": action}
	for name, value := range map[string]string{"autoStartToken": autoStartToken, "qrData": qrData, "personalNumber": personalNumber} {
		if value != "" {
			deed[name] = value
		}
	}
	data, err := json.Marshal(deed)
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
