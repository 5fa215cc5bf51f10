package apiclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"samla/internal/apiclient"
)

// numbers answers with a list of numbers in pages, by their own cursors.
func numbers(t *testing.T, total int) *apiclient.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil || limit < 1 || limit > 200 || r.URL.Query().Get("latest") != "true" || r.Header.Get("authorization-token") != "key" {
			t.Errorf("asked for %s", r.URL)
		}
		page := []int{}
		for i := from; i < min(total, from+limit); i++ {
			page = append(page, i)
		}
		if next := from + len(page); next < total {
			w.Header().Set("Link", fmt.Sprintf(`</numbers?cursor=%d&limit=%d>; rel="next"`, next, limit))
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	return &apiclient.Client{Base: server.URL, APIKey: "key", HTTP: server.Client()}
}

func TestList_PutsPagesTogether(t *testing.T) {
	for _, c := range []struct {
		total, limit, want int
		more               bool
	}{{0, 50, 0, false}, {50, 50, 50, false}, {51, 50, 50, true}, {450, 1000, 450, false}, {450, 201, 201, true}} {
		items, more, err := numbers(t, c.total).List(t.Context(), "", "/numbers", url.Values{"latest": {"true"}}, c.limit)
		if err != nil || len(items) != c.want || more != c.more {
			t.Errorf("%d of %d: %d items, more %t, %v", c.limit, c.total, len(items), more, err)
		}
		for i, item := range items {
			if string(item) != strconv.Itoa(i) {
				t.Fatalf("item %d is %s", i, item)
			}
		}
	}
}

// A refusal says how long to wait, in seconds or as a date.
func TestProblem_HasTheWaitOfARefusal(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "99999999": 24 * time.Hour, "Fri, 27 Nov 2026 10:00:09 GMT": 9 * time.Second,
		"Fri, 27 Nov 2026 09:00:00 GMT": 0, "Fri, 27 Nov 2029 09:00:00 GMT": 24 * time.Hour} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.Header().Set("Date", "Fri, 27 Nov 2026 10:00:00 GMT")
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		_, err := (&apiclient.Client{Base: server.URL, HTTP: server.Client()}).Get(t.Context(), "", "/users", nil)
		server.Close()
		var p *apiclient.Problem
		if !errors.As(err, &p) || p.RetryAfter != want || p.Status != http.StatusTooManyRequests {
			t.Errorf("%q: %v, %+v", text, err, p)
		}
	}
}
