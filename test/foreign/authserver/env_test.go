package authserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"

	"samla/foreign/authserver"
)

const (
	back     = "https://samla.example/callback"
	state    = "a-state-of-many-characters"
	nonce    = "a-nonce-of-many-characters"
	verifier = "a-verifier-of-forty-three-characters-or-more"
)

// authority issues certificates.
type authority struct {
	testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{TB: t}
	a.cert, a.key = a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) issue(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.Fatal(err)
	}
	return cert, key
}

func (a *authority) client(name string) tls.Certificate {
	cert, key := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// env is a server and a client of it.
type env struct {
	testing.TB
	*authserver.Server
	ca   *authority
	key  *rsa.PrivateKey
	http *http.Client
}

// start starts a server with one client of each kind.
func start(t testing.TB, change func(*authserver.Config)) *env {
	t.Helper()
	e := &env{TB: t, ca: newAuthority(t)}
	var err error
	if e.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: e.key.Public(), KeyID: "k", Algorithm: "PS256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	cert, key := e.ca.issue(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := authserver.Config{
		Certificate: block("CERTIFICATE", cert.Raw), Key: block("PRIVATE KEY", der), ClientCAs: block("CERTIFICATE", e.ca.cert.Raw),
		Clients: []authserver.Client{
			{ID: "signs", Auth: "private_key_jwt", Keys: keys, RedirectURIs: []string{back}, Scopes: []string{"openid", "accounts"}, ResponseTypes: []string{"code id_token"}},
			{ID: "PSDSE-FINA-1", Auth: "tls_client_auth", Subject: "CN=PSDSE-FINA-1", RedirectURIs: []string{back}, Scopes: []string{"AIS:*"}, ResponseTypes: []string{"code"}},
		},
	}
	if change != nil {
		change(&c)
	}
	if e.Server, err = authserver.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop() })
	e.http = e.as("PSDSE-FINA-1")
	return e
}

// as returns a client with a certificate of that name; "" has none.
func (e *env) as(name string) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(e.ca.cert)
	c := &tls.Config{RootCAs: pool}
	if name != "" {
		c.Certificates = []tls.Certificate{e.ca.client(name)}
	}
	transport := &http.Transport{TLSClientConfig: c}
	e.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (e *env) sign(claims map[string]any) string {
	e.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: e.key, KeyID: "k"}}, nil)
	if err != nil {
		e.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(claims).CompactSerialize()
	if err != nil {
		e.Fatal(err)
	}
	return text
}

// authorize returns the status and where the browser is sent.
func (e *env) authorize(q url.Values) (int, *url.URL) {
	e.Helper()
	resp, err := e.as("").Get(e.Issuer() + "/authorize?" + q.Encode())
	if err != nil {
		e.Fatal(err)
	}
	_ = resp.Body.Close()
	to, _ := resp.Location()
	return resp.StatusCode, to
}

func (e *env) token(hc *http.Client, pairs ...string) (int, map[string]any) {
	e.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := hc.PostForm(e.Issuer()+"/token", form)
	if err != nil {
		e.Fatal(err)
	}
	return resp.StatusCode, e.read(resp)
}

func (e *env) read(resp *http.Response) map[string]any {
	e.Helper()
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		e.Fatal(err)
	}
	var body map[string]any
	_ = json.Unmarshal(text, &body) // some answers have no body
	return body
}

// resource reports what the access token stands for; nil: nothing.
func (e *env) resource(token any) map[string]any {
	e.Helper()
	r, err := http.NewRequestWithContext(e.Context(), http.MethodGet, e.Issuer()+"/resource", nil)
	if err != nil {
		e.Fatal(err)
	}
	text, _ := token.(string)
	r.Header.Set("Authorization", "Bearer "+text)
	resp, err := e.http.Do(r)
	if err != nil {
		e.Fatal(err)
	}
	return e.read(resp)
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func half(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func fragment(t testing.TB, to *url.URL) url.Values {
	t.Helper()
	if to == nil || !strings.HasPrefix(to.String(), back+"#") {
		t.Fatalf("sent to %v", to)
	}
	q, err := url.ParseQuery(to.EscapedFragment())
	if err != nil {
		t.Fatal(err)
	}
	return q
}
