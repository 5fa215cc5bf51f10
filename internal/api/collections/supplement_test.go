package collections_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"samla/internal/api/collections"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/wire"
)

// supplement reads a body as the operation does.
func supplement(body string) (dialogue.Answer, error) {
	c, err := v20260401.Contract()
	if err != nil {
		return dialogue.Answer{}, err
	}
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return collections.ReadSupplement(c.Operation("addSupplementInformation").ReadBody(r))
}

func TestReadSupplement_ReadsEachType(t *testing.T) {
	for _, tc := range []struct {
		body string
		want dialogue.Answer
	}{
		{`{"type":"TWO_FACTOR_CODE","value":"A12345"}`, dialogue.Answer{Code: "A12345"}},
		{`{"type":"TWO_FACTOR_CODE","value":"A12345","questionId":"q1"}`, dialogue.Answer{Code: "A12345", Question: "q1"}},
		{`{"type":"TWO_FACTOR_CODE","value":"1","questionId":null,"values":null,"headers":null}`, dialogue.Answer{Code: "1"}},
		{`{"type":"TWO_FACTOR_CODE","value":"1","Value":"2","TYPE":"TWO_FACTOR_CHOICE"}`, dialogue.Answer{Code: "1"}},
		{`{"type":"TWO_FACTOR_CODE","value":"1","values":"x","headers":5}`, dialogue.Answer{Code: "1"}}, // members of other types
		{`{"type":"RESPONSE_OBJECT","value":5,"values":[],"headers":{},"response":0}`, dialogue.Answer{Response: response(`{}`, `0`)}},
		{`{"type":"COLLECTION_INPUT","value":{},"values":{"EMAIL":"a@b.example"}}`, dialogue.Answer{Inputs: map[string]string{"EMAIL": "a@b.example"}}},
		{`{"type":"TWO_FACTOR_CHOICE","value":"RESEND"}`, dialogue.Answer{Choice: "RESEND"}},
		{`{"type":"COLLECTION_INPUT","values":{"EMAIL":"anna@example.com"}}`, dialogue.Answer{Inputs: map[string]string{"EMAIL": "anna@example.com"}}},
		{`{"type":"COLLECTION_INPUT","questionId":"q","values":{"EMAIL":"a@b.example","MOBILE_PHONE_NUMBER":"+46701740605"}}`,
			dialogue.Answer{Question: "q", Inputs: map[string]string{"EMAIL": "a@b.example", "MOBILE_PHONE_NUMBER": "+46701740605"}}},
		{`{"type":"RESPONSE_OBJECT","headers":{"x-final-url":["https://bank.example/api"],"Set-Cookie":["a=b"]},"response":{}}`,
			dialogue.Answer{Response: response(`{"x-final-url":["https://bank.example/api"],"Set-Cookie":["a=b"]}`, `{}`)}},
		{`{"type":"RESPONSE_OBJECT","headers":{"Set-Cookie":"a=b","Type":"x"},"response":"text"}`,
			dialogue.Answer{Response: response(`{"Set-Cookie":"a=b","Type":"x"}`, `"text"`)}},
		{`{"type":"RESPONSE_OBJECT","response":[1.50,{"Type":null,"status":"A"}],"questionId":"q"}`, dialogue.Answer{Question: "q", Response: response(``, `[1.50,{"Type":null,"status":"A"}]`)}},
		{`{"type":"RESPONSE_OBJECT"}`, dialogue.Answer{Response: response(``, ``)}},
		{`{"type":"RESPONSE_OBJECT","headers":null,"response":null}`, dialogue.Answer{Response: response(``, ``)}},
		{`{"type":"RESPONSE_OBJECT","headers":{},"response":0}`, dialogue.Answer{Response: response(`{}`, `0`)}},
	} {
		got, err := supplement(tc.body)
		if err != nil || got.Question != tc.want.Question || got.Code != tc.want.Code || got.Choice != tc.want.Choice || !maps.Equal(got.Inputs, tc.want.Inputs) ||
			!sameResponse(got.Response, tc.want.Response) {
			t.Errorf("%s\n%s: %+v", tc.body, outcome(err), got)
		}
	}
}

func response(headers, body string) *dialogue.DeviceResponse {
	r := &dialogue.DeviceResponse{}
	if headers != "" {
		r.Headers = json.RawMessage(headers)
	}
	if body != "" {
		r.Body = json.RawMessage(body)
	}
	return r
}

func sameResponse(a, b *dialogue.DeviceResponse) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.Headers, b.Headers) && bytes.Equal(a.Body, b.Body)
}

func TestReadSupplement_RefusesInvalidBodies(t *testing.T) {
	for body, want := range map[string]string{
		``:                             "MALFORMED_JSON",
		`{"type":"TWO_FACTOR_CODE",`:   "MALFORMED_JSON",
		`{"value":"1","value":"2"}`:    "MALFORMED_JSON",
		`[]`:                           " INVALID",
		`null`:                         " INVALID",
		`{}`:                           "/type REQUIRED",
		`{"type":null,"value":"1"}`:    "/type REQUIRED",
		`{"type":7,"value":"1"}`:       "/type INVALID",
		`{"type":"CODE","value":"1"}`:  "/type UNKNOWN_TYPE",
		`{"Type":"TWO_FACTOR_CODE"}`:   "/type REQUIRED",
		`{"type":"TWO_FACTOR_CODE"}`:   "/value REQUIRED",
		`{"type":"TWO_FACTOR_CHOICE"}`: "/value REQUIRED",
		`{"type":"TWO_FACTOR_CODE","value":null}`:                                                           "/value REQUIRED",
		`{"type":"TWO_FACTOR_CODE","value":""}`:                                                             "/value REQUIRED",
		`{"type":"TWO_FACTOR_CODE","value":123456}`:                                                         "/value INVALID",
		`{"type":"TWO_FACTOR_CODE","value":["1"]}`:                                                          "/value INVALID",
		`{"type":"TWO_FACTOR_CODE","value":"12\n34"}`:                                                       "/value INVALID",
		`{"type":"TWO_FACTOR_CHOICE","value":"a\u0085"}`:                                                    "/value INVALID",
		`{"type":"TWO_FACTOR_CODE","value":"` + strings.Repeat("1", 256) + `"}`:                             "/value TOO_LONG",
		`{"type":"TWO_FACTOR_CODE","value":"1","questionId":""}`:                                            "/questionId REQUIRED",
		`{"type":"TWO_FACTOR_CODE","value":"1","questionId":7}`:                                             "/questionId INVALID",
		`{"type":"TWO_FACTOR_CODE","value":"1","questionId":"a\u0000"}`:                                     "/questionId INVALID",
		`{"type":"RESPONSE_OBJECT","questionId":"` + strings.Repeat("q", 256) + `"}`:                        "/questionId TOO_LONG",
		`{"type":"TWO_FACTOR_CODE","questionId":false}`:                                                     "/questionId INVALID, /value REQUIRED",
		`{"type":"COLLECTION_INPUT"}`:                                                                       "/values REQUIRED",
		`{"type":"COLLECTION_INPUT","values":null}`:                                                         "/values REQUIRED",
		`{"type":"COLLECTION_INPUT","values":{}}`:                                                           "/values REQUIRED",
		`{"type":"COLLECTION_INPUT","values":[]}`:                                                           "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":"anna"}`:                                                       "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":7}}`:                                                  "/values/EMAIL INVALID",
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":null}}`:                                               "/values/EMAIL REQUIRED",
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":""}}`:                                                 "/values/EMAIL REQUIRED",
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":"a\tb"}}`:                                             "/values/EMAIL INVALID",
		`{"type":"COLLECTION_INPUT","values":{"email":"a@b.example"}}`:                                      "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":{"":"a@b.example"}}`:                                           "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":{"9":"a@b.example"}}`:                                          "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":{"anna@example.com":"EMAIL"}}`:                                 "/values INVALID",
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":"` + strings.Repeat("a", 1001) + `"}}`:                "/values/EMAIL TOO_LONG",
		`{"type":"COLLECTION_INPUT","values":{"a":7,"b":"","EMAIL":7}}`:                                     "/values INVALID, /values/EMAIL INVALID",
		`{"type":"RESPONSE_OBJECT","headers":"a"}`:                                                          "/headers INVALID",
		`{"type":"RESPONSE_OBJECT","headers":{"a":7}}`:                                                      "/headers/a INVALID",
		`{"type":"RESPONSE_OBJECT","headers":{"a":["x",7]}}`:                                                "/headers/a INVALID",
		`{"type":"RESPONSE_OBJECT","headers":{"a":null}}`:                                                   "/headers/a INVALID",
		`{"type":"RESPONSE_OBJECT","headers":{"a":{"b":"c"}}}`:                                              "/headers/a INVALID",
		`{"type":"RESPONSE_OBJECT","response":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`: "MALFORMED_JSON",
	} {
		if _, err := supplement(body); outcome(err) != want {
			t.Errorf("%.200s\n got %s\nwant %s", body, outcome(err), want)
		}
	}
}

// The limit of 1 MiB is that of one type. All others have that of every body.
func TestReadSupplement_LimitsSizeByType(t *testing.T) {
	padded := func(head, tail string, n int) string { return head + strings.Repeat("y", n-len(head)-len(tail)) + tail }
	for _, tc := range []struct {
		head, tail string
		size       int
		want       string
	}{
		{`{"type":"RESPONSE_OBJECT","response":"`, `"}`, 1023<<10 + 38, "ok"}, // 38 bytes stand around the response
		{`{"type":"RESPONSE_OBJECT","response":"`, `"}`, 1023<<10 + 39, "BODY_TOO_LARGE"},
		{`{"type":"RESPONSE_OBJECT","x":"`, `"}`, 1 << 20, "ok"},
		{`{"type":"RESPONSE_OBJECT","x":"`, `"}`, 1<<20 + 1, "BODY_TOO_LARGE"},
		{`{"response":"`, `","type":"RESPONSE_OBJECT"}`, 1023 << 10, "ok"},
		{`{"type":"TWO_FACTOR_CODE","value":"1","x":"`, `"}`, wire.MaxBody, "ok"},
		{`{"type":"TWO_FACTOR_CODE","value":"1","x":"`, `"}`, wire.MaxBody + 1, "BODY_TOO_LARGE"},
		{`{"type":"TWO_FACTOR_CHOICE","value":"1","response":"`, `"}`, wire.MaxBody + 1, "BODY_TOO_LARGE"},
		{`{"type":"COLLECTION_INPUT","values":{"EMAIL":"`, `"}}`, wire.MaxBody + 1, "BODY_TOO_LARGE"},
		{`{"x":"`, `"}`, wire.MaxBody + 1, "BODY_TOO_LARGE"},
		{`{"type":"RESPONSE_OBJECT","questionId":7,"response":"`, `"}`, wire.MaxBody + 1, "/questionId INVALID"},
	} {
		if _, err := supplement(padded(tc.head, tc.tail, tc.size)); outcome(err) != tc.want {
			t.Errorf("%s, %d bytes: %s", tc.head, tc.size, outcome(err))
		}
	}
}

// No error has anything of what the person wrote: not the pointer, not the message.
func TestReadSupplement_RepeatsNoValue(t *testing.T) {
	for _, body := range []string{
		`{"type":"secret"}`, `{"type":"TWO_FACTOR_CODE","value":"secret\u0000"}`, `{"type":"TWO_FACTOR_CHOICE","value":["secret"]}`,
		`{"type":"COLLECTION_INPUT","values":{"secret":"x"}}`, `{"type":"COLLECTION_INPUT","values":{"EMAIL":"secret\n"}}`,
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":{"secret":"secret"}}}`, `{"type":"COLLECTION_INPUT","values":"secret"}`,
		`{"type":"COLLECTION_INPUT","values":{"secret":"x","secret":"y"}}`, `{"type":"TWO_FACTOR_CODE","value":secret}`,
		`{"type":"COLLECTION_INPUT","values":{"secret":7}}`, `{"type":"COLLECTION_INPUT","values":{"secret":""}}`,
		`{"type":"RESPONSE_OBJECT","headers":{"a":{"secret":"x"}},"questionId":"secret\n"}`,
	} {
		_, err := supplement(body)
		f := fault.From(err)
		if f == nil {
			t.Fatalf("%s is accepted", body)
		}
		for _, field := range append(f.Fields, fault.Field{Message: f.Error()}) {
			if strings.Contains(field.Message+field.Pointer, "secret") {
				t.Errorf("%s: %+v", body, field)
			}
		}
	}
}

// No body panics or is a fault of the server; what is accepted is one answer.
func FuzzReadSupplement(f *testing.F) {
	for _, seed := range []string{
		`{"type":"TWO_FACTOR_CODE","value":"A12345"}`, `{"type":"TWO_FACTOR_CHOICE","value":"1","questionId":"q"}`,
		`{"type":"COLLECTION_INPUT","values":{"EMAIL":"anna@example.com"}}`, `{"type":"COLLECTION_INPUT","values":{"a":7,"":""}}`,
		`{"type":"RESPONSE_OBJECT","headers":{"x-final-url":["https://bank.example/api"],"a":"b"},"response":{"Type":1e999}}`,
		`{"type":"RESPONSE_OBJECT","Response":1,"response":null}`, `[]`, `{"type":{}}`,
	} {
		f.Add(seed)
	}
	allowed := []fault.Code{fault.MalformedJSON, fault.InvalidParameter, fault.BodyTooLarge}
	f.Fuzz(func(t *testing.T, body string) {
		a, err := supplement(body)
		if err != nil {
			if code := fault.CodeOf(err); !slices.Contains(allowed, code) {
				t.Errorf("%q: %s", body, code)
			}
			return
		}
		kinds := 0
		for _, is := range []bool{a.Code != "", a.Choice != "", a.Inputs != nil, a.Response != nil} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || a.Inputs != nil && len(a.Inputs) == 0 {
			t.Errorf("%q: %+v", body, a)
		}
		if a.Response != nil && (a.Response.Headers != nil && !json.Valid(a.Response.Headers) || a.Response.Body != nil && !json.Valid(a.Response.Body)) {
			t.Errorf("%q: no JSON", body)
		}
	})
}
