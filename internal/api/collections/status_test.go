package collections_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/api/collections"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/wire/wiretest"
)

// statusOf returns the status answer of a collection, and checks that the contract of
// version 2026-04-01 allows it.
func statusOf(t *testing.T, status collection.Status, signing *authorize.Shown, login *dialogue.Shown, due time.Time) string {
	t.Helper()
	c := collection.Collection{ID: "22e633bc-427d-4f4a-87cf-cfaca04ef351", Company: "se-avanza", Status: status}
	got := collections.AppendStatus(nil, &c, signing, login, due)
	contract, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	validating, err := wiretest.Load(contract)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Insurely-Version": {v20260401.Version}, "X-Request-Id": {"x"}}
	if err := validating.CheckResponse("getCollectionStatus", 200, header, got); err != nil {
		t.Errorf("%v\n%s", err, got)
	}
	return string(got)
}

// sameJSON compares two JSON texts.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Error(diff)
	}
}

// The examples of docs/reference/api.md 5.1, with times in milliseconds as
// docs/reference/api.md 1.1 requires.
func TestAppendStatus_WritesDocumentedExamples(t *testing.T) {
	qr := &authorize.Shown{Form: authorize.QRCode, AutoStartToken: "t", QRData: "bankid.x", QRImage: "iVBORw0KGgoAA=="}
	redirect := &authorize.Shown{Form: authorize.Redirect, RedirectURL: "https://bank.example/sign?a=1&b=2"}
	const id = `{"id":"22e633bc-427d-4f4a-87cf-cfaca04ef351","company":"se-avanza",`
	const polled = `"pollingInterval":1000,"pollingTimeout":"2024-09-26T12:59:10.545Z",`
	due := time.Date(2024, 9, 26, 12, 59, 10, 545e6, time.UTC)
	for name, c := range map[string]struct {
		status  collection.Status
		signing *authorize.Shown
		due     time.Time
		want    string
	}{
		"qr": {collection.Running, qr, due, id + `"extraInformation":{"SWEDISH_BANKID_QRCODE":"iVBORw0KGgoAA==","SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA":"bankid.x",
			"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":"t"},` + polled + `"status":"RUNNING"}`},
		"redirect":   {collection.WaitingForUserAction, redirect, due, id + `"extraInformation":{"REDIRECT_URL":"https://bank.example/sign?a=1&b=2"},` + polled + `"status":"WAITING_FOR_USER_ACTION"}`},
		"nothing":    {collection.Login, &authorize.Shown{Form: authorize.AutoStart}, due, id + `"extraInformation":null,` + polled + `"status":"LOGIN"}`},
		"collecting": {collection.Collecting, nil, due, id + `"extraInformation":null,` + polled + `"status":"COLLECTING"}`},
		"background": {collection.Collecting, nil, time.Time{}, id + `"extraInformation":null,"pollingInterval":1000,"status":"COLLECTING"}`},
		"completed":  {collection.Completed, nil, due, id + `"extraInformation":null,"pollingInterval":null,"status":"COMPLETED"}`},
	} {
		t.Run(name, func(t *testing.T) { sameJSON(t, statusOf(t, c.status, c.signing, nil, c.due), c.want) })
	}
}

// Each turn of a login shows its keys of docs/reference/api.md 5.5, and no others.
func TestAppendStatus_ShowsLogin(t *testing.T) {
	zero, two := 0, 2
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	request := dialogue.DeviceRequest{URL: "https://bank.example/api", Method: "POST", Etag: "e1", Headers: map[string]string{"b": "2", "a": "1"},
		Body: `{"a":[1]}`, Cookies: []dialogue.Cookie{{Name: "a", Value: "b", Domain: "bank.example", Path: "/", Secure: true, HTTPOnly: true}, {Name: "c", Value: ""}}}
	const members = `"url":"https://bank.example/api","method":"POST","etag":"e1","headers":{"a":"1","b":"2"},
		"cookies":[{"name":"a","value":"b","domain":"bank.example","path":"/","secure":true,"httpOnly":true},{"name":"c","value":"","secure":false,"httpOnly":false}]`
	for name, c := range map[string]struct {
		status collection.Status
		shown  dialogue.Shown
		want   string
	}{
		"an animated QR code": {collection.Login, dialogue.Shown{For: dialogue.BankID, QRText: "bankid.x.1.y", QRImage: "aGk=", AutoStartToken: "t", Message: "RFA1"},
			`{"SWEDISH_BANKID_QRCODE":"aGk=","SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA":"bankid.x.1.y","SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":"t"}`},
		"a QR code that stays":  {collection.Login, dialogue.Shown{For: dialogue.BankID, QRText: "bankid:///?autostarttoken=t", QRImage: "aGk="}, `{"SWEDISH_BANKID_QRCODE":"aGk="}`},
		"a token":               {collection.Login, dialogue.Shown{For: dialogue.BankID, AutoStartToken: "t"}, `{"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":"t"}`},
		"BankID without either": {collection.Login, dialogue.Shown{For: dialogue.BankID}, `null`},
		"the institution works": {collection.Login, dialogue.Shown{For: dialogue.Source, Message: "soon"}, `null`},
		"an app": {collection.WaitingForUserAction, dialogue.Shown{For: dialogue.App, QRImage: "aGk=", ReferenceNumber: "1234", Message: "Compare."},
			`{"QR_CODE_DATA":"aGk=","REFERENCE_NUMBER":"1234","TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"authenticationInstruction":"Compare."}}`},
		"an e-mail": {collection.WaitingForUserAction, dialogue.Shown{For: dialogue.EmailLink}, `null`},
		"a page":    {collection.WaitingForUserAction, dialogue.Shown{For: dialogue.Page, URL: "https://a.example/?a=1&b=2"}, `{"REDIRECT_URL":"https://a.example/?a=1&b=2"}`},
		"a code": {collection.TwoFactorPending, dialogue.Shown{Question: "q1", Kind: dialogue.Code, ResponseType: "NUMBER_CODE", Message: "Enter \"it\""},
			`{"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"questionId":"q1","authenticationInstruction":"Enter \"it\"","responseType":"NUMBER_CODE"}}`},
		"a wrong code": {collection.TwoFactorPending, dialogue.Shown{Question: "q2", Kind: dialogue.Code, AttemptsLeft: &two, Wrong: true, Choices: []dialogue.Choice{{ID: dialogue.Resend, Name: "New code"}}},
			`{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"RESEND","name":"New code"}],"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"questionId":"q2","attemptsLeft":2}}`},
		"no attempt left": {collection.TwoFactorPending, dialogue.Shown{Question: "q3", Kind: dialogue.Code, AttemptsLeft: &zero},
			`{"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"questionId":"q3","attemptsLeft":0}}`},
		"a choice": {collection.TwoFactorPending, dialogue.Shown{Question: "q4", Kind: dialogue.Method, Choices: []dialogue.Choice{{ID: "1", Name: "SMS"}, {ID: "2", Name: "App"}}},
			`{"AVAILABLE_TWO_FACTOR_METHODS":[{"id":"1","name":"SMS"},{"id":"2","name":"App"}],"TWO_FACTOR_AUTHENTICATION_INSTRUCTION":{"questionId":"q4"}}`},
		"a contact form": {collection.ContactFormPending, dialogue.Shown{Question: "q5", Kind: dialogue.Contact, Inputs: []string{"EMAIL", "MOBILE_PHONE_NUMBER"}},
			`{"REQUIRED_INPUT_TYPES":["EMAIL","MOBILE_PHONE_NUMBER"],"QUESTION_ID":"q5"}`},
		"an input":             {collection.CollectionInputPending, dialogue.Shown{Question: "q6", Kind: dialogue.Input, Inputs: []string{"EMAIL"}}, `{"REQUIRED_INPUT_TYPES":["EMAIL"],"QUESTION_ID":"q6"}`},
		"an answer on its way": {collection.TwoFactorPending, dialogue.Shown{Kind: dialogue.Code, ResponseType: "NUMBER_CODE"}, `null`},
		"a device": {collection.Login, dialogue.Shown{Question: "q7", Device: &dialogue.Device{Question: "q7", Request: request}},
			`{"INSTRUCTIONS_V2":{"request":{` + members + `,"body":"{\"a\":[1]}"}},"QUESTION_ID":"q7"}`},
		"a device, older form": {collection.Login, dialogue.Shown{Question: "q8", Device: &dialogue.Device{Question: "q8", Older: true, Request: request}},
			`{"INSTRUCTIONS":{"request":{` + members + `,"body":{"a":[1]}}},"QUESTION_ID":"q8"}`},
		"a device, least": {collection.Login, dialogue.Shown{Question: "q9", Device: &dialogue.Device{Question: "q9", Older: true, Request: dialogue.DeviceRequest{URL: "https://b.example/", Method: "GET"}}},
			`{"INSTRUCTIONS":{"request":{"url":"https://b.example/","method":"GET","etag":"q9","headers":{},"cookies":[]}},"QUESTION_ID":"q9"}`},
		"a device, older form, no JSON": {collection.Login, dialogue.Shown{Question: "q10", Device: &dialogue.Device{Question: "q10", Older: true, Request: dialogue.DeviceRequest{URL: "https://b.example/", Method: "PUT", Body: "a=1}"}}},
			`{"INSTRUCTIONS":{"request":{"url":"https://b.example/","method":"PUT","etag":"q10","headers":{},"body":"a=1}","cookies":[]}},"QUESTION_ID":"q10"}`},
		"a device, older form, nested too deeply": {collection.Login, dialogue.Shown{Question: "q11", Device: &dialogue.Device{Question: "q11", Older: true, Request: dialogue.DeviceRequest{URL: "https://b.example/", Method: "PUT", Body: deep}}},
			`{"INSTRUCTIONS":{"request":{"url":"https://b.example/","method":"PUT","etag":"q11","headers":{},"body":"` + deep + `","cookies":[]}},"QUESTION_ID":"q11"}`},
		"a device, older form, a key twice": {collection.Login, dialogue.Shown{Question: "q12", Device: &dialogue.Device{Question: "q12", Older: true, Request: dialogue.DeviceRequest{URL: "https://b.example/", Method: "PUT", Body: `{"a":1,"a":2}`}}},
			`{"INSTRUCTIONS":{"request":{"url":"https://b.example/","method":"PUT","etag":"q12","headers":{},"body":"{\"a\":1,\"a\":2}","cookies":[]}},"QUESTION_ID":"q12"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := statusOf(t, c.status, nil, &c.shown, time.Time{})
			var answer struct {
				ExtraInformation json.RawMessage `json:"extraInformation"`
			}
			if err := json.Unmarshal([]byte(got), &answer); err != nil {
				t.Fatalf("%v: %s", err, got)
			}
			sameJSON(t, string(answer.ExtraInformation), c.want)
		})
	}
}

// The texts of an institution cannot break out of their strings.
func TestAppendExtra_EscapesTexts(t *testing.T) {
	const evil = "\"},\n\u2028\\<\x80"
	shown := dialogue.Shown{For: dialogue.App, QRImage: evil, ReferenceNumber: evil, URL: evil, Message: evil, Question: evil, Inputs: []string{evil},
		Choices: []dialogue.Choice{{ID: evil, Name: evil}},
		Device: &dialogue.Device{Question: evil, Request: dialogue.DeviceRequest{URL: evil, Method: evil, Headers: map[string]string{evil: evil}, Body: evil,
			Cookies: []dialogue.Cookie{{Name: evil, Value: evil, Domain: evil, Path: evil}}}}}
	got := collections.AppendExtra([]byte("x"), nil, &shown)
	if !json.Valid(got[1:]) || strings.Count(string(got), "�") != 18 {
		t.Errorf("%s", got)
	}
}

func BenchmarkAppendStatus(b *testing.B) {
	image := strings.Repeat("iVBORw0KGgoAA", 100)
	due := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	c := collection.Collection{ID: "22e633bc-427d-4f4a-87cf-cfaca04ef351", Company: "se-demo", Status: collection.Login}
	for name, shown := range map[string]*dialogue.Shown{
		"qr":       {For: dialogue.BankID, QRText: "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8", QRImage: image, AutoStartToken: "t"},
		"question": {Question: "q", Kind: dialogue.Code, ResponseType: "NUMBER_CODE", Message: "Enter the code."},
		"device":   {Question: "q", Device: &dialogue.Device{Request: dialogue.DeviceRequest{URL: "https://b.example/", Method: "GET", Headers: map[string]string{"a": "b"}}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = collections.AppendStatus(buf[:0], &c, nil, shown, due)
			}
		})
	}
}
