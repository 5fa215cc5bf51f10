package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/console"
	"samla/internal/operator"
)

// A page whose reads do not end says so, and what makes it quicker. An act has no such end.
func TestDeadline_EndsReadsInWords(t *testing.T) {
	held := func(w http.ResponseWriter, r *http.Request) {
		if _, limited := r.Context().Deadline(); !limited {
			show("acted")(w, r)
			return
		}
		<-r.Context().Done()
		console.Fail(w, r, r.Context().Err())
	}
	narrow := func(*http.Request) (text, address string) { return "Choose a shorter time.", "/held?period=24h" }
	slow := func(ctx context.Context) int { <-ctx.Done(); return 7 }
	h := console.New(console.Deps{URL: func() string { return "http://localhost:8081" }, Log: slog.New(slog.DiscardHandler), ReadTime: time.Millisecond,
		Hook: func(*http.Request) (operator.Operator, bool) {
			return operator.Operator{ID: "1", Name: "maria.ek", Role: operator.Admin}, true
		},
		Views: []console.View{{Path: "/held", Title: "Held", Handler: held, Narrow: narrow, Count: slow}, {Path: "/plain", Handler: held}, {Path: "POST /held", Needs: operator.Acting, Handler: held}}})
	ask := func(ctx context.Context, method, path string) (int, string) {
		r := httptest.NewRequestWithContext(ctx, method, "http://localhost:8081"+path, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		return w.Code, string(body)
	}
	for _, c := range []struct {
		method, path string
		want         int
		said         []string
	}{
		{"GET", "/held?period=90d", 503, []string{"This took too long", "after 0.001 seconds", "Choose a shorter time.", `href="/held?period=24h">Show less`, `href="/held?period=90d">Try again`, `aria-current="page">Held`}},
		{"GET", "/plain", 503, []string{"The database is busy or slow just now. Try again in a moment."}},
		{"POST", "/held", 200, []string{"acted by maria.ek"}},
	} {
		code, body := ask(t.Context(), c.method, c.path)
		if code != c.want {
			t.Errorf("%s %s: %d", c.method, c.path, code)
		}
		for _, said := range c.said {
			if !strings.Contains(body, said) {
				t.Errorf("%s %s: no %q in %s", c.method, c.path, said, body)
			}
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, body := ask(gone, "GET", "/held"); body != "" {
		t.Errorf("answered somebody who has gone: %s", body)
	}
}
