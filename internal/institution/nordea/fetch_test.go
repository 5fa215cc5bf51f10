package nordea_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
)

func TestFetch_AsksForPagesWithTheSameMembers(t *testing.T) {
	s := newScripted(t, func(c *nordea.Config) { c.CardScopes = []string{"CARDS_INFORMATION"} }, responds(200, rows))
	access := s.access(t)
	q := transactions("account/SE-5491 SEK+å")
	q.Until = "2026-10-01"
	answer, err := s.Fetch(t.Context(), access, q)
	if err != nil || answer.Question != q || !answer.FetchedAt.Equal(noon) {
		t.Fatalf("%+v, %v", answer, err)
	}
	r := s.last(t)
	if r.path != "/personal/v5/accounts/SE-5491 SEK+å/transactions" || r.query != "from_date=2026-08-25&language=sv&to_date=2026-10-01" {
		t.Errorf("%s?%s", r.path, r.query)
	}
	reading, err := s.Read(answer)
	if err != nil || len(reading.Questions) != 1 {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), access, reading.Questions[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.last(t).query; got != "continuation_key=ck-2+%2F%2B%3D&from_date=2026-08-25&language=sv&to_date=2026-10-01" {
		t.Errorf("query %s", got)
	}
	for q, path := range map[institution.Question]string{
		{Kind: "accounts"}: "/personal/v5/accounts", {Kind: "cards"}: "/personal/v5/cards", transactions("card/c-77"): "/personal/v5/cards/c-77/transactions",
	} {
		if _, err := s.Fetch(t.Context(), access, q); err != nil || s.last(t).path != path {
			t.Errorf("%s: %v", s.last(t).path, err)
		}
	}
	if r := s.last(t); strings.Contains(r.query, "language") && strings.Contains(r.path, "cards") {
		t.Errorf("query %s", r.query)
	}
}

func TestFetch_UsesTheConfiguredVersions(t *testing.T) {
	s := newScripted(t, func(c *nordea.Config) {
		c.Versions, c.CardScopes = nordea.Versions{Accounts: "v4", Cards: "v4"}, []string{"CARDS_INFORMATION"}
		c.Country, c.Flow, c.Profile.Language = "NO", "redirect", ""
	}, responds(200, rows))
	for q, want := range map[institution.Question]string{
		{Kind: "accounts"}: "/personal/v4/accounts", {Kind: "cards"}: "/personal/v4/cards",
		transactions("account/1"): "/personal/v4/accounts/1/transactions?from_date=" + since, transactions("card/1"): "/personal/v4/cards/1/transactions?from_date=" + since,
	} {
		if _, err := s.Fetch(t.Context(), s.access(t), q); err != nil {
			t.Error(err)
		}
		if r := s.last(t); strings.TrimSuffix(r.path+"?"+r.query, "?") != want {
			t.Errorf("%s?%s", r.path, r.query)
		}
	}
}

// The bank recognises an unattended read by what is missing (RTS art. 36(5)).
func TestFetch_NamesThePersonOnlyWhilePresent(t *testing.T) {
	s := newScripted(t, nil, responds(200, accounts))
	access := s.access(t)
	for name, c := range map[string]struct {
		ip, agent string
		sent      []string
	}{
		"present": {"192.0.2.7", "Test/1.0\r\nX: y", []string{"192.0.2.7", "Test/1.0X: y"}}, "without a browser": {"192.0.2.7", "", []string{"192.0.2.7", ""}},
		"not present": {"", "Test/1.0", []string{"", ""}},
	} {
		access.PSU.IPAddress, access.PSU.UserAgent = c.ip, c.agent
		if _, err := s.Fetch(t.Context(), access, first(s.Bank)); err != nil {
			t.Fatal(err)
		}
		h := s.last(t).header
		if got := []string{h.Get("X-Nordea-Originating-User-Ip"), h.Get("X-Nordea-Originating-User-Agent")}; !slices.Equal(got, c.sent) || h.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFetch_TellsRefusalsApart(t *testing.T) {
	list, of := institution.Question{Kind: "accounts"}, transactions("account/1")
	gateway := responds(429, `{"httpCode":"429","httpMessage":"Too Many Requests","moreInformation":"Assembly Rate Limit exceeded"}`)
	tooMany := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		refuses(429, "error.too_many", "x", "")(w, r)
	}
	for name, c := range map[string]struct {
		q          institution.Question
		answer     http.HandlerFunc
		unattended bool
		want       institution.ErrorKind
		reason     institution.Reason
		code       string
	}{
		"token over":             {list, refuses(401, "error.token.expired", "x", ""), false, institution.TokenRefused, "", "error.token.expired"},
		"token unknown":          {list, refuses(401, "error.token.invalid", "x", ""), false, institution.TokenRefused, "", "error.token.invalid"},
		"token, of":              {of, refuses(401, "error.token", "x", ""), false, institution.TokenRefused, "", "error.token"},
		"no reason":              {of, responds(401, ""), false, institution.TokenRefused, "", ""},
		"our application":        {of, refuses(401, "error.apikey.missing", "x", ""), false, institution.CertificateRejected, institution.OurCredentialsRejected, "error.apikey.missing"},
		"our application, gate":  {of, responds(401, `{"httpCode":"401","httpMessage":"Unauthorized"}`), false, institution.CertificateRejected, institution.OurCredentialsRejected, ""},
		"our signature":          {of, refuses(401, "error.signature.invalid", "x", ""), false, institution.CertificateRejected, institution.OurSignatureRejected, "error.signature.invalid"},
		"not granted":            {of, refuses(403, "error.resource.denied", "x", ""), false, institution.NotCovered, "", "error.resource.denied"},
		"unknown":                {of, refuses(404, "error.resource.not_found", "x", ""), false, institution.NotCovered, "", ""},
		"withdrawn at the bank":  {list, refuses(403, "error.resource.denied", "Consent not found.", ""), false, institution.ConsentGone, "", "error.resource.denied"},
		"a wrong request":        {of, refuses(400, "error.validation", "x", "from_date"), false, institution.Refused, "", "error.validation"},
		"a page in place":        {of, responds(404, "<html>"), false, institution.Unreachable, "", ""},
		"down":                   {of, responds(503, `{"httpCode":"503"}`), false, institution.Unreachable, "", ""},
		"too fast":               {of, gateway, true, institution.Busy, "", ""},
		"too often":              {of, tooMany, true, institution.AccessExceeded, "", ""},
		"too often, attended":    {of, tooMany, false, institution.Busy, "", ""},
		"elsewhere":              {of, leads(302, "https://other.example/"), false, institution.ForeignAddress, "", ""},
		"a refusal with 200":     {of, refuses(200, "error.token.expired", "x", ""), false, institution.TokenRefused, "", "error.token.expired"},
		"a page with 200":        {list, responds(200, "<html>down</html>"), false, institution.MalformedResponse, "", ""},
		"a code that is private": {of, refuses(400, "error.191212121212", "x", ""), false, institution.Refused, "", ""},
	} {
		s := newScripted(t, nil, c.answer)
		access := s.access(t)
		if c.unattended {
			access.PSU = access.PSU.Unattended()
		}
		_, err := s.Fetch(t.Context(), access, c.q)
		e, ok := err.(*institution.Error)
		if !ok || e.Kind != c.want || e.Reason != c.reason || e.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if ok && strings.Contains(e.Error(), "191212121212") {
			t.Errorf("%s: %v", name, e)
		}
	}
	s := newScripted(t, nil, tooMany)
	if _, err := s.Fetch(t.Context(), s.access(t), of); err.(*institution.Error).RetryAfter != 30*time.Second || err.(*institution.Error).RequestID != "m-7d4" {
		t.Errorf("%v", err)
	}
}

// A bank that knows no list of cards has none of them. One that denies it has said nothing of
// the cards that the person has.
func TestFetch_TakesAnUnknownListOfCardsForNone(t *testing.T) {
	withCards := func(c *nordea.Config) { c.CardScopes = []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"} }
	s := newScripted(t, withCards, refuses(404, "error.resource.not_found", "x", ""))
	got, err := s.Fetch(t.Context(), s.access(t), institution.Question{Kind: "cards"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Read(got); err != nil || len(r.Facts.Accounts) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"token":            {refuses(401, "error.token.expired", "x", ""), institution.TokenRefused},
		"gateway":          {responds(403, `{"httpCode":"403","httpMessage":"Forbidden"}`), institution.Refused},
		"gateway, no path": {responds(404, `{"httpCode":"404","httpMessage":"Not Found"}`), institution.Refused},
		"without a word":   {responds(403, ""), institution.Refused},
		"another reason":   {refuses(403, "error.system.busy", "x", ""), institution.Refused},
		"denied":           {refuses(403, "error.resource.denied", "x", ""), institution.NotCovered},
		"page":             {responds(403, "<html>"), institution.Unreachable},
	} {
		s := newScripted(t, withCards, c.answer)
		if _, err := s.Fetch(t.Context(), s.access(t), institution.Question{Kind: "cards"}); kindOf(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A consent whose opening asked for no cards has none, and the bank is not asked.
func TestFetch_AsksForNoCardsThatTheConsentCannotHave(t *testing.T) {
	for name, change := range map[string]func(*nordea.Config){
		"no scopes":        nil,
		"accounts by name": func(c *nordea.Config) { c.Flow, c.CardScopes = "redirect", []string{"CARDS_INFORMATION"} },
	} {
		s := newScripted(t, change, refuses(403, "error.resource.denied", "x", ""))
		opened, err := s.OpenConsent(t.Context(), institution.OpenRequest{Scope: consent.Scope{AccountIDs: []string{"54910000003"}}, ValidUntil: s.clock.Now().AddDate(0, 1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		access := s.access(t)
		access.ConsentID = opened.ConsentID
		got, err := s.Fetch(t.Context(), access, institution.Question{Kind: "cards"})
		if err != nil || len(s.requests()) != 0 {
			t.Fatalf("%s: %v after %d requests", name, err, len(s.requests()))
		}
		if r, err := s.Read(got); err != nil || len(r.Facts.Accounts) != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestFetch_NeedsAToken(t *testing.T) {
	s := newScripted(t, nil, nil)
	access := s.access(t)
	access.Token = ""
	if _, err := s.Fetch(t.Context(), access, first(s.Bank)); kindOf(t, err) != institution.TokenRefused || len(s.requests()) != 0 {
		t.Error(err)
	}
	s.clock.Advance(31 * 24 * time.Hour)
	if _, err := s.Fetch(t.Context(), access, first(s.Bank)); kindOf(t, err) != institution.ConsentOver {
		t.Errorf("after the time that was asked for: %v", err)
	}
	if _, err := s.Fetch(t.Context(), access, institution.Question{Kind: "pages"}); kindOf(t, err) != institution.Refused {
		t.Error(err)
	}
}
