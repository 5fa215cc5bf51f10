package nordea_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/faults"
)

// Every refusal has the envelope of docs/reference/families.md 3.8, with the path below the
// root. The judge of the environment checks each answer too; this test says which refusals
// there are.
func TestErrors_HaveTheEnvelope(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(maja, `"ACCOUNTS_BASIC"`)
	own := r.first()
	other := c.reader(ester, all).first()
	ended := c.login(sten)
	c.phone(ended.text("auto_start_token"), bankid.Decline)
	unsigned := *c
	unsigned.after = func(r *http.Request) { r.Header.Del("Signature") }
	stranger := *c
	stranger.app = "nobody"
	badIP := *r
	badIP.change = func(r *http.Request) { r.Header.Set("X-Nordea-Originating-User-Ip", "here") }
	plain := *c
	plain.change = func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	for _, k := range []struct {
		name         string
		client       *client
		method, path string
		body         string
		status       int
		code, field  string
	}{
		{"application", &stranger, "GET", accounts, "", 401, "error.apikey.missing", ""},
		{"signature", &unsigned, "GET", accounts, "", 401, "error.signature.invalid", ""},
		{"no token", c, "GET", accounts, "", 401, "error.token.invalid", ""},
		{"unknown token", c.as("x"), "GET", accounts, "", 401, "error.token.invalid", ""},
		{"scope", r, "GET", accounts + "/" + own + "/transactions", "", 403, "error.resource.denied", ""},
		{"cards", r, "GET", "/personal/v5/cards", "", 403, "error.resource.denied", ""},
		{"account of another", r, "GET", accounts + "/" + other, "", 403, "error.resource.denied", ""},
		{"unknown account", r, "GET", accounts + "/x", "", 404, "error.resource.notfound", ""},
		{"unknown path", c, "GET", "/personal/v5/payments", "", 404, "error.resource.notfound", ""},
		{"unknown version", c, "GET", "/personal/v3/accounts", "", 404, "error.resource.notfound", ""},
		{"method", c, "DELETE", accounts, "", 405, "error.method.notallowed", ""},
		{"unknown parameter", r, "GET", accounts + "?x=1", "", 400, "error.validation", ""},
		{"malformed query", r, "GET", accounts + "?x=%zz", "", 400, "error.validation", ""},
		{"address of the person", &badIP, "GET", accounts, "", 400, "error.validation", "X-Nordea-Originating-User-Ip"},
		{"no JSON", c, "POST", "/personal/v5/decoupled/authentications", "{", 400, "error.validation", ""},
		{"form for JSON", c, "POST", "/personal/v5/decoupled/authentications", "a=b", 400, "error.validation", "Content-Type"},
		{"other content type", &plain, "POST", "/personal/v5/decoupled/token", "grant_type=refresh_token", 400, "error.validation", "Content-Type"},
		{"no body", c, "POST", "/personal/v5/decoupled/authentications", "", 400, "error.validation", ""},
		{"too much", c, "POST", "/personal/v5/decoupled/authentications", "{" + strings.Repeat(" ", 65<<10) + "}", 400, "error.validation", ""},
		{"method of login", c, "POST", "/personal/v5/decoupled/authentications", `{"authentication_method":"MTA","country":"SE","response_type":"code"}`, 400, "error.validation", "authentication_method"},
		{"country of login", c, "POST", "/personal/v5/decoupled/authentications", `{"authentication_method":"BANKID_SE","country":"FI","response_type":"code"}`, 400, "error.validation", "country"},
		{"response type", c, "POST", "/personal/v5/decoupled/authentications", `{"authentication_method":"BANKID_SE","country":"SE","response_type":"token"}`, 400, "error.validation", "response_type"},
		{"personal number", c, "POST", "/personal/v5/decoupled/authentications", `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"198412099297"}`, 400, "error.validation", "psu_id"},
		{"unknown session", c, "GET", "/personal/v5/decoupled/authentications/x", "", 404, "error.resource.notfound", ""},
		{"cancelled session", c, "GET", "/personal/v5/decoupled/authentications/" + ended.text("session_id"), "", 400, "error.session.cancelled", ""},
		{"unknown code", c, "POST", "/personal/v5/decoupled/authorizations", authorization("x", all), 400, "error.code.invalid", ""},
		{"unknown grant code", c, "POST", "/personal/v5/decoupled/token", "code=x&grant_type=authorization_code", 400, "error.code.invalid", ""},
		{"unknown refresh token", c, "POST", "/personal/v5/decoupled/token", "grant_type=refresh_token&refresh_token=x", 401, "error.token.invalid", ""},
		{"unknown agreement", c, "POST", agreementsPath + "/1", `{"code":"x"}`, 400, "error.code.invalid", ""},
		{"unknown card", c.abroad(maja, "SE", `"CARDS_INFORMATION"`), "GET", "/personal/v5/cards/x", "", 404, "error.resource.notfound", ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			a := k.client.call(k.method, k.path, k.body)
			a.TB = t
			a.wantError(k.status, k.code)
			path, _, _ := strings.Cut(k.path, "?")
			_, below, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			if got := a.text("error", "request", "url"); got != "/"+below {
				t.Errorf("request.url %q, want %q", got, "/"+below)
			}
			if got := a.text("error", "failures", 0, "path"); got != k.field {
				t.Errorf("path %q, want %q", got, k.field)
			}
			if a.header.Get("Content-Type") != "application/json" || a.text("group_header", "message_identification") == "" {
				t.Errorf("%v %s", a.header, a.body)
			}
			for _, secret := range []string{maja, "198412099297", "secret-1", own, other} {
				if strings.Contains(string(a.body), secret) && !strings.Contains(k.path, secret) {
					t.Errorf("the error repeats %s", secret)
				}
			}
		})
	}
	if got := c.call("DELETE", accounts, "").header.Get("Allow"); got != "GET" {
		t.Errorf("Allow %q", got)
	}
}

func TestDeviations_ChangeAnswers(t *testing.T) {
	for _, k := range []struct {
		deviation faults.Deviation
		check     func(*testing.T, response)
	}{
		{faults.UnknownMembers, func(t *testing.T, a response) {
			if a.want(200).at("x_future_member") == nil || a.at("response", "accounts", 0, "x_future_member") == nil {
				t.Errorf("%s", a.body)
			}
		}},
		{faults.UnknownValues, func(t *testing.T, a response) {
			if got := a.want(200).text("response", "accounts", 0, "account_type"); got == "Current" || got == "" {
				t.Errorf("%s", a.body)
			}
		}},
		{faults.ManyDecimals, func(t *testing.T, a response) {
			n := number(t, a.want(200).at("response", "accounts", 0, "booked_balance"))
			if n.FloatString(7) == n.FloatString(2)+"00000" || !strings.HasSuffix(n.FloatString(7), "00001") {
				t.Errorf("%s", a.body)
			}
		}},
		{faults.MissingMembers, func(t *testing.T, a response) {
			one := a.want(200).list("response", "accounts")[0]
			if one["_id"] == nil || one["account_numbers"] == nil || one["credit_limit"] != nil || one["_links"] != nil || one["bank"] != nil {
				t.Errorf("%s", a.body)
			}
		}},
		{faults.WrongType, func(t *testing.T, a response) {
			if a.want(200).header.Get("Content-Type") != "text/plain" || a.text("response", "accounts", 0, "_id") == "" {
				t.Errorf("%v %s", a.header, a.body)
			}
		}},
		{faults.Unavailable, func(t *testing.T, a response) {
			if a.wantError(503, "error.service.unavailable").header.Get("Retry-After") != "1" {
				t.Errorf("%v", a.header)
			}
		}},
		{faults.ErrorPage, func(t *testing.T, a response) {
			if a.want(502); !strings.HasPrefix(string(a.body), "<!doctype html>") {
				t.Errorf("%s", a.body)
			}
		}},
		{faults.Maintenance, func(t *testing.T, a response) {
			if a.want(200); !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("%v", a.header)
			}
		}},
		{faults.TooMany, func(t *testing.T, a response) {
			if a.want(429).text("httpCode") != "429" {
				t.Errorf("%s", a.body)
			}
		}},
	} {
		t.Run(string(k.deviation), func(t *testing.T) {
			e := start(t, nil)
			e.lenient = true
			r := e.client().reader(maja, all)
			if err := r.SetFaults(faults.Fault{Deviation: k.deviation, Kinds: []string{"v5/accounts"}, Times: 1}); err != nil {
				t.Fatal(err)
			}
			r.call("GET", "/personal/v4/accounts", "").want(200) // another kind
			k.check(t, r.call("GET", accounts, ""))
			r.call("GET", accounts, "").want(200) // once
		})
	}
}

func TestDeviations_BreakConnections(t *testing.T) {
	for _, d := range []faults.Deviation{faults.CutBody, faults.Lost} {
		t.Run(string(d), func(t *testing.T) {
			e := start(t, nil)
			e.lenient = true
			c := e.client()
			tokens := c.grant(maja, all)
			if err := c.SetFaults(faults.Fault{Deviation: d, Kinds: []string{"v5/decoupled/token"}, Times: 1}); err != nil {
				t.Fatal(err)
			}
			if c.breaks("POST", "/personal/v5/decoupled/token", "grant_type=refresh_token&refresh_token="+tokens.text("refresh_token")) == nil {
				t.Error("the answer arrived")
			}
			// The bank has acted: the refresh token is used up.
			c.refresh(tokens.text("refresh_token")).wantError(401, "error.token.invalid")
		})
	}
}

func TestDeviations_SlowUsesTheClock(t *testing.T) {
	e := start(t, nil)
	c := e.client().reader(maja, all)
	if err := c.SetFaults(faults.Fault{Deviation: faults.Slow, DelayMS: 3000, Times: 1}); err != nil {
		t.Fatal(err)
	}
	done := make(chan response)
	go func() { done <- c.call("GET", accounts, "") }()
	e.untilWaiting()
	select {
	case <-done:
		t.Error("the answer came at once")
	default:
	}
	e.advance(3 * time.Second)
	(<-done).want(200)
}

func TestSetFaults_RefusesWhatItDoesNotKnow(t *testing.T) {
	b := start(t, nil).Bank
	for _, f := range []faults.Fault{
		{Deviation: "odd"}, {}, {Deviation: faults.Slow, DelayMS: -1}, {Deviation: faults.Lost, Times: -1}, {Deviation: faults.Lost, Kinds: []string{"accounts"}},
	} {
		if b.SetFaults(f) == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	if err := b.SetFaults(); err != nil {
		t.Error(err)
	}
}
