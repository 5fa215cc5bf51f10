package xs2a_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

const (
	token  = "67df3917-fa0d-44e5-b327-edcc928297f8"
	qrText = "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"
)

func TestStartAuthorization_ReturnsInstructions(t *testing.T) {
	s := newScriptedBank(t, nil, responds(201, `{"scaStatus":"received","authorisationId":"auth1","psuMessage":" Starta BankID-appen ",
		"hintCode":"outstandingTransaction","challengeData":{"data":["`+token+`","`+qrText+`"]},
		"_links":{"scaStatus":{"href":"/psd2/v1/consents/c1/authorisations/auth1"}}}`))
	got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, OtherDevice: true})
	if err != nil {
		t.Fatal(err)
	}
	want := institution.Authorization{ID: "auth1", StatusLink: "/psd2/v1/consents/c1/authorisations/auth1", Progress: consent.NotScanned, Instructions: &consent.Instructions{
		AutoStartToken: token, QRData: qrText, RefreshedAt: noon,
		UserMessage: consent.UserMessage{Code: "RFA1", Text: "Starta BankID-appen."},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r := s.last(t)
	if r.method != http.MethodPost || r.path != "/psd2/v1/consents/c1/authorisations" || r.body != "{}" {
		t.Errorf("request %+v", r)
	}
	if r.header.Get("X-Request-ID") != requestID || r.header.Get("PSU-ID") != "" || r.header.Get("PSU-IP-Address") != person.IPAddress {
		t.Errorf("headers %v", r.header)
	}
}

func TestStartAuthorization_SendsPSUIDIfNeeded(t *testing.T) {
	started := responds(201, `{"scaStatus":"received","authorisationId":"a","_links":{}}`)
	s := newScriptedBank(t, func(c *xs2a.Config) { c.Profile.NeedsPSUID, c.Profile.PSUIDType = true, "SSN" }, started)
	request := institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person}
	if _, err := s.StartAuthorization(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	r := s.last(t)
	if r.header.Get("PSU-ID") != person.PersonalNumber.Digits() || r.header.Get("PSU-ID-Type") != "SSN" {
		t.Errorf("headers %v", r.header)
	}
	if !strings.Contains(r.header.Get("Signature"), `headers="digest x-request-id psu-id"`) {
		t.Error("PSU-ID is not signed")
	}
	request.PSU.PersonalNumber = ""
	if _, err := s.StartAuthorization(t.Context(), request); institution.KindOf(err) != institution.PersonRefused {
		t.Errorf("got %v", err)
	}
	if len(s.requests()) != 1 {
		t.Error("a request was sent without a personal number")
	}
}

func status(t *testing.T, body string, change func(*xs2a.Config)) (institution.Authorization, error) {
	t.Helper()
	s := newScriptedBank(t, change, responds(200, body))
	return s.AuthorizationStatus(t.Context(), institution.Access{ConsentID: "c1", PSU: person}, "auth1", "", true)
}

func TestAuthorizationStatus_MapsSCAStatus(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		state   institution.AuthorizationState
		failure consent.FailureCode
	}{
		"received":             {`{"scaStatus":"received"}`, institution.AuthorizationPending, ""},
		"started":              {`{"scaStatus":"started"}`, institution.AuthorizationPending, ""},
		"unconfirmed":          {`{"scaStatus":"unconfirmed"}`, institution.AuthorizationPending, ""},
		"bank-specific":        {`{"scaStatus":"authenticationStarted"}`, institution.AuthorizationPending, ""},
		"finalised":            {`{"scaStatus":"finalised"}`, institution.AuthorizationDone, ""},
		"finalized":            {`{"scaStatus":"FINALIZED"}`, institution.AuthorizationDone, ""},
		"exempted":             {`{"scaStatus":"exempted"}`, institution.AuthorizationDone, ""},
		"cancelled by person":  {`{"scaStatus":"failed","hintCode":"userCancel"}`, institution.AuthorizationFailed, consent.AuthenticationCancelled},
		"cancelled":            {`{"scaStatus":"failed","hintCode":"cancelled"}`, institution.AuthorizationFailed, consent.AuthenticationConflict},
		"not started":          {`{"scaStatus":"failed","hintCode":"startFailed"}`, institution.AuthorizationFailed, consent.AuthenticationTimeout},
		"expired":              {`{"scaStatus":"failed","hintCode":"expiredTransaction"}`, institution.AuthorizationFailed, consent.AuthenticationTimeout},
		"in progress":          {`{"scaStatus":"failed","hintCode":"alreadyInProgress"}`, institution.AuthorizationFailed, consent.AuthenticationConflict},
		"another person":       {`{"scaStatus":"failed","hintCode":"personMismatch"}`, institution.AuthorizationFailed, consent.AuthenticationMismatch},
		"another, by message":  {`{"scaStatus":"failed","tppMessage":{"category":"ERROR","code":"PSU_CREDENTIALS_INVALID"}}`, institution.AuthorizationFailed, consent.AuthenticationMismatch},
		"another, by messages": {`{"scaStatus":"failed","tppMessages":[{"code":"PSU_CREDENTIALS_INVALID"}]}`, institution.AuthorizationFailed, consent.AuthenticationMismatch},
		"certificate":          {`{"scaStatus":"failed","hintCode":"certificateErr"}`, institution.AuthorizationFailed, consent.AuthenticationFailed},
		"unknown hint":         {`{"scaStatus":"failed","hintCode":"solarFlare"}`, institution.AuthorizationFailed, consent.AuthenticationFailed},
		"no hint":              {`{"scaStatus":"failed","hintCode":7,"tppMessage":"no"}`, institution.AuthorizationFailed, consent.AuthenticationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := status(t, c.body, nil)
			if err != nil || got.State != c.state || got.Failure != c.failure || got.ID != "" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestAuthorizationStatus_ReturnsCurrentInstructions(t *testing.T) {
	got, err := status(t, `{"scaStatus":"received","hintCode":"userSign","challengeData":{"data":["`+token+`","`+qrText+`"]}}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &consent.Instructions{AutoStartToken: token, QRData: qrText, RefreshedAt: noon, UserMessage: consent.UserMessage{
		Code: "RFA9", Text: "Skriv in din säkerhetskod i BankID-appen och välj Identifiera eller Skriv under.",
	}}
	if diff := cmp.Diff(want, got.Instructions); diff != "" {
		t.Error(diff)
	}
	if got, err := status(t, `{"scaStatus":"started"}`, nil); err != nil || got.Instructions != nil {
		t.Errorf("got %+v, %v", got.Instructions, err)
	}
}

func TestInstructions_FollowPointersOfProfile(t *testing.T) {
	at := func(s string) *string { return &s }
	got, err := status(t, `{"scaStatus":"received","x":{"auto~start":"`+token+`","list":[{"qr":"`+qrText+`"}]},"until":"2026-11-22T13:01:00+01:00"}`,
		func(c *xs2a.Config) {
			c.Profile.AutoStartToken, c.Profile.QRData, c.Profile.ExpiresAt = at("/x/auto~0start"), at("/x/list/0/qr"), at("/until")
		})
	if err != nil {
		t.Fatal(err)
	}
	if i := got.Instructions; i.AutoStartToken != token || i.QRData != qrText || !i.ExpiresAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("got %+v", i)
	}
}

// A bank that gives BankID's secret lets us compute the text (docs/reference/banks.md 12.5).
func TestInstructions_HaveBankIDsSecret(t *testing.T) {
	const start, secret = "67df3917-fa0d-44e5-b327-edcc928297f8", "d28db9a7-4cde-429e-a983-359be676944c"
	withSecret := func(c *xs2a.Config) { c.Profile.QR = institution.QRSecret }
	elsewhere := func(c *xs2a.Config) {
		withSecret(c)
		at := "/order/token"
		c.Profile.QRStartToken = &at
	}
	full := `{"scaStatus":"received","order":{"token":"` + token + `"},"challengeData":{"data":["` + token + `","` + start + `","` + secret + `"]}}`
	for name, c := range map[string]struct {
		body         string
		change       func(*xs2a.Config)
		start, given string
	}{
		"secret":                 {full, withSecret, start, secret},
		"token elsewhere":        {full, elsewhere, token, secret},
		"another kind of bank":   {full, nil, "", ""},
		"without the secret":     {strings.Replace(full, `,"`+secret+`"`, ``, 1), withSecret, "", ""},
		"a secret of other form": {strings.Replace(full, secret, "x", 1), withSecret, "", ""},
	} {
		got, err := status(t, c.body, c.change)
		if err != nil || got.Instructions == nil {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		i := got.Instructions
		if i.QRStartToken != c.start || i.QRSecret != c.given || i.QRData != "" || i.AutoStartToken != token || (i.QRSecret != "") != i.QRStartedAt.Equal(noon) {
			t.Errorf("%s: %+v", name, *i)
		}
	}
}

// Instructions are shown to a person or passed to an app.
func TestInstructions_DropMalformedValues(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n"
	image := base64.StdEncoding.EncodeToString([]byte(png + "rest"))
	for name, c := range map[string]struct{ body, token, qr, image string }{
		"image":              {`{"challengeData":{"image":"` + image + `"}}`, "", "", image},
		"image as data URI":  {`{"challengeData":{"image":"data:image/png;base64,` + image + `"}}`, "", "", image},
		"not a PNG":          {`{"challengeData":{"image":"` + base64.StdEncoding.EncodeToString([]byte("<svg>")) + `"}}`, "", "", ""},
		"not base64":         {`{"challengeData":{"image":"!!!!"}}`, "", "", ""},
		"too large":          {`{"challengeData":{"image":"` + base64.StdEncoding.EncodeToString([]byte(png+strings.Repeat("x", 512<<10))) + `"}}`, "", "", ""},
		"not a token":        {`{"challengeData":{"data":["javascript:alert(1)","` + qrText + `"]}}`, "", qrText, ""},
		"not a BankID QR":    {`{"challengeData":{"data":["` + token + `","https://evil.example/"]}}`, token, "", ""},
		"token only":         {`{"challengeData":{"data":["` + token + `"]}}`, token, "", ""},
		"data is an object":  {`{"challengeData":{"data":{"0":"` + token + `"}}}`, token, "", ""},
		"numbers":            {`{"challengeData":{"data":[1,2],"image":3}}`, "", "", ""},
		"challengeData null": {`{"challengeData":null}`, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := status(t, `{"scaStatus":"received",`+c.body[1:], nil)
			if err != nil {
				t.Fatal(err)
			}
			i := got.Instructions
			if i == nil {
				i = &consent.Instructions{}
			}
			if i.AutoStartToken != c.token || i.QRData != c.qr || i.QRImage != c.image {
				t.Errorf("got %+v", i)
			}
		})
	}
}

// A link that cannot be used is as good as none.
func TestStatusLink_IsFollowedOnlyBelowBaseURL(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, `{"scaStatus":"started"}`))
	access := institution.Access{ConsentID: "c1", PSU: person}
	for _, link := range []string{"/psd2/v1/consents/c1/authorisations/auth9", "/v1/consents/c1/authorisations/auth9",
		s.server.URL + "/psd2/v1/consents/c1/authorisations/auth9", "v1/consents/c1/authorisations/auth9"} {
		if _, err := s.AuthorizationStatus(t.Context(), access, "auth1", link, true); err != nil {
			t.Errorf("%s: %v", link, err)
		}
		if r := s.last(t); r.path != "/psd2/v1/consents/c1/authorisations/auth9" {
			t.Errorf("%s: requested %s", link, r.path)
		}
	}
	for _, link := range []string{"https://evil.example/psd2/v1/x", "http" + strings.TrimPrefix(s.server.URL, "https") + "/psd2/v1/consents/c1/authorisations/auth1"} {
		if _, err := s.AuthorizationStatus(t.Context(), access, "auth1", link, true); err != nil {
			t.Errorf("%s: %v", link, err)
		}
		if r := s.last(t); r.path != "/psd2/v1/consents/c1/authorisations/auth1" {
			t.Errorf("%s: requested %s", link, r.path)
		}
		s.answer = responds(201, `{"scaStatus":"received","_links":{"scaStatus":{"href":"`+link+`"}}}`)
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
		if err != nil || strings.HasPrefix(a.StatusLink, "https://evil") || strings.HasSuffix(link, "auth1") != (a.ID == "auth1") {
			t.Errorf("%s: got %+v, %v", link, a, err)
		}
		s.answer = responds(200, `{"scaStatus":"started"}`)
	}
}
