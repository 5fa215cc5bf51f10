package httpapi_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
)

func TestRP_CompletesLogin(t *testing.T) {
	h := start(t)
	h.service.Names = func(string) (string, string) { return "Anna", "Ek" }
	o := h.call(t, "auth", `{"endUserIp":"192.0.2.1","returnRisk":true,"requirement":{"personalNumber":"`+anna+`"}}`)
	ref := o.member(t, "orderRef")
	if len(o.json) != 4 || o.header.Get("Content-Type") != "application/json" {
		t.Errorf("auth answers %v as %q", o.json, o.header.Get("Content-Type"))
	}
	if o.header.Get("Cache-Control") != "no-store" {
		t.Error("a response with secrets may be cached")
	}
	collect := `{"orderRef":"` + ref + `"}`
	want := map[string]any{"orderRef": ref, "status": "pending", "hintCode": "outstandingTransaction"}
	if diff := cmp.Diff(want, h.call(t, "collect", collect).json); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}

	h.clock.Advance(7 * time.Second)
	qr := bankid.QRData(o.member(t, "qrStartToken"), o.member(t, "qrStartSecret"), 7)
	want = map[string]any{"status": "pending", "hintCode": "started"}
	if diff := cmp.Diff(want, h.phone(t, `{"action":"open","qrData":"`+qr+`"}`).json); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
	want = map[string]any{"status": "complete", "hintCode": ""}
	if diff := cmp.Diff(want, h.phone(t, `{"action":"approve","autoStartToken":"`+o.member(t, "autoStartToken")+`"}`).json); diff != "" {
		t.Errorf("approve (-want +got):\n%s", diff)
	}

	got := h.call(t, "collect", collect)
	data, ok := got.json["completionData"].(map[string]any)
	if !ok || got.json["status"] != "complete" || got.json["hintCode"] != nil {
		t.Fatalf("complete: %s", got.text)
	}
	user := map[string]any{"personalNumber": anna, "name": "Anna Ek", "givenName": "Anna", "surname": "Ek"}
	if diff := cmp.Diff(user, data["user"]); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if device := data["device"].(map[string]any); device["ipAddress"] != "192.0.2.1" || device["uhi"] == "" {
		t.Errorf("device: %v", device)
	}
	if data["bankIdIssueDate"] != "2025-06-01Z" || data["risk"] != "low" || data["signature"] == "" || data["ocspResponse"] == "" {
		t.Errorf("completion data: %v", data)
	}
	h.call(t, "collect", collect).wantError(t, 400, "invalidParameters")
}

func TestRP_SignHasOtherDateForm(t *testing.T) {
	h := start(t)
	text := base64.StdEncoding.EncodeToString([]byte("I agree"))
	o := h.call(t, "sign", `{"endUserIp":"2001:db8::1","userVisibleData":"`+text+`","userVisibleDataFormat":"simpleMarkdownV1"}`)
	if got := h.service.Pending(); len(got) != 1 || got[0].Text != "I agree" || got[0].Kind != bankid.Sign {
		t.Errorf("the phone shows %+v", got)
	}
	h.phone(t, `{"action":"approve","autoStartToken":"`+o.member(t, "autoStartToken")+`","personalNumber":"`+bo+`"}`)
	data := h.call(t, "collect", `{"orderRef":"`+o.member(t, "orderRef")+`"}`).json["completionData"].(map[string]any)
	if data["bankIdIssueDate"] != "2025-06-01+00:00" || data["risk"] != nil {
		t.Errorf("completion data: %v", data)
	}
}

func TestRP_StartsPhoneOrders(t *testing.T) {
	h := start(t)
	o := h.call(t, "phone/auth", `{"callInitiator":"RP","personalNumber":"`+anna+`"}`)
	ref := o.member(t, "orderRef")
	if len(o.json) != 1 {
		t.Errorf("phone/auth answers %v", o.json)
	}
	if got := h.phone(t, `{"action":"approve","personalNumber":"`+anna+`"}`); got.json["status"] != "complete" {
		t.Errorf("approve: %s", got.text)
	}
	if got := h.call(t, "collect", `{"orderRef":"`+ref+`"}`); got.json["status"] != "complete" {
		t.Errorf("collect: %s", got.text)
	}
	h.call(t, "phone/sign", `{"callInitiator":"user","personalNumber":"`+anna+`","userVisibleData":"SGVq"}`).member(t, "orderRef")
}

func TestRP_CancelsOrders(t *testing.T) {
	h := start(t)
	body := `{"endUserIp":"192.0.2.1","requirement":{"personalNumber":"` + anna + `"}}`
	ref := `{"orderRef":"` + h.call(t, "auth", body).member(t, "orderRef") + `"}`
	h.call(t, "auth", body).wantError(t, 400, "alreadyInProgress")
	if got := h.call(t, "collect", ref); got.json["status"] != "failed" || got.json["hintCode"] != "cancelled" {
		t.Errorf("the earlier order: %s", got.text)
	}
	ref = `{"orderRef":"` + h.call(t, "auth", body).member(t, "orderRef") + `"}`
	if got := h.call(t, "cancel", ref); got.status != 200 || strings.TrimSpace(got.text) != "{}" {
		t.Errorf("cancel: %d %s", got.status, got.text)
	}
	h.call(t, "cancel", ref).wantError(t, 400, "invalidParameters")
}

func TestRP_RequiresCertificate(t *testing.T) {
	h := start(t)
	for name, c := range map[string]*http.Client{
		"no certificate": h.noCertificate, "another certificate": withCertificate(t, h.noCertificate, "another"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"auth", "collect", "cancel", "payment"} {
				h.send(t, c, http.MethodPost, httpapi.RPPrefix+path, "application/json", `{}`).wantError(t, 401, "unauthorized")
			}
		})
	}
	t.Run("no Verify", func(t *testing.T) {
		mux := http.NewServeMux()
		(&httpapi.RP{Service: h.service}).Mount(mux)
		r := httptest.NewRequest(http.MethodPost, httpapi.RPPrefix+"auth", strings.NewReader(`{"endUserIp":"192.0.2.1"}`))
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("got %d", w.Code)
		}
	})
}

func TestRP_ChecksMethodPathAndContentType(t *testing.T) {
	h := start(t)
	body := `{"endUserIp":"192.0.2.1"}`
	for _, tt := range []struct {
		name, method, path, contentType, body string
		status                                int
		code                                  string
	}{
		{"get", http.MethodGet, "auth", "application/json", "", 405, "methodNotAllowed"},
		{"charset", http.MethodPost, "auth", "application/json; charset=utf-8", body, 415, "unsupportedMediaType"},
		{"no content type", http.MethodPost, "auth", "", body, 415, "unsupportedMediaType"},
		{"text", http.MethodPost, "collect", "text/plain", body, 415, "unsupportedMediaType"},
		{"payment", http.MethodPost, "payment", "application/json", body, 404, "notFound"},
		{"unknown call", http.MethodPost, "phone/cancel", "application/json", body, 404, "notFound"},
		{"too large", http.MethodPost, "auth", "application/json", `{"endUserIp":"` + strings.Repeat("1", 300<<10) + `"}`, 400, "invalidParameters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := h.send(t, h.rp, tt.method, httpapi.RPPrefix+tt.path, tt.contentType, tt.body)
			got.wantError(t, tt.status, tt.code)
			if tt.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("Allow is %q", got.header.Get("Allow"))
			}
		})
	}
}

func TestRP_ValidatesParameters(t *testing.T) {
	h := start(t)
	text := func(n int) string { return strings.Repeat("A", n) } // base64 of zero bytes
	for _, tt := range []struct {
		name, call, body string
		valid            bool
	}{
		{"not JSON", "auth", `endUserIp`, false},
		{"not an object", "auth", `null`, false},
		{"two objects", "auth", `{"endUserIp":"192.0.2.1"}{}`, false},
		{"unknown member", "auth", `{"endUserIp":"192.0.2.1","endUserIP2":""}`, false},
		{"member in other case", "auth", `{"endUserIP":"192.0.2.1"}`, false},
		{"unknown member inside", "auth", `{"endUserIp":"192.0.2.1","requirement":{"pincode":true}}`, false},
		{"unknown member inside web", "auth", `{"endUserIp":"192.0.2.1","web":{"agent":"x"}}`, false},
		{"nulls", "auth", `{"endUserIp":"192.0.2.1","requirement":null,"web":null}`, true},
		{"wrong type", "auth", `{"endUserIp":7}`, false},
		{"no address", "auth", `{}`, false},
		{"bad address", "auth", `{"endUserIp":"192.0.2"}`, false},
		{"everything", "auth", `{"endUserIp":"192.0.2.1","requirement":{"pinCode":true,"mrtd":false,"certificatePolicies":["1.2.3.4.25"],"cardReader":"class1","risk":"low"},
			"userVisibleData":"SGVq","userNonVisibleData":"SGVq","userVisibleDataFormat":"plaintext","returnUrl":"https://example.com/","returnRisk":false,
			"web":{"referringDomain":"example.com","userAgent":"x","deviceIdentifier":"y"}}`, true},
		{"web and app", "auth", `{"endUserIp":"192.0.2.1","web":{},"app":{}}`, false},
		{"app", "auth", `{"endUserIp":"192.0.2.1","app":{"appIdentifier":"a","deviceOS":"b","deviceModelName":"c","deviceIdentifier":"d"}}`, true},
		{"return URL", "auth", `{"endUserIp":"192.0.2.1","returnUrl":":"}`, false},
		{"policy", "auth", `{"endUserIp":"192.0.2.1","requirement":{"certificatePolicies":["1.2.3"]}}`, false},
		{"card reader", "auth", `{"endUserIp":"192.0.2.1","requirement":{"cardReader":"class3"}}`, false},
		{"risk", "auth", `{"endUserIp":"192.0.2.1","requirement":{"risk":"high"}}`, false},
		{"number of 10 digits", "auth", `{"endUserIp":"192.0.2.1","requirement":{"personalNumber":"9006022397"}}`, false},
		{"person of a phone call", "auth", `{"endUserIp":"192.0.2.1","personalNumber":"` + anna + `"}`, false},
		{"longest texts", "auth", `{"endUserIp":"192.0.2.1","userVisibleData":"` + text(1500) + `","userNonVisibleData":"` + text(1500) + `"}`, true},
		{"visible too long", "auth", `{"endUserIp":"192.0.2.1","userVisibleData":"` + text(1504) + `"}`, false},
		{"non-visible too long", "auth", `{"endUserIp":"192.0.2.1","userNonVisibleData":"` + text(1504) + `"}`, false},
		{"format", "auth", `{"endUserIp":"192.0.2.1","userVisibleDataFormat":"html"}`, false},
		{"sign without text", "sign", `{"endUserIp":"192.0.2.1"}`, false},
		{"sign, longest texts", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"` + text(40_000) + `","userNonVisibleData":"` + text(200_000) + `"}`, true},
		{"sign, visible too long", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"` + text(40_004) + `"}`, false},
		{"sign, non-visible too long", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"SGVq","userNonVisibleData":"` + text(200_004) + `"}`, false},
		{"not base64", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"Hej!"}`, false},
		{"not UTF-8", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"/w=="}`, false},
		{"non-visible not base64", "sign", `{"endUserIp":"192.0.2.1","userVisibleData":"SGVq","userNonVisibleData":"?"}`, false},
		{"phone, no initiator", "phone/auth", `{"personalNumber":"` + anna + `"}`, false},
		{"phone, bad initiator", "phone/auth", `{"callInitiator":"rp","personalNumber":"` + anna + `"}`, false},
		{"phone, no person", "phone/auth", `{"callInitiator":"RP"}`, false},
		{"phone, two persons", "phone/auth", `{"callInitiator":"RP","personalNumber":"` + anna + `","requirement":{"personalNumber":"` + bo + `"}}`, false},
		{"phone sign without text", "phone/sign", `{"callInitiator":"RP","personalNumber":"` + anna + `"}`, false},
		{"collect nothing", "collect", `{}`, false},
		{"collect unknown", "collect", `{"orderRef":"x"}`, false},
		{"cancel unknown", "cancel", `{"orderRef":"x"}`, false},
		{"cancel not JSON", "cancel", ``, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := h.call(t, tt.call, tt.body)
			if tt.valid {
				got.member(t, "orderRef")
				return
			}
			got.wantError(t, 400, "invalidParameters")
			if strings.Contains(got.text, anna) {
				t.Error("the error contains a personal number")
			}
		})
	}
}

func TestRP_LogsInternalErrors(t *testing.T) {
	var log bytes.Buffer
	s := bankid.New(clock.NewManual(time.Now()), strings.NewReader(""))
	mux := http.NewServeMux()
	(&httpapi.RP{
		Service: s, Verify: func([]*x509.Certificate) error { return nil },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}).Mount(mux)
	r := httptest.NewRequest(http.MethodPost, httpapi.RPPrefix+"auth", strings.NewReader(`{"endUserIp":"192.0.2.1"}`))
	r.Header.Set("Content-Type", "application/json")
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "randomness") || !strings.Contains(w.Body.String(), "internalError") {
		t.Errorf("response %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "randomness") {
		t.Errorf("log %q", log.String())
	}
}

// failingBody is a body whose reads fail.
type failingBody struct{ err error }

func (s failingBody) Read([]byte) (int, error) { return 0, s.err }

func TestRP_HandlesIncompleteBodies(t *testing.T) {
	mux := http.NewServeMux()
	s := bankid.New(clock.NewManual(time.Now()), rand.Reader)
	(&httpapi.RP{Service: s, Verify: func([]*x509.Certificate) error { return nil }}).Mount(mux)
	for body, want := range map[failingBody]string{
		{os.ErrDeadlineExceeded}: "408 requestTimeout",
		{io.ErrUnexpectedEOF}:    "400 invalidParameters",
	} {
		r := httptest.NewRequest(http.MethodPost, httpapi.RPPrefix+"auth", body)
		r.Header.Set("Content-Type", "application/json")
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		status, code, _ := strings.Cut(want, " ")
		if strconv.Itoa(w.Code) != status || !strings.Contains(w.Body.String(), `"`+code+`"`) {
			t.Errorf("%v: %d %s, want %s", body.err, w.Code, w.Body, want)
		}
	}
}

func TestRP_RejectsTwoContentTypes(t *testing.T) {
	h := start(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+httpapi.RPPrefix+"auth", strings.NewReader(`{"endUserIp":"192.0.2.1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Content-Type"] = []string{"application/json", "text/plain"}
	answer, err := h.rp.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("got %d", answer.StatusCode)
	}
}

// FuzzRelyingParty sends any body to any call. Either the call succeeds and has started
// one order, or it fails and has started none.
func FuzzRelyingParty(f *testing.F) {
	for _, call := range []string{"auth", "sign", "phone/auth", "phone/sign", "collect", "cancel"} {
		f.Add(call, `{"endUserIp":"192.0.2.1","callInitiator":"RP","personalNumber":"`+anna+`","userVisibleData":"SGVq","orderRef":"x"}`)
		f.Add(call, `{"endUserIp":"192.0.2.1","userVisibleData":"SGVq","requirement":{"personalNumber":"`+anna+`"}}`)
	}
	f.Fuzz(func(t *testing.T, call, body string) {
		s := bankid.New(clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)), rand.Reader)
		mux := http.NewServeMux()
		(&httpapi.RP{Service: s, Verify: func([]*x509.Certificate) error { return nil }}).Mount(mux)
		r := httptest.NewRequest(http.MethodPost, httpapi.RPPrefix, strings.NewReader(body))
		r.URL.Path += call
		r.Header.Set("Content-Type", "application/json")
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		switch started := len(s.Pending()); {
		case w.Code == http.StatusOK && started == 1:
		case w.Code >= 300 && w.Code < 500 && started == 0:
		default:
			t.Errorf("%s %q: %d, %d orders", call, body, w.Code, started)
		}
	})
}
