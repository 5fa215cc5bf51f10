package wire

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"samla/internal/fault"
)

// post reads body as the JSON body of the operation.
func post(t testing.TB, opID, body string) ([]byte, *fault.Fault) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return mustLoad(t).Operation(opID).ReadBody(r)
}

// outcome writes a fault as one line: code, then pointer and code of each field.
func outcome(f *fault.Fault) string {
	if f == nil {
		return "ok"
	}
	if f.Code == fault.MalformedJSON {
		return string(f.Code) + " " + f.Details
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

func consent(parameters string) string {
	return `{"company":"se-nordea",` + loginAs + `,"parameters":[` + parameters + `]}`
}

// aisWith is a PSD2_AIS_CONSENT parameter with further members.
func aisWith(members string) string { return strings.Replace(ais, "}", ","+members+"}", 1) }

func TestBodies(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	for _, tc := range []struct{ op, body, want string }{
		// Shape of the whole body.
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

		// Not JSON, or not only one reading of it.
		{"createUser", ``, "MALFORMED_JSON at byte offset 0: the text ends too early"},
		{"createUser", `{"externalId":"a"`, "MALFORMED_JSON at byte offset 17: the text ends too early"},
		{"createUser", `{"externalId":"a"}}`, "MALFORMED_JSON at byte offset 18: text after the value"},
		{"createUser", `{"externalId":"a",}`, "MALFORMED_JSON at byte offset 18: a key is expected"},
		{"createUser", `{'externalId':"a"}`, "MALFORMED_JSON at byte offset 1: a key is expected"},
		{"createUser", `{"externalId":"a","externalId":"b"}`, "MALFORMED_JSON at byte offset 18: the object has this key already"},
		{"createUser", `{"externalId":"a","e\u0078ternalId":"b"}`, "MALFORMED_JSON at byte offset 18: the object has this key already"},
		{"createUser", `{"externalId":"a","x":[{"y":{"z":1,"z":1}}]}`, "MALFORMED_JSON at byte offset 35: the object has this key already"},
		{"createUser", "{\"externalId\":\"a\x00\"}", "MALFORMED_JSON at byte offset 16: a control character inside a string"},
		{"createUser", "{\"externalId\":\"a\tb\"}", "MALFORMED_JSON at byte offset 16: a control character inside a string"},
		{"createUser", "\x00{}", "MALFORMED_JSON at byte offset 0: a value is expected"},
		{"createUser", "{\"externalId\":\"a\xff\"}", "MALFORMED_JSON at byte offset 16: not UTF-8"},
		{"createUser", "\xef\xbb\xbf{}", "MALFORMED_JSON at byte offset 0: a value is expected"},
		{"createUser", `{"externalId":"\ud800"}`, "MALFORMED_JSON at byte offset 15: half a surrogate pair"},
		{"createUser", `{"externalId":"\ud83d\ude00"}`, "ok"},
		{"createUser", `{"externalId":"\x"}`, "MALFORMED_JSON at byte offset 16: an unknown escape"},
		{"createUser", `{"externalId":01}`, "MALFORMED_JSON at byte offset 15: a comma or the closing bracket is expected"},
		{"createUser", `{"externalId":nul}`, "MALFORMED_JSON at byte offset 17: a value is expected"},
		{"createUser", deep, "MALFORMED_JSON at byte offset 64: nested too deeply"},
		{"createUser", strings.Repeat(`{"a":`, 10000), "MALFORMED_JSON at byte offset 320: nested too deeply"},
		{"createUser", `{"externalId":"` + strings.Repeat(" ", MaxBody-17) + `"}`, "/externalId TOO_LONG"},
		{"createUser", `{"externalId":"` + strings.Repeat(" ", MaxBody-16) + `"}`, "BODY_TOO_LARGE"},

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
			body, f := post(t, tc.op, tc.body)
			if got := outcome(f); got != tc.want {
				t.Errorf("%.200s\n got %s\nwant %s", tc.body, got, tc.want)
			}
			if f == nil && string(body) != tc.body {
				t.Errorf("body changed: %s", body)
			}
		})
	}
}

func TestMessagesRepeatNothing(t *testing.T) {
	for _, body := range []string{
		consent(ais + `,{"type":"SWEDISH_BANKID","personalNumber":"secret"}`),
		consent(`{"type":"secret"}`),
		consent(aisWith(`"psuLocale":"secret","validUntil":"secret","balances":"secret"`)),
		`{"secret":1,"secret":2}`, `{"company":secret}`,
	} {
		_, f := post(t, "createConsent", body)
		if f == nil {
			t.Fatalf("%s passes", body)
		}
		for _, field := range append(f.Fields, fault.Field{Message: f.Error()}) {
			if strings.Contains(field.Message+field.Pointer, "secret") || field.Message == "" {
				t.Errorf("%s: %+v", body, field)
			}
		}
	}
}

func TestManyBrokenRulesAreCut(t *testing.T) {
	_, f := post(t, "createConsent", consent(aisWith(`"accountIds":[`+strings.Repeat("0,", 5000)+`0]`)))
	if f == nil || len(f.Fields) != maxFields {
		t.Errorf("got %d", len(f.Fields))
	}
}

// encoding/json matches names without regard to case; what reaches it must not
// differ from what was checked.
func TestLookalikesAreDropped(t *testing.T) {
	body, f := post(t, "createConsent", `{"company":"a","Company":["b"],"cOMPANY":3,"amount":1.50,"parameters":[`+
		aisWith(`"pſuLocale":7,"PsuIpAddress":"8.8.8.8"`)+`]}`)
	want := `{"amount":1.50,"company":"a","parameters":[{"psuIpAddress":"192.168.1.1","type":"PSD2_AIS_CONSENT"}]}`
	if f != nil || string(body) != want {
		t.Errorf("got %s %v", body, f)
	}
}

func TestContentType(t *testing.T) {
	op := mustLoad(t).Operation("createUser")
	for ct, want := range map[string]string{
		"application/json": "ok", "Application/JSON; charset=utf-8": "ok", "application/json; x": "ok",
		"": "UNSUPPORTED_MEDIA_TYPE", "text/plain": "UNSUPPORTED_MEDIA_TYPE", "application/jsonx": "UNSUPPORTED_MEDIA_TYPE",
		"application/problem+json": "UNSUPPORTED_MEDIA_TYPE", ";;": "UNSUPPORTED_MEDIA_TYPE",
	} {
		r := httptest.NewRequest(http.MethodPost, "/users", strings.NewReader(`{"externalId":"a"}`))
		r.Header.Set("Content-Type", ct)
		if _, f := op.ReadBody(r); outcome(f) != want {
			t.Errorf("%q: %s", ct, outcome(f))
		}
	}
}

// The limit holds whatever length is declared, and a body that is declared too
// large is not read at all.
func TestBodyLimit(t *testing.T) {
	op := mustLoad(t).Operation("createUser")
	large := `{"externalId":"a","x":"` + strings.Repeat("y", MaxBody) + `"}`
	for _, length := range []int64{-1, int64(len(large))} {
		r := httptest.NewRequest(http.MethodPost, "/users", strings.NewReader(large))
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = length
		if _, f := op.ReadBody(r); outcome(f) != "BODY_TOO_LARGE" {
			t.Errorf("length %d: %s", length, outcome(f))
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/users", io.NopCloser(iotestErr{t}))
	r.ContentLength = MaxBody + 1
	if _, f := op.ReadBody(r); outcome(f) != "BODY_TOO_LARGE" {
		t.Error(outcome(f))
	}
}

type iotestErr struct{ t *testing.T }

func (e iotestErr) Read([]byte) (int, error) {
	e.t.Error("the body is read")
	return 0, io.EOF
}

// A caller that hangs up sends a malformed body, not an internal error.
func TestBrokenConnection(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/users", io.MultiReader(strings.NewReader(`{"ext`), failing{}))
	r.Header.Set("Content-Type", "application/json")
	_, f := mustLoad(t).Operation("createUser").ReadBody(r)
	if got := outcome(f); got != "MALFORMED_JSON at byte offset 5: the text ends too early" {
		t.Error(got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("reset by peer " + strconv.Itoa(1)) }

func TestBodyOfRouteWithoutOneIsIgnored(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/users/1/sessions", strings.NewReader("}{"))
	body, f := mustLoad(t).Operation("createSession").ReadBody(r)
	if body != nil || f != nil {
		t.Errorf("got %q %v", body, f)
	}
}
