package xs2a_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// The person is shown the accounts by what the bank calls them.
func TestListAccounts_NamesThem(t *testing.T) {
	list := `{"accounts":[{"iban":"SE4550000000058398257466","currency":"sek","displayName":"Lön","name":"Privatkonto"},{"bban":"50000000001","product":"Sparkonto"},{"name":"without a number"}]}`
	s := listBank(t, "redirect", responds(201, `{"consentStatus":"valid","consentId":"list"}`), list)
	got, err := s.ListAccounts(t.Context(), pageRequest())
	want := []consent.Account{{ID: "SE4550000000058398257466", Name: "Lön", Currency: "SEK"}, {ID: "50000000001", Name: "Sparkonto"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	s = listBank(t, "redirect", responds(201, `{"consentStatus":"valid","consentId":"list"}`), `{"accounts":[]}`)
	if got, err := s.ListAccounts(t.Context(), pageRequest()); institution.KindOf(err) != institution.PersonRefused {
		t.Errorf("without accounts: %v, %v", got, err)
	}
}

// A consent for the list that has to be signed is deleted, although the time of the call is over,
// and the login goes on.
func TestListAccounts_DeletesOnlyWhatItHasOpened(t *testing.T) {
	ctx, over := context.WithCancel(t.Context())
	defer over()
	s := newScriptedBank(t, signsBy("redirect-after-login", func(c *xs2a.Config) {
		at := strings.TrimSuffix(c.BaseURL, "/psd2")
		c.OAuth.AuthorizationEndpoint, c.OAuth.TokenEndpoint, c.OAuth.RevocationEndpoint = at+"/login/authorize", at+"/login/token", at+"/login/revoke"
		c.Profile.ListFirst = true
	}), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": responds(201, `{"consentStatus":"received","consentId":"list","_links":{
			"startAuthorisationWithAuthenticationMethodSelection":{"href":"/psd2/v1/consents/list/authorisations"}},"scaMethods":[{"authenticationMethodId":"BankID","authenticationType":"PUSH_OTP"}]}`),
		"POST /psd2/v1/consents/list/authorisations": func(http.ResponseWriter, *http.Request) { over() },
		"DELETE /psd2/v1/consents/list":              responds(204, ""),
		"POST /login/revoke":                         responds(200, ""),
	}))
	r := pageRequest()
	r.Token = "at-1"
	_, err := s.ListAccounts(ctx, r)
	if institution.KindOf(err) != institution.SCARequired || ctx.Err() == nil {
		t.Errorf("got %v, the time of the call is over: %v", err, ctx.Err())
	}
	var sent []string
	for _, request := range s.requests() {
		sent = append(sent, request.method+" "+request.path)
	}
	if want := "DELETE /psd2/v1/consents/list"; !slices.Contains(sent, want) || sent[len(sent)-1] != want {
		t.Errorf("sent %q", sent)
	}
}
