package oauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/sandbox/calls"
	bank "samla/internal/sandbox/oauth"
)

const callback = "https://samla.example/callback/se-bank?once=1"

// otherReading is the authorization server of the sandbox, which was written by another
// reading of the RFCs, behind mutual TLS.
type otherReading struct {
	*oauthtest.Server
	bank     *bank.Server
	requests atomic.Int32 // token requests
}

func newOtherReading(t *testing.T, p bank.Policy) *otherReading {
	t.Helper()
	b := &otherReading{}
	b.Server = oauthtest.Start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sca/7/metadata":
			_ = json.NewEncoder(w).Encode(b.bank.Metadata("https://bank.example", b.URL+"/login?tenant=1", b.URL+"/token", ""))
		case "/token":
			b.requests.Add(1)
			b.bank.Token(w, r)
		}
	})
	var err error
	b.bank, err = bank.New(bank.Config{Policy: p, Clock: b.Clock, Calls: calls.New(b.Clock), Authenticate: func(r *http.Request) (bank.Client, *bank.Error) {
		return bank.Client{ID: "PSDSE-FINA-44059", Certificate: bank.Thumbprint(r.TLS.PeerCertificates[0].Raw)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// login is one login of a person, as a connector leads it.
type login struct {
	state, verifier oauth.Secret
	expected        oauth.Expected
	client          *oauth.Client
	back            *url.URL // where the browser came back
}

// login sends a browser with our request to the bank, and returns where it came back.
func (b *otherReading) login(t *testing.T, refuse bool, change func(*oauth.Config)) login {
	t.Helper()
	m, err := oauth.NewServers(b.Hosts, b.Clock).Metadata(t.Context(), b.URL+"/sca/7/metadata", "https://bank.example")
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := b.Hosts.Endpoint(m.TokenEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	config := oauth.Config{ID: "PSDSE-FINA-44059", Auth: oauth.TLSAuth{}, Endpoint: endpoint, Clock: b.Clock}
	if change != nil {
		change(&config)
	}
	l := login{expected: oauth.Expected{Issuer: m.Issuer, IssuerRequired: m.IssuerInAnswers}}
	if l.client, err = oauth.NewClient(config); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []*oauth.Secret{&l.state, &l.verifier} {
		if *secret, err = oauth.NewSecret(nil); err != nil {
			t.Fatal(err)
		}
	}
	l.expected.State = l.state
	address, err := oauth.Authorization{Endpoint: m.AuthorizationEndpoint, ClientID: config.ID, RedirectURI: callback, Scope: "AIS:c1 offline_access",
		State: l.state, Challenge: oauth.Challenge(l.verifier)}.URL()
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(address)
	if err != nil || page.Query().Get("tenant") != "1" {
		t.Fatalf("the bank's query is lost: %v", err)
	}
	request, refused := b.bank.Authorize(page.Query(), bank.Rules{Issuer: m.Issuer,
		Redirect: func(string, string) *bank.Error { return nil }, Scope: func(string, string) *bank.Error { return nil }})
	if refused != nil {
		t.Fatal(refused)
	}
	back := request.Failure(bank.AccessDenied())
	if !refuse {
		code, err := b.bank.Code(request, "c1")
		if err != nil {
			t.Fatal(err)
		}
		back = request.Success(code)
	}
	if l.back, err = url.Parse(back); err != nil {
		t.Fatal(err)
	}
	return l
}

// finish is what a connector does with a callback.
func (l login) finish(t *testing.T, query string) (oauth.Tokens, error) {
	t.Helper()
	c := oauth.ParseCallback(query, "")
	if err := c.Check(l.expected); err != nil {
		return oauth.Tokens{}, err
	}
	if c.Outcome != oauth.Granted {
		return oauth.Tokens{}, errors.New(string(c.Outcome))
	}
	return l.client.Request(t.Context(), oauth.CodeGrant(c.Code, l.verifier, callback))
}

func TestClient_LeadsALoginAtAServerOfAnotherReading(t *testing.T) {
	b := newOtherReading(t, bank.Policy{Refresh: bank.Rotating, Issuer: true})
	l := b.login(t, false, nil)
	first, err := l.finish(t, l.back.RawQuery)
	if err != nil || first.Access == "" || first.Refresh == "" || !first.Until.Equal(noon.Add(time.Hour)) || first.Scope != "AIS:c1 offline_access" {
		t.Fatalf("%+v until %v: %v", first, first.Until, err)
	}
	if _, err := l.finish(t, l.back.RawQuery); institution.KindOf(err) != institution.SCARequired {
		t.Errorf("the code again: %v", err)
	}
	l = b.login(t, false, nil) // the replay has ended the first one
	if first, err = l.finish(t, l.back.RawQuery); err != nil {
		t.Fatal(err)
	}
	second, err := l.client.Request(t.Context(), oauth.RefreshGrant(first.Refresh))
	if err != nil || second.Access == first.Access || second.Refresh == first.Refresh || second.Refresh == "" {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := l.client.Request(t.Context(), oauth.RefreshGrant(first.Refresh)); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("the refresh token before: %v", err)
	}
	if err := b.bank.End("c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.Request(t.Context(), oauth.RefreshGrant(second.Refresh)); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("after the person has ended it at the bank: %v", err)
	}
}

func TestClient_KeepsAConsentThroughEveryFaultOfAServer(t *testing.T) {
	b := newOtherReading(t, bank.Policy{Refresh: bank.Reusable, BareRefresh: true})
	l := b.login(t, false, nil)
	first, err := l.finish(t, l.back.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []bank.Fault{bank.Unavailable, bank.ServerError, bank.Lost, bank.Garbled} {
		p := b.bank.Policy()
		p.Fault, p.Times = fault, 1
		b.bank.SetPolicy(p)
		if _, err := l.client.Request(t.Context(), oauth.RefreshGrant(first.Refresh)); institution.KindOf(err) != institution.Unreachable || err == nil {
			t.Errorf("%s: %v", fault, err)
		}
		got, err := l.client.Request(t.Context(), oauth.RefreshGrant(first.Refresh))
		if err != nil || got.Refresh != "" || !got.Until.IsZero() {
			t.Errorf("after %s: %+v %v", fault, got, err)
		}
	}
}

// The attacks of docs/reference/families.md 15, R10: they end without a token request.
func TestClient_SendsNoTokenRequestForAnAttack(t *testing.T) {
	b := newOtherReading(t, bank.Policy{Issuer: true})
	victim, attacker := b.login(t, false, nil), b.login(t, false, nil)
	ours := func(change func(url.Values)) string {
		q := victim.back.Query()
		change(q)
		return q.Encode()
	}
	for name, query := range map[string]string{
		"the callback of another login":       attacker.back.RawQuery,
		"the code of another, without state":  ours(func(q url.Values) { q.Set("code", attacker.back.Query().Get("code")); q.Del("state") }),
		"our state twice, theirs first":       "state=x&" + victim.back.RawQuery,
		"two codes":                           victim.back.RawQuery + "&code=" + attacker.back.Query().Get("code"),
		"mix-up: another issuer":              ours(func(q url.Values) { q.Set("iss", "https://attacker.example") }),
		"mix-up: the issuer is left out":      ours(func(q url.Values) { q.Del("iss") }),
		"an error beside the code":            ours(func(q url.Values) { q.Set("error", "access_denied") }),
		"nothing":                             "",
		"the person has refused":              b.login(t, true, nil).back.RawQuery,
		"a refusal in the name of the victim": ours(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }),
	} {
		if _, err := victim.finish(t, query); err == nil || b.requests.Load() != 0 {
			t.Errorf("%s: %v, %d token requests", name, err, b.requests.Load())
		}
	}
	if _, err := victim.finish(t, victim.back.RawQuery); err != nil || b.requests.Load() != 1 {
		t.Errorf("afterwards: %v, %d token requests", err, b.requests.Load())
	}
}

// A code that was injected with our own state dies at the bank: PKCE binds it to the
// verifier of its login.
func TestClient_CannotUseAnInjectedCode(t *testing.T) {
	b := newOtherReading(t, bank.Policy{})
	victim, attacker := b.login(t, false, nil), b.login(t, false, nil)
	q := victim.back.Query()
	q.Set("code", attacker.back.Query().Get("code"))
	if _, err := victim.finish(t, q.Encode()); institution.KindOf(err) != institution.SCARequired {
		t.Errorf("got %v", err)
	}
	n26 := newOtherReading(t, bank.Policy{InvalidRequest: true})
	read := func(c *oauth.Config) { c.Reading.CodeErrors = []string{"invalid_request"} }
	victim, attacker = n26.login(t, false, read), n26.login(t, false, read)
	q = victim.back.Query()
	q.Set("code", attacker.back.Query().Get("code"))
	if _, err := victim.finish(t, q.Encode()); institution.KindOf(err) != institution.SCARequired {
		t.Errorf("a bank that says invalid_request: %v", err)
	}
}
