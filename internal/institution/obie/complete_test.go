package obie_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/obie"
)

func TestComplete_ExchangesTheCodeOfTheLogin(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	done, err := s.complete(t, s.right())
	if err != nil || done.State != institution.AuthorizationDone || done.Tokens == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	want := institution.Tokens{Access: "at-1", Refresh: "rt-1", Until: noon.Add(time.Hour), RefreshUntil: noon.AddDate(0, 0, 180)}
	if *done.Tokens != want || s.count("authorization_code") != 1 {
		t.Errorf("%+v after %d exchanges", done.Tokens, s.count("authorization_code"))
	}
}

// docs/reference/families.md 15, O6: nothing that is not the bank's answer to our request is
// exchanged.
func TestComplete_RefusesWithoutATokenRequest(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	with := func(change func(url.Values)) url.Values {
		v := s.right()
		change(v)
		return v
	}
	claim := func(name string, value any) url.Values {
		return with(func(v url.Values) {
			c := s.claims("code-1", noon)
			c[name] = value
			if value == nil {
				delete(c, name)
			}
			v.Set("id_token", s.sign(0, c))
		})
	}
	unsigned := func(header string) url.Values {
		return with(func(v url.Values) {
			payload, _ := json.Marshal(s.claims("code-1", noon))
			encode := base64.RawURLEncoding.EncodeToString
			v.Set("id_token", encode([]byte(header))+"."+encode(payload)+".")
		})
	}
	shared, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(s.claims("code-1", noon))
	hs, err := shared.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	hsText, _ := hs.CompactSerialize()
	for name, brought := range map[string]url.Values{
		"nothing":               {},
		"another state":         with(func(v url.Values) { v.Set("state", "state-of-another-login") }),
		"no state":              with(func(v url.Values) { v.Del("state") }),
		"two states":            with(func(v url.Values) { v.Add("state", way.State) }),
		"another issuer":        with(func(v url.Values) { v.Set("iss", "https://other.example") }),
		"no id_token":           with(func(v url.Values) { v.Del("id_token") }),
		"code of another login": with(func(v url.Values) { v.Set("code", "code-2") }),
		"wrong nonce":           claim("nonce", "nonce-of-another-login"),
		"no nonce":              claim("nonce", nil),
		"wrong c_hash":          claim("c_hash", halfHash("code-2")),
		"no c_hash":             claim("c_hash", nil),
		"wrong s_hash":          claim("s_hash", halfHash("another")),
		"another consent":       claim("openbanking_intent_id", "aac-2"),
		"no consent":            claim("openbanking_intent_id", nil),
		"another acr":           claim("acr", "urn:openbanking:psd2:none"),
		"no acr":                claim("acr", nil),
		"another audience":      claim("aud", "client-2"),
		"issuer of the token":   claim("iss", "https://other.example"),
		"expired":               claim("exp", noon.Add(-5*time.Minute).Unix()),
		"alg none":              unsigned(`{"alg":"none"}`),
		"alg none with key":     unsigned(`{"alg":"none","kid":"a"}`),
		"alg HS256":             with(func(v url.Values) { v.Set("id_token", hsText) }),
		"key of nobody":         with(func(v url.Values) { v.Set("id_token", s.sign(1, s.claims("code-1", noon))) }),
		"error beside a code":   with(func(v url.Values) { v.Set("error", "access_denied") }),
	} {
		done, err := s.complete(t, brought)
		if err != nil || done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed || done.Tokens != nil {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
	if n := s.count("authorization_code"); n != 0 {
		t.Errorf("%d token requests", n)
	}
	if done, err := s.complete(t, s.right()); err != nil || done.State != institution.AuthorizationDone {
		t.Errorf("afterwards: %+v, %v", done, err)
	}
}

// Where the configuration asks for no kind of login, none is needed, at both endpoints.
func TestComplete_AcceptsAnyLoginByConfiguration(t *testing.T) {
	s := newScripted(t, func(c *obie.Config) { c.ACR = []string{"none"} }, responds(500, ""))
	bare := func(code string) string {
		c := s.claims(code, noon)
		delete(c, "acr")
		return s.sign(0, c)
	}
	brought := s.right()
	brought.Set("id_token", bare("code-1"))
	s.idToken = bare("")
	if done, err := s.complete(t, brought); err != nil || done.State != institution.AuthorizationDone {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestComplete_SaysWhyTheBankRefuses(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	for code, want := range map[string]consent.FailureCode{
		"access_denied": consent.AuthenticationCancelled, "server_error": consent.BankUnavailable, "temporarily_unavailable": consent.BankUnavailable,
		"invalid_request_object": consent.Rejected, "anything": consent.Rejected,
	} {
		done, err := s.complete(t, url.Values{"error": {code}, "state": {way.State}})
		if err != nil || done.Failure != want || s.count("authorization_code") != 0 {
			t.Errorf("%s: %+v, %v", code, done, err)
		}
	}
}

// Tokens whose id_token is of another login are handed on, to be revoked, but grant nothing.
func TestComplete_ChecksTheTokenOfTheTokenEndpoint(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"another consent": func(c map[string]any) { c["openbanking_intent_id"] = "aac-2" },
		"another person":  func(c map[string]any) { c["sub"] = "person-2" },
		"another nonce":   func(c map[string]any) { c["nonce"] = "n" },
	} {
		s := newScripted(t, nil, responds(500, ""))
		c := s.claims("", noon)
		change(c)
		s.idToken = s.sign(0, c)
		done, err := s.complete(t, s.right())
		if err != nil || done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed || done.Tokens == nil {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
}

// docs/reference/families.md 15, O19: new keys are read once, and a token of nobody's key
// does not make us read them again and again.
func TestComplete_ReadsNewKeysOnce(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	if _, err := s.complete(t, s.right()); err != nil || s.count("keys") != 1 {
		t.Fatalf("%v, keys read %d times", err, s.count("keys"))
	}
	s.clock.Advance(2 * time.Minute)
	s.key = 1
	brought := s.right()
	brought.Set("id_token", s.sign(1, s.claims("code-1", s.clock.Now())))
	if done, err := s.complete(t, brought); err != nil || done.State != institution.AuthorizationDone || s.count("keys") != 2 {
		t.Fatalf("%+v, %v, keys read %d times", done, err, s.count("keys"))
	}
	for range 20 {
		if done, _ := s.complete(t, s.right()); done.State != institution.AuthorizationFailed {
			t.Errorf("a key that is no longer the bank's: %+v", done)
		}
	}
	if s.count("keys") != 2 || s.count("authorization_code") != 2 {
		t.Errorf("keys read %d times, %d exchanges", s.count("keys"), s.count("authorization_code"))
	}
}

// A code whose exchange fails is not exchanged again here.
func TestComplete_ReportsRefusedCodes(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	s.token = func() (int, any) { return 400, map[string]any{"error": "invalid_grant"} }
	if _, err := s.complete(t, s.right()); kindOf(t, err) != institution.SCARequired || s.count("authorization_code") != 1 {
		t.Errorf("%v after %d exchanges", err, s.count("authorization_code"))
	}
}

func TestRefresh_ReplacesTokens(t *testing.T) {
	s := newScripted(t, nil, responds(500, ""))
	c := s.claims("", noon)
	delete(c, "nonce")
	delete(c, "s_hash")
	s.idToken = s.sign(0, c)
	tokens, err := s.Refresh(t.Context(), access())
	if err != nil || tokens.Access != "at-1" || !tokens.RefreshUntil.Equal(noon.AddDate(0, 0, 180)) {
		t.Errorf("%+v, %v", tokens, err)
	}
	c["aud"] = "client-2"
	s.idToken = s.sign(0, c)
	if tokens, err = s.Refresh(t.Context(), access()); err != nil || tokens.Refresh != "rt-1" || !tokens.RefreshUntil.IsZero() {
		t.Errorf("with an id_token of another client: %+v, %v", tokens, err)
	}
	s.token = func() (int, any) { return 400, map[string]any{"error": "invalid_grant"} }
	if _, err = s.Refresh(t.Context(), access()); kindOf(t, err) != institution.ConsentGone {
		t.Error(err)
	}
	if _, err = s.Refresh(t.Context(), institution.Access{ConsentID: consentID}); kindOf(t, err) != institution.Refused {
		t.Error(err)
	}
}

// The page gets a request that we have signed (docs/reference/families.md 4.2 step 3).
func TestStartAuthorization_SignsTheRequest(t *testing.T) {
	for challenge, has := range map[string]bool{"": true, "none": false} {
		s := newScripted(t, func(c *obie.Config) { c.Challenge = challenge }, responds(500, ""))
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: "r", ConsentID: consentID, PSU: person, Way: way})
		if err != nil || a.Silent || a.ID != "" || a.StatusLink != "" {
			t.Fatalf("%+v, %v", a, err)
		}
		page, err := url.Parse(a.Instructions.RedirectURL)
		if err != nil || page.Path != "/authorize" || page.Query().Get("response_type") != "code id_token" || page.Query().Get("client_id") != clientID {
			t.Fatalf("%s, %v", page, err)
		}
		_, set := certificates()
		object, err := jose.ParseSignedCompact(page.Query().Get("request"), []jose.SignatureAlgorithm{jose.PS256})
		if err != nil || object.Signatures[0].Protected.KeyID != "our-key" {
			t.Fatal(err)
		}
		payload, err := object.Verify(set.QSEAL.Leaf.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{"iss": clientID, "aud": s.url, "redirect_uri": way.Return, "state": way.State, "nonce": way.Nonce, "scope": "openid accounts"} {
			if got[name] != want {
				t.Errorf("%s is %v", name, got[name])
			}
		}
		claims := map[string]any{}
		maps.Copy(claims, got["claims"].(map[string]any)["id_token"].(map[string]any))
		if intent := claims["openbanking_intent_id"].(map[string]any); intent["value"] != consentID || intent["essential"] != true {
			t.Errorf("intent %v", intent)
		}
		if acr := claims["acr"].(map[string]any); acr["essential"] != true || len(acr["values"].([]any)) != 2 {
			t.Errorf("acr %v", acr)
		}
		if life := got["exp"].(float64) - got["nbf"].(float64); life < 600 || life > 3600 {
			t.Errorf("it lives %.0f s", life)
		}
		if _, sent := got["code_challenge"]; sent != has {
			t.Errorf("challenge %q: %t", challenge, sent)
		}
	}
	s := newScripted(t, nil, responds(500, ""))
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: "r", ConsentID: consentID}); kindOf(t, err) != institution.Refused {
		t.Errorf("without a way: %v", err)
	}
}
