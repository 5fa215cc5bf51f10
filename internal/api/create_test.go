package api_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"samla/internal/api"
	"samla/internal/store"
	"samla/internal/wire"
)

// creating returns a version whose createLoan creates a numbered loan with each call.
func (e *env) creating(c *wire.Contract) api.Version {
	v, calls := newer(e), 0
	v.Contract = c
	v.Endpoints["createLoan"] = api.Endpoint{Serve: func(c *api.Call) error {
		return c.Create(nil, func(ctx context.Context, respond api.Respond) error {
			calls++
			n := strconv.Itoa(calls)
			record, err := respond(ctx, "/loans/"+n, "", []byte(`{"loanId":"`+n+`"}`))
			if err != nil || record == nil {
				return err
			}
			return e.store.Write(ctx, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(ctx, *record) })
		})
	}}
	return v
}

func TestCreate_RunsOncePerIdempotencyKey(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(e.creating(contract(t, "newer.json"))))
	for i, tc := range []struct {
		keys     []string
		status   int
		location string
		replayed string
	}{
		{nil, 201, "/loans/1", ""},
		{nil, 201, "/loans/2", ""},
		{[]string{"a"}, 201, "/loans/3", ""},
		{[]string{"a"}, 201, "/loans/3", "true"},
		{[]string{"b"}, 201, "/loans/4", ""},
		{[]string{""}, 400, "", ""},
		{[]string{"c", "c"}, 400, "", ""},
	} {
		header := []string{"Authorization-Token", e.key}
		for _, key := range tc.keys {
			header = append(header, "Idempotency-Key", key)
		}
		a := e.send(h, http.MethodPost, "/loans", header...)
		if a.Code != tc.status || a.Header().Get("Location") != tc.location || a.Header().Get("Idempotency-Replayed") != tc.replayed {
			t.Errorf("%d, keys %q: %d %v %s", i, tc.keys, a.Code, a.Header(), a.Body)
		}
	}
}

// An operation that does not declare the header ignores it.
func TestCreate_IgnoresUndeclaredIdempotencyKey(t *testing.T) {
	e := newEnv(t)
	text := string(contract(t, "newer.json").Text())
	c, err := wire.Load([]byte(strings.Replace(text, `"Idempotency-Key"`, `"Other-Key"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	h := e.handler(mounts(e.creating(c)))
	for _, want := range []string{"/loans/1", "/loans/2"} {
		a := e.send(h, http.MethodPost, "/loans", "Authorization-Token", e.key, "Idempotency-Key", "a")
		if a.Code != http.StatusCreated || a.Header().Get("Location") != want || a.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%d %v", a.Code, a.Header())
		}
	}
}
