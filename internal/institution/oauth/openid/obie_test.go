package openid_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/institution/oauth/openid"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
)

const (
	callback = "https://samla.example/callback/se-bank"
	person   = "198611239883" // a persona of the sandbox
)

// obieBank is a bank of the sandbox, which was written by another reading of OBIE and
// FAPI 1, and our client there.
type obieBank struct {
	*oauthtest.Server
	bank     *obie.Bank
	metadata oauth.Metadata
	signer   *oauth.Signer
	client   *oauth.Client
	verifier *openid.Verifier
}

func newOBIEBank(t *testing.T, b obie.Behaviour) *obieBank {
	t.Helper()
	x := &obieBank{}
	x.Server = oauthtest.Start(t, func(w http.ResponseWriter, r *http.Request) { x.bank.ServeHTTP(w, r) })
	certificates, key := oauthtest.Certificates(), oauthtest.Key(t, "PS256")
	var err error
	if x.signer, err = oauth.NewSigner(key, "PS256", "our-key"); err != nil {
		t.Fatal(err)
	}
	keys := map[int]*rsa.PrivateKey{}
	x.bank, err = obie.New(obie.Config{
		Behaviour: b, Clock: x.Clock, Roots: certificates.CA.Pool(), Origin: func() string { return x.URL },
		Key: func(n int) (*rsa.PrivateKey, error) {
			if keys[n] == nil {
				made, err := rsa.GenerateKey(rand.Reader, 2048)
				if err != nil {
					return nil, err
				}
				keys[n] = made
			}
			return keys[n], nil
		},
		Clients: []obie.Client{{ID: us, Subject: certificates.QWAC.Leaf.Subject.String(), RedirectURIs: []string{callback},
			Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "our-key"}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	x.connect(t)
	return x
}

// connect reads the bank's metadata, as a connector does.
func (x *obieBank) connect(t *testing.T) {
	t.Helper()
	var err error
	if x.metadata, err = oauth.NewServers(x.Hosts, x.Clock).Metadata(t.Context(), oauth.OpenIDWellKnown(x.bank.Issuer()), x.bank.Issuer()); err != nil {
		t.Fatal(err)
	}
	endpoint, err := x.Hosts.Endpoint(x.metadata.TokenEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	var auth oauth.Auth = oauth.TLSAuth{}
	if x.bank.ClientAuth == obie.PrivateKeyJWT {
		auth = oauth.PrivateKeyJWT{Signer: x.signer}
	}
	if x.client, err = oauth.NewClient(oauth.Config{ID: us, Auth: auth, Endpoint: endpoint, Clock: x.Clock}); err != nil {
		t.Fatal(err)
	}
	jwks, err := x.Hosts.Endpoint(x.metadata.JWKSURI)
	if err != nil {
		t.Fatal(err)
	}
	x.verifier, err = openid.NewVerifier(openid.Config{Keys: openid.NewKeys(jwks, x.Clock), Issuer: x.metadata.Issuer, ClientID: us, Clock: x.Clock})
	if err != nil {
		t.Fatal(err)
	}
}

// newConsent makes a consent at the bank.
func (x *obieBank) newConsent(t *testing.T) string {
	t.Helper()
	token, err := x.client.Request(t.Context(), oauth.ClientGrant("accounts"))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"Data":{"Permissions":["ReadAccountsDetail"]},"Risk":{}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.bank.Resources()+"/account-access-consents", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + token.Access.Reveal()}, "Content-Type": {"application/json"},
		"X-Fapi-Interaction-Id": {"7f1c2a80-7b2c-4f4e-9c54-7f0d6f0a1b01"}, "X-Fapi-Financial-Id": {x.bank.FinancialID}}
	browser := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: oauthtest.Certificates().CA.Pool(),
		Certificates: []tls.Certificate{oauthtest.Certificates().QWAC}, Time: x.Clock.Now}}}
	defer browser.CloseIdleConnections()
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	var created struct {
		Data struct {
			ConsentID string `json:"ConsentId"`
		}
	}
	if err != nil || json.NewDecoder(bytes.NewReader(answer)).Decode(&created) != nil || created.Data.ConsentID == "" {
		t.Fatalf("%d %s %v", resp.StatusCode, answer, err)
	}
	return created.Data.ConsentID
}

// visit is one login of a person.
type visit struct {
	consent                string
	state, nonce, verifier oauth.Secret
	back                   *url.URL
}

// visit sends a browser with our request to the bank, where the person approves or
// refuses.
func (x *obieBank) visit(t *testing.T, consent string, outcome bankpage.Outcome) visit {
	t.Helper()
	v := visit{consent: consent}
	for _, s := range []*oauth.Secret{&v.state, &v.nonce, &v.verifier} {
		var err error
		if *s, err = oauth.NewSecret(nil); err != nil {
			t.Fatal(err)
		}
	}
	object, err := openid.RequestObject{ClientID: us, Audience: x.metadata.Issuer, RedirectURI: callback, State: v.state, Nonce: v.nonce,
		Intent: consent, Challenge: oauth.Challenge(v.verifier), Life: 59 * time.Minute}.Sign(x.signer, x.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	address, err := oauth.Authorization{Endpoint: x.metadata.AuthorizationEndpoint, ClientID: us, ResponseType: "code id_token",
		Scope: "openid accounts", RedirectURI: callback, Request: object}.URL()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	x.bank.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
	_, login, found := strings.Cut(w.Header().Get("Location"), "/login/")
	if !found {
		t.Fatalf("the bank does not accept our request: %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	accounts, err := x.bank.Accounts("", person)
	if err != nil {
		t.Fatal(err)
	}
	d := bankpage.Decision{Outcome: outcome, PersonalNumber: person}
	for _, a := range accounts {
		d.Accounts = append(d.Accounts, a.ID)
	}
	back, err := x.bank.Decide(login, d)
	if err != nil {
		t.Fatal(err)
	}
	if v.back, err = url.Parse(back); err != nil {
		t.Fatal(err)
	}
	return v
}

// finish is what a connector does with what came back.
func (x *obieBank) finish(t *testing.T, v visit) (oauth.Tokens, openid.IDToken, error) {
	t.Helper()
	c := oauth.ParseCallback("", v.back.EscapedFragment()) // the query is not where FAPI 1 answers
	if err := c.Check(oauth.Expected{State: v.state, Issuer: x.metadata.Issuer, IssuerRequired: x.metadata.IssuerInAnswers}); err != nil {
		return oauth.Tokens{}, openid.IDToken{}, err
	}
	if c.Outcome != oauth.Granted {
		return oauth.Tokens{}, openid.IDToken{}, errors.New(string(c.Outcome))
	}
	front, err := x.verifier.IDToken(t.Context(), c.IDToken, openid.Expected{Nonce: v.nonce, Code: c.Code, State: v.state, StateHash: true, Intent: v.consent})
	if err != nil {
		return oauth.Tokens{}, openid.IDToken{}, err
	}
	tokens, err := x.client.Request(t.Context(), oauth.CodeGrant(c.Code, v.verifier, callback))
	if err != nil {
		return oauth.Tokens{}, openid.IDToken{}, err
	}
	id, err := x.verifier.IDToken(t.Context(), tokens.IDToken, openid.Expected{Nonce: v.nonce, State: v.state, Access: tokens.Access, Intent: v.consent, Subject: front.Subject})
	return tokens, id, err
}

func TestOBIE_LoginAtABankOfAnotherReading(t *testing.T) {
	for _, behaviour := range obie.DefaultBanks() {
		t.Run(behaviour.Company, func(t *testing.T) {
			x := newOBIEBank(t, behaviour)
			tokens, id, err := x.finish(t, x.visit(t, x.newConsent(t), bankpage.Approved))
			if err != nil || tokens.Refresh == "" || id.RefreshUntil.IsZero() || id.ACR == "" {
				t.Fatalf("%+v %+v: %v", tokens, id, err)
			}
			refreshed, err := x.client.Request(t.Context(), oauth.RefreshGrant(tokens.Refresh))
			if err != nil || refreshed.Access == tokens.Access {
				t.Fatalf("refresh: %v", err)
			}
			if refreshed.IDToken != "" {
				if _, err := x.verifier.IDToken(t.Context(), refreshed.IDToken, openid.Expected{Refreshed: true, Subject: id.Subject}); err != nil {
					t.Errorf("the id_token of a refresh: %v", err)
				}
			}
			if _, _, err := x.finish(t, x.visit(t, x.newConsent(t), bankpage.Refused)); err == nil || err.Error() != string(oauth.RefusedByPerson) {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// docs/reference/families.md 15, O6: each variant ends without a token request.
func TestOBIE_RefusesEveryVariantWithoutATokenRequest(t *testing.T) {
	for _, behaviour := range obie.DefaultBanks() {
		t.Run(behaviour.Company, func(t *testing.T) {
			x := newOBIEBank(t, behaviour)
			if _, _, err := x.finish(t, x.visit(t, x.newConsent(t), bankpage.Approved)); err != nil {
				t.Fatal(err) // its code is the one of another session
			}
			exchanged := x.bank.Calls().Count("token authorization_code")
			for _, variant := range signed.Variants() {
				consent := x.newConsent(t)
				x.bank.SetVariant(variant)
				_, _, err := x.finish(t, x.visit(t, consent, bankpage.Approved))
				if n := x.bank.Calls().Count("token authorization_code"); err == nil || n != exchanged {
					t.Errorf("%s: %v, %d token requests", variant, err, n-exchanged)
				}
				x.bank.SetVariant("")
			}
			if _, _, err := x.finish(t, x.visit(t, x.newConsent(t), bankpage.Approved)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// docs/reference/families.md 15, O16 and O19.
func TestOBIE_NewKeysAndTheEndOfAConsent(t *testing.T) {
	x := newOBIEBank(t, obie.DefaultBanks()[0])
	consent := x.newConsent(t)
	tokens, _, err := x.finish(t, x.visit(t, consent, bankpage.Approved))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.bank.RotateKey(); err != nil {
		t.Fatal(err)
	}
	x.Clock.Advance(time.Minute)
	before := x.bank.Calls().Count("GET jwks")
	if _, _, err := x.finish(t, x.visit(t, x.newConsent(t), bankpage.Approved)); err != nil || x.bank.Calls().Count("GET jwks") != before+1 {
		t.Errorf("after a change of keys: %v, keys read %d times", err, x.bank.Calls().Count("GET jwks")-before)
	}
	if ok, err := x.bank.Revoke(consent); err != nil || !ok {
		t.Fatal(err)
	}
	if _, err := x.client.Request(t.Context(), oauth.RefreshGrant(tokens.Refresh)); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("after the person has ended it: %v", err)
	}
}
