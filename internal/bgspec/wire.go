package bgspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

// Transport validates every request and answer that passes through next and
// calls report for each violation. It does not change the exchange, and it does
// not validate requests outside the bank's base path. A nil next means
// http.DefaultTransport. report is called from many goroutines.
func (o *Oracle) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{oracle: o, next: next, report: report}
}

type transport struct {
	oracle *Oracle
	next   http.RoundTripper
	report func(error)
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.oracle.Covers(r.URL.Path) {
		return t.next.RoundTrip(r)
	}
	r = r.Clone(r.Context()) // a RoundTripper must not change its request
	body, err := drain(&r.Body)
	if err != nil {
		return nil, fmt.Errorf("bgspec: read request: %w", err)
	}
	if err := t.oracle.CheckRequest(r, body); err != nil {
		t.report(err)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := drain(&resp.Body)
	if err != nil {
		return nil, fmt.Errorf("bgspec: read answer: %w", err)
	}
	if err := t.oracle.CheckResponse(r, resp.StatusCode, resp.Header, answer); err != nil {
		t.report(err)
	}
	return resp, nil
}

// Handler validates every answer of next, and every request that next accepted
// (status below 400): a bank that accepts an invalid request is too lenient. It
// does not validate requests outside the bank's base path.
func (o *Oracle) Handler(next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !o.Covers(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := drain(&r.Body)
		if err != nil {
			report(fmt.Errorf("bgspec: read request: %w", err))
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		answer := rec.Body.Bytes()
		if rec.Code < 400 {
			if err := o.CheckRequest(r, body); err != nil {
				report(err)
			}
		}
		if err := o.CheckResponse(r, rec.Code, rec.Header(), answer); err != nil {
			// Refusing a path or method outside the standard is correct.
			refused := rec.Code == http.StatusNotFound || rec.Code == http.StatusMethodNotAllowed
			if !refused || !errors.Is(err, ErrOutside) {
				report(err)
			}
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(answer)
	})
}

// drain reads a body to its end and replaces it with an unread one.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	b, err := io.ReadAll(*body)
	_ = (*body).Close()
	*body = io.NopCloser(bytes.NewReader(b))
	return b, err
}
