package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
)

func TestAnswer_ReadsWhatBanksSend(t *testing.T) {
	hour, day := noon.Add(time.Hour), noon.Add(24*time.Hour)
	for name, c := range map[string]struct {
		body string
		want oauth.Tokens
	}{
		"the least":                  {`{"access_token":"a"}`, oauth.Tokens{Access: "a"}},
		"a type in capitals":         {`{"access_token":"a","token_type":"BEARER"}`, oauth.Tokens{Access: "a"}},
		"an empty type":              {`{"access_token":"a","token_type":""}`, oauth.Tokens{Access: "a"}},
		"a byte order mark":          {"\ufeff" + `{"access_token":"a"}`, oauth.Tokens{Access: "a"}},
		"a life in text":             {`{"access_token":"a","expires_in":"3600"}`, oauth.Tokens{Access: "a", Until: hour}},
		"a life with decimals":       {`{"access_token":"a","expires_in":3600.0}`, oauth.Tokens{Access: "a", Until: hour}},
		"a life of nothing":          {`{"access_token":"a","expires_in":0}`, oauth.Tokens{Access: "a"}},
		"a life below zero":          {`{"access_token":"a","expires_in":-5}`, oauth.Tokens{Access: "a"}},
		"a life in words":            {`{"access_token":"a","expires_in":"one hour"}`, oauth.Tokens{Access: "a"}},
		"a life of ages":             {`{"access_token":"a","expires_in":1e300}`, oauth.Tokens{Access: "a"}},
		"a life of thirteen years":   {`{"access_token":"a","expires_in":410000000}`, oauth.Tokens{Access: "a"}},
		"no life":                    {`{"access_token":"a","expires_in":"NaN"}`, oauth.Tokens{Access: "a"}},
		"null members":               {`{"access_token":"a","refresh_token":null,"expires_in":null,"scope":null,"token_type":null}`, oauth.Tokens{Access: "a"}},
		"SEB":                        {`{"access_token":"a","refresh_token":"r","refresh_token_expires_in":86400}`, oauth.Tokens{Access: "a", Refresh: "r", RefreshUntil: day}},
		"refresh_expires_in":         {`{"access_token":"a","refresh_token":"r","refresh_expires_in":"86400"}`, oauth.Tokens{Access: "a", Refresh: "r", RefreshUntil: day}},
		"refresh_token_expires_at":   {`{"access_token":"a","refresh_token":"r","refresh_token_expires_at":1795435200}`, oauth.Tokens{Access: "a", Refresh: "r", RefreshUntil: day}},
		"the same as text":           {`{"access_token":"a","refresh_token":"r","refresh_token_expires_at":"2026-11-23T13:00:00+01:00"}`, oauth.Tokens{Access: "a", Refresh: "r", RefreshUntil: day}},
		"a scope as a list":          {`{"access_token":"a","scope":["x","y"]}`, oauth.Tokens{Access: "a", Scope: "x y"}},
		"a scope of control letters": {`{"access_token":"a","scope":"x\ny"}`, oauth.Tokens{Access: "a"}},
		"an end before all time":     {`{"access_token":"a","refresh_token_expires_at":-5}`, oauth.Tokens{Access: "a"}},
		"an end after all time":      {`{"access_token":"a","refresh_token_expires_at":1e12}`, oauth.Tokens{Access: "a"}},
		"the last letters":           {`{"access_token":"!~","scope":"~ !"}`, oauth.Tokens{Access: "!~", Scope: "~ !"}},
		"an id_token":                {`{"access_token":"a","id_token":"x.y.z"}`, oauth.Tokens{Access: "a", IDToken: "x.y.z"}},
	} {
		for _, status := range []int{200, 201} {
			got, err := oauth.Answer{Status: status, Body: []byte(c.body)}.Tokens(oauth.RefreshToken, noon, oauth.Reading{})
			if err != nil || got != c.want {
				t.Errorf("%s: %v, until %v and %v", name, err, got.Until, got.RefreshUntil)
			}
		}
	}
}

func TestAnswer_RefusesTokensThatCannotBeUsed(t *testing.T) {
	for name, body := range map[string]string{
		"empty": `{"access_token":""}`, "a number": `{"access_token":7}`, "a line break": `{"access_token":"a\r\nX: y"}`, "a blank": `{"access_token":"a b"}`,
		"not ASCII": `{"access_token":"å"}`, "too long": `{"access_token":"` + strings.Repeat("a", 17<<10) + `"}`,
		"another type": `{"access_token":"a","token_type":"DPoP"}`, "a refresh token of another type": `{"access_token":"a","refresh_token":{}}`,
		"a refresh token with a line break": `{"access_token":"a","refresh_token":"a\nb"}`,
	} {
		_, err := oauth.Answer{Status: 200, Body: []byte(body)}.Tokens(oauth.RefreshToken, noon, oauth.Reading{})
		if institution.KindOf(err) != institution.MalformedResponse || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (oauth.Answer{Status: http.StatusAccepted, Body: []byte(success)}).Tokens(oauth.RefreshToken, noon, oauth.Reading{}); err == nil {
		t.Error("202 was taken for a success")
	}
}

func TestTokens_AreStoredWhole(t *testing.T) {
	got := oauth.Tokens{Access: "a", Until: noon, Refresh: "r", RefreshUntil: noon.Add(1), Scope: "s", IDToken: "i"}.Stored()
	if want := (institution.Tokens{Access: "a", Refresh: "r", Until: noon, RefreshUntil: noon.Add(1)}); got != want {
		t.Errorf("%d and %d characters, until %v and %v", len(got.Access), len(got.Refresh), got.Until, got.RefreshUntil)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{success, `{"error":"invalid_grant"}`, `{"access_token":"a","expires_in":"1e3"}`, `{"access_token":"a\u0000"}`, `[]`, `{"scope":[[[]]]}`, ``} {
		f.Add(200, s)
		f.Add(400, s)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := oauth.Answer{Status: status, Body: []byte(body)}.Tokens(oauth.RefreshToken, noon, oauth.Reading{})
		if err != nil {
			var e *institution.Error
			if !errors.As(err, &e) || got != (oauth.Tokens{}) {
				t.Errorf("%T %v", err, err)
			}
			if e.Kind == institution.ConsentGone && (e.Code != "invalid_grant" || status >= 500) {
				t.Errorf("%d ends a consent: %v", status, e)
			}
			return
		}
		if got.Access == "" || strings.ContainsFunc(got.Access.Reveal()+got.Refresh.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Error("a token that cannot be sent")
		}
		if !got.Until.IsZero() && !got.Until.After(noon) {
			t.Errorf("ends at %v", got.Until)
		}
	})
}
