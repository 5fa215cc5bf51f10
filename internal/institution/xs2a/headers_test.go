package xs2a_test

import (
	"bytes"
	"compress/gzip"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

func TestHeaders_FollowConfig(t *testing.T) {
	for name, c := range map[string]struct {
		place                  string
		open, authorise, reads string
	}{
		"default":       {"", "false", "", ""},
		"authorisation": {"authorisation", "false", "false", ""},
		"all":           {"all", "false", "false", "false"},
		"never":         {"never", "", "", ""},
	} {
		s := newScriptedBank(t, func(c1 *xs2a.Config) {
			c1.Profile.RedirectRefusal = c.place
			c1.Headers = map[string]string{"X-IBM-Client-Id": "abc"}
		}, responds(500, ""))
		for i, want := range []string{c.open, c.authorise, c.reads} {
			_ = verbs[i].call(t, s) // open, authorise, consent
			h := s.last(t).header
			if got := h.Get("TPP-Redirect-Preferred"); got != want {
				t.Errorf("%s: %s sends %q, want %q", name, verbs[i].name, got, want)
			}
			if h.Get("X-IBM-Client-Id") != "abc" {
				t.Errorf("%s: the bank's own header is missing", name)
			}
		}
	}
}

func TestHeaders_HaveTokenAndNewRequestID(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, accountList))
	for range 2 {
		if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", Token: "t0k"}, first(s.Bank)); err != nil {
			t.Fatal(err)
		}
	}
	all := s.requests()
	if all[0].header.Get("Authorization") != "Bearer t0k" {
		t.Error("the token is not sent")
	}
	if a, b := all[0].header.Get("X-Request-ID"), all[1].header.Get("X-Request-ID"); a == b || len(a) != 36 {
		t.Errorf("request ids %q and %q", a, b)
	}
}

// Reads know the person's number for headers of a bank's own; the standard's PSU-ID is
// for the set-up of a consent only.
func TestHeaders_NameThePersonInReadsOnlyWhereTheBankWantsIt(t *testing.T) {
	for _, own := range []map[string]string{nil, {"X-Customer": "{personalNumber}"}} {
		always := true
		s := newScriptedBank(t, func(c *xs2a.Config) { c.Profile.SendPSUID, c.PersonHeaders = &always, own }, responds(200, accountList))
		if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", PSU: person}, first(s.Bank)); err != nil {
			t.Fatal(err)
		}
		digits := person.PersonalNumber.Digits()
		for name, values := range s.last(t).header {
			if strings.Contains(strings.Join(values, " "), digits) && own[name] == "" {
				t.Errorf("%s has the personal number", name)
			}
		}
		if own != nil && s.last(t).header.Get("X-Customer") != digits {
			t.Error("the bank's own header is missing")
		}
	}
}

// Values from outside cannot end a header, and have a maximum length.
func TestHeaders_SanitizeValues(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, accountList))
	psu := person
	psu.UserAgent = "Mozilla/5.0\r\nX-Evil: 1\x00" + strings.Repeat("å", 1000)
	if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1", PSU: psu}, first(s.Bank)); err != nil {
		t.Fatal(err)
	}
	h := s.last(t).header
	if got := h.Get("PSU-User-Agent"); h.Get("X-Evil") != "" || !strings.HasPrefix(got, "Mozilla/5.0X-Evil: 1å") || len(got) > 512 {
		t.Errorf("got %d bytes: %.40q", len(got), got)
	}
}

func TestMissingRequestIDEcho_IsCountedAndLogged(t *testing.T) {
	var log bytes.Buffer
	s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("X-Request-ID")
		responds(200, accountList)(w, r)
	}, func(d *xs2a.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "secret-consent", PSU: person}, first(s.Bank)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Unechoed() != 3 || strings.Count(log.String(), "\n") != 2 {
		t.Errorf("%d counted, log: %s", s.Unechoed(), &log)
	}
	for _, secret := range []string{"secret-consent", person.IPAddress, person.PersonalNumber.Digits(), "http"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

func TestFetch_AcceptsGzip(t *testing.T) {
	s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip is not accepted")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(accountList))
		_ = z.Close()
	})
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
	if err != nil || string(answer.Body) != accountList {
		t.Errorf("got %.40q, %v", answer.Body, err)
	}
}

// A bank recognises a retry by the id and the body.
func TestOpenConsent_RetryIsTheSameRequest(t *testing.T) {
	s := newScriptedBank(t, nil, responds(503, ""))
	for range 2 {
		if _, err := s.OpenConsent(t.Context(), openRequest(fullScope)); err == nil {
			t.Fatal("a 503 is not an error")
		}
	}
	all := s.requests()
	if len(all) != 2 || all[0].body != all[1].body || all[0].header.Get("X-Request-ID") != requestID ||
		all[1].header.Get("X-Request-ID") != requestID || all[0].header.Get("Signature") != all[1].header.Get("Signature") {
		t.Errorf("%d requests that differ", len(all))
	}
}
