package nordea_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
)

const granted = envelope + `{"accounts":[{"account_id":"a-1","account_number":"54910000003","iban":"SE3550000000054910000003","currency":"SEK"},{"account_id":"a-2","account_number":"41351300039"},{"account_id":"a-3"}],
"cards":[{"card_id":"c-77"}],"scopes":["ACCOUNTS_BASIC","ACCOUNTS_BALANCES","CARDS_INFORMATION"]}}`

func TestOpenConsent_MakesNoExchange(t *testing.T) {
	s := newScripted(t, nil, nil)
	r := institution.OpenRequest{RequestID: "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4", Scope: full, ValidUntil: noon.AddDate(0, 0, 30)}
	one, err := s.OpenConsent(t.Context(), r)
	if err != nil || len(s.requests()) != 0 || !strings.HasPrefix(string(one.ConsentID), r.RequestID) {
		t.Fatal(err)
	}
	s.clock.Advance(time.Hour)
	if again, err := s.OpenConsent(t.Context(), r); err != nil || again != one {
		t.Errorf("the same request has another id: %v", err)
	}
	r.RequestID = "6f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4"
	if other, err := s.OpenConsent(t.Context(), r); err != nil || other == one {
		t.Errorf("another request has the same id: %v", err)
	}
	if text := fmt.Sprintf("%v %+v", one, one); strings.Contains(text, r.RequestID[8:]) {
		t.Errorf("the id is shown: %s", text)
	}
}

func TestConsent_IsWhatItsTokenGives(t *testing.T) {
	s := newScripted(t, byRedirect, responds(200, granted))
	info, err := s.Consent(t.Context(), s.access(t))
	if err != nil || info.State != institution.ConsentValid || !info.ValidUntil.Equal(time.Date(2026, 12, 22, 23, 59, 59, 0, time.UTC)) {
		t.Fatalf("%+v, %v", info, err)
	}
	if want := (consent.Scope{Balances: true, AccountIDs: []string{"SE3550000000054910000003", "41351300039", "a-3", "c-77"}}); info.Scope == nil ||
		info.Scope.Balances != want.Balances || info.Scope.Transactions != want.Transactions || !slices.Equal(info.Scope.AccountIDs, want.AccountIDs) {
		t.Errorf("granted %+v", info.Scope)
	}
	if r := s.last(t); r.path != "/personal/v4/assets" || r.header.Get("Authorization") != "Bearer "+token {
		t.Errorf("path %s", r.path)
	}
}

// A consent for all accounts has those that the person opens later, so it names none.
func TestConsent_NamesNoAccountsIfAllWereAskedFor(t *testing.T) {
	s := newScripted(t, nil, responds(200, granted))
	info, err := s.Consent(t.Context(), s.access(t))
	if err != nil || info.Scope == nil || info.Scope.AccountIDs != nil {
		t.Errorf("%+v, %v", info.Scope, err)
	}
	access := s.access(t)
	access.ConsentID = s.open(t, consent.Scope{AccountIDs: []string{"41351300039"}, Balances: true})
	if info, err = s.Consent(t.Context(), access); err != nil || len(info.Scope.AccountIDs) != 4 {
		t.Errorf("%+v, %v", info.Scope, err)
	}
}

func TestConsent_TellsItsStatesApart(t *testing.T) {
	s := newScripted(t, nil, nil)
	access := s.access(t)
	access.Token, access.Refresh = "", ""
	if info, err := s.Consent(t.Context(), access); err != nil || info.State != institution.ConsentPending {
		t.Errorf("before the person has signed: %+v, %v", info, err)
	}
	if _, err := s.Consent(t.Context(), institution.Access{ConsentID: "b0000000-0000-4000-8000-000000000000", Token: token}); kindOf(t, err) != institution.ConsentGone {
		t.Errorf("an id that nobody has made: %v", err)
	}
	access = s.access(t)
	s.clock.Advance(31 * 24 * time.Hour)
	if info, err := s.Consent(t.Context(), access); err != nil || info.State != institution.ConsentExpired || len(s.requests()) != 0 {
		t.Errorf("after its time: %+v, %v", info, err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"the token is over":     {refuses(401, "error.token.expired", "x", ""), institution.TokenRefused},
		"withdrawn at the bank": {refuses(403, "error.resource.denied", "Consent not found.", ""), institution.ConsentGone},
		"down":                  {responds(500, ""), institution.Unreachable},
		"a page":                {responds(200, "<html>"), institution.MalformedResponse},
		"nothing":               {responds(200, envelope+`{}}`), institution.MalformedResponse},
		"half":                  {responds(200, granted[:200]), institution.MalformedResponse},
	} {
		s := newScripted(t, nil, c.answer)
		if info, err := s.Consent(t.Context(), s.access(t)); err == nil || institution.KindOf(err) != c.want {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// What a consent without transactions is asked for has none, whatever the configuration says.
func TestConsent_AsksForNoMoreThanItsScope(t *testing.T) {
	everything := []string{"ACCOUNTS_BASIC", "ACCOUNTS_BALANCES", "ACCOUNTS_DETAILS", "ACCOUNTS_TRANSACTIONS"}
	for _, c := range []struct {
		scope consent.Scope
		want  string
	}{
		{full, `["ACCOUNTS_BASIC","ACCOUNTS_BALANCES","ACCOUNTS_TRANSACTIONS","ACCOUNTS_DETAILS","CARDS_INFORMATION","CARDS_TRANSACTIONS"]`},
		{consent.Scope{Balances: true}, `["ACCOUNTS_BASIC","ACCOUNTS_BALANCES","ACCOUNTS_DETAILS","CARDS_INFORMATION"]`},
		{consent.Scope{}, `["ACCOUNTS_BASIC","ACCOUNTS_DETAILS","CARDS_INFORMATION"]`},
	} {
		s := newScripted(t, func(cfg *nordea.Config) { byRedirect(cfg); cfg.Scopes = &everything }, leads(302, "https://bank.example/"))
		if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, c.scope), PSU: person, Way: way}); err != nil {
			t.Fatal(err)
		}
		if body := s.last(t).body; !strings.Contains(body, `"scope":`+c.want) {
			t.Errorf("%+v: %s", c.scope, body)
		}
	}
}

func TestRevoke_RevokesTheRefreshToken(t *testing.T) {
	s := newScripted(t, companies, responds(200, ""))
	access := s.access(t)
	if err := s.Revoke(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	if r := s.last(t); r.path != "/business/v5/authorize/token/revoke" || r.body != `{"token":"nd-rt-01"}` {
		t.Errorf("%s: %s", r.path, r.body)
	}
	access.Refresh = ""
	if err := s.Revoke(t.Context(), access); err != nil || s.last(t).body != `{"token":"nd-at-01"}` {
		t.Errorf("%v: %s", err, s.last(t).body)
	}
	access.Token = ""
	if err := s.Revoke(t.Context(), access); err != nil || len(s.requests()) != 2 {
		t.Errorf("without tokens: %v", err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"it has ended":    {refuses(401, "error.token.invalid", "x", ""), ""},
		"ended, with 400": {refuses(400, "error.token.expired", "x", ""), ""},
		"down":            {responds(503, ""), institution.Unreachable},
		"our application": {refuses(401, "error.apikey.missing", "x", ""), institution.CertificateRejected},
		"a fault of ours": {refuses(400, "error.validation", "x", ""), institution.Refused},
		"no such path":    {responds(404, `{"httpCode":"404","httpMessage":"Not Found"}`), institution.Refused},
		"a page, 404":     {responds(404, "<html>Not here</html>"), institution.Refused},
		"a page, 200":     {responds(200, "<html>Back soon</html>"), institution.Unreachable},
	} {
		s := newScripted(t, nil, c.answer)
		err := s.Revoke(t.Context(), s.access(t))
		if (err == nil) != (c.want == "") || err != nil && institution.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
