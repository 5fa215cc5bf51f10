package bgspec_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/bgspec"
	"samla/internal/specs"
)

const (
	base      = "https://bank.example/psd2"
	requestID = "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4"
)

// oracle skips the test where there is nothing to validate against.
func oracle(t *testing.T) *bgspec.Oracle {
	t.Helper()
	specs.Read(t, specs.BerlinGroup13)
	return bgspec.New(t, base)
}

func request(method, path string) *http.Request {
	r := httptest.NewRequest(method, base+path, nil)
	r.Header.Set("X-Request-ID", requestID)
	r.Header.Set("PSU-IP-Address", "192.0.2.1")
	r.Header.Set("Consent-ID", "c1")
	r.Header.Set("Content-Type", "application/json")
	return r
}

func header(contentType string) http.Header {
	return http.Header{"Content-Type": {contentType}, "X-Request-Id": {requestID}}
}

// The official examples that are valid as they are (docs/reference/banks.md 10).
var examples = map[string]struct{ method, path string }{
	"accountListExample1":                            {"GET", "/v1/accounts"},
	"accountListExample2":                            {"GET", "/v1/accounts"},
	"accountListExample3":                            {"GET", "/v1/accounts"},
	"cardAccountListExample1":                        {"GET", "/v1/card-accounts"},
	"balancesExample1_RegularAccount":                {"GET", "/v1/accounts/a/balances"},
	"balancesExample2_MulticurrencyAccount":          {"GET", "/v1/accounts/a/balances"},
	"transactionsExample1_RegularAccount_json":       {"GET", "/v1/accounts/a/transactions?bookingStatus=booked"},
	"transactionsExample3_MulticurrencyAccount_json": {"GET", "/v1/accounts/a/transactions?bookingStatus=booked"},
	"consentResponseExample3_Decoupled":              {"POST", "/v1/consents"},
	"consentStatusResponseExample1":                  {"GET", "/v1/consents/c/status"},
	"authorisationListExample":                       {"GET", "/v1/consents/c/authorisations"},
	"startScaProcessResponseExample1":                {"POST", "/v1/consents/c/authorisations"},
}

func TestOracle_PassesOfficialExamples(t *testing.T) {
	o := oracle(t)
	for name, op := range examples {
		status := http.StatusOK
		if op.method == http.MethodPost {
			status = http.StatusCreated
		}
		body := bgspec.Example(t, name)
		h := header("application/json")
		if err := o.CheckResponse(request(op.method, op.path), status, h, body); err != nil && !strings.Contains(err.Error(), "iban is malformed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const consent = `{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,"validUntil":"2027-01-01","frequencyPerDay":4,"combinedServiceIndicator":false}`

func TestCheckRequest_RefusesWhatBreaksTheDefinition(t *testing.T) {
	o := oracle(t)
	cases := []struct {
		name, method, path, body string
		change                   func(http.Header)
		ok                       bool
	}{
		{"consent", "POST", "/v1/consents", consent, nil, true},
		{"consent without address", "POST", "/v1/consents", consent, func(h http.Header) { h.Del("PSU-IP-Address") }, false},
		{"consent without combinedServiceIndicator", "POST", "/v1/consents", strings.Replace(consent, `,"combinedServiceIndicator":false`, "", 1), nil, false},
		{"consent with a wrong IBAN", "POST", "/v1/consents", strings.Replace(consent, `"allPsd2":"allAccounts"`, `"accounts":[{"iban":"SE4560000000058398257466"}]`, 1), nil, false},
		{"no request id", "GET", "/v1/accounts", "", func(h http.Header) { h.Del("X-Request-ID") }, false},
		{"request id that is not a UUID", "GET", "/v1/accounts", "", func(h http.Header) { h.Set("X-Request-ID", "1") }, false},
		{"no consent id", "GET", "/v1/accounts", "", func(h http.Header) { h.Del("Consent-ID") }, false},
		{"transactions", "GET", "/v1/accounts/a/transactions?bookingStatus=both&dateFrom=2026-01-01", "", nil, true},
		{"transactions without bookingStatus", "GET", "/v1/accounts/a/transactions", "", nil, false},
		{"empty authorisation", "POST", "/v1/consents/c/authorisations", "{}", nil, true},
		{"authorisation with an unknown member", "POST", "/v1/consents/c/authorisations", `{"bankid":true}`, nil, false},
		{"authorisation with a method", "PUT", "/v1/consents/c/authorisations/a", `{"authenticationMethodId":"m"}`, nil, true},
		{"authorisation with a number", "PUT", "/v1/consents/c/authorisations/a", `{"confirmationCode":1}`, nil, false},
		{"confirmation with a token", "PUT", "/v1/consents/c/authorisations/a", "", func(h http.Header) { h.Set("Authorization", "Bearer t") }, true},
		{"confirmation without code and token", "PUT", "/v1/consents/c/authorisations/a", "", nil, false},
		{"confirmation code only by PUT", "POST", "/v1/consents/c/authorisations", `{"confirmationCode":"1"}`, nil, false},
		{"no operation", "GET", "/v1/nothing/at/all/here/x/y", "", nil, false},
	}
	for _, c := range cases {
		r := request(c.method, c.path)
		if c.change != nil {
			c.change(r.Header)
		}
		if err := o.CheckRequest(r, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if err := o.CheckRequest(httptest.NewRequest("GET", "https://bank.example/other/v1/accounts", nil), nil); err == nil {
		t.Error("a request outside the base path passed")
	}
}

func TestCheckResponse_RefusesWhatBreaksTheDefinition(t *testing.T) {
	o := oracle(t)
	balances := func(currency, amount string) string {
		return `{"balances":[{"balanceType":"interimBooked","balanceAmount":{"currency":"` + currency + `","amount":"` + amount + `"}}]}`
	}
	cases := []struct {
		name, body string
		ok         bool
	}{
		{"good", balances("SEK", "-12.50"), true},
		{"trap 2: text after the amount", balances("SEK", "12.5x"), false},
		{"decimal comma", balances("SEK", "12,5"), false},
		{"long currency", balances("SEKK", "12.5"), false},
		{"no balances", `{}`, false},
		{"account with a wrong IBAN", `{"account":{"iban":"SE2880000832790000012345"},"balances":[]}`, false},
		{"not JSON", `{`, false},
	}
	for _, c := range cases {
		err := o.CheckResponse(request("GET", "/v1/accounts/a/balances"), 200, header("application/json"), []byte(c.body))
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	h := header("application/json")
	h.Del("X-Request-ID")
	if err := o.CheckResponse(request("GET", "/v1/accounts/a/balances"), 200, h, []byte(balances("SEK", "1"))); err == nil {
		t.Error("an answer without X-Request-ID passed")
	}
	wrongCode := `{"tppMessages":[{"category":"ERROR","code":"NO_SUCH_CODE"}]}`
	if err := o.CheckResponse(request("GET", "/v1/accounts"), 401, header("application/json"), []byte(wrongCode)); err == nil {
		t.Error("an error code outside the standard passed")
	}
}

// Transport and Handler see the same exchange: both report an invalid answer and
// deliver it unchanged.
func TestTransportAndHandler_Report(t *testing.T) {
	var server, client []error
	bad := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"accounts":3}`))
	})
	srv := httptest.NewServer(nil)
	defer srv.Close()
	specs.Read(t, specs.BerlinGroup13)
	o := bgspec.New(t, srv.URL+"/psd2")
	srv.Config.Handler = o.Handler(bad, func(err error) { server = append(server, err) })
	c := &http.Client{Transport: o.Transport(nil, func(err error) { client = append(client, err) })}
	req, _ := http.NewRequest("GET", srv.URL+"/psd2/v1/accounts", nil)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if len(server) != 2 || len(client) != 2 {
		t.Errorf("server reported %v\nclient reported %v", server, client)
	}
	if resp, err := c.Get(srv.URL + "/elsewhere"); err != nil || resp.StatusCode != 200 {
		t.Errorf("a request outside the base path: %v %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if len(client) != 2 {
		t.Error("a request outside the base path was validated")
	}
}

// Where the definition is missing, a test still runs: its exchanges pass.
func TestOracle_PassesEverythingWithoutDefinition(t *testing.T) {
	var o bgspec.Oracle
	r := request(http.MethodGet, "/v1/accounts")
	if err := o.CheckRequest(r, []byte("{")); err != nil {
		t.Error(err)
	}
	if err := o.CheckResponse(r, http.StatusOK, nil, []byte("{")); err != nil {
		t.Error(err)
	}
}

// A bank may have its operations below other paths than the standard.
func TestOracle_JudgesOperationsAtOtherPaths(t *testing.T) {
	moved := oracle(t).Under("/v5", "/psd2/v2/ais")
	for path, covered := range map[string]bool{"/v5/consents": true, "/psd2/v2/ais/accounts": true, "/v1/consents": false, "/v5x/consents": false, "/psd2/v2/consents": false} {
		if got := moved.Covers("/psd2" + path); got != covered {
			t.Errorf("%s: covered %t", path, got)
		}
	}
	r := request(http.MethodGet, "/v5/consents/c-1/status")
	if err := moved.CheckRequest(r, nil); err != nil {
		t.Error(err)
	}
	r.Header.Del("X-Request-ID")
	if err := moved.CheckRequest(r, nil); err == nil || errors.Is(err, bgspec.ErrOutside) {
		t.Errorf("a request without X-Request-ID: %v", err)
	}
}
