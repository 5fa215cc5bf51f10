package foreign_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/foreign"
	"samla/internal/sandbox/pki"
)

func certificates(t *testing.T) *pki.Set {
	t.Helper()
	s, err := pki.Open("", func() time.Time { return time.Now().UTC() }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keyPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestAuthServer_GivesTokens(t *testing.T) {
	keys := certificates(t)
	const back = "https://samla.example/back"
	issuer := foreign.AuthServer{
		Certificate: string(pki.PEM(keys.Server.Leaf)), Key: keyPEM(t, keys.Server.PrivateKey), ClientCAs: string(pki.PEM(keys.CA.Cert)), PKCE: true,
		Clients: []foreign.AuthServerClient{{
			ID: "c", Auth: "tls_client_auth", Subject: keys.QWAC.Leaf.Subject.String(), RedirectURIs: []string{back}, Scopes: []string{"AIS:*"}, ResponseTypes: []string{"code"},
		}},
	}.Start(t)
	hc := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: keys.CA.Pool(), Certificates: []tls.Certificate{keys.QWAC}}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer hc.CloseIdleConnections()
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	resp, err := hc.Get(issuer + "/authorize?" + url.Values{
		"client_id": {"c"}, "response_type": {"code"}, "scope": {"AIS:c1"}, "redirect_uri": {back}, "state": {"a-long-enough-state"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	resp, err = hc.PostForm(issuer+"/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"c"}, "code": {to.Query().Get("code")}, "redirect_uri": {back}, "code_verifier": {verifier},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(text, &tokens); err != nil || resp.StatusCode != 200 || tokens.Access == "" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestVerifier_JudgesSignatures(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	v := foreign.NewVerifier(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	hash := sha256.Sum256([]byte("(request-target): get /a?b=c\nx-date: today"))
	made, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	raw := "GET /a?b=c HTTP/1.1\r\nHost: bank.example\r\nX-Date: today\r\nSignature: keyId=\"k\",algorithm=\"rsa-sha256\",headers=\"(request-target) x-date\",signature=\"" +
		base64.StdEncoding.EncodeToString(made) + "\"\r\n\r\n"
	if got, err := v.Verify([]byte(raw)); err != nil || got.KeyID != "k" || strings.Join(got.Headers, " ") != "(request-target) x-date" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := v.Verify([]byte(strings.Replace(raw, "today", "later", 1))); err == nil {
		t.Error("a changed request is accepted")
	}
}
