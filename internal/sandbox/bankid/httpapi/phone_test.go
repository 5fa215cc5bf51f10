package httpapi_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
)

const form = "application/x-www-form-urlencoded"

func (h *server) order(t *testing.T, r bankid.AuthRequest) bankid.Order {
	t.Helper()
	o, err := h.service.Auth(r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPhone_ReturnsErrors(t *testing.T) {
	h := start(t)
	ended := h.order(t, bankid.AuthRequest{})
	if err := h.service.Cancel(ended.OrderRef); err != nil {
		t.Fatal(err)
	}
	required := h.order(t, bankid.AuthRequest{Requirement: anna})
	anyone := h.order(t, bankid.AuthRequest{})
	h.clock.Advance(12 * time.Second)
	for _, tt := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"not JSON", `open`, 400, "invalidParameters"},
		{"unknown member", `{"action":"open","token":"x"}`, 400, "invalidParameters"},
		{"member in other case", `{"action":"open","autostartToken":"` + anyone.AutoStartToken + `"}`, 400, "invalidParameters"},
		{"an array", `[]`, 400, "invalidParameters"},
		{"no order", `{"action":"open"}`, 400, "invalidParameters"},
		{"no action", `{"autoStartToken":"` + anyone.AutoStartToken + `"}`, 400, "invalidParameters"},
		{"bad person", `{"action":"open","autoStartToken":"` + anyone.AutoStartToken + `","personalNumber":"1"}`, 400, "invalidParameters"},
		{"person needed", `{"action":"approve","autoStartToken":"` + anyone.AutoStartToken + `"}`, 400, "personNeeded"},
		{"bad QR text", `{"action":"open","qrData":"bankid.x"}`, 400, "invalidQr"},
		{"unknown token", `{"action":"open","autoStartToken":"x"}`, 404, "unknownOrder"},
		{"stale QR text", `{"action":"open","qrData":"` + bankid.QRData(anyone.QRStartToken, anyone.QRStartSecret, 1) + `"}`, 409, "staleQr"},
		{"ended", `{"action":"approve","autoStartToken":"` + ended.AutoStartToken + `","personalNumber":"` + anna + `"}`, 409, "orderEnded"},
		{"wrong person", `{"action":"approve","autoStartToken":"` + required.AutoStartToken + `","personalNumber":"` + bo + `"}`, 409, "wrongPerson"},
	} {
		t.Run(tt.name, func(t *testing.T) { h.phone(t, tt.body).wantError(t, tt.status, tt.code) })
	}
	if got := h.phone(t, `{"action":"open","autoStartToken":"`+ended.AutoStartToken+`"}`); !strings.Contains(got.text, "failed/cancelled") {
		t.Errorf("the error does not contain the state of the order: %s", got.text)
	}
	h.phone(t, `{"action":"open","qrData":"`+strings.Repeat("x", 20<<10)+`"}`).wantError(t, 400, "invalidParameters")
	h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, "text/plain", `{}`).wantError(t, 415, "unsupportedMediaType")
	h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, "multipart/form-data; boundary=x", ``).wantError(t, 415, "unsupportedMediaType")
	h.send(t, h.noCertificate, http.MethodDelete, httpapi.PhonePath, "", "").wantError(t, 405, "methodNotAllowed")
}

func TestPhone_AcceptsJSONWithOtherContentTypes(t *testing.T) {
	h := start(t)
	for _, contentType := range []string{"", form, "application/json; charset=utf-8"} {
		o := h.order(t, bankid.AuthRequest{})
		got := h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, contentType, ` {"action":"open","autoStartToken":"`+o.AutoStartToken+`"}`)
		if got.json["hintCode"] != "started" {
			t.Errorf("as %q: %d %s", contentType, got.status, got.text)
		}
	}
}

func TestPhone_RejectsCrossSitePosts(t *testing.T) {
	h := start(t)
	o := h.order(t, bankid.AuthRequest{Expected: anna})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+httpapi.PhonePath,
		strings.NewReader("action=approve&autoStartToken="+o.AutoStartToken))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form)
	r.Header.Set("Origin", "https://elsewhere.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := h.noCertificate.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden || len(h.service.Pending()) != 1 {
		t.Errorf("got %d, %d orders pending", answer.StatusCode, len(h.service.Pending()))
	}
}

func TestPage_ListsOrdersAndEscapesText(t *testing.T) {
	h := start(t)
	h.service.Names = func(string) (string, string) { return "<b>Anna</b>", "Ek" }
	if got := h.send(t, h.noCertificate, http.MethodGet, httpapi.PhonePath, "", ""); !strings.Contains(got.text, "No order is waiting") {
		t.Error("the page without orders does not say so")
	}
	o := h.order(t, bankid.AuthRequest{Kind: bankid.Sign, Expected: anna, UserVisibleData: `<script>alert("x")</script>`})
	h.clock.Advance(3 * time.Second)
	got := h.send(t, h.noCertificate, http.MethodGet, httpapi.PhonePath, "", "")
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", got.status, got.header.Get("Content-Type"))
	}
	for _, want := range []string{
		`<html lang="en">`, `value="open">Open</button>`, `value="approve">Approve</button>`, `value="cancel">Cancel</button>`,
		`name="personalNumber"`, `<label for="person0">`, `value="` + o.AutoStartToken + `"`, "Signature for &lt;b&gt;Anna&lt;/b&gt; Ek, " + anna,
		"3 s old, waiting for a phone", `&lt;script&gt;`, `<h1>`,
	} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	for _, bad := range []string{"<script", "<b>", "http://", "https://", "style=", o.OrderRef, o.QRStartToken, o.QRStartSecret} {
		if strings.Contains(got.text, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be cached")
	}
	policy := got.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q", policy)
	}
	if style := h.send(t, h.noCertificate, http.MethodGet, httpapi.PhonePath+"/style.css", "", ""); style.status != 200 || !strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %s", style.status, style.header.Get("Content-Type"))
	}
}

func TestPage_LooksForTheFirstOrderByItself(t *testing.T) {
	h := start(t)
	refresh := func(query string) string {
		return h.send(t, h.noCertificate, http.MethodGet, httpapi.PhonePath+query, "", "").header.Get("Refresh")
	}
	if got := refresh(""); got != "2; url="+httpapi.PhonePath {
		t.Errorf("without orders: Refresh %q", got)
	}
	if got := refresh("?did=approve&status=complete"); got != "5; url="+httpapi.PhonePath {
		t.Errorf("with a notice: Refresh %q", got)
	}
	h.order(t, bankid.AuthRequest{Kind: bankid.Sign, Expected: anna})
	if got := refresh(""); got != "" {
		t.Errorf("with an order, where somebody may be typing: Refresh %q", got)
	}
}

func TestForm_PerformsActionAndRedirects(t *testing.T) {
	h := start(t)
	h.service.ApprovalFailure = func(p string) string {
		if p == bo {
			return "certificateErr"
		}
		return ""
	}
	for _, tt := range []struct{ action, person, status, says string }{
		{"open", "", "pending", "The order is open"},
		{"approve", "", "complete", "The order is approved"},
		{"approve", "19900602-2397", "complete", "The order is approved"},
		{"approve", bo, "failed", "is not valid"},
		{"cancel", "", "failed", "The order is cancelled"},
	} {
		o := h.order(t, bankid.AuthRequest{Expected: "190905271474"})
		fields := url.Values{"action": {tt.action}, "autoStartToken": {o.AutoStartToken}, "personalNumber": {tt.person}}
		got := h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, form, fields.Encode())
		to := got.header.Get("Location")
		if got.status != http.StatusSeeOther || !strings.HasPrefix(to, httpapi.PhonePath+"?") {
			t.Fatalf("%s: %d to %q: %s", tt.action, got.status, to, got.text)
		}
		if page := h.send(t, h.noCertificate, http.MethodGet, to, "", ""); !strings.Contains(page.text, `role="status"`) || !strings.Contains(page.text, tt.says) {
			t.Errorf("%s: the page does not say %q", tt.action, tt.says)
		}
		if c, err := h.service.Collect(o.OrderRef); err != nil || c.Status != tt.status {
			t.Errorf("%s: the order is %s, %v", tt.action, c.Status, err)
		}
		_ = h.service.Cancel(o.OrderRef) // an open order would conflict with the next one
	}
}

func TestForm_ShowsError(t *testing.T) {
	h := start(t)
	for body, status := range map[string]int{
		"action=open&autoStartToken=unknown": 404,
		"action=open&qrData=%3Cscript%3E":    400,
		"action=%zz":                         400,
		"":                                   400,
	} {
		got := h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, form, body)
		if got.status != status || !strings.Contains(got.text, `role="alert"`) || strings.Contains(got.text, "<script") {
			t.Errorf("%q: %d, alert %v", body, got.status, strings.Contains(got.text, `role="alert"`))
		}
	}
	if got := h.send(t, h.noCertificate, http.MethodGet, httpapi.PhonePath+"?did=%3Cb%3E&status=x", "", ""); strings.Contains(got.text, `role="status"`) {
		t.Error("the page shows a notice for unknown values")
	}
}

func FuzzPhone(f *testing.F) {
	f.Add("application/json", `{"action":"approve","autoStartToken":"x","personalNumber":"199006022397"}`)
	f.Add("application/json", `{"action":"open","qrData":"bankid.a.1.b"}`)
	f.Add(form, "action=cancel&autoStartToken=x")
	f.Add("", "")
	mux := http.NewServeMux()
	s := bankid.New(clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), rand.Reader)
	if _, err := s.Auth(bankid.AuthRequest{Expected: anna}); err != nil {
		f.Fatal(err)
	}
	(&httpapi.Phone{Service: s}).Mount(mux)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := httptest.NewRequest(http.MethodPost, httpapi.PhonePath, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		// No token can be guessed, so every action fails, and never with a 5xx status.
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%q as %q: %d", body, contentType, w.Code)
		}
		if len(s.Pending()) != 1 {
			t.Error("the order is not pending any more")
		}
	})
}
