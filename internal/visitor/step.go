package visitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/clock"
)

// visit is the state of one Browser.Visit.
type visit struct {
	*Browser
	person Person
	acted  string          // autostart token of the order on which the phone has acted
	sent   map[string]bool // forms that were sent: a person does not send one twice
}

const (
	maxPageBytes = 1 << 20
	phonePath    = "/sandbox/bankid"
)

func request(ctx context.Context, method, address string, fields url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, fmt.Errorf("visitor: %w", err)
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("User-Agent", "samla-visitor")
	return r, nil
}

// step makes one request and returns the one to which its answer leads.
func (v *visit) step(ctx context.Context, r *http.Request) (*http.Request, error) {
	answer, err := v.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("visitor: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if v.Saw != nil {
		v.Saw(r.URL, answer.StatusCode)
	}
	if to := answer.Header.Get("Location"); answer.StatusCode/100 == 3 && to != "" {
		return v.goTo(ctx, r.URL, to)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxPageBytes))
	if err != nil {
		return nil, fmt.Errorf("visitor: %w", err)
	}
	p, err := parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if p.autoStart != "" && p.autoStart != v.acted && v.person.Phone != Nothing {
		v.acted = p.autoStart
		if err := v.act(ctx, p.autoStart); err != nil {
			return nil, err
		}
	}
	if p.reloads {
		if err := clock.Sleep(ctx, v.clock, p.after); err != nil {
			return nil, err
		}
		return v.goTo(ctx, r.URL, p.reloadTo)
	}
	return v.submit(ctx, r.URL, p)
}

func (v *visit) goTo(ctx context.Context, from *url.URL, to string) (*http.Request, error) {
	next, err := from.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("visitor: an address that cannot be parsed: %w", err)
	}
	return request(ctx, http.MethodGet, next.String(), nil)
}

// act does what the person does on the phone.
func (v *visit) act(ctx context.Context, autoStartToken string) error {
	action := map[string]string{"action": string(v.person.Phone), "autoStartToken": autoStartToken}
	if v.person.SignsAs != "" {
		action["personalNumber"] = v.person.SignsAs
	}
	body, err := json.Marshal(action)
	if err != nil {
		return fmt.Errorf("visitor: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.bank+phonePath, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("visitor: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := v.client.Do(r)
	if err != nil {
		return fmt.Errorf("visitor: phone: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("visitor: the phone answers %d", answer.StatusCode)
	}
	return nil
}

// submit sends the form of a page.
func (v *visit) submit(ctx context.Context, at *url.URL, p page) (*http.Request, error) {
	want := []string{"yes", "start", "approve"}
	if v.person.Refuse {
		want[2] = "refuse"
	}
	for _, f := range p.forms {
		for _, value := range want {
			if !f.has(value) {
				continue
			}
			if v.sent[value] {
				return nil, stays(p)
			}
			v.sent[value] = true
			to, err := at.Parse(f.action)
			if err != nil {
				return nil, fmt.Errorf("visitor: a form's address cannot be parsed: %w", err)
			}
			return request(ctx, http.MethodPost, to.String(), f.fill(value, v.person))
		}
	}
	return nil, stays(p)
}
