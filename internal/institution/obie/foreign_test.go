package obie_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/consent"
	"samla/internal/foreign"
	"samla/internal/institution"
	"samla/internal/institution/obie"
	"samla/internal/sandbox/pki"
)

// The whole login with an authorisation server that is not ours (ory/fosite), for each way
// in which our client proves who it is (docs/reference/families.md 14.3).
func TestForeignServer_GivesTokensForALogin(t *testing.T) {
	for _, auth := range []string{"tls_client_auth", "private_key_jwt"} {
		t.Run(auth, func(t *testing.T) {
			dir := t.TempDir()
			keys, err := pki.Open(dir, func() time.Time { return time.Now().UTC() }, nil)
			if err != nil {
				t.Fatal(err)
			}
			set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: keys.QSEAL.Leaf.PublicKey, KeyID: "our-key", Algorithm: "PS256", Use: "sig"}}})
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKCS8PrivateKey(keys.Server.PrivateKey)
			if err != nil {
				t.Fatal(err)
			}
			issuer := foreign.AuthServer{
				Certificate: string(pki.PEM(keys.Server.Leaf)), Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), ClientCAs: string(pki.PEM(keys.CA.Cert)), PKCE: true,
				Clients: []foreign.AuthServerClient{{ID: clientID, Auth: auth, Subject: keys.QWAC.Leaf.Subject.String(), Keys: set, RedirectURIs: []string{way.Return},
					Scopes: []string{"openid", "accounts", "offline"}, ResponseTypes: []string{"code id_token"}}},
			}.Start(t)

			resources := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Fapi-Interaction-Id", r.Header.Get("X-Fapi-Interaction-Id"))
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusCreated)
				}
				_, _ = io.WriteString(w, consentBody("AwaitingAuthorisation", ""))
			}))
			resources.TLS = &tls.Config{Certificates: []tls.Certificate{keys.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: keys.CA.Pool()}
			resources.Config.ErrorLog = log.New(io.Discard, "", 0)
			resources.StartTLS()
			defer resources.Close()

			b, err := obie.New(obie.Config{BaseURL: resources.URL, Issuer: issuer, ClientID: clientID, ClientAuth: auth, KeyFile: pki.QSEALKeyFile, KeyID: "our-key",
				Scope:        "openid accounts offline",
				Certificates: obie.Certificates{Cert: pki.QWACFile, Key: pki.QWACKeyFile, CAFile: pki.CAFile}}, obie.Deps{Deps: institution.Deps{Dir: dir}})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			r := openRequest(full)
			r.ValidUntil = time.Now().AddDate(0, 0, 30)
			opened, err := b.OpenConsent(t.Context(), r)
			if err != nil || opened.ConsentID != consentID {
				t.Fatalf("%+v, %v", opened, err)
			}
			start := func(id consent.RemoteID, w institution.Way) url.Values {
				a, err := b.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: id, Way: w})
				if err != nil {
					t.Fatal(err)
				}
				return visitForeign(t, keys, a.Instructions.RedirectURL)
			}
			complete := func(id consent.RemoteID, brought url.Values) (institution.Completed, error) {
				return b.Complete(t.Context(), institution.Completion{ConsentID: id, Way: way, Brought: brought})
			}
			brought := start(opened.ConsentID, way)
			done, err := complete(opened.ConsentID, brought)
			if err != nil || done.State != institution.AuthorizationDone || done.Tokens.Access == "" {
				t.Fatalf("%+v, %v", done, err)
			}
			// A code works once.
			if _, err := complete(opened.ConsentID, brought); kindOf(t, err) != institution.SCARequired {
				t.Errorf("the code again: %v", err)
			}
			// What was signed for another consent, and what another login brought, is refused.
			if done, err := complete(opened.ConsentID, start("aac-2", way)); err != nil || done.State != institution.AuthorizationFailed {
				t.Errorf("another consent: %+v, %v", done, err)
			}
			other := way
			other.Nonce = "nonce-of-another-login"
			if done, err := complete(opened.ConsentID, start(opened.ConsentID, other)); err != nil || done.State != institution.AuthorizationFailed {
				t.Errorf("another nonce: %+v, %v", done, err)
			}
			again, err := complete(opened.ConsentID, start(opened.ConsentID, way))
			if err != nil || again.Tokens == nil || again.Tokens.Refresh == "" {
				t.Fatalf("%+v, %v", again, err)
			}
			refreshed, err := b.Refresh(t.Context(), institution.Access{ConsentID: opened.ConsentID, Refresh: again.Tokens.Refresh})
			if err != nil || refreshed.Access == again.Tokens.Access || refreshed.Refresh == again.Tokens.Refresh {
				t.Fatalf("%v", err)
			}
			if _, err := b.Refresh(t.Context(), institution.Access{ConsentID: opened.ConsentID, Refresh: again.Tokens.Refresh}); kindOf(t, err) != institution.ConsentGone {
				t.Errorf("a used refresh token: %v", err)
			}
		})
	}
}

// visitForeign opens a page of the foreign server, which answers at once, and returns what
// the browser brings back.
func visitForeign(t *testing.T, keys *pki.Set, page string) url.Values {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: keys.CA.Pool(), Certificates: []tls.Certificate{keys.QWAC}}}
	defer transport.CloseIdleConnections()
	browser := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		t.Fatalf("%d %.300s: %v", resp.StatusCode, body, err)
	}
	brought, err := url.ParseQuery(to.EscapedFragment())
	if err != nil {
		t.Fatal(err)
	}
	return brought
}
