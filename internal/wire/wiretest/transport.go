package wiretest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Transport returns a client transport that validates every exchange and calls
// report for each violation: an answer that CheckResponse refuses, and a success
// for a request whose query or body is invalid. It reads bodies to their end and
// hands on copies.
func (c *Contract) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return transport{c, next, report}
}

type transport struct {
	contract *Contract
	next     http.RoundTripper
	report   func(error)
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	body, err := drain(&sent.Body)
	if err != nil {
		return nil, err
	}
	res, err := t.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	answer, err := drain(&res.Body)
	if err != nil {
		return nil, err
	}
	op := t.contract.Find(r)
	id := ""
	if op != nil {
		id = op.ID
	}
	if err := t.contract.CheckResponse(id, res.StatusCode, res.Header, answer); err != nil && r.Method != http.MethodHead {
		t.report(fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
	}
	if op != nil && res.StatusCode/100 == 2 {
		asked := r.Clone(r.Context())
		asked.Body = io.NopCloser(bytes.NewReader(body))
		if _, f := op.ReadBody(asked); f != nil {
			t.report(fmt.Errorf("%s: accepted a body that breaks a rule: %w %v", op.ID, f, f.Fields))
		}
		if f := op.CheckQuery(r.URL.Query()); f != nil {
			t.report(fmt.Errorf("%s: accepted a query that breaks a rule: %w %v", op.ID, f, f.Fields))
		}
	}
	return res, nil
}

// drain reads a body to its end and replaces it with an unread copy.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(*body)
	_ = (*body).Close()
	*body = io.NopCloser(bytes.NewReader(raw))
	return raw, err
}
