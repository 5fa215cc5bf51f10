package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// InboxItem is something that waits for a person outside of a login: the link of an
// e-mail, a request of an app, a page of an institution (docs/sandbox.md).
type InboxItem struct {
	Kind        string `json:"kind"`
	Institution string `json:"institution"`
	Link        string `json:"link"`
}

// Inbox returns what waits for the sandbox's persons, the newest first.
func (p *Phone) Inbox(ctx context.Context) ([]InboxItem, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Sandbox+"/sandbox/inbox", nil)
	if err != nil {
		return nil, err
	}
	answer, status, err := exchange(p.HTTP, r)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("the inbox of the sandbox answers HTTP %d", status)
	}
	var list struct {
		Items []InboxItem `json:"items"`
	}
	return list.Items, json.Unmarshal(answer, &list)
}

// Open does what an item of the inbox asks the person to do.
func (p *Phone) Open(ctx context.Context, i InboxItem) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.Link, nil)
	if err != nil {
		return err
	}
	_, status, err := exchange(p.HTTP, r)
	if err == nil && status != http.StatusOK && status != http.StatusConflict { // 409: it was opened before
		err = fmt.Errorf("the link of the inbox answers HTTP %d", status)
	}
	return err
}

// Request makes a request of a login as the person's device does, and returns the answer
// for the collection. older is the form of INSTRUCTIONS (docs/reference/api.md 9.5).
func (p *Phone) Request(ctx context.Context, d DeviceRequest, older bool) (Supplement, error) {
	var body io.Reader
	if d.Body != "" {
		body = strings.NewReader(string(d.Body))
	}
	r, err := http.NewRequestWithContext(ctx, d.Method, d.URL, body)
	if err != nil {
		return Supplement{}, err
	}
	for name, value := range d.Headers {
		r.Header.Set(name, value)
	}
	for _, c := range d.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := p.HTTP.Do(r)
	if err != nil {
		return Supplement{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return Supplement{}, err
	}
	if resp.StatusCode/100 != 2 {
		return Supplement{}, fmt.Errorf("the request of the person's device got HTTP %d", resp.StatusCode)
	}
	if !json.Valid(answer) {
		if answer, err = json.Marshal(string(answer)); err != nil {
			return Supplement{}, err
		}
	}
	headers := map[string]any{}
	for name, values := range resp.Header {
		if older {
			headers[name] = strings.Join(values, ", ")
		} else {
			headers[name] = values
		}
	}
	if !older {
		headers["x-final-url"] = []string{resp.Request.URL.String()}
	}
	return Supplement{Type: "RESPONSE_OBJECT", Headers: headers, Response: answer}, nil
}

// bodyText is the body of a DeviceRequest: a text, or in the older form JSON.
type bodyText string

// UnmarshalJSON keeps JSON that is no text as it is written.
func (b *bodyText) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		*b = bodyText(text)
	} else {
		*b = bodyText(data)
	}
	return nil
}

// CoSign signs all consents as the second person that wait for one at a bank of the
// sandbox, and reports whether there was one (docs/sandbox.md).
func (p *Phone) CoSign(ctx context.Context) (signed bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Sandbox+"/sandbox/consents", nil)
	if err != nil {
		return false, err
	}
	answer, status, err := exchange(p.HTTP, r)
	if err != nil {
		return false, err
	}
	var list struct {
		Consents []struct {
			ID     string `json:"consentId"`
			Status string `json:"consentStatus"`
		} `json:"consents"`
	}
	if err := json.Unmarshal(answer, &list); err != nil || status != http.StatusOK {
		return false, fmt.Errorf("the sandbox's list of consents: HTTP %d", status)
	}
	for _, c := range list.Consents {
		if c.Status != "partiallyAuthorised" {
			continue
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Sandbox+"/sandbox/consents/"+c.ID+"/sign", nil)
		if err != nil {
			return signed, err
		}
		_, status, err := exchange(p.HTTP, r)
		if err != nil {
			return signed, err
		}
		if status == http.StatusConflict {
			continue // somebody was faster
		}
		if status != http.StatusNoContent {
			return signed, fmt.Errorf("the second person could not sign: HTTP %d", status)
		}
		signed = true
	}
	return signed, nil
}
