package enablebanking_test

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/sandbox/enablebanking"
	"samla/internal/visitor"
)

func TestToken_IsCheckedInEachPart(t *testing.T) {
	e := start(t)
	e.expect("valid", e.call("GET", "/application", nil), 200, "")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	kid := map[jose.HeaderKey]any{"kid": e.gateway.ApplicationID(), "typ": "JWT"}
	with := func(change func(map[string]any)) map[string]any {
		c := e.claims()
		change(c)
		return c
	}
	now := e.clock.Now().Unix()
	for name, token := range map[string]string{
		"other key":       sign(t, other, jose.RS256, kid, e.claims()),
		"RS512":           sign(t, key(), jose.RS512, kid, e.claims()),
		"PS256":           sign(t, key(), jose.PS256, kid, e.claims()),
		"HS256":           sign(t, []byte(strings.Repeat("k", 32)), jose.HS256, kid, e.claims()),
		"unknown kid":     sign(t, key(), jose.RS256, map[jose.HeaderKey]any{"kid": "4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", "typ": "JWT"}, e.claims()),
		"no kid":          sign(t, key(), jose.RS256, map[jose.HeaderKey]any{"typ": "JWT"}, e.claims()),
		"no typ":          sign(t, key(), jose.RS256, map[jose.HeaderKey]any{"kid": e.gateway.ApplicationID()}, e.claims()),
		"other issuer":    sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["iss"] = "samla" })),
		"other audience":  sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["aud"] = "api.tilisy.com" })),
		"no iat":          sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { delete(c, "iat") })),
		"no exp":          sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { delete(c, "exp") })),
		"25 hours":        sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["exp"] = now + 90000 })),
		"of the future":   sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["iat"], c["exp"] = now+7200, now+10800 })),
		"expired":         sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["iat"], c["exp"] = now-7200, now-3600 })),
		"nothing":         "",
		"no JWT":          "x.y",
		"larger than 8 K": strings.Repeat("x", 9000),
	} {
		e.expect(name, e.send("GET", "/application", nil, "Bearer "+token), 401, "UNAUTHORIZED_ACCESS")
	}
	e.expect("no header", e.send("GET", "/application", nil, "none"), 401, "AUTHORIZATION_NOT_PROVIDED")
	e.expect("another scheme", e.send("GET", "/application", nil, "Basic "+e.valid()), 401, "UNAUTHORIZED_ACCESS")
	e.expect("24 hours", e.send("GET", "/application", nil, "Bearer "+sign(t, key(), jose.RS256, kid, with(func(c map[string]any) { c["exp"] = now + 86400 }))), 200, "")
}

func TestApplication_SaysWhatIsRegistered(t *testing.T) {
	e := start(t)
	if err := e.gateway.Register(back + "/2"); err != nil {
		t.Fatal(err)
	}
	got := e.call("GET", "/application", nil)
	if got.body["kid"] != e.gateway.ApplicationID() || got.body["active"] != true || !strings.Contains(got.text, back+"/2") {
		t.Errorf("got %s", got.text)
	}
	if again := enablebanking.ApplicationID(&key().PublicKey); again != e.gateway.ApplicationID() {
		t.Error("the id is not that of the key")
	}
}

func TestBanks_AreFiltered(t *testing.T) {
	e := start(t)
	count := func(query string) (n int, names map[string]bool) {
		got := e.call("GET", "/aspsps"+query, nil)
		names = map[string]bool{}
		for _, b := range got.list("aspsps") {
			names[b["name"].(string)+" "+b["country"].(string)] = true
			n++
		}
		return n, names
	}
	all, _ := count("")
	swedish, names := count("?country=SE&psu_type=personal&service=AIS")
	business, _ := count("?country=SE&psu_type=business")
	payments, _ := count("?service=PIS")
	if swedish < 12 || all <= swedish || business >= swedish || payments != 0 || !names["Nordea SE"] || names["Nordea FI"] {
		t.Errorf("all %d, Swedish %d, business %d, payments %d", all, swedish, business, payments)
	}
	e.expect("country in small letters", e.call("GET", "/aspsps?country=se", nil), 422, "WRONG_REQUEST_PARAMETERS")
	e.expect("unknown parameter", e.call("GET", "/aspsps?brand=x", nil), 422, "WRONG_REQUEST_PARAMETERS")
	e.expect("parameter twice", e.call("GET", "/aspsps?country=SE&country=FI", nil), 422, "WRONG_REQUEST_PARAMETERS")
}

func TestAuth_RefusesWhatIsWrong(t *testing.T) {
	e := start(t)
	access := func(members map[string]any) func(map[string]any) {
		return func(b map[string]any) { maps.Copy(b["access"].(map[string]any), members) }
	}
	set := func(name string, value any) func(map[string]any) { return func(b map[string]any) { b[name] = value } }
	drop := func(name string) func(map[string]any) { return func(b map[string]any) { delete(b, name) } }
	until := func(d time.Duration) func(map[string]any) {
		return access(map[string]any{"valid_until": e.clock.Now().Add(d).Format(time.RFC3339)})
	}
	const wrong = "WRONG_REQUEST_PARAMETERS"
	for _, c := range []struct {
		name, code string
		change     func(map[string]any)
	}{
		{"valid", "", nil},
		{"no access", wrong, drop("access")}, {"no bank", wrong, drop("aspsp")}, {"no state", wrong, drop("state")}, {"no redirect", wrong, drop("redirect_url")},
		{"unknown member", wrong, set("ssn", "1")},
		{"unregistered redirect", "REDIRECT_URI_NOT_ALLOWED", set("redirect_url", back+"/other")},
		{"redirect with a prefix", "REDIRECT_URI_NOT_ALLOWED", set("redirect_url", back+".evil.example")},
		{"180 days", "", until(180*24*time.Hour - time.Hour)},
		{"181 days", wrong, until(181 * 24 * time.Hour)},
		{"over", wrong, until(-time.Hour)},
		{"no zone", wrong, access(map[string]any{"valid_until": "2027-01-01T00:00:00"})},
		{"other bank", "WRONG_ASPSP_PROVIDED", set("aspsp", map[string]any{"name": "Nordea", "country": "DE"})},
		{"unknown psu type", wrong, set("psu_type", "private")},
		{"unknown method", wrong, set("auth_method", "fax")},
		{"method of the other psu type", wrong, set("auth_method", "bankid_business")},
		{"language", wrong, set("language", "SV")},
		{"credentials without method", wrong, set("credentials", map[string]any{"userId": maja})},
		{"unknown credential", "WRONG_CREDENTIALS_PROVIDED", func(b map[string]any) {
			b["auth_method"], b["credentials"] = "bankid", map[string]any{"pin": "1"}
		}},
		{"malformed credential", "WRONG_CREDENTIALS_PROVIDED", func(b map[string]any) {
			b["auth_method"], b["credentials"] = "bankid", map[string]any{"userId": "x"}
		}},
	} {
		status := 422
		if c.code == "" {
			status = 200
		}
		e.expect(c.name, e.call("POST", "/auth", e.asked("Nordea", c.change)), status, c.code)
	}
	e.expect("90 days at most", e.call("POST", "/auth", e.asked("Skandia", until(100*24*time.Hour))), 422, wrong)
	e.expect("no JSON", e.call("POST", "/auth", nil), 422, wrong)
	if n := e.gateway.Stats().Calls["auth"]; n != 22 {
		t.Errorf("%d calls of POST /auth are counted", n)
	}
}

func TestPage_ReturnsOutcomeOfEachPerson(t *testing.T) {
	e := start(t)
	for number, want := range map[string]string{
		"189001019802": "code", "189001029819": "access_denied", "189001069815": "access_denied",
		"189001079806": "server_error", "189001089813": "server_error", "189001039800": "server_error", "189001049809": "server_error",
	} {
		back := e.login("Nordea", visitor.Person{Number: number}, nil)
		got := back.Get("error")
		if back.Get("code") != "" {
			got = "code"
		}
		if got != want || back.Get("state") != "st 1&" {
			t.Errorf("%s: came back with %v", number, back)
		}
	}
}

func TestPage_SharesChosenAccounts(t *testing.T) {
	e := start(t)
	refused := e.login("Nordea", visitor.Person{Number: maja, Phone: visitor.Approve, Refuse: true}, func(b map[string]any) { b["redirect_url"] = back + "?x=1" })
	if refused.Get("error") != "access_denied" || refused.Get("x") != "1" {
		t.Errorf("came back with %v", refused)
	}
	all := e.session("Nordea", maja, nil)
	if len(all.list("accounts")) != 3 {
		t.Fatalf("got %s", all.text)
	}
	named := e.session("Nordea", maja, func(b map[string]any) {
		iban := all.account(t, "Sparkonto")["account_id"]
		b["access"].(map[string]any)["accounts"] = []any{iban}
	})
	if len(named.list("accounts")) != 1 {
		t.Errorf("got %s", named.text)
	}
}

// A person whom the credentials name must be the one who signs.
func TestPage_KeepsToCredentials(t *testing.T) {
	e := start(t)
	named := func(b map[string]any) {
		b["auth_method"], b["credentials"] = "bankid", map[string]any{"userId": maja}
	}
	if back := e.login("Nordea", visitor.Person{Phone: visitor.Approve}, named); back.Get("code") == "" {
		t.Errorf("came back with %v", back)
	}
	if back := e.login("Nordea", visitor.Person{Phone: visitor.Approve, SignsAs: ester}, named); back.Get("code") != "" {
		t.Errorf("another person came back with %v", back)
	}
}

func TestSessions_ExchangeCodeOnce(t *testing.T) {
	e := start(t)
	person := visitor.Person{Number: maja, Phone: visitor.Approve}
	back := e.login("Nordea", person, nil)
	exchange := func(back url.Values) reply {
		return e.call("POST", "/sessions", map[string]string{"code": back.Get("code")})
	}
	e.expect("first", exchange(back), 200, "")
	e.expect("again", exchange(back), 422, "ALREADY_AUTHORIZED")
	e.expect("unknown", e.call("POST", "/sessions", map[string]string{"code": "x"}), 422, "WRONG_AUTHORIZATION_CODE")
	late := e.login("Nordea", person, nil)
	e.clock.Jump(11 * time.Minute)
	e.expect("late", exchange(late), 422, "EXPIRED_AUTHORIZATION_CODE")
}
