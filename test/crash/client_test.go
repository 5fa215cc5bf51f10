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
	token        string // of a session; empty = the API key
	key          string // Idempotency-Key
	body         any
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
}

// read decodes the answer's body.
func (a answer) read(into any) {
	_ = json.Unmarshal(a.body, into) // members that are missed are found missing by the caller
}

// code is the code of a problem.
func (a answer) code() string {
	var p struct{ Code string }
	a.read(&p)
	return p.Code
}

// errUnknown says that a server died over a request that must not be repeated:
// nobody knows whether it was carried out.
var errUnknown = errors.New("the outcome is unknown")

// retryGap is how long a client waits before it tries again.
const retryGap = 50 * time.Millisecond

// ask sends a request until there is an answer. A POST without a key is sent
// again only when it cannot have reached a server; else errUnknown is returned.
func (w *worker) ask(ctx context.Context, q request) (answer, error) {
	repeatable := q.method != http.MethodPost || q.key != ""
	for {
		a, err := w.once(ctx, q)
		switch {
		case ctx.Err() != nil:
			return a, ctx.Err()
		case err == nil && a.code() == "IDEMPOTENCY_IN_PROGRESS":
		case err == nil && a.status >= 500:
			w.books.fault("%s %s: %d %s", q.method, q.path, a.status, a.body)
		case err == nil:
			if q.method != http.MethodGet && a.status < 300 {
				w.books.acknowledged()
			}
			return a, nil
		case !repeatable && !unsent(err):
			return a, errUnknown
		}
		if !pause(ctx, retryGap) {
			return a, ctx.Err()
		}
	}
}

// errDown says that no server is there to be asked.
var errDown = errors.New("no server serves")

// unsent tells whether a request that failed was never sent.
func unsent(err error) bool {
	var op *net.OpError
	return errors.Is(err, errDown) || errors.As(err, &op) && op.Op == "dial"
}

// once sends a request to the server that the worker speaks to, and turns to the
// next one when that fails.
func (w *worker) once(ctx context.Context, q request) (answer, error) {
	address := ""
	for range w.nodes {
		if address = w.nodes[w.node%len(w.nodes)].at(); address != "" {
			break
		}
		w.node++
	}
	if address == "" {
		return answer{}, errDown
	}
	a, err := w.send(ctx, address, q)
	if err != nil {
		w.node++
	}
	return a, err
}

func (r *run) send(ctx context.Context, address string, q request) (answer, error) {
	var body io.Reader
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(data)
	}
	h, err := http.NewRequestWithContext(ctx, q.method, address+q.path, body)
	if err != nil {
		return answer{}, err
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
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, data}, err
}

// pause waits, and reports false when ctx ended first.
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

// must is ask for a request that has to be answered with one of some statuses.
// It reports false when the flow cannot go on.
func (w *worker) must(ctx context.Context, q request, statuses ...int) (answer, bool) {
	a, err := w.ask(ctx, q)
	if err != nil {
		return a, false
	}
	for _, s := range statuses {
		if a.status == s {
			return a, true
		}
	}
	w.books.fault("%s", fmt.Sprintf("%s %s: %d %s, want %v", q.method, q.path, a.status, a.body, statuses))
	return a, false
}
