// Package exchange puts a judge between a client and a server: a definition that
// says which requests and answers are valid. Packages bgspec and obiespec are such
// judges.
//
// Only tests import this package.
package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

// ErrOutside is wrapped by the error for a request that is not an operation of the
// definition.
var ErrOutside = errors.New("exchange: not an operation of the definition")

// Judge validates exchanges. It is safe for concurrent use.
type Judge interface {
	// Covers reports whether a request with this path is the judge's to validate.
	Covers(path string) bool
	// CheckRequest returns an error when the request, sent with this body, breaks the
	// definition. It does not read the request's own body. The error wraps ErrOutside
	// for an unknown operation.
	CheckRequest(r *http.Request, body []byte) error
	// CheckResponse does the same for the answer to r.
	CheckResponse(r *http.Request, status int, header http.Header, body []byte) error
}

// Transport validates every request and answer that passes through next and calls
// report for each violation. It does not change the exchange, and it does not
// validate requests that the judge does not cover. A nil next means
// http.DefaultTransport. report is called from many goroutines.
func Transport(j Judge, next http.RoundTripper, report func(error)) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{judge: j, next: next, report: report}
}

type transport struct {
	judge  Judge
	next   http.RoundTripper
	report func(error)
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.judge.Covers(r.URL.Path) {
		return t.next.RoundTrip(r)
	}
	r = r.Clone(r.Context()) // a RoundTripper must not change its request
	body, err := drain(&r.Body)
	if err != nil {
		return nil, fmt.Errorf("exchange: read request: %w", err)
	}
	if err := t.judge.CheckRequest(r, body); err != nil {
		t.report(err)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := drain(&resp.Body)
	if err != nil {
		return nil, fmt.Errorf("exchange: read answer: %w", err)
	}
	if err := t.judge.CheckResponse(r, resp.StatusCode, resp.Header, answer); err != nil {
		t.report(err)
	}
	return resp, nil
}

// Handler validates every answer of next, and every request that next accepted
// (status below 400): a server that accepts an invalid request is too lenient. It
// does not validate requests that the judge does not cover.
func Handler(j Judge, next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !j.Covers(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := drain(&r.Body)
		if err != nil {
			report(fmt.Errorf("exchange: read request: %w", err))
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		answer := rec.Body.Bytes()
		if rec.Code < 400 {
			if err := j.CheckRequest(r, body); err != nil {
				report(err)
			}
		}
		if err := j.CheckResponse(r, rec.Code, rec.Header(), answer); err != nil {
			// Refusing a path or method outside the definition is correct.
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
