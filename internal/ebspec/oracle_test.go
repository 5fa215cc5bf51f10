package ebspec_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"samla/internal/ebspec"
)

const base = "https://gateway.example/eb"

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// bearer is a token of the right form; nobody checks its signature here.
func bearer(header, claims string) string {
	return "Bearer " + encode(header) + "." + encode(claims) + ".c2ln"
}

const (
	goodHeader = `{"typ":"JWT","alg":"RS256","kid":"4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1"}`
	goodClaims = `{"iss":"enablebanking.com","aud":"api.enablebanking.com","iat":1790000000,"exp":1790003600}`
	uid        = "07cc67f4-45d6-494b-adac-09b5cbc7e2b5"
)

func request(method, path string, body string) *http.Request {
	r := httptest.NewRequest(method, base+path, strings.NewReader(body))
	r.Header.Set("Authorization", bearer(goodHeader, goodClaims))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// The examples of docs/reference/families.md 11.1 are valid.
func TestOracle_PassesDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/families.md")
	if err != nil {
		t.Fatal(err)
	}
	o := ebspec.New(t, base)
	found := regexp.MustCompile("(?m)^```json EB (\\S+) (\\S+) (\\S+)\n(.*)\n```$").FindAllStringSubmatch(string(text), -1)
	if len(found) < 5 {
		t.Fatalf("%d examples", len(found))
	}
	for _, f := range found {
		method, path, kind, body := f[1], f[2], f[3], f[4]
		var err error
		if kind == "req" {
			err = o.CheckRequest(request(method, path, body), []byte(body))
		} else {
			status, _ := strconv.Atoi(kind)
			err = o.CheckResponse(request(method, path, ""), status, jsonHeader, []byte(body))
		}
		if err != nil {
			t.Errorf("%s %s %s: %v", method, path, kind, err)
		}
	}
}

const auth = `{"access":{"valid_until":"2027-05-18T00:00:00Z"},"aspsp":{"name":"Nordea","country":"SE"},"state":"s","redirect_url":"https://samla.example/return"}`

func TestCheckRequest_RefusesWhatBreaksTheRules(t *testing.T) {
	o := ebspec.New(t, base)
	token := func(header, claims string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", bearer(header, claims)) }
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	with := func(member string) string { return strings.Replace(auth, `{"access"`, "{"+member+`,"access"`, 1) }
	data := "/accounts/" + uid + "/transactions"
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		ok                       bool
	}{
		{"application", "GET", "/application", "", nil, true},
		{"no token", "GET", "/application", "", func(r *http.Request) { r.Header.Del("Authorization") }, false},
		{"not signed", "GET", "/application", "", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+encode(goodHeader)+"."+encode(goodClaims)+".")
		}, false},
		{"other algorithm", "GET", "/application", "", token(strings.Replace(goodHeader, "RS256", "HS256", 1), goodClaims), false},
		{"no typ", "GET", "/application", "", token(strings.Replace(goodHeader, `"typ":"JWT",`, "", 1), goodClaims), false},
		{"kid that is no id", "GET", "/application", "", token(`{"typ":"JWT","alg":"RS256","kid":"1"}`, goodClaims), false},
		{"other audience", "GET", "/application", "", token(goodHeader, strings.Replace(goodClaims, "api.", "www.", 1)), false},
		{"other issuer", "GET", "/application", "", token(goodHeader, strings.Replace(goodClaims, `"enablebanking.com"`, `"samla"`, 1)), false},
		{"25 hours", "GET", "/application", "", token(goodHeader, strings.Replace(goodClaims, "1790003600", "1790090000", 1)), false},
		{"over at once", "GET", "/application", "", token(goodHeader, strings.Replace(goodClaims, "1790003600", "1790000000", 1)), false},
		{"no iat", "GET", "/application", "", token(goodHeader, strings.Replace(goodClaims, `"iat":1790000000,`, "", 1)), false},
		{"list", "GET", "/aspsps?country=SE&psu_type=personal&service=AIS", "", nil, true},
		{"list of a small country", "GET", "/aspsps?country=se", "", nil, false},
		{"list by an unknown parameter", "GET", "/aspsps?brand=x", "", nil, false},
		{"parameter twice", "GET", "/aspsps?country=SE&country=FI", "", nil, false},
		{"auth", "POST", "/auth", auth, nil, true},
		{"auth without state", "POST", "/auth", strings.Replace(auth, `"state":"s",`, "", 1), nil, false},
		{"auth with an unknown member", "POST", "/auth", with(`"personal_number":"1"`), nil, false},
		{"auth without zone", "POST", "/auth", strings.Replace(auth, "00Z", "00", 1), nil, false},
		{"auth with a day", "POST", "/auth", strings.Replace(auth, "T00:00:00Z", "", 1), nil, false},
		{"auth as a form", "POST", "/auth", auth, set("Content-Type", "text/plain"), false},
		{"language in capitals", "POST", "/auth", with(`"language":"SV"`), nil, false},
		{"credentials", "POST", "/auth", with(`"auth_method":"BANKID","credentials":{"userId":"1"}`), nil, true},
		{"credentials without method", "POST", "/auth", with(`"credentials":{"userId":"1"}`), nil, false},
		{"unknown psu type", "POST", "/auth", with(`"psu_type":"private"`), nil, false},
		{"accounts", "POST", "/auth", strings.Replace(auth, `"access":{`, `"access":{"accounts":[{"iban":"SE3550000000054910000003"}],`, 1), nil, true},
		{"account with a wrong IBAN", "POST", "/auth", strings.Replace(auth, `"access":{`, `"access":{"accounts":[{"iban":"SE3650000000054910000003"}],`, 1), nil, false},
		{"code", "POST", "/sessions", `{"code":"c"}`, nil, true},
		{"empty code", "POST", "/sessions", `{"code":""}`, nil, false},
		{"session", "GET", "/sessions/" + uid, "", nil, true},
		{"session that is no id", "GET", "/sessions/1", "", nil, false},
		{"end", "DELETE", "/sessions/" + uid, "", nil, true},
		{"transactions", "GET", data + "?date_from=2026-01-01&strategy=longest&continuation_key=k&transaction_status=BOOK", "", nil, true},
		{"date_to alone", "GET", data + "?date_to=2026-01-01", "", nil, false},
		{"dates in the wrong order", "GET", data + "?date_from=2026-02-01&date_to=2026-01-01", "", nil, false},
		{"date that is no day", "GET", data + "?date_from=2026-02-30", "", nil, false},
		{"unknown strategy", "GET", data + "?strategy=all", "", nil, false},
		{"empty key", "GET", data + "?continuation_key=", "", nil, false},
		{"address", "GET", data, "", set("Psu-Ip-Address", "192.0.2.1"), true},
		{"wrong address", "GET", data, "", set("Psu-Ip-Address", "here"), false},
		{"place", "GET", data, "", set("Psu-Geo-Location", "59.3293,18.0686"), true},
		{"wrong place", "GET", data, "", set("Psu-Geo-Location", "GEO:59.3293;18.0686"), false},
		{"details of a transaction", "GET", data + "/x1", "", nil, true},
		{"no operation", "PUT", "/sessions/" + uid, "", nil, false},
		{"card list", "GET", "/accounts/" + uid + "/cards", "", nil, false},
	} {
		r := request(c.method, c.path, c.body)
		if c.change != nil {
			c.change(r)
		}
		if err := o.CheckRequest(r, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestCheckResponse_RefusesWhatBreaksTheRules(t *testing.T) {
	o := ebspec.New(t, base)
	account := func(more string) string {
		return `{"cash_account_type":"CACC","currency":"SEK","identification_hash":"h","identification_hashes":["h"]` + more + `}`
	}
	balance := func(amount, kind string) string {
		return `{"balances":[{"name":"","balance_amount":{"currency":"SEK","amount":` + amount + `},"balance_type":"` + kind + `"}]}`
	}
	row := func(more string) string {
		return `{"transactions":[{"transaction_amount":{"currency":"SEK","amount":"1.00"},"credit_debit_indicator":"DBIT","status":"BOOK"` + more + `}]}`
	}
	session := func(uids string) string {
		return `{"status":"AUTHORIZED","accounts":[` + uids + `],"accounts_data":[{"uid":"` + uid + `","identification_hash":"h","identification_hashes":["h"]}],` +
			`"aspsp":{"name":"Nordea","country":"SE"},"psu_type":"personal","psu_id_hash":"p","access":{"valid_until":"2027-05-18T00:00:00Z"},"created":"2026-11-18T00:00:00.5+01:00"}`
	}
	details, balances, transactions := "/accounts/"+uid+"/details", "/accounts/"+uid+"/balances", "/accounts/"+uid+"/transactions"
	for _, c := range []struct {
		name, path string
		status     int
		body       string
		ok         bool
	}{
		{"account", details, 200, account(""), true},
		{"account with a limit", details, 200, account(`,"credit_limit":{"currency":"SEK","amount":"1"}`), true},
		{"unknown account member", details, 200, account(`,"resourceId":"1"`), false},
		{"unknown account type", details, 200, strings.Replace(account(""), "CACC", "SLRY", 1), false},
		{"hashes without the primary", details, 200, strings.Replace(account(""), `["h"]`, `["i"]`, 1), false},
		{"wrong IBAN", details, 200, account(`,"account_id":{"iban":"SE3550000000054910000004"}`), false},
		{"other id without scheme", details, 200, account(`,"account_id":{"other":{"identification":"1"}}`), false},
		{"balance", balances, 200, balance(`"-1.50"`, "CLBD"), true},
		{"amount as a number", balances, 200, balance(`1.5`, "CLBD"), false},
		{"amount with a comma", balances, 200, balance(`"1,5"`, "CLBD"), false},
		{"Berlin Group's balance type", balances, 200, balance(`"1.5"`, "interimBooked"), false},
		{"null", balances, 200, `{"balances":null}`, false},
		{"transaction", transactions, 200, row(""), true},
		{"text that is no list", transactions, 200, row(`,"remittance_information":"x"`), false},
		{"unknown status", transactions, 200, strings.Replace(row(""), "BOOK", "BOOKED", 1), false},
		{"sign in words", transactions, 200, strings.Replace(row(""), "DBIT", "debit", 1), false},
		{"date with time", transactions, 200, row(`,"booking_date":"2026-01-01T00:00:00Z"`), false},
		{"empty key", transactions, 200, `{"transactions":[],"continuation_key":""}`, false},
		{"page without rows", transactions, 200, `{"transactions":[],"continuation_key":"k"}`, true},
		{"session", "/sessions/" + uid, 200, session(`"` + uid + `"`), true},
		{"session whose lists differ", "/sessions/" + uid, 200, session(`"4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1"`), false},
		{"session with more accounts", "/sessions/" + uid, 200, session(`"4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1","` + uid + `"`), false},
		{"session with fewer accounts", "/sessions/" + uid, 200, session(""), false},
		{"error", details, 429, `{"message":"m","code":429,"error":"ASPSP_RATE_LIMIT_EXCEEDED"}`, true},
		{"error without message", details, 429, `{"code":429}`, false},
		{"unknown error", details, 400, `{"message":"m","error":"CONSENT_EXPIRED"}`, false},
		{"error of another status", details, 401, `{"message":"m","code":400}`, false},
		{"status that does not exist", details, 418, `{"message":"m"}`, false},
		{"not JSON", details, 200, `<html>`, false},
	} {
		if err := o.CheckResponse(request("GET", c.path, ""), c.status, jsonHeader, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestTransport_ReportsBothSides(t *testing.T) {
	o := ebspec.New(t, "http://gateway.example/eb")
	var server, client []error
	srv := httptest.NewServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"balances":{}}`))
	}), func(err error) { server = append(server, err) }))
	t.Cleanup(srv.Close)
	c := &http.Client{Transport: o.Transport(nil, func(err error) { client = append(client, err) })}
	for _, path := range []string{"/eb/accounts/" + uid + "/balances", "/eb/page/1", "/elsewhere"} {
		resp, err := c.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if len(server) != 2 || len(client) != 2 {
		t.Errorf("server reported %v\nclient reported %v", server, client)
	}
}

func TestHandler_PassesRefusalsOutsideTheAPI(t *testing.T) {
	o := ebspec.New(t, base)
	h := o.Handler(http.NotFoundHandler(), func(err error) { t.Error(err) })
	h.ServeHTTP(httptest.NewRecorder(), request("PUT", "/sessions/"+uid, ""))
	if err := o.CheckRequest(request("PUT", "/sessions/"+uid, ""), nil); !errors.Is(err, ebspec.ErrOutside) {
		t.Errorf("got %v", err)
	}
}
