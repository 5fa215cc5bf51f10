package source_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"samla/internal/dialogue"
	"samla/internal/institution/source"
)

var hosts = source.NewHosts([]string{"device.example", "other.example:8443", "kelvin.example"})

func readTurn(members string) (dialogue.Turn, []string) {
	turn, faults := source.ReadTurn([]byte(`{"turn":{"id":"t1",`+members+`}}`), hosts)
	var at []string
	for _, f := range faults {
		at = append(at, f.Pointer)
	}
	return turn, at
}

func TestReadTurn_ReadsEachType(t *testing.T) {
	three := 3
	for members, want := range map[string]dialogue.Turn{
		`"type":"WAIT","for":"BANKID","autoStartToken":"a","qrText":"bankid.x","expires":"2026-04-01T12:00:00Z","pollAfter":1500`: {
			PollAfter: 1500 * time.Millisecond, Expires: noon, Wait: &dialogue.Wait{For: dialogue.BankID, AutoStartToken: "a", QRText: "bankid.x"}},
		`"type":"WAIT","for":"BANKID","qrSecret":"s","qrStartToken":"t","qrStartedAt":"2026-04-01T12:00:00Z","referenceNumber":" 17 "`: {
			Wait: &dialogue.Wait{For: dialogue.BankID, QRSecret: "s", QRStartToken: "t", QRStartedAt: noon, ReferenceNumber: "17"}},
		`"type":"WAIT","for":"EMAIL_LINK","message":"Open\nthe mail","pollAfter":9e9`: {
			PollAfter: time.Minute, Wait: &dialogue.Wait{For: dialogue.EmailLink, Message: "Open the mail"}},
		`"type":"WAIT","for":"PAGE","url":"https://page.example/x?y=z","pollAfter":1`: {
			PollAfter: 100 * time.Millisecond, Wait: &dialogue.Wait{For: dialogue.Page, URL: "https://page.example/x?y=z"}},
		`"type":"WAIT","for":"SOURCE","new":{"member":1},"reason":["CANCELLED"],"choices":"none","request":7`: {Wait: &dialogue.Wait{For: dialogue.Source}},
		`"type":"ASK","question":"q","kind":"CODE","responseType":"NUMBER_CODE","choices":[{"id":"RESEND","name":"Again"}],"wrong":true,"attemptsLeft":3`: {
			Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Code, ResponseType: "NUMBER_CODE", Choices: []dialogue.Choice{{ID: "RESEND", Name: "Again"}}, Wrong: true, AttemptsLeft: &three}},
		`"type":"ASK","question":"q","kind":"CHOICE","choices":[{"id":"SMS","name":"SMS"},{"id":"MAIL","name":"E-mail"}]`: {
			Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Method, Choices: []dialogue.Choice{{ID: "SMS", Name: "SMS"}, {ID: "MAIL", Name: "E-mail"}}}},
		`"type":"ASK","question":"q","kind":"CONTACT","inputs":["EMAIL","MOBILE_PHONE_NUMBER"]`: {
			Ask: &dialogue.Ask{Question: "q", Kind: dialogue.Contact, Inputs: []string{"EMAIL", "MOBILE_PHONE_NUMBER"}}},
		`"type":"DEVICE","question":"q","older":true,"request":{"url":"https://device.example/api?x=1","method":"POST","etag":"e1","headers":{"content-type":"application/json"},"body":"{}",
			"cookies":[{"name":"a","value":"b","domain":".device.example","path":"/","secure":true,"httpOnly":true}]}`: {
			Device: &dialogue.Device{Question: "q", Older: true, Request: dialogue.DeviceRequest{URL: "https://device.example/api?x=1", Method: "POST", Etag: "e1",
				Headers: map[string]string{"content-type": "application/json"}, Body: "{}",
				Cookies: []dialogue.Cookie{{Name: "a", Value: "b", Domain: ".device.example", Path: "/", Secure: true, HTTPOnly: true}}}}},
		`"type":"DEVICE","question":"q","request":{"url":"https://OTHER.example:8443/","method":"GET"}`: {
			Device: &dialogue.Device{Question: "q", Request: dialogue.DeviceRequest{URL: "https://OTHER.example:8443/", Method: "GET"}}},
		`"type":"IN","personalNumber":"` + number + `","name":"Tolvan"`: {In: &dialogue.In{PersonalNumber: number, Name: "Tolvan"}},
		`"type":"OUT","reason":"KYC_REQUIRED"`:                          {Out: &dialogue.Out{Reason: dialogue.KYCRequired}},
		`"type":"OUT","reason":"TIRED"`:                                 {Out: &dialogue.Out{Reason: dialogue.Failed}},
	} {
		want.ID = "t1"
		if got, faults := readTurn(members); len(faults) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %s\nwant %s", members, faults, asJSON(got), asJSON(want))
		}
	}
}

func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func TestReadTurn_RefusesWhatCannotBeUsed(t *testing.T) {
	const device = `"type":"DEVICE","question":"q","request":`
	long := strings.Repeat("x", 3000)
	choices := strings.TrimPrefix(strings.Repeat(`,{"id":"a","name":"A"}`, 21), ",")
	headers := `"h0":""`
	for i := range 51 {
		headers += `,"x` + strings.Repeat("y", i) + `":""`
	}
	for members, want := range map[string]string{
		`"type":"SING"`:                               "/turn/type",
		`"typ":"IN"`:                                  "/turn/type",
		`"type":7`:                                    "/turn/type",
		`"type":"IN","id":""`:                         "", // twice
		`"type":"IN","pollAfter":-1`:                  "/turn/pollAfter",
		`"type":"IN","pollAfter":"soon"`:              "/turn/pollAfter",
		`"type":"IN","expires":"soon"`:                "/turn/expires",
		`"type":"IN","expires":"2026-04-01 12:00:00"`: "/turn/expires",
		`"type":"IN","expires":1775044800`:            "/turn/expires",
		`"type":"WAIT","for":7`:                       "/turn/for",
		`"type":"WAIT","for":"BANKID","qrSecret":"s","qrStartToken":"t","qrStartedAt":"now"`:                                     "/turn/qrStartedAt",
		`"type":"ASK","question":"q","kind":"CHOICE","choices":["SMS"]`:                                                          "/turn/choices",
		`"type":"IN","personalNumber":"8412099296"`:                                                                              "/turn/personalNumber",
		`"type":"IN","name":"` + long + `"`:                                                                                      "/turn/name",
		`"type":"OUT"`:                                                                                                           "/turn/reason",
		`"type":"WAIT"`:                                                                                                          "/turn/for",
		`"type":"WAIT","for":"BUS"`:                                                                                              "/turn/for",
		`"type":"WAIT","for":"PAGE"`:                                                                                             "/turn/url",
		`"type":"WAIT","for":"APP","url":"http://a.b/"`:                                                                          "/turn/url",
		`"type":"WAIT","for":"APP","url":"https://u@a.b"`:                                                                        "/turn/url",
		`"type":"WAIT","for":"APP","url":"javascript:1"`:                                                                         "/turn/url",
		`"type":"WAIT","for":"APP","message":"` + long + `"`:                                                                     "/turn/message",
		`"type":"WAIT","for":"BANKID","qrText":"a b"`:                                                                            "/turn/qrText",
		`"type":"WAIT","for":"BANKID","qrText":"` + long + `"`:                                                                   "/turn/qrText",
		`"type":"WAIT","for":"BANKID","qrText":"a","qrImage":"` + png + `"`:                                                      "/turn",
		`"type":"WAIT","for":"BANKID","qrImage":"data:image/png;base64,"`:                                                        "/turn/qrImage",
		`"type":"WAIT","for":"BANKID","qrImage":"AAAA"`:                                                                          "/turn/qrImage",
		`"type":"WAIT","for":"BANKID","qrStartToken":"t"`:                                                                        "/turn/qrSecret",
		`"type":"WAIT","for":"BANKID","qrSecret":"s","qrStartToken":"t"`:                                                         "/turn/qrStartedAt",
		`"type":"WAIT","for":"BANKID","qrSecret":"s","qrStartedAt":"2026-04-01T12:00:00Z"`:                                       "/turn/qrStartToken",
		`"type":"ASK","kind":"CODE"`:                                                                                             "/turn/question",
		`"type":"ASK","question":"q"`:                                                                                            "/turn/kind",
		`"type":"ASK","question":"q","kind":"CODE","choices":[{"id":"SMS","name":"SMS"}]`:                                        "/turn/choices",
		`"type":"ASK","question":"q","kind":"CODE","responseType":"a code"`:                                                      "/turn/responseType",
		`"type":"ASK","question":"q","kind":"CODE","attemptsLeft":-1`:                                                            "/turn/attemptsLeft",
		`"type":"ASK","question":"q","kind":"CHOICE"`:                                                                            "/turn/choices",
		`"type":"ASK","question":"q","kind":"CHOICE","choices":[` + choices + `]`:                                                "/turn/choices",
		`"type":"ASK","question":"q","kind":"CHOICE","choices":[{"id":"a","name":"A"},{"id":"a","name":"B"}]`:                    "/turn/choices/1/id",
		`"type":"ASK","question":"q","kind":"CHOICE","choices":[{"id":"a"}]`:                                                     "/turn/choices/0/name",
		`"type":"ASK","question":"q","kind":"INPUT"`:                                                                             "/turn/inputs",
		`"type":"ASK","question":"q","kind":"INPUT","inputs":["shoe size"]`:                                                      "/turn/inputs/0",
		`"type":"DEVICE","question":"q"`:                                                                                         "/turn/request",
		device + `7`:                                                                                                             "/turn/request",
		device + `{"method":"GET","url":"https://device.example/","headers":{"a":["b"]}}`:                                        "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","body":{}}`:                                                    "/turn/request/body",
		device + `{"method":"GET"}`:                                                                                              "/turn/request/url",
		device + `{"method":"GET","url":"http://device.example/"}`:                                                               "/turn/request/url",
		device + `{"method":"GET","url":"https://evil.example/"}`:                                                                "/turn/request/url",
		device + `{"method":"GET","url":"https://device.example:8443/"}`:                                                         "/turn/request/url",
		device + `{"method":"GET","url":"https://device.example.evil.example/"}`:                                                 "/turn/request/url",
		device + `{"method":"GET","url":"https://device.example@evil.example/"}`:                                                 "/turn/request/url",
		device + `{"method":"GET","url":"HTTPS://device.example/"}`:                                                              "/turn/request/url",
		device + `{"method":"GET","url":"https://device.example:443:443/"}`:                                                      "/turn/request/url",
		device + `{"method":"GET","url":"https://%E2%84%AAelvin.example/"}`:                                                      "/turn/request/url",
		device + `{"method":"CONNECT","url":"https://device.example/"}`:                                                          "/turn/request/method",
		device + `{"method":"GET","url":"https://device.example/","headers":{"authorization":"Bearer x"}}`:                       "/turn/request/headers/Authorization",
		device + `{"method":"GET","url":"https://device.example/","headers":{"COOKIE":"a=b"}}`:                                   "/turn/request/headers/Cookie",
		device + `{"method":"GET","url":"https://device.example/","headers":{"x-forwarded-proto":"http"}}`:                       "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","headers":{"proxy-connection":"keep-alive"}}`:                  "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","headers":{"a b":"c"}}`:                                        "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","headers":{"a":"c\r\nd"}}`:                                     "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","headers":{` + headers + `}}`:                                  "/turn/request/headers",
		device + `{"method":"GET","url":"https://device.example/","cookies":[{"name":"a","value":"b","domain":"evil.example"}]}`: "/turn/request/cookies/0/domain",
		device + `{"method":"GET","url":"https://device.example/","cookies":[{"name":"a","value":"b","domain":"example"}]}`:      "/turn/request/cookies/0/domain",
		device + `{"method":"GET","url":"https://device.example/","cookies":[{"name":"a","value":"b; c=d"}]}`:                    "/turn/request/cookies/0",
		device + `{"method":"GET","url":"https://device.example/","body":"` + strings.Repeat("x", 65537) + `"}`:                  "/turn/request/body",
	} {
		got, faults := readTurn(members)
		if len(faults) != 1 || faults[0] != want || !reflect.DeepEqual(got, dialogue.Turn{}) {
			t.Errorf("%.150s: faults at %q, want %q; %s", members, faults, want, asJSON(got))
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"turn":null}`, `{"turn":[]}`, `{"turn":{"id":"a b","type":"IN"}}`, "{\"turn\":{\"id\":\"\xff\",\"type\":\"IN\"}}"} {
		if _, faults := source.ReadTurn([]byte(body), hosts); len(faults) != 1 {
			t.Errorf("%s: %v", body, faults)
		}
	}
}

var png = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\nrest"))

// A turn whose members are as large as they may be can be used.
func TestReadTurn_AcceptsTheLargest(t *testing.T) {
	image := base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 190<<10)...))
	const device = `"type":"DEVICE","question":"q","request":{"method":"POST","url":"https://device.example/",`
	for members, want := range map[string]string{
		`"type":"WAIT","for":"BANKID","qrImage":"` + image + `"`: "",
		device + `"body":"` + strings.Repeat("<", 64<<10) + `"}`: "",
		device + `"headers":{` + headers(50, 8000) + `}}`:        "",
		device + `"headers":{` + headers(50, 8000) + `},"cookies":[` + strings.TrimPrefix(strings.Repeat(`,{"name":"a","value":"`+strings.Repeat("x", 8000)+`"}`, 50), ",") + `]}`: "/turn",
	} {
		turn, faults := readTurn(members)
		if strings.Join(faults, " ") != want {
			t.Errorf("%.60s: %q, want %q", members, faults, want)
			continue
		}
		state, err := dialogue.State{}.Apply(dialogue.Begun{Session: "s", Turn: turn}, dialogue.Limits{}.WithDefaults(), noon)
		if err != nil || want == "" && state.Ended != "" {
			t.Errorf("%.60s: ended %q, %v", members, state.Ended, err)
		}
	}
}

func headers(n, size int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"h%d":"%s"`, i, strings.Repeat("x", size))
	}
	return strings.Join(list, ",")
}

func TestReadLogin_ChecksTheSession(t *testing.T) {
	for id, want := range map[string]bool{session: true, "short": false, "": false, "s0123456789012345678901/..": false, strings.Repeat("s", 201): false} {
		got, _, faults := source.ReadLogin([]byte(`{"session":"`+id+`",`+inTurn[1:]), nil)
		if (len(faults) == 0) != want || want && got != id {
			t.Errorf("%q: %v", id, faults)
		}
	}
}

// What is read can be used, and a fault repeats nothing.
func FuzzReadTurn(f *testing.F) {
	for _, s := range []string{inTurn, `{"session":"` + session + `","turn":{"id":"a","type":"ASK","question":"q","kind":"CODE"}}`,
		`{"turn":{"id":"t","type":"DEVICE","question":"q","request":{"url":"https://device.example/","method":"GET","headers":{"a":"b"}}}}`,
		`{"turn":{"id":"t","type":"WAIT","for":"BANKID","qrText":"x","pollAfter":1e308}}`, `{"turn":{"id":"t","type":"OUT","reason":"X"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		turn, faults := source.ReadTurn(body, hosts)
		if len(faults) > 0 {
			if !reflect.DeepEqual(turn, dialogue.Turn{}) {
				t.Error("a turn beside faults")
			}
			return
		}
		set := 0
		for _, is := range []bool{turn.Wait != nil, turn.Ask != nil, turn.Device != nil, turn.In != nil, turn.Out != nil} {
			if is {
				set++
			}
		}
		if set != 1 || turn.ID == "" || turn.PollAfter < 0 || turn.PollAfter > time.Minute {
			t.Errorf("%s was read as %s", body, asJSON(turn))
		}
		if d := turn.Device; d != nil && !strings.HasPrefix(strings.ToLower(d.Request.URL), "https://device.example") && !strings.HasPrefix(strings.ToLower(d.Request.URL), "https://other.example:8443") {
			t.Errorf("a device is sent to %s", d.Request.URL)
		}
	})
}

// Reading a page comes to an end, and gives the same again.
func FuzzReadPage(f *testing.F) {
	f.Add([]byte(`{"products":[{"type":"ISK","accountNumber":"1"}],"missing":[{}],"next":"c"}`))
	f.Add([]byte(`{"accounts":[{"id":"a","kind":"CARD","currency":"SEK","booked":{"amount":1,"currency":"SEK"},"transactions":[{"amount":"1","currency":"SEK","bookingDate":"2026-01-01"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, faults := source.ReadPage(body, noon)
		again, _ := source.ReadPage(body, noon)
		if !reflect.DeepEqual(page, again) {
			t.Error("read differently again")
		}
		if len(faults) > 0 && (len(page.Facts.Products) > 0 || page.Next != "") {
			t.Error("content beside faults")
		}
		for _, a := range page.Facts.Accounts {
			if a.Key == "" || a.Currency == "" {
				t.Errorf("account %+v", a)
			}
		}
	})
}

// A problem of an account or a transaction names the member at fault.
func TestReadPage_SaysWhatIsWrong(t *testing.T) {
	const a = `"id":"a","kind":"SAVINGS","currency":"SEK"`
	long := strings.Repeat("x", 201)
	for account, want := range map[string]string{
		`"id":7`: "/id",
		`"id":"` + long + `","kind":"SAVINGS","currency":"SEK"`:                                   "/id",
		`"id":"a","kind":"LOAN","currency":"SEK"`:                                                 "/kind",
		`"id":"a","kind":"SAVINGS","currency":"kr"`:                                               "/currency",
		a + `,"iban":"` + long + `"`:                                                              "/iban",
		a + `,"iban":"none"`:                                                                      "/iban",
		a + `,"number":"` + long + `"`:                                                            "/number",
		a + `,"booked":1500`:                                                                      "/booked",
		a + `,"transactions":[{"amount":"1,50","currency":"SEK","pending":true}]`:                 "/transactions/0/amount",
		a + `,"transactions":[{"amount":1,"pending":true}]`:                                       "/transactions/0/amount",
		a + `,"transactions":[{"id":7,"amount":1,"currency":"SEK","pending":true}]`:               "/transactions/0/id",
		a + `,"transactions":[{"id":"` + long + `","amount":1,"currency":"SEK","pending":true}]`:  "/transactions/0/id",
		a + `,"transactions":[{"amount":1,"currency":"SEK"}]`:                                     "/transactions/0/bookingDate",
		a + `,"transactions":[{"amount":1,"currency":"SEK","bookingDate":"2026-03-02T00:00:00"}]`: "/transactions/0/bookingDate",
	} {
		page, faults := source.ReadPage([]byte(`{"accounts":[{`+account+`}]}`), noon)
		if len(faults) != 0 || len(page.Problems) != 1 || page.Problems[0].Pointer != "/accounts/0"+want || !page.Deviations.Incomplete() {
			t.Errorf("%.120s: %v %+v, want %s", account, faults, page.Problems, want)
		}
	}
}
