package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// request is one call of the API.
type request struct {
	method, path string
	token        string // session token; empty: the API key
	key          string // Idempotency-Key
	body         any
}

// response is a response of the API.
type response struct {
	status int
	body   []byte
}

// decode decodes the response's body.
func (a response) decode(into any) {
	_ = json.Unmarshal(a.body, into) // the caller checks the members that it needs
}

// code returns the code of a problem document.
func (a response) code() string {
	var p struct{ Code string }
	a.decode(&p)
	return p.Code
}

// errUnknown means that a server was killed during a request that must not be repeated: it
// is not known whether the request had an effect.
var errUnknown = errors.New("the outcome is unknown")

// retryGap is the pause between retries.
const retryGap = 50 * time.Millisecond

// do sends a request until there is a response. A POST without an Idempotency-Key is
// repeated only if it was never sent; otherwise the error is errUnknown.
func (w *worker) do(ctx context.Context, q request) (response, error) {
	repeatable := q.method != http.MethodPost || q.key != ""
	for {
		a, err := w.sendOnce(ctx, q)
		switch {
		case ctx.Err() != nil:
			return a, ctx.Err()
		case err == nil && a.code() == "IDEMPOTENCY_IN_PROGRESS":
		case err == nil && a.status >= 500:
			w.recorder.addFault("%s %s: %d %s", q.method, q.path, a.status, a.body)
		case err == nil:
			if q.method != http.MethodGet && a.status < 300 {
				w.recorder.addAck()
			}
			return a, nil
		case !repeatable && !neverSent(err):
			return a, errUnknown
		}
		if !pause(ctx, retryGap) {
			return a, ctx.Err()
		}
	}
}

// errDown means that no server is running.
var errDown = errors.New("no server is running")

// neverSent reports whether a failed request was never sent.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.Is(err, errDown) || errors.As(err, &op) && op.Op == "dial"
}

// sendOnce sends a request to the worker's current server. If that fails, the next server
// becomes the current one.
func (w *worker) sendOnce(ctx context.Context, q request) (response, error) {
	address := ""
	for range w.nodes {
		if address = w.nodes[w.node%len(w.nodes)].currentAddress(); address != "" {
			break
		}
		w.node++
	}
	if address == "" {
		return response{}, errDown
	}
	a, err := w.send(ctx, address, q)
	if err != nil {
		w.node++
	}
	return a, err
}

func (r *crashTest) send(ctx context.Context, address string, q request) (response, error) {
	var body io.Reader
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return response{}, err
		}
		body = bytes.NewReader(data)
	}
	h, err := http.NewRequestWithContext(ctx, q.method, address+q.path, body)
	if err != nil {
		return response{}, err
	}
	h.Header.Set("Insurely-Version", "2026-04-01")
	if q.body != nil {
		h.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		h.Header.Set("Idempotency-Key", q.key)
	}
	if q.token != "" {
		h.Header.Set("Authorization", "Bearer "+q.token)
	} else {
		h.Header.Set("authorization-token", r.apiKey)
	}
	resp, err := r.http.Do(h)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, data}, err
}

// pause waits for d. It reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// want is do for a request whose response must have one of these statuses. It reports
// false if the flow cannot continue.
func (w *worker) want(ctx context.Context, q request, statuses ...int) (response, bool) {
	a, err := w.do(ctx, q)
	if err != nil {
		return a, false
	}
	for _, s := range statuses {
		if a.status == s {
			return a, true
		}
	}
	w.recorder.addFault("%s", fmt.Sprintf("%s %s: %d %s, want %v", q.method, q.path, a.status, a.body, statuses))
	return a, false
}
