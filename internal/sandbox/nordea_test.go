package sandbox_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/sandbox"
	"samla/internal/sandbox/pki"
)

// signed returns a signed request without a body of the sandbox's own application.
func signed(w *env, info sandbox.NordeaInfo, path string) *http.Request {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, info.BaseURL+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("X-IBM-Client-Id", info.ClientID)
	r.Header.Set("X-IBM-Client-Secret", w.NordeaSecret())
	r.Header.Set("X-Nordea-Originating-Date", w.clock.Now().Format(http.TimeFormat))
	r.Header.Set("X-Nordea-Originating-Host", r.URL.Host)
	text := "(request-target): get " + r.URL.RequestURI() + "\nx-nordea-originating-host: " + r.URL.Host +
		"\nx-nordea-originating-date: " + r.Header.Get("X-Nordea-Originating-Date")
	sum := sha256.Sum256([]byte(text))
	value, err := rsa.SignPKCS1v15(rand.Reader, w.ApplicationKey(), crypto.SHA256, sum[:])
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Signature", fmt.Sprintf(`keyId="%s",algorithm="rsa-sha256",headers="(request-target) x-nordea-originating-host x-nordea-originating-date",signature="%s"`,
		info.ClientID, base64.StdEncoding.EncodeToString(value)))
	return r
}

func (w *env) answers(r *http.Request, certificates ...tls.Certificate) int {
	w.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Certificates: certificates, Time: w.clock.Now}}
	defer transport.CloseIdleConnections()
	got, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		w.Fatal(err)
	}
	_ = got.Body.Close()
	return got.StatusCode
}

// The sandbox's own application reaches the bank, with or without a client certificate; a
// certificate of another authority is refused.
func TestNordea_KnowsTheOwnApplication(t *testing.T) {
	w := start(t, nil)
	info := w.Nordea()[0]
	const path = "/personal/v5/decoupled/authentications/none"
	if got := w.answers(signed(w, info, path)); got != 404 {
		t.Errorf("without a certificate %d", got)
	}
	qwac, _ := w.TPP()
	if got := w.answers(signed(w, info, path), qwac); got != 404 {
		t.Errorf("with a certificate %d", got)
	}
	other, err := pki.NewCA("other", w.clock.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	if got := w.answers(signed(w, info, path), foreign); got != 401 {
		t.Errorf("with a certificate of another authority %d", got)
	}
	if got := w.NordeaBank(info.Company).Calls().Count("GET personal/v5/decoupled/authentications/*"); got != 3 {
		t.Errorf("%d calls", got)
	}
	if w.NordeaBank("unknown") != nil {
		t.Error("an unknown bank was found")
	}
}

// The files of the directory are those that a client must configure, and they are kept.
func TestNordea_KeepsItsFiles(t *testing.T) {
	dir := t.TempDir()
	var secret string
	for range 2 {
		w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
		info := w.Nordea()[0]
		text, err := os.ReadFile(info.SecretFile)
		if err != nil || strings.TrimSuffix(string(text), "\n") != w.NordeaSecret() || secret != "" && secret != w.NordeaSecret() {
			t.Fatalf("secret %q, %v", text, err)
		}
		secret = w.NordeaSecret()
		key, err := tls.LoadX509KeyPair(filepath.Join(dir, pki.AppFile), info.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		if !w.ApplicationKey().Equal(key.PrivateKey) {
			t.Error("the file has another key")
		}
		if state, err := os.Stat(info.SecretFile); err != nil || state.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", state, err)
		}
		w.stop()
	}
}
