package v20260401_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/fault"
)

// read reads a request body as an operation does.
func read(operation, body string) ([]byte, *fault.Fault) {
	c, err := v20260401.Contract()
	if err != nil {
		return nil, fault.Wrap(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return c.Operation(operation).ReadBody(r)
}

// outcome describes a fault in one line: "ok", the code, or the pointer and the code
// of each invalid field.
func outcome(f *fault.Fault) string {
	if f == nil {
		return "ok"
	}
	if f.Code != fault.InvalidParameter {
		return string(f.Code)
	}
	parts := make([]string, 0, len(f.Fields))
	for _, field := range f.Fields {
		parts = append(parts, field.Pointer+" "+string(field.Code))
	}
	return strings.Join(parts, ", ")
}

const (
	ais     = `{"type":"PSD2_AIS_CONSENT","psuIpAddress":"192.168.1.1"}`
	bankid  = `{"type":"SWEDISH_BANKID","personalNumber":"199312252399"}`
	stored  = `{"type":"STORED_CONSENT","consentId":"550e8400-e29b-41d4-a716-446655440000"}`
	loginAs = `"loginMethod":"SWEDISH_MOBILE_BANKID_SAME_DEVICE"`
)

// consent returns a body of createConsent with parameters.
func consent(parameters string) string {
	return `{"company":"se-nordea",` + loginAs + `,"parameters":[` + parameters + `]}`
}

// elements returns n elements of an array, which differ by their index.
func elements(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(all, ",")
}

// aisWith returns a PSD2_AIS_CONSENT parameter with further members.
func aisWith(members string) string { return strings.Replace(ais, "}", ","+members+"}", 1) }

func TestReadBody_ReportsInvalidFields(t *testing.T) {
	for _, tc := range []struct{ op, body, want string }{
		// Users (docs/reference/api.md 3.2).
		{"createUser", `{"externalId":"customer-4711"}`, "ok"},
		{"createUser", `{"externalId":"a","more":{"x":[1,null]}}`, "ok"},
		{"createUser", `[]`, " INVALID"},
		{"createUser", `null`, " INVALID"},
		{"createUser", `7`, " INVALID"},
		{"createUser", `{}`, "/externalId REQUIRED"},
		{"createUser", `{"externalId":null}`, "/externalId REQUIRED"},
		{"createUser", `{"externalId":4711}`, "/externalId INVALID"},
		{"createUser", `{"externalId":1e1000000000}`, "/externalId INVALID"},
		{"createUser", `{"externalId":["a"]}`, "/externalId INVALID"},
		{"createUser", `{"externalId":""}`, "/externalId REQUIRED"},
		{"createUser", `{"externalId":"a\u0000b"}`, "/externalId INVALID"},
		{"createUser", `{"externalId":"a\u009fb"}`, "/externalId INVALID"},
		{"createUser", `{"externalId":"` + strings.Repeat("å", 255) + `"}`, "ok"},
		{"createUser", `{"externalId":"` + strings.Repeat("å", 256) + `"}`, "/externalId TOO_LONG"},
		{"createUser", `{"ExternalId":"a"}`, "/externalId REQUIRED"},

		// Consents (docs/reference/api.md 4.3).
		{"createConsent", consent(ais), "ok"},
		{"createConsent", consent(ais + "," + bankid), "ok"},
		{"createConsent", `{"company":"se-nordea","parameters":[` + ais + `]}`, "ok"},
		{"createConsent", `{"company":"se-nordea","loginMethod":null,"parameters":[` + ais + `]}`, "ok"},
		{"createConsent", `{"company":"se-nordea","parameters":[` + ais + "," + bankid + `]}`, "/loginMethod REQUIRED"},
		{"createConsent", `{"company":"se-nordea","loginMethod":null,"parameters":[` + ais + "," + bankid + `]}`, "/loginMethod REQUIRED"},
		{"createConsent", `{}`, "/company REQUIRED, /parameters REQUIRED"},
		{"createConsent", `{"company":"","parameters":null}`, "/company REQUIRED, /parameters REQUIRED"},
		{"createConsent", `{"company":"c","parameters":{}}`, "/parameters INVALID"},
		{"createConsent", consent(""), "/parameters REQUIRED"},
		{"createConsent", consent(bankid), "/parameters REQUIRED"},
		{"createConsent", consent(ais + "," + ais), "/parameters/1 NOT_ALLOWED"},
		{"createConsent", consent(ais + "," + bankid + "," + bankid), "/parameters/2 NOT_ALLOWED"},
		{"createConsent", consent(`{"type":"NONSENSE"}`), "/parameters/0/type UNKNOWN_TYPE"},
		{"createConsent", consent(ais + "," + stored), "/parameters/1/type UNKNOWN_TYPE"},
		{"createConsent", consent(`{"psuIpAddress":"::1"}`), "/parameters/0/type REQUIRED"},
		{"createConsent", consent(`{"type":null}`), "/parameters/0/type REQUIRED"},
		{"createConsent", consent(`{"type":7}`), "/parameters/0/type INVALID"},
		{"createConsent", consent(ais + ",null"), "/parameters/1 INVALID"},
		{"createConsent", consent(ais + `,"x"`), "/parameters/1 INVALID"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT"}`), "/parameters/0/psuIpAddress REQUIRED"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":null}`), "/parameters/0/psuIpAddress REQUIRED"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":"10.0.0.256"}`), "/parameters/0/psuIpAddress INVALID"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":""}`), "/parameters/0/psuIpAddress INVALID"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":"2001:db8::1"}`), "ok"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":"fe80::1%eth0"}`), "/parameters/0/psuIpAddress INVALID"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":9}`), "/parameters/0/psuIpAddress INVALID"},
		{"createConsent", consent(aisWith(`"validUntil":"2026-02-30"`)), "/parameters/0/validUntil INVALID"},
		{"createConsent", consent(aisWith(`"validUntil":"2026-12-31T00:00:00Z"`)), "/parameters/0/validUntil INVALID"},
		{"createConsent", consent(aisWith(`"validUntil":null,"psuLocale":null,"accountIds":null,"balances":null,"transactions":null`)), "ok"},
		{"createConsent", consent(aisWith(`"psuLocale":"svenska"`)), "/parameters/0/psuLocale INVALID"},
		{"createConsent", consent(aisWith(`"balances":"true"`)), "/parameters/0/balances INVALID"},
		{"createConsent", consent(aisWith(`"balances":false`)), "ok"},
		{"createConsent", consent(aisWith(`"balances":false,"transactions":null`)), "ok"},
		{"createConsent", consent(aisWith(`"balances":false,"transactions":false`)), "/parameters/0/transactions INVALID"},
		{"createConsent", consent(aisWith(`"accountIds":["a",7,"",null]`)), "/parameters/0/accountIds/1 INVALID, /parameters/0/accountIds/2 INVALID, /parameters/0/accountIds/3 INVALID"},
		{"createConsent", consent(aisWith(`"accountIds":[` + elements(200, `"a%d"`) + `]`)), "ok"},
		{"createConsent", consent(aisWith(`"accountIds":[` + elements(201, `"a%d"`) + `]`)), "/parameters/0/accountIds INVALID"},
		{"createConsent", consent(aisWith(`"accountIds":["` + strings.Repeat("å", 255) + `"]`)), "ok"},
		{"createConsent", consent(aisWith(`"accountIds":["a","` + strings.Repeat("a", 256) + `"]`)), "/parameters/0/accountIds/1 TOO_LONG"},
		{"createConsent", consent(aisWith(`"accountIds":["a","b","a"]`)), "/parameters/0/accountIds/2 NOT_ALLOWED"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"FILTER","accountIds":["a","a"]}]}`, "/parameters/0/accountIds/1 NOT_ALLOWED"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"FILTER","accountIds":[` + elements(201, `"a%d"`) + `]}]}`, "/parameters/0/accountIds INVALID"},
		{"createConsent", consent(ais + `,{"type":"SWEDISH_BANKID"}`), "/parameters/1/personalNumber REQUIRED"},
		{"createConsent", consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":"9312252399"}`), "/parameters/1/personalNumber INVALID"},
		{"createConsent", consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":"19931225-2399"}`), "/parameters/1/personalNumber INVALID"},
		{"createConsent", consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":"199312252399\n"}`), "/parameters/1/personalNumber INVALID"},
		{"createConsent", consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":199312252399}`), "/parameters/1/personalNumber INVALID"},
		{"createConsent", `{"company":1,"parameters":[{"type":"SWEDISH_BANKID"},{"type":"X"}]}`, "/company INVALID, /loginMethod REQUIRED, /parameters/0/personalNumber REQUIRED, /parameters/1/type UNKNOWN_TYPE"},

		// Collections (docs/reference/api.md 5.2, 5.3).
		{"initiateCollection", `{"company":"c","loginMethod":"EMAIL"}`, "ok"},
		{"initiateCollection", `{"company":"c","loginMethod":"EMAIL","parameters":null}`, "ok"},
		{"initiateCollection", `{"company":"c","loginMethod":"EMAIL","parameters":[]}`, "ok"},
		{"initiateCollection", `{"company":"c"}`, "/loginMethod REQUIRED"},
		{"initiateCollection", `{"company":"c","parameters":[` + bankid + `]}`, "/loginMethod REQUIRED"},
		{"initiateCollection", `{"company":"c","parameters":[` + stored + `]}`, "ok"},
		{"initiateCollection", `{"company":"c","loginMethod":null,"parameters":[` + stored + `]}`, "ok"},
		{"initiateCollection", `{"company":"c","parameters":[{"type":"LOGIN_METHOD","loginMethod":"ESTONIAN_SMART_ID"}]}`, "ok"},
		{"initiateCollection", `{"company":"c","parameters":[` + stored + `,` + ais + `]}`, "/parameters/1 NOT_ALLOWED"},
		{"initiateCollection", `{"company":"c","parameters":[` + stored + `,` + stored + `]}`, "/parameters/1 NOT_ALLOWED"},
		{"initiateCollection", `{"company":"c","parameters":[{"type":"STORED_CONSENT"}]}`, "/parameters/0/consentId REQUIRED"},
		{"initiateCollection", `{"company":"c","parameters":[{"type":"STORED_CONSENT","consentId":"x","psuIpAddress":"here","psuUserAgent":1}]}`, "/parameters/0/psuIpAddress INVALID, /parameters/0/psuUserAgent INVALID"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"9312252399"}]}`, "ok"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"93122523991"}]}`, "/parameters/0/personalNumber INVALID"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"EMAIL","email":"anna"}]}`, "/parameters/0/email INVALID"},
		{"initiateCollection", `{"company":"c","loginMethod":"m","parameters":[{"type":"DANISH_MITID"},{"type":"FILTER"}]}`, "/parameters/0/userId REQUIRED, /parameters/1/accountIds REQUIRED"},
	} {
		t.Run("", func(t *testing.T) {
			body, f := read(tc.op, tc.body)
			if got := outcome(f); got != tc.want {
				t.Errorf("%.200s\n got %s\nwant %s", tc.body, got, tc.want)
			}
			if f == nil && string(body) != tc.body {
				t.Errorf("the body is changed: %s", body)
			}
		})
	}
}

// No message repeats a value of the request: it may be a personal number.
func TestReadBody_RepeatsNoValue(t *testing.T) {
	for _, body := range []string{
		consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":"secret"}`),
		consent(`{"type":"secret"}`),
		consent(aisWith(`"psuLocale":"secret","validUntil":"secret","balances":"secret"`)),
		`{"secret":1,"secret":2}`, `{"company":secret}`,
	} {
		_, f := read("createConsent", body)
		if f == nil {
			t.Fatalf("%s is accepted", body)
		}
		for _, field := range append(f.Fields, fault.Field{Message: f.Error()}) {
			if strings.Contains(field.Message+field.Pointer, "secret") || field.Message == "" {
				t.Errorf("%s: %+v", body, field)
			}
		}
	}
}
