package nordeaspec_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"samla/internal/nordeaspec"
	"samla/internal/specs"
)

const base = "https://bank.example/se-demo-nordea"

// oracle skips the test where there is nothing to validate against.
func oracle(t *testing.T) *nordeaspec.Oracle {
	t.Helper()
	specs.Read(t, nordeaspec.AccountsV5)
	return nordeaspec.New(t, base, nordeaspec.Files)
}

const signed = "(request-target) x-nordea-originating-host x-nordea-originating-date"

// request returns a valid request, apart from the value of its signature.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, base+path, nil)
	names := signed
	for name, value := range map[string]string{
		"X-IBM-Client-Id": "client-1", "X-IBM-Client-Secret": "secret",
		"X-Nordea-Originating-Date": "Fri, 20 Nov 2026 10:00:00 GMT", "X-Nordea-Originating-Host": "bank.example",
		"Authorization": "Bearer at-1",
	} {
		r.Header.Set(name, value)
	}
	if body != "" {
		sum := sha256.Sum256([]byte(body))
		r.Header.Set("Digest", "sha-256="+base64.StdEncoding.EncodeToString(sum[:]))
		r.Header.Set("Content-Type", "application/json")
		if !strings.HasPrefix(body, "{") {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		names += " content-type digest"
	}
	r.Header.Set("Signature", `keyId="client-1",algorithm="rsa-sha256",headers="`+names+`",signature="AAAA"`)
	return r
}

var fence = regexp.MustCompile("^```json nordea/\\S+ (\\S+) (\\S+) (\\d+)$")

// The examples of docs/reference/families.md 3 that name a file are valid.
func TestOracle_PassesDocumentedExamples(t *testing.T) {
	o := oracle(t)
	doc, err := os.Open("../../docs/reference/families.md")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = doc.Close() }()
	lines, count := bufio.NewScanner(doc), 0
	for lines.Scan() {
		m := fence.FindStringSubmatch(lines.Text())
		if m == nil || !lines.Scan() {
			continue
		}
		count++
		status, _ := strconv.Atoi(m[3])
		if err := o.CheckResponse(request(m[1], "/personal"+m[2], ""), status, jsonHeader, lines.Bytes()); err != nil {
			t.Errorf("%s %s %d: %v", m[1], m[2], status, err)
		}
	}
	if count < 6 || lines.Err() != nil {
		t.Errorf("%d examples, %v", count, lines.Err())
	}
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

const (
	start     = `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"198412099296"}`
	authorise = `{"code":"c","account_list":["ALL"],"duration":60,"response_type":"nordea_token","scope":["ACCOUNTS_BASIC"]}`
	redirect  = `{"country":"FI","duration":60,"redirect_uri":"https://tpp.example/cb","scope":["ACCOUNTS_BASIC","CARDS_INFORMATION"],"state":"s"}`
)

func TestCheckRequest_RefusesWhatBreaksTheFiles(t *testing.T) {
	o := oracle(t)
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	del := func(name string) func(http.Header) { return func(h http.Header) { h.Del(name) } }
	signature := func(old, now string) func(http.Header) {
		return func(h http.Header) { h.Set("Signature", strings.Replace(h.Get("Signature"), old, now, 1)) }
	}
	cases := []struct {
		name, method, path, body string
		change                   func(http.Header)
		ok                       bool
	}{
		{"start", "POST", "/personal/v5/decoupled/authentications", start, nil, true},
		{"start of another country", "POST", "/personal/v5/decoupled/authentications", strings.Replace(start, `"SE"`, `"FI"`, 1), nil, false},
		{"start without company", "POST", "/business/v5/decoupled/authentications", start, nil, false},
		{"start with company", "POST", "/business/v5/decoupled/authentications", strings.Replace(start, "{", `{"company_id":"5560360793",`, 1), nil, true},
		{"poll", "GET", "/personal/v5/decoupled/authentications/s1", "", nil, true},
		{"authorise", "POST", "/personal/v5/decoupled/authorizations", authorise, nil, true},
		{"authorise with cards", "POST", "/personal/v5/decoupled/authorizations", strings.Replace(authorise, "ACCOUNTS_BASIC", "CARDS_INFORMATION", 1), nil, false},
		{"authorise without duration", "POST", "/personal/v5/decoupled/authorizations", strings.Replace(authorise, `"duration":60,`, "", 1), nil, false},
		{"agreement", "POST", "/business/v5/decoupled/authorizations/a1", `{"code":"c"}`, nil, true},
		{"redirect with cards", "POST", "/personal/v5/authorize", redirect, nil, true},
		{"redirect without state", "POST", "/personal/v5/authorize", strings.Replace(redirect, `,"state":"s"`, "", 1), nil, false},
		{"token", "POST", "/personal/v5/decoupled/token", "code=c&grant_type=authorization_code", nil, true},
		{"token, members in another order", "POST", "/personal/v5/decoupled/token", "grant_type=authorization_code&code=c", nil, false},
		{"token in the query", "POST", "/personal/v5/decoupled/token?code=c&grant_type=authorization_code", "", nil, false},
		{"token, unknown grant", "POST", "/personal/v5/authorize/token", "grant_type=password", nil, false},
		{"token, grant missing", "POST", "/personal/v5/authorize/token", "code=c", nil, false},
		{"revoke", "POST", "/personal/v5/authorize/token/revoke", `{"token":"t"}`, nil, true},
		{"assets", "GET", "/personal/v4/assets", "", nil, true},
		{"accounts", "GET", "/personal/v5/accounts", "", nil, true},
		{"transactions", "GET", "/personal/v5/accounts/a/transactions?from_date=2026-11-01&continuation_key=k", "", nil, true},
		{"conversion", "GET", "/personal/v5/accounts/id-v4-to-v5/a", "", nil, true},
		{"cards, version 5", "GET", "/personal/v5/cards/c/transactions", "", nil, true},
		{"cards without a token", "GET", "/personal/v4/cards", "", del("Authorization"), false},
		{"accounts without a token", "GET", "/personal/v5/accounts", "", del("Authorization"), false},
		{"no bearer", "GET", "/personal/v5/accounts", "", set("Authorization", "at-1"), false},
		{"no client id", "GET", "/personal/v5/accounts", "", del("X-IBM-Client-Id"), false},
		{"no client secret", "GET", "/personal/v5/accounts", "", del("X-IBM-Client-Secret"), false},
		{"date in another zone", "GET", "/personal/v5/accounts", "", set("X-Nordea-Originating-Date", "Fri, 20 Nov 2026 10:00:00 CET"), false},
		{"another host", "GET", "/personal/v5/accounts", "", set("X-Nordea-Originating-Host", "other.example"), false},
		{"user's address", "GET", "/personal/v5/accounts", "", set("X-Nordea-Originating-User-Ip", "192.0.2.1"), true},
		{"user's address, malformed", "GET", "/personal/v5/accounts", "", set("X-Nordea-Originating-User-Ip", "x"), false},
		{"no signature", "GET", "/personal/v5/accounts", "", del("Signature"), false},
		{"signature skipped", "GET", "/personal/v5/accounts", "", set("Signature", "SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX"), true},
		{"another key", "GET", "/personal/v5/accounts", "", signature("client-1", "client-2"), false},
		{"another algorithm", "GET", "/personal/v5/accounts", "", signature("rsa-sha256", "rsa-sha512"), false},
		{"date not signed", "GET", "/personal/v5/accounts", "", signature(" x-nordea-originating-date", ""), false},
		{"digest not signed", "POST", "/personal/v5/authorize/token/revoke", `{"token":"t"}`, signature(" digest", ""), false},
		{"no digest", "POST", "/personal/v5/authorize/token/revoke", `{"token":"t"}`, del("Digest"), false},
		{"digest of something else", "POST", "/personal/v5/authorize/token/revoke", `{"token":"t"}`, set("Digest", "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), false},
		{"digest without a body", "GET", "/personal/v5/accounts", "", set("Digest", "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), false},
		{"no operation", "GET", "/personal/v5/nothing", "", nil, false},
		{"cards of a business", "GET", "/business/v4/cards", "", nil, false},
	}
	for _, c := range cases {
		r := request(c.method, c.path, c.body)
		if c.change != nil {
			c.change(r.Header)
		}
		if err := o.CheckRequest(r, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if err := o.CheckRequest(httptest.NewRequest("GET", "https://bank.example/personal/v5/accounts", nil), nil); err == nil {
		t.Error("a request outside the base path passed")
	}
}

func TestCheckResponse_RefusesWhatBreaksTheFiles(t *testing.T) {
	o := oracle(t)
	const header = `"group_header":{"message_identification":"m","creation_date_time":"2026-11-20T10:00:00.000Z","http_code":200}`
	account := func(member string) string {
		return `{` + header + `,"response":{"accounts":[{"_id":"a","currency":"SEK","account_numbers":[{"_type":"IBAN","value":"SE3550000000054910000003"}]` + member + `}]}}`
	}
	row := func(member string) string {
		return `{` + header + `,"response":{"transactions":[{"booking_date":"2026-11-19","currency":"SEK","status":"billed"` + member + `}]}}`
	}
	failure := func(url, code string) string {
		return `{` + strings.Replace(header, "200", "401", 1) + `,"error":{"request":{"url":"` + url + `"},"failures":[{"code":"` + code + `","description":"d"}]}}`
	}
	location := http.Header{"Location": {"https://bank.example/login"}}
	cases := []struct {
		name, path string
		status     int
		header     http.Header
		body       string
		ok         bool
	}{
		{"account", "/personal/v5/accounts", 200, jsonHeader, account(""), true},
		{"unknown member", "/personal/v5/accounts", 200, jsonHeader, account(`,"account_role":"OWNER"`), true},
		{"balance as text", "/personal/v5/accounts", 200, jsonHeader, account(`,"booked_balance":"1"`), false},
		{"balance with exponent", "/personal/v5/accounts", 200, jsonHeader, account(`,"booked_balance":1e3`), false},
		{"unknown type of account", "/personal/v5/accounts", 200, jsonHeader, account(`,"account_type":"Loan"`), false},
		{"balances", "/personal/v5/accounts", 200, jsonHeader, account(`,"booked_balance":1,"available_balance":2.50`), true},
		{"one balance of two", "/personal/v5/accounts", 200, jsonHeader, account(`,"booked_balance":1`), false},
		{"some details", "/personal/v4/accounts", 200, jsonHeader, account(`,"account_name":"A"`), false},
		{"details without country and bank", "/personal/v5/accounts", 200, jsonHeader, account(`,"account_name":"A","account_type":"Current","product":"P","status":"OPEN"`), true},
		{"one account with some details", "/personal/v5/accounts/a", 200, jsonHeader, `{` + header + `,"response":{"_id":"a","account_numbers":[],"status":"OPEN"}}`, false},
		{"conversion", "/personal/v5/accounts/id-v4-to-v5/a", 200, jsonHeader, `{` + header + `,"response":{"_id":"a"}}`, true},
		{"wrong IBAN", "/personal/v5/accounts", 200, jsonHeader, strings.Replace(account(""), "SE35", "SE36", 1), false},
		{"no envelope", "/personal/v5/accounts", 200, jsonHeader, `{"response":{"accounts":[]}}`, false},
		{"another code in the envelope", "/personal/v5/accounts", 200, jsonHeader, strings.Replace(account(""), `"http_code":200`, `"http_code":201`, 1), false},
		{"row without id", "/personal/v5/accounts/a/transactions", 200, jsonHeader, row(""), true},
		{"row with an unknown status", "/personal/v5/accounts/a/transactions", 200, jsonHeader, strings.Replace(row(""), "billed", "booked", 1), false},
		{"row with a malformed date", "/personal/v5/accounts/a/transactions", 200, jsonHeader, row(`,"value_date":"19.11.2026"`), false},
		{"row without status", "/personal/v5/accounts/a/transactions", 200, jsonHeader, strings.Replace(row(""), `,"status":"billed"`, "", 1), false},
		{"error", "/personal/v5/accounts", 401, jsonHeader, failure("/v5/accounts", "error.token.expired"), true},
		{"error with the root in the path", "/personal/v5/accounts", 401, jsonHeader, failure("/personal/v5/accounts", "error.token.expired"), false},
		{"error of another form", "/personal/v5/accounts", 401, jsonHeader, `{"error":"unauthorized"}`, false},
		{"error without a code", "/personal/v5/accounts", 401, jsonHeader, failure("/v5/accounts", ""), false},
		{"too many, by the gateway", "/personal/v5/accounts", 429, jsonHeader, `{"httpCode":"429","httpMessage":"Too Many Requests","moreInformation":"Assembly Rate Limit exceeded"}`, true},
		{"too many, of no form", "/personal/v5/accounts", 429, jsonHeader, `{}`, false},
		{"status that no file has", "/personal/v5/accounts", 418, jsonHeader, failure("/v5/accounts", "error.x"), false},
		{"no body", "/personal/v5/accounts", 200, nil, "", false},
	}
	for _, c := range cases {
		err := o.CheckResponse(request("GET", c.path, ""), c.status, c.header, []byte(c.body))
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	for _, c := range []struct {
		name, path string
		status     int
		header     http.Header
		body       string
		ok         bool
	}{
		{"page of the bank", "/personal/v5/authorize", 302, location, "", true},
		{"page without address", "/personal/v5/authorize", 302, nil, "", false},
		{"revoked", "/personal/v5/authorize/token/revoke", 200, nil, "", true},
		{"agreements", "/business/v5/decoupled/authorizations", 409, jsonHeader, `{"agreements":[{"id":"1","type":"Internetbanken Företag","customer_name":"X"}]}`, true},
		{"agreement without id", "/business/v5/decoupled/authorizations", 409, jsonHeader, `{"agreements":[{"type":"Internetbanken Företag"}]}`, false},
		{"tokens", "/personal/v5/decoupled/token", 200, jsonHeader, `{"access_token":"a","expires_in":3600,"token_type":"Bearer"}`, true},
		{"tokens, life as text", "/personal/v5/decoupled/token", 200, jsonHeader, `{"access_token":"a","expires_in":"3600"}`, false},
	} {
		if err := o.CheckResponse(request("POST", c.path, ""), c.status, c.header, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestMembers_HaveTheScopesOfTheFile(t *testing.T) {
	v5, v4 := nordeaspec.Members(t, nordeaspec.AccountsV5, "AccountDetails"), nordeaspec.Members(t, nordeaspec.AccountsV4, "AccountDetails")
	for name, scope := range map[string]string{
		"_id": "ACCOUNTS_BASIC", "booked_balance": "ACCOUNTS_BALANCES", "account_name": "ACCOUNTS_DETAILS", "bank": "ACCOUNTS_DETAILS", "_links": "",
	} {
		for _, members := range []map[string]nordeaspec.Member{v5, v4} {
			if got := strings.Join(members[name].Scopes, " "); got != scope {
				t.Errorf("%s needs %q, want %q", name, got, scope)
			}
		}
	}
	if got := nordeaspec.Members(t, nordeaspec.AccountsV4, "Transaction")["own_message"].NotIn; strings.Join(got, " ") != "FI DK" {
		t.Errorf("own_message is not in %v", got)
	}
	if !v5["status"].Required || v5["credit_limit"].Required {
		t.Error("the required members are not those of the file")
	}
}

func TestCheckScopes_ComparesMembersWithScopes(t *testing.T) {
	members := map[string]nordeaspec.Member{
		"id": {Scopes: []string{"BASIC"}, Required: true}, "balance": {Scopes: []string{"BALANCES"}, Required: true}, "nickname": {Scopes: []string{"DETAILS"}},
	}
	for _, c := range []struct {
		name   string
		object map[string]any
		scopes []string
		ok     bool
	}{
		{"allowed", map[string]any{"id": 1, "balance": 1}, []string{"BASIC", "BALANCES"}, true},
		{"optional member absent", map[string]any{"id": 1}, []string{"BASIC", "DETAILS"}, true},
		{"unknown member", map[string]any{"id": 1, "role": 1}, []string{"BASIC"}, true},
		{"not allowed", map[string]any{"id": 1, "balance": 1}, []string{"BASIC"}, false},
		{"missing", map[string]any{"id": 1}, []string{"BASIC", "BALANCES"}, false},
	} {
		if err := nordeaspec.CheckScopes(members, c.object, c.scopes); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What only the newer text has is refused by the files.
func TestNewer_AddsWhatTheFilesLack(t *testing.T) {
	files, newer := oracle(t), nordeaspec.New(t, base, nordeaspec.Newer)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/personal/v5/decoupled/authorizations", strings.Replace(authorise, "ACCOUNTS_BASIC", "CARDS_INFORMATION", 1)},
		{"POST", "/personal/v5/decoupled/authentications", strings.NewReplacer("BANKID_SE", "MTA_DK", `"SE"`, `"DK"`).Replace(start)},
		{"POST", "/personal/v5/authorize", strings.Replace(redirect, `"state"`, `"authentication_method":"MITID","state"`, 1)},
		{"GET", "/personal/v5/assets", ""},
	} {
		if files.CheckRequest(request(c.method, c.path, c.body), []byte(c.body)) == nil {
			t.Errorf("the files allow %s %s", c.path, c.body)
		}
		if err := newer.CheckRequest(request(c.method, c.path, c.body), []byte(c.body)); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	poll, body := request("GET", "/personal/v5/decoupled/authentications/s", ""), []byte(`{"status":"cancelled"}`)
	if files.CheckResponse(poll, 200, jsonHeader, body) == nil {
		t.Error("the files allow the status cancelled")
	}
	if err := newer.CheckResponse(poll, 200, jsonHeader, body); err != nil {
		t.Error(err)
	}
}

// Where the files are missing, a test still runs: its exchanges pass.
func TestOracle_PassesEverythingWithoutFiles(t *testing.T) {
	var o nordeaspec.Oracle
	r := request(http.MethodGet, "/personal/v5/accounts", "")
	if err := o.CheckRequest(r, []byte("{")); err != nil {
		t.Error(err)
	}
	if err := o.CheckResponse(r, http.StatusOK, nil, []byte("{")); err != nil {
		t.Error(err)
	}
}
