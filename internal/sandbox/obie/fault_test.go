package obie_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/clock/clocktest"
	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"
)

// raw sends a request without a judge and returns what came.
func (c *client) raw(path, token string) (status int, header http.Header, body string, err error) {
	c.Helper()
	req := c.request(http.MethodGet, c.Resources()+"/"+path, "")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("x-fapi-financial-id", c.FinancialID)
	req.Header.Set("x-fapi-customer-ip-address", "192.0.2.1")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(text), err
}

func TestFaults_DeviateAsNamed(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		_, tokens := c.connect(persona.Default, allPermissions)
		path := "accounts/" + c.accountsOf(persona.Default)[0] + "/transactions"
		_, _, good, _ := c.raw(path, access(tokens))
		for deviation, tt := range map[faults.Deviation]struct {
			status    int
			has, lost string // in the body
			fails     bool
		}{
			faults.UnknownMembers: {200, `"XNewMember"`, "", false},
			faults.UnknownValues:  {200, `"Status":"Xnew"`, `"Status":"B`, false},
			faults.ManyDecimals:   {200, `000001"`, "", false},
			faults.MissingMembers: {200, `"Amount"`, `TransactionInformation`, false},
			faults.NullMembers:    {200, `"TransactionInformation":null`, `"TransactionInformation":"`, false},
			faults.NumberAmounts:  {200, `{"Amount":256.67,`, `{"Amount":"256.67"`, false},
			obie.SignedAmounts:    {200, `{"Amount":"-256.67"`, `{"Amount":"256.67"`, false},
			obie.BareTimes:        {200, `T00:00:00"`, `+00:00"`, false},
			faults.WrongType:      {200, `"Amount"`, "", false},
			faults.CutBody:        {200, `"Amount"`, "", true},
			faults.Lost:           {0, "", "", true},
			faults.Unavailable:    {503, "", "Amount", false},
			faults.ServerError:    {500, "", "Amount", false},
			faults.ErrorPage:      {502, "<h1>", "Amount", false},
			faults.Maintenance:    {200, "<h1>", "Amount", false},
			faults.TooMany:        {429, "", "Amount", false},
			obie.Denies:           {400, "invalid_grant", "Amount", false},
		} {
			f := faults.Fault{Deviation: deviation, Times: 1}
			if deviation == faults.Lost {
				f.Times = 0 // net/http repeats a GET whose connection broke
			}
			if err := c.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			status, header, body, err := c.raw(path, access(tokens))
			if status != tt.status || !strings.Contains(body, tt.has) || tt.lost != "" && strings.Contains(body, tt.lost) || (err != nil) != tt.fails {
				t.Errorf("%s: %d %v %.300s", deviation, status, err, body)
			}
			switch deviation {
			case faults.WrongType:
				if header.Get("Content-Type") != "text/plain" {
					t.Errorf("%s: %v", deviation, header)
				}
			case faults.Unavailable, faults.TooMany:
				if header.Get("Retry-After") != "2" {
					t.Errorf("%s: %v", deviation, header)
				}
			default:
				if !tt.fails && strings.HasPrefix(body, "{") && !json.Valid([]byte(body)) {
					t.Errorf("%s: no JSON", deviation)
				}
			}
			if deviation == faults.Lost {
				_ = c.SetFaults()
			}
			if _, _, again, _ := c.raw(path, access(tokens)); again != good {
				t.Errorf("after %s: %.300s", deviation, again)
			}
		}
		for _, wrong := range []faults.Fault{{Deviation: "other"}, {Deviation: faults.Slow, DelayMS: -1}, {Deviation: faults.Lost, Times: -1}} {
			if c.SetFaults(wrong) == nil {
				t.Errorf("%+v is accepted", wrong)
			}
		}
	})
}

func TestFaults_AreSlowByTheBanksClock(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	_, tokens := c.connect(tim, allPermissions)
	if err := c.SetFaults(faults.Fault{Deviation: faults.Slow, DelayMS: 1000}); err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	go func() {
		status, _, _, _ := c.raw("accounts", access(tokens))
		done <- status
	}()
	clocktest.Waiting(t, c.clock, 1, "the delay")
	c.clock.Advance(time.Second)
	if status := <-done; status != 200 {
		t.Errorf("status %d", status)
	}
}

// A lost answer of the token endpoint: the bank has acted, the client does not know.
func TestFaults_ConcernKindsOfCalls(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	_, tokens := c.connect(tim, allPermissions)
	set := func(f faults.Fault) {
		if err := c.SetFaults(f); err != nil {
			t.Fatal(err)
		}
	}
	set(faults.Fault{Deviation: faults.Lost, Kinds: []string{"token refresh_token"}, Times: 1})
	c.api(http.MethodGet, "accounts", access(tokens), "").want(200)
	c.appUntil = time.Time{}
	c.appToken()
	form := "grant_type=refresh_token&client_id=" + clientID + "&refresh_token=" + refresh(tokens)
	req := c.request(http.MethodPost, c.Issuer()+"/token", form)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, err := c.http.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("an answer came")
	}
	c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
	calls := c.Calls().Last()
	if last := calls[len(calls)-2]; last.Kind != "token refresh_token" || last.Status != 0 {
		t.Errorf("%+v", last)
	}

	set(faults.Fault{Deviation: obie.Denies, Kinds: []string{"token refresh_token"}})
	_, tokens = c.connect(tim, allPermissions)
	for range 2 {
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
	}
	if err := c.SetFaults(); err != nil {
		t.Fatal(err)
	}
	c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200) // the bank was wrong
}

func TestCalls_AreCountedByKind(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	_, tokens := c.connect(tim, allPermissions)
	c.readAll(access(tokens))
	for kind, want := range map[string]int{
		"token client_credentials": 1, "token authorization_code": 1, "GET authorize": 1, "POST account-access-consents": 1, "GET accounts": 2,
		"GET accounts/*": 1, "GET accounts/*/balances": 1, "GET accounts/*/transactions": 1, "GET jwks": 0,
	} {
		if got := c.Calls().Count(kind); got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
	for kind := range c.Calls().Counts() {
		if strings.Contains(kind, c.accountsOf(tim)[0]) {
			t.Errorf("%s has an id", kind)
		}
	}
}

func TestOperator(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	mux := http.NewServeMux()
	c.MountOperator(mux)
	call := func(method, path, body string) (int, string) {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest(method, "/sandbox/obie/se-demo-obie"+path, strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	consent, tokens := c.connect(tim, allPermissions)
	waiting := c.newConsent(allPermissions, nil)
	if _, text := call("GET", "", ""); !strings.Contains(text, `"token authorization_code":1`) || !strings.Contains(text, fmt.Sprintf(`"consentId":%q,"bank":"se-demo-obie","status":"Authorised"`, consent)) ||
		!strings.Contains(text, `"tokens":true`) || !strings.Contains(text, `"tokens":false`) || strings.Contains(text, tim) {
		t.Errorf("%s", text)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/consents/" + consent + "/reauthenticate", "", 204},
		{"POST", "/consents/" + waiting + "/reauthenticate", "", 409},
		{"POST", "/consents/unknown/revoke", "", 404},
		{"POST", "/consents/" + consent + "/revoke", "", 204},
		{"PUT", "/faults", `[{"deviation":"lost","kinds":["GET accounts"],"times":1}]`, 204},
		{"PUT", "/faults", `[{"deviation":"other"}]`, 400},
		{"PUT", "/faults", `{`, 400},
		{"PUT", "/faults", `[]`, 204},
		{"PUT", "/variant", `{"variant":"wrongNonce"}`, 204},
		{"PUT", "/variant", `{"variant":"other"}`, 400},
		{"PUT", "/variant", `{"variant":""}`, 204},
		{"POST", "/key", "", 204},
		{"POST", "/redirects", `{"clientId":"` + clientID + `","redirectUri":"https://samla.example/other"}`, 204},
		{"POST", "/redirects", `{"clientId":"nobody","redirectUri":"https://samla.example/other"}`, 400},
		{"POST", "/redirects", `{"clientId":"` + clientID + `"}`, 400},
	} {
		if status, text := call(tt.method, tt.path, tt.body); status != tt.status {
			t.Errorf("%s %s %s: %d %s", tt.method, tt.path, tt.body, status, text)
		}
	}
	c.api(http.MethodGet, "accounts", access(tokens), "").want(401)
	claims := c.requestObject(waiting)
	claims["redirect_uri"] = "https://samla.example/other"
	c.authorize(c.sign(claims), "redirect_uri", "https://samla.example/other").want(303)
}
