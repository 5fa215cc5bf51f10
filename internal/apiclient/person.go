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
