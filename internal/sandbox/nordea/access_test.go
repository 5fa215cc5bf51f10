package nordea_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/nordea"

	"pgregory.net/rapid"
)

func TestAccess_NeedsKnownApplication(t *testing.T) {
	c := start(t, nil).client()
	for name, change := range map[string]func(*client){
		"no id":          func(c *client) { c.change = func(r *http.Request) { r.Header.Del("X-IBM-Client-Id") } },
		"no secret":      func(c *client) { c.change = func(r *http.Request) { r.Header.Del("X-IBM-Client-Secret") } },
		"unknown id":     func(c *client) { c.app = "app-3" },
		"another secret": func(c *client) { c.secret = "secret-2" },
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			change(&c)
			c.call("GET", "/personal/v5/accounts", "").wantError(401, "error.apikey.missing")
		})
	}
}

// Every fault of a signature is refused with the same code.
func TestSignature_RefusesFaults(t *testing.T) {
	c := start(t, nil).client()
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	replace := func(old, now string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), old, now, 1))
		}
	}
	const login = `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code"}`
	date := func(d time.Duration) string { return startTime.Add(d).Format(http.TimeFormat) }
	for name, f := range map[string]struct{ before, after func(*http.Request) }{
		"no signature":         {after: func(r *http.Request) { r.Header.Del("Signature") }},
		"skipped":              {after: set("Signature", "SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX")},
		"another key id":       {after: replace("app-1", "app-2")},
		"another algorithm":    {after: replace("rsa-sha256", "hs2019")},
		"another value":        {after: replace(`signature="`, `signature="AAAA`)},
		"no date":              {before: func(r *http.Request) { r.Header.Del("X-Nordea-Originating-Date") }},
		"date too old":         {before: set("X-Nordea-Originating-Date", date(-5*time.Minute-time.Second))},
		"date too new":         {before: set("X-Nordea-Originating-Date", date(5*time.Minute+time.Second))},
		"date of another zone": {before: set("X-Nordea-Originating-Date", strings.Replace(date(0), "GMT", "CET", 1))},
		"date not signed":      {after: set("X-Nordea-Originating-Date", date(time.Second))},
		"another host":         {before: set("X-Nordea-Originating-Host", "api.nordeaopenbanking.com")},
		"no host":              {before: func(r *http.Request) { r.Header.Del("X-Nordea-Originating-Host") }},
		"digest of nothing":    {before: set("Digest", "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")},
		"digest of MD5":        {before: set("Digest", "md5=1B2M2Y8AsgTpgAmY7PhCfg==")},
		"no digest":            {before: func(r *http.Request) { r.Header.Del("Digest") }},
		"content type changed": {after: set("Content-Type", "application/json; charset=utf-8")},
		"lines left out":       {after: replace(" content-type digest", "")},
		"lines in other order": {after: replace("x-nordea-originating-host x-nordea-originating-date", "x-nordea-originating-date x-nordea-originating-host")},
		"path changed":         {after: func(r *http.Request) { r.URL.RawQuery = "a=1" }},
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.change, c.after = f.before, f.after
			c.call("POST", "/personal/v5/decoupled/authentications", login).wantError(401, "error.signature.invalid")
		})
	}
	c.change = set("X-Nordea-Originating-Date", date(5*time.Minute))
	c.call("POST", "/personal/v5/decoupled/authentications", login).want(200)
	c.change = set("X-Nordea-Originating-Host", "127.0.0.1") // without the port
	c.call("POST", "/personal/v5/decoupled/authentications", login).want(200)
	c.change, c.lenient = nil, true // httpsig knows no blank after a comma; RFC 7235 2.1 does
	c.after = func(r *http.Request) {
		r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), `",`, `", `))
	}
	c.call("POST", "/personal/v5/decoupled/authentications", login).want(200)
}

// The bank and a library that is not ours judge the same signatures alike, whatever was
// changed after the request was signed.
func TestSignature_AgreesWithForeignVerifier(t *testing.T) {
	e := start(t, nil)
	e.lenient = true
	c := e.client()
	rapid.Check(t, func(t *rapid.T) {
		r := c.request("GET", "/personal/v5/accounts/x/transactions?from_date=2026-01-01", "")
		switch rapid.IntRange(0, 6).Draw(t, "change") {
		case 1:
			r.Header.Set("X-Nordea-Originating-Date", startTime.Add(time.Duration(rapid.IntRange(-200, 200).Draw(t, "seconds"))*time.Second).Format(http.TimeFormat))
		case 2:
			r.URL.RawQuery = rapid.SampledFrom([]string{"", "from_date=2026-01-01", "from_date=2026-01-02", "from_date=2026-01-01&"}).Draw(t, "query")
		case 3:
			value := []byte(r.Header.Get("Signature"))
			i := rapid.IntRange(strings.Index(string(value), `signature="`)+11, len(value)-4).Draw(t, "at")
			value[i] = "AB+/9z"[rapid.IntRange(0, 5).Draw(t, "to")]
			r.Header.Set("Signature", string(value))
		case 4:
			r.URL.Path = rapid.SampledFrom([]string{"/se-demo-nordea/personal/v5/accounts/x/transactions", "/se-demo-nordea/personal/v5/accounts/y/transactions"}).Draw(t, "path")
		case 5:
			r.Method = rapid.SampledFrom([]string{"GET", "get"}).Draw(t, "method")
		}
		served := httptest.NewRequest(r.Method, r.URL.String(), nil)
		served.Header = r.Header
		foreign := verify(served)
		got := c.do(r)
		refused := got.status == 401 && got.text("error", "failures", 0, "code") == "error.signature.invalid"
		if (foreign != nil) != refused && r.Method == "GET" {
			t.Fatalf("the bank says %d %s, httpsig says %v", got.status, got.body, foreign)
		}
	})
}

func TestSkipSignature_IsASwitch(t *testing.T) {
	c := start(t, func(c *nordea.Config) { c.SkipSignature = true }).client()
	c.after = func(r *http.Request) { r.Header.Set("Signature", "SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX") }
	c.login(maja)
}

func TestCertificate_IsCheckedAndRequiredByASwitch(t *testing.T) {
	verify := func(chain []*x509.Certificate) error {
		if chain[0].Subject.CommonName != "good" {
			return errors.New("unknown")
		}
		return nil
	}
	for _, c := range []struct {
		name     string
		required bool
		sent     string
		status   int
	}{
		{"not required", false, "", 404}, {"required", true, "", 401}, {"valid", true, "good", 404}, {"invalid, not required", false, "bad", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := start(t, func(n *nordea.Config) { n.Verify, n.RequireCertificate = verify, c.required })
			sent := e.client().request("GET", "/personal/v5/decoupled/authentications/none", "")
			r := httptest.NewRequest(sent.Method, sent.URL.String(), nil)
			r.Header, r.TLS = sent.Header, &tls.ConnectionState{}
			if c.sent != "" {
				r.TLS.PeerCertificates = []*x509.Certificate{{Subject: pkix.Name{CommonName: c.sent}}}
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
		})
	}
}

func TestNew_RefusesShortKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip(err) // the runtime does not make short keys
	}
	_, err = nordea.New(nordea.Config{Applications: []nordea.Application{{ID: "a", Key: &key.PublicKey}}})
	if err == nil {
		t.Error("a key of 1024 bits is accepted")
	}
}
