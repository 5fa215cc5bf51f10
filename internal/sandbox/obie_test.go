package sandbox_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/sandbox"
	"samla/internal/sandbox/obie"
)

// get asks for an address of the sandbox with the TPP's certificate.
func (w *env) get(address string) string {
	w.Helper()
	qwac, _ := w.TPP()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Certificates: []tls.Certificate{qwac}, Time: w.clock.Now}}}
	defer c.CloseIdleConnections()
	resp, err := c.Get(address)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		w.Fatalf("%s: %d %v", address, resp.StatusCode, err)
	}
	return string(body)
}

func TestOBIE_IsMounted(t *testing.T) {
	w := start(t, nil)
	banks := w.OBIE()
	if len(banks) != 2 || banks[0].Company != "se-demo-obie" || banks[1].Company != "se-demo-obie4" || w.OBIEBank("other") != nil {
		t.Fatalf("%+v", banks)
	}
	for _, b := range banks {
		var m struct {
			Issuer string `json:"issuer"`
		}
		if err := json.Unmarshal([]byte(w.get(b.Issuer+"/.well-known/openid-configuration")), &m); err != nil || m.Issuer != b.Issuer {
			t.Errorf("%s: %v %+v", b.Company, err, m)
		}
		if text := w.get(w.URL() + "/sandbox/obie/" + b.Company); !strings.Contains(text, `"GET metadata":1`) {
			t.Errorf("%s: %s", b.Company, text)
		}
		if !strings.Contains(w.get(w.URL()+"/"), b.Resources) {
			t.Errorf("%s is not on the page", b.Company)
		}
	}
}

func TestOBIE_KnowsTheClientOfTheSandbox(t *testing.T) {
	w := start(t, func(c *sandbox.Config) { c.RedirectURIs = []string{"https://samla.example/back"} })
	b := w.OBIE()[0]
	_, qseal := w.TPP()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: qseal.PrivateKey, KeyID: b.KeyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	object, err := s.Sign([]byte(`{"client_id":"samla-sandbox","redirect_uri":"https://samla.example/back","response_type":"code id_token","scope":"openid accounts"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	qwac, _ := w.TPP()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Certificates: []tls.Certificate{qwac}, Time: w.clock.Now}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	q := url.Values{"client_id": {b.ClientID}, "response_type": {"code id_token"}, "scope": {"openid accounts"}, "request": {text}}
	resp, err := client.Get(b.Issuer + "/authorize?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	// The signature and the address are known: the error of the claims goes to the client.
	if to := resp.Header.Get("Location"); !strings.HasPrefix(to, "https://samla.example/back#error=invalid_request_object") {
		t.Errorf("%d %s", resp.StatusCode, to)
	}
	resp, err = client.PostForm(b.Issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"accounts"}, "client_id": {b.ClientID}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("a token: %d", resp.StatusCode)
	}
}

// The key with which a bank signs is the same at the next start.
func TestOBIE_KeepsKeysInDir(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 2 {
		w := &env{TB: t, clock: clock.NewManual(startTime)}
		s, err := sandbox.New(sandbox.Config{Clock: w.clock, Dir: dir, OBIE: obie.DefaultBanks()[:1]})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Sandbox = s
		seen[w.get(s.OBIE()[0].Issuer+"/jwks")] = true
		w.stop()
	}
	if len(seen) != 1 {
		t.Errorf("%d sets of keys", len(seen))
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "se-demo-obie*")); len(found) != 3 {
		t.Errorf("files: %v", found)
	}
}
