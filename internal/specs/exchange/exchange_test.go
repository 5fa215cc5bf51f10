package exchange_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/specs/exchange"
)

// wordy accepts bodies that do not contain "bad".
type wordy struct{}

var errWord = errors.New("a bad word")

func (wordy) Covers(path string) bool { return strings.HasPrefix(path, "/in/") }

func (wordy) CheckRequest(r *http.Request, body []byte) error {
	return check(r, body)
}

func (wordy) CheckResponse(r *http.Request, _ int, _ http.Header, body []byte) error {
	return check(r, body)
}

func check(r *http.Request, body []byte) error {
	if r.URL.Path == "/in/unknown" {
		return fmt.Errorf("wordy: %w", exchange.ErrOutside)
	}
	if strings.Contains(string(body), "bad") {
		return errWord
	}
	return nil
}

// server answers with the body that it gets, and with the status in the path.
var server = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/in/unknown":
		w.WriteHeader(http.StatusNotFound)
	case "/in/refused":
		w.WriteHeader(http.StatusBadRequest)
		body = nil
	}
	_, _ = w.Write(body)
})

// The numbers of violations that each side reports.
func TestExchange_ReportsBothSides(t *testing.T) {
	cases := []struct {
		path, body       string
		client, onServer int
	}{
		{"/in/a", "good", 0, 0},
		{"/in/a", "bad", 2, 2}, // the request and the answer
		{"/out/a", "bad", 0, 0},
		{"/in/refused", "bad", 1, 0}, // refusing it is correct
		{"/in/unknown", "", 2, 0},
	}
	for _, c := range cases {
		var client, onServer int
		srv := httptest.NewServer(exchange.Handler(wordy{}, server, func(error) { onServer++ }))
		hc := &http.Client{Transport: exchange.Transport(wordy{}, nil, func(error) { client++ })}
		resp, err := hc.Post(srv.URL+c.path, "text/plain", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		srv.Close()
		if resp.StatusCode == http.StatusOK && string(got) != c.body {
			t.Errorf("%s: the answer became %q", c.path, got)
		}
		if client != c.client || onServer != c.onServer {
			t.Errorf("%s %q: the client reported %d, the server %d", c.path, c.body, client, onServer)
		}
	}
}

func TestValidIBAN_ChecksTheDigits(t *testing.T) {
	for s, want := range map[string]bool{
		"SE3550000000054910000003": true, "SE3550000000054910000004": false, "se3550000000054910000003": false, "SE35 5000 0000 0549 1000 0003": false, "": false, "SE35": false,
		"GB82WEST12345698765432": true, "GB82WEST12345698765431": false,
	} {
		if got := exchange.ValidIBAN(s); got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
}
