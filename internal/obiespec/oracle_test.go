package obiespec_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/obiespec"
	"samla/internal/specs"
)

const (
	bank        = "https://bank.example/se-demo-obie"
	interaction = "93bac548-d2de-4546-b106-880a5018460d"
)

// oracle skips the test where there is nothing to validate against.
func oracle(t *testing.T, v obiespec.Version) *obiespec.Oracle {
	t.Helper()
	specs.Read(t, v.File)
	return obiespec.New(t, v, bank)
}

func request(v obiespec.Version, method, path string) *http.Request {
	r := httptest.NewRequest(method, bank+v.Base+path, nil)
	r.Header.Set("Authorization", "Bearer a")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-fapi-interaction-id", interaction)
	return r
}

func header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set("x-fapi-interaction-id", interaction)
	return h
}

// The list of valid examples is docs/reference/families.md 14.2.
func TestExamples_AreValidAsListed(t *testing.T) {
	o := oracle(t, obiespec.V31)
	valid, names := 0, map[string]bool{}
	for _, e := range obiespec.Examples(t) {
		if names[e.Name()] {
			t.Errorf("%s is there twice", e.Name())
		}
		names[e.Name()] = true
		r := request(obiespec.V31, e.Method, e.Path)
		var err error
		if e.Status == 0 {
			r.Header = e.Header.Clone()
			err = o.CheckRequest(r, e.Body)
		} else {
			err = o.CheckResponse(r, e.Status, header(), e.Body)
		}
		if (err == nil) != e.Valid {
			t.Errorf("%s: listed as valid %t: %v", e.Name(), e.Valid, err)
		}
		if e.Valid {
			valid++
		}
	}
	if len(names) != 21 || valid != 14 {
		t.Errorf("%d examples, %d of them valid", len(names), valid)
	}
}

const consent = `{"Data":{"Permissions":["ReadAccountsBasic"],"ExpirationDateTime":"2027-05-19T00:00:00+00:00"},"Risk":{}}`

func TestCheckRequest_RefusesWhatBreaksTheDefinition(t *testing.T) {
	cases := []struct {
		name, method, path, body string
		change                   func(http.Header)
		ok                       bool
	}{
		{"consent", "POST", "/account-access-consents", consent, nil, true},
		{"consent without Risk", "POST", "/account-access-consents", strings.Replace(consent, `,"Risk":{}`, "", 1), nil, false},
		{"consent without permissions", "POST", "/account-access-consents", strings.Replace(consent, `"ReadAccountsBasic"`, "", 1), nil, false},
		{"consent with an unknown permission", "POST", "/account-access-consents", strings.Replace(consent, "ReadAccountsBasic", "ReadAll", 1), nil, false},
		{"consent until a time without a zone", "POST", "/account-access-consents", strings.Replace(consent, "+00:00", "", 1), nil, false},
		{"consent with another content type", "POST", "/account-access-consents", consent, func(h http.Header) { h.Set("Content-Type", "text/plain") }, false},
		{"deletion", "DELETE", "/account-access-consents/c", "", nil, true},
		{"accounts", "GET", "/accounts", "", nil, true},
		{"accounts without a token", "GET", "/accounts", "", func(h http.Header) { h.Del("Authorization") }, false},
		{"accounts with a password", "GET", "/accounts", "", func(h http.Header) { h.Set("Authorization", "Basic YTpi") }, false},
		{"interaction id that is not a UUID", "GET", "/accounts", "", func(h http.Header) { h.Set("x-fapi-interaction-id", "1") }, false},
		{"address that is none", "GET", "/accounts", "", func(h http.Header) { h.Set("x-fapi-customer-ip-address", "localhost") }, false},
		{"date of another form", "GET", "/accounts", "", func(h http.Header) { h.Set("x-fapi-auth-date", "2026-11-20") }, false},
		{"XML wanted", "GET", "/accounts", "", func(h http.Header) { h.Set("Accept", "text/xml") }, false},
		{"transactions", "GET", "/accounts/a/transactions?fromBookingDateTime=2026-01-01T00:00:00", "", nil, true},
		{"transactions with a zone", "GET", "/accounts/a/transactions?fromBookingDateTime=2026-01-01T00:00:00Z", "", nil, true},
		{"transactions from no time", "GET", "/accounts/a/transactions?fromBookingDateTime=2026-01-01", "", nil, false},
		{"no operation", "GET", "/cards", "", nil, false},
		{"no method", "PUT", "/accounts", "", nil, false},
	}
	for _, v := range []obiespec.Version{obiespec.V31, obiespec.V40} {
		o := oracle(t, v)
		for _, c := range cases {
			r := request(v, c.method, c.path)
			if c.change != nil {
				c.change(r.Header)
			}
			if err := o.CheckRequest(r, []byte(c.body)); (err == nil) != c.ok {
				t.Errorf("%s %s: got %v", v.Base, c.name, err)
			}
		}
		outside := httptest.NewRequest(http.MethodGet, "https://bank.example/other/accounts", nil)
		if err := o.CheckRequest(outside, nil); err == nil {
			t.Error("a request outside the base path passed")
		}
	}
}

func TestCheckResponse_RefusesWhatBreaksTheDefinition(t *testing.T) {
	const (
		balance   = `{"Data":{"Balance":[{"AccountId":"a","CreditDebitIndicator":"Credit","Type":"InterimAvailable","DateTime":"2026-11-20T10:00:00+00:00","Amount":{"Amount":"12.50","Currency":"SEK"}}]},"Links":{"Self":"https://bank.example/x"},"Meta":{"TotalPages":1}}`
		accounts  = `{"Data":{"Account":[{"AccountId":"a","Account":[{"SchemeName":"UK.OBIE.IBAN","Identification":"SE4550000000058398257466"}]}]},"Links":{"Self":"https://bank.example/x"},"Meta":{}}`
		oneError  = `{"Code":"400 BadRequest","Message":"m","Errors":[{"ErrorCode":"UK.OBIE.Field.Missing","Message":"m"}]}`
		toBalance = "/accounts/a/balances"
	)
	cases := []struct {
		name, path string
		status     int
		body       string
		change     func(http.Header)
		ok         bool
	}{
		{"balance", toBalance, 200, balance, nil, true},
		{"negative amount", toBalance, 200, strings.Replace(balance, "12.50", "-12.50", 1), nil, false},
		{"amount as a number", toBalance, 200, strings.Replace(balance, `"12.50"`, "12.50", 1), nil, false},
		{"balance of an unknown type", toBalance, 200, strings.Replace(balance, "InterimAvailable", "ITAV", 1), nil, false},
		{"time without a zone", toBalance, 200, strings.Replace(balance, "+00:00", "", 1), nil, false},
		{"link without a host", toBalance, 200, strings.Replace(balance, "https://bank.example", "", 1), nil, false},
		{"interaction id of another request", toBalance, 200, balance, func(h http.Header) { h.Set("x-fapi-interaction-id", strings.Replace(interaction, "9", "8", 1)) }, false},
		{"no interaction id", toBalance, 200, balance, func(h http.Header) { h.Del("x-fapi-interaction-id") }, false},
		{"accounts", "/accounts", 200, accounts, nil, true},
		{"wrong IBAN", "/accounts", 200, strings.Replace(accounts, "SE45", "SE46", 1), nil, false},
		{"unknown member", "/accounts", 200, strings.Replace(accounts, `"AccountId"`, `"New":1,"AccountId"`, 1), nil, false},
		{"error", toBalance, 400, oneError, nil, true},
		{"error without a code", toBalance, 400, strings.Replace(oneError, `"ErrorCode":"UK.OBIE.Field.Missing",`, "", 1), nil, false},
		{"status that the definition does not have", toBalance, 404, "", nil, false},
		{"not authorised", toBalance, 401, "", nil, true},
		{"too many", toBalance, 429, "", func(h http.Header) { h.Set("Retry-After", "60") }, true},
		{"too many until a date", toBalance, 429, "", func(h http.Header) { h.Set("Retry-After", "Fri, 20 Nov 2026 10:00:00 GMT") }, false},
	}
	o := oracle(t, obiespec.V31)
	for _, c := range cases {
		h := header()
		if c.change != nil {
			c.change(h)
		}
		if err := o.CheckResponse(request(obiespec.V31, http.MethodGet, c.path), c.status, h, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if err := oracle(t, obiespec.V40).CheckResponse(request(obiespec.V40, http.MethodGet, toBalance), 200, header(), []byte(balance)); err == nil {
		t.Error("a balance of 3.1.11 is one of 4.0")
	}
}

// Where the definition is missing, a test still runs: its exchanges pass.
func TestOracle_PassesEverythingWithoutDefinition(t *testing.T) {
	var o obiespec.Oracle
	r := request(obiespec.V31, http.MethodGet, "/accounts")
	if err := o.CheckRequest(r, []byte("{")); err != nil {
		t.Error(err)
	}
	if err := o.CheckResponse(r, http.StatusOK, nil, []byte("{")); err != nil {
		t.Error(err)
	}
}
