package obie_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
)

// O4: what the bank can tell the client is an error in the fragment, everything else a
// page of status 400.
func TestAuthorize_RefusesRequests(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent := c.newConsent(allPermissions, nil)
		now := c.clock.Now()
		idToken := func(intent any, acr ...string) map[string]any {
			return map[string]any{"id_token": map[string]any{"openbanking_intent_id": intent, "acr": map[string]any{"values": acr}}}
		}
		set := func(name string, v any) func(map[string]any) { return func(m map[string]any) { m[name] = v } }
		good := map[string]any{"value": consent, "essential": true}
		const page, sent = "page", "invalid_request_object"
		for name, tt := range map[string]struct {
			change func(map[string]any)
			want   string // "", page, or the error
		}{
			"good":                     {func(map[string]any) {}, ""},
			"for an hour":              {set("exp", now.Add(time.Hour).Unix()), ""},
			"list of audiences":        {set("aud", []string{c.Issuer(), "https://other.example"}), ""},
			"no state":                 {func(m map[string]any) { delete(m, "state") }, ""},
			"only ca":                  {set("claims", idToken(good, "urn:openbanking:psd2:ca")), ""},
			"any acr":                  {set("claims", idToken(good)), ""},
			"other client inside":      {set("client_id", otherID), page},
			"other redirect":           {set("redirect_uri", redirectURI+"&y=2"), page},
			"other issuer of it":       {set("iss", otherID), sent},
			"for another bank":         {set("aud", "https://other.example"), sent},
			"no nbf":                   {func(m map[string]any) { delete(m, "nbf") }, sent},
			"no exp":                   {func(m map[string]any) { delete(m, "exp") }, sent},
			"over an hour":             {set("exp", now.Add(time.Hour+time.Second).Unix()), sent},
			"expired":                  {func(m map[string]any) { m["nbf"], m["exp"] = now.Add(-time.Hour).Unix(), now.Unix() }, sent},
			"of later":                 {func(m map[string]any) { m["nbf"] = now.Add(2 * time.Minute).Unix() }, sent},
			"no nonce":                 {func(m map[string]any) { delete(m, "nonce") }, sent},
			"answer in the query":      {set("response_mode", "query"), sent},
			"no intent":                {set("claims", idToken(map[string]any{"essential": true})), sent},
			"intent not essential":     {set("claims", idToken(map[string]any{"value": consent})), sent},
			"unknown acr":              {set("claims", idToken(good, "urn:other")), sent},
			"unknown consent":          {set("claims", idToken(map[string]any{"value": "aac-1", "essential": true})), "invalid_request"},
			"plain challenge":          {func(m map[string]any) { m["code_challenge"], m["code_challenge_method"] = verifier[:43], "plain" }, sent},
			"challenge of no method":   {func(m map[string]any) { m["code_challenge"], m["code_challenge_method"] = verifier[:43], "" }, sent},
			"method of no challenge":   {func(m map[string]any) { m["code_challenge"], m["code_challenge_method"] = "", "S256" }, sent},
			"short challenge":          {func(m map[string]any) { m["code_challenge"], m["code_challenge_method"] = "abc", "S256" }, sent},
			"without challenge (O7)":   {func(m map[string]any) { delete(m, "code_challenge"); delete(m, "code_challenge_method") }, map[bool]string{true: sent}[b.PKCE]},
			"other scope than outside": {set("scope", "openid payments"), page},
		} {
			claims := maps.Clone(c.requestObject(consent))
			tt.change(claims)
			a := c.authorize(c.sign(claims))
			got := ""
			switch to := a.header.Get("Location"); {
			case a.status == 400:
				got = page
			case strings.Contains(to, "/login/"):
			default:
				q := fragment(c, to)
				got = q.Get("error")
				if q.Get("state") != fmt.Sprint(claims["state"]) || (q.Get("iss") != "") != b.SaysIssuer {
					t.Errorf("%s: %v", name, q)
				}
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q (%d %s)", name, got, tt.want, a.status, a.body)
			}
		}
		if n := c.Calls().Count("GET authorize"); n != 27 {
			t.Errorf("%d calls are counted", n)
		}
	})
}

func TestAuthorize_RefusesOtherSignaturesAndParameters(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	consent := c.newConsent(allPermissions, nil)
	good := c.sign(c.requestObject(consent))
	c.authorize("x").want(400)
	c.authorize("").want(400)
	c.authorize(good[:len(good)-4] + "AAAA").want(400)
	c.authorize(good, "client_id", "nobody").want(400)
	c.authorize(good, "redirect_uri", redirectURI+"2").want(400)
	c.authorize(good, "scope", "openid").want(400)
	c.authorize(good, "scope", "").want(400)
	c.authorize(good, "response_type", "code").want(400)
	c.authorize(good, "state", "another").want(400)
	c.authorize(good, "nonce", "another").want(400)
	c.authorize(good, "redirect_uri", "").want(303) // it stands inside
	claims := c.requestObject(consent)
	for _, open := range []string{"https://evil.example/", redirectURI + "#x", redirectURI + "2", ""} {
		claims["redirect_uri"] = open
		c.authorize(c.sign(claims), "redirect_uri", open).want(400)
	}
	c.authorize(good, "state", "state-"+consent).want(303)
	foreign := *c
	foreign.key = someone()
	c.authorize(foreign.sign(c.requestObject(consent))).want(400)
	foreign = *c
	foreign.keyID = "other"
	c.authorize(foreign.sign(c.requestObject(consent))).want(400)
}

func TestAuthorize_WantsAnOpenConsentOfTheClient(t *testing.T) {
	w := start(t, behaviour("se-demo-obie"))
	c, other := w.client(), w.clientWith(otherID, &w.keys.QWAC)
	refused := func(name, consent string) {
		t.Helper()
		a := c.authorize(c.sign(c.requestObject(consent))).want(303)
		if q := fragment(t, a.header.Get("Location")); q.Get("error") != "invalid_request" {
			t.Errorf("%s: %s", name, a.header.Get("Location"))
		}
	}
	refused("another client's", other.newConsent(allPermissions, nil))
	deleted := c.newConsent(allPermissions, nil)
	c.api(http.MethodDelete, "account-access-consents/"+deleted, c.appToken(), "").want(204)
	refused("deleted", deleted)
	rejected := c.newConsent(allPermissions, nil)
	c.decide(c.login(rejected), bankpage.Decision{Outcome: bankpage.Refused})
	refused("rejected", rejected)
	soon := c.newConsent(allPermissions, map[string]any{"ExpirationDateTime": c.clock.Now().Add(time.Minute).Format(time.RFC3339)})
	late := c.newConsent(allPermissions, nil)
	c.clock.Advance(time.Minute)
	refused("expired", soon)
	c.clock.Advance(30 * time.Minute)
	refused("not authorised in time", late)
}

// decide ends a login and returns the answer in the fragment.
func (c *client) decide(login string, d bankpage.Decision) url.Values {
	c.Helper()
	address, err := c.Decide(login, d)
	if err != nil {
		c.Fatal(err)
	}
	return fragment(c, address)
}

func TestDecide_TellsTheClientEachEnd(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		rejected, awaiting := map[string]string{"se-demo-obie": "Rejected", "se-demo-obie4": "RJCT"}[b.Company], map[string]string{"se-demo-obie": "AwaitingAuthorisation", "se-demo-obie4": "AWAU"}[b.Company]
		for name, tt := range map[string]struct {
			decision bankpage.Decision
			code     string
			status   string
		}{
			"refused":       {bankpage.Decision{Outcome: bankpage.Refused}, "access_denied", rejected},
			"timed out":     {bankpage.Decision{Outcome: bankpage.TimedOut}, "access_denied", rejected},
			"wrong person":  {bankpage.Decision{Outcome: bankpage.WrongPerson}, "access_denied", rejected},
			"not eligible":  {bankpage.Decision{Outcome: bankpage.NotEligible}, "access_denied", rejected},
			"failed":        {bankpage.Decision{Outcome: bankpage.Failed}, "server_error", awaiting},
			"no accounts":   {bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: tim}, "access_denied", rejected},
			"other account": {bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: tim, Accounts: []string{"x"}}, "access_denied", rejected},
			"no customer":   {bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: "1", Accounts: []string{"x"}}, "access_denied", rejected},
		} {
			consent := c.newConsent(allPermissions, nil)
			login := c.login(consent)
			first := c.decide(login, tt.decision)
			if first.Get("error") != tt.code || first.Get("state") != "state-"+consent || first.Has("code") || first.Has("id_token") {
				t.Errorf("%s: %v", name, first)
			}
			again := c.decide(login, bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: tim, Accounts: c.accountsOf(tim)})
			if again.Encode() != first.Encode() {
				t.Errorf("%s: then %v", name, again)
			}
			if got := c.api(http.MethodGet, "account-access-consents/"+consent, c.appToken(), "").text("Data", "Status"); got != tt.status {
				t.Errorf("%s: the consent is %s", name, got)
			}
		}
		if _, err := c.Decide("unknown", bankpage.Decision{}); err == nil {
			t.Error("an unknown login has an end")
		}
	})
}

// check is how a client must judge an answer (docs/reference/families.md 4.2, step 4). It
// does not read signed.Variant.
func (c *client) check(address, consent string) error {
	target, text, found := strings.Cut(address, "#")
	q, err := url.ParseQuery(text)
	if err != nil || !found || target != redirectURI {
		return errors.New("no answer in the fragment")
	}
	if q.Get("state") != "state-"+consent {
		return errors.New("state")
	}
	if q.Has("iss") && q.Get("iss") != c.Issuer() {
		return errors.New("iss beside the code")
	}
	claims, err := c.verify(q.Get("id_token"))
	if err != nil {
		return err
	}
	now := float64(c.clock.Now().Unix())
	exp, _ := claims["exp"].(float64)
	iat, _ := claims["iat"].(float64)
	switch {
	case claims["iss"] != c.Issuer():
		return errors.New("iss")
	case claims["aud"] != clientID:
		return errors.New("aud")
	case claims["nonce"] != "nonce-"+consent:
		return errors.New("nonce")
	case exp <= now || iat > now+60:
		return errors.New("time")
	case claims["c_hash"] != signed.HalfHash(q.Get("code")):
		return errors.New("c_hash")
	case claims["s_hash"] != signed.HalfHash(q.Get("state")):
		return errors.New("s_hash")
	case claims["openbanking_intent_id"] != consent:
		return errors.New("openbanking_intent_id")
	}
	return nil
}

// O6: every variant is one that a careful client refuses, and for the reason it is named
// after; the next answer is right again.
func TestVariants_AreRefused(t *testing.T) {
	reasons := map[signed.Variant]string{
		signed.WrongNonce: "nonce", signed.NoNonce: "nonce", signed.WrongCodeHash: "c_hash", signed.NoCodeHash: "c_hash",
		signed.WrongStateHash: "s_hash", signed.OtherIntent: "openbanking_intent_id", signed.NoIntent: "openbanking_intent_id",
		signed.ExpiredToken: "time", signed.FutureToken: "time", signed.WrongAudience: "aud", signed.WrongIssuer: "iss",
		signed.OtherIssuer: "iss beside the code", signed.UnsignedToken: "unexpected signature algorithm", signed.HMACToken: "unexpected signature algorithm",
		signed.UnknownKey: "publishes 0", signed.KnownKeyID: "cryptographic", signed.ChangedToken: "cryptographic", signed.WrongState: "state",
		signed.NoState: "state", signed.ForeignCode: "c_hash", signed.NoIDToken: "empty input", signed.InQuery: "no answer in the fragment",
	}
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		answer := func() (address, consent string) {
			consent = c.newConsent(allPermissions, nil)
			address, err := c.Decide(c.login(consent), bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: tim, Accounts: c.accountsOf(tim)})
			if err != nil {
				t.Fatal(err)
			}
			return address, consent
		}
		for _, v := range signed.Variants() {
			c.SetVariant(v)
			err := c.check(answer())
			if reason, known := reasons[v]; !known || err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v", v, err)
			}
			if err := c.check(answer()); err != nil {
				t.Errorf("after %s: %v", v, err)
			}
		}
	})
}

// The code of another session is a real one: a client that exchanges it gets the tokens of
// another consent.
func TestVariants_ForeignCodeWorks(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	first := c.newConsent(allPermissions, nil)
	c.approve(c.login(first), tim)
	c.SetVariant(signed.ForeignCode)
	q := c.approve(c.login(c.newConsent(allPermissions, nil)), ester)
	claims, err := c.verify(c.exchange(q.Get("code")).want(200).text("id_token"))
	if err != nil || claims["openbanking_intent_id"] != first {
		t.Errorf("%v %v", claims, err)
	}
}

// O19.
func TestRotateKey_PublishesTheNewKeyOnly(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	before := c.approve(c.login(c.newConsent(allPermissions, nil)), tim).Get("id_token")
	if err := c.RotateKey(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.verify(before); err == nil {
		t.Error("the old key is still published")
	}
	consent := c.newConsent(allPermissions, nil)
	q := c.approve(c.login(consent), tim)
	if err := c.check(redirectURI+"#"+q.Encode(), consent); err != nil {
		t.Error(err)
	}
}

// The metadata say what the bank does.
func TestMetadata(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		a := c.do(c.request(http.MethodGet, c.Issuer()+"/.well-known/openid-configuration", ""), "").want(200)
		for name, want := range map[string]any{
			"issuer": c.Issuer(), "token_endpoint": c.Issuer() + "/token", "authorization_endpoint": c.Issuer() + "/authorize", "jwks_uri": c.Issuer() + "/jwks",
			"tls_client_certificate_bound_access_tokens": true,
		} {
			if a.at(name) != want {
				t.Errorf("%s is %v", name, a.at(name))
			}
		}
		if a.at("token_endpoint_auth_methods_supported", 0) != string(b.ClientAuth) || (a.at("code_challenge_methods_supported") != nil) != b.PKCE ||
			(a.at("authorization_response_iss_parameter_supported") == true) != b.SaysIssuer {
			t.Errorf("%s", a.body)
		}
		c.do(c.request(http.MethodPost, c.Issuer()+"/jwks", ""), "").want(405)
		c.do(c.request(http.MethodGet, c.Issuer()+"/other", ""), "").want(404)
	})
}
