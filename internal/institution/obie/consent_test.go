package obie_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/obie"
	"samla/internal/psu"
)

func consentBody(status, more string) string {
	return `{"Data":{"ConsentId":"aac-1","CreationDateTime":"2026-11-20T10:00:00+00:00","Status":"` + status + `","StatusUpdateDateTime":"2026-11-20T10:00:00+00:00",` +
		`"Permissions":["ReadAccountsDetail","ReadBalances"]` + more + `},"Risk":{},"Links":{"Self":"https://b.example/x"},"Meta":{}}`
}

func openRequest(scope consent.Scope) institution.OpenRequest {
	return institution.OpenRequest{RequestID: "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4", Scope: scope, ValidUntil: noon.AddDate(0, 0, 30), Recurring: true, PSU: person, Way: way}
}

func TestOpenConsent_AsksForWhatTheScopeNeeds(t *testing.T) {
	extra := []string{"ReadPAN", "ReadBalances", "ReadTransactionsBasic"}
	for name, c := range map[string]struct {
		scope consent.Scope
		want  string
	}{
		"all":      {full, "ReadAccountsDetail ReadBalances ReadTransactionsDetail ReadTransactionsCredits ReadTransactionsDebits ReadPAN ReadTransactionsBasic"},
		"balances": {consent.Scope{Balances: true}, "ReadAccountsDetail ReadBalances ReadPAN"},
		"rows":     {consent.Scope{Transactions: true}, "ReadAccountsDetail ReadTransactionsDetail ReadTransactionsCredits ReadTransactionsDebits ReadPAN ReadTransactionsBasic"},
		"accounts": {consent.Scope{}, "ReadAccountsDetail ReadPAN"},
	} {
		s := newScripted(t, func(c *obie.Config) { c.Permissions = extra }, responds(201, consentBody("AwaitingAuthorisation", "")))
		opened, err := s.OpenConsent(t.Context(), openRequest(c.scope))
		if err != nil || opened.ConsentID != consentID || opened.Started != nil {
			t.Fatalf("%s: %+v, %v", name, opened, err)
		}
		r := s.last(t)
		var sent struct {
			Data struct {
				Permissions        []string
				ExpirationDateTime string
			}
		}
		if err := json.Unmarshal([]byte(r.body), &sent); err != nil || strings.Join(sent.Data.Permissions, " ") != c.want || sent.Data.ExpirationDateTime != "2026-12-22T23:59:59+00:00" {
			t.Errorf("%s: sent %s, %v", name, r.body, err)
		}
		if r.header.Get("Authorization") != "Bearer own-token" || r.header.Get("X-Fapi-Interaction-Id") != openRequest(full).RequestID {
			t.Errorf("%s: headers %v", name, r.header)
		}
	}
}

// A second request would make a second consent.
func TestOpenConsent_IsSentOnce(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500": responds(500, ""), "503": responds(503, ""), "400": refuses(400, "UK.OBIE.Field.Invalid"), "page": responds(200, "<html>"),
		"cut": responds(201, `{"Data":{"ConsentId":"a`), "no id": responds(201, `{"Data":{}}`), "lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		s := newScripted(t, nil, answer)
		_, err := s.OpenConsent(t.Context(), openRequest(full))
		if err == nil || len(s.requests()) != 1 || s.Profile().ReplaySafe {
			t.Errorf("%s: %v after %d requests", name, err, len(s.requests()))
		}
	}
}

// Our own token is for all persons, until its end. One that is refused is replaced once.
func TestOwnToken_IsKeptAndReplaced(t *testing.T) {
	refuse := false
	s := newScripted(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			w.WriteHeader(401)
			return
		}
		responds(200, consentBody("Authorised", ""))(w, r)
	})
	read := func(want int) {
		t.Helper()
		if _, err := s.Consent(t.Context(), access()); err != nil || s.count("client_credentials") != want {
			t.Errorf("%v, %d tokens", err, s.count("client_credentials"))
		}
	}
	read(1)
	read(1)
	s.clock.Advance(4*time.Minute + 30*time.Second) // of its 5
	read(2)
	refuse = true
	_, err := s.Consent(t.Context(), access())
	if kindOf(t, err) != institution.CertificateRejected || institution.ReasonOf(err) != institution.OurCredentialsRejected || s.count("client_credentials") != 3 || len(s.requests()) != 5 {
		t.Errorf("%v, %d tokens, %d requests", err, s.count("client_credentials"), len(s.requests()))
	}
}

func TestConsent_ReadsTheStatusesOfBothVersions(t *testing.T) {
	for status, want := range map[string]institution.ConsentState{
		"AwaitingAuthorisation": institution.ConsentPending, "Authorised": institution.ConsentValid, "Rejected": institution.ConsentRejected, "Revoked": institution.ConsentRevoked,
		"AWAU": institution.ConsentPending, "AUTH": institution.ConsentValid, "RJCT": institution.ConsentRejected, "CANC": institution.ConsentRevoked, "EXPD": institution.ConsentExpired,
	} {
		s := newScripted(t, nil, responds(200, consentBody(status, `,"ExpirationDateTime":"2027-05-19T23:59:59+00:00"`)))
		info, err := s.Consent(t.Context(), access())
		if err != nil || info.State != want || !info.Scope.Balances || info.Scope.Transactions || !info.ValidUntil.Equal(time.Date(2027, 5, 19, 23, 59, 59, 0, time.UTC)) {
			t.Errorf("%s: %+v, %v", status, info, err)
		}
		without := access()
		without.Token = ""
		if info, err = s.Consent(t.Context(), without); err != nil || info.State == institution.ConsentValid {
			t.Errorf("%s without tokens: %+v, %v", status, info, err)
		}
		s.clock.Set(time.Date(2027, 5, 20, 0, 0, 1, 0, time.UTC))
	}
	s := newScripted(t, nil, responds(200, consentBody("Authorised", `,"ExpirationDateTime":"2026-11-21T23:59:59+00:00"`)))
	if info, err := s.Consent(t.Context(), access()); err != nil || info.State != institution.ConsentExpired {
		t.Errorf("after its time: %+v, %v", info, err)
	}
	s.answer = responds(200, consentBody("Sleeping", ""))
	if _, err := s.Consent(t.Context(), access()); kindOf(t, err) != institution.MalformedResponse {
		t.Error(err)
	}
}

func TestConsent_KnowsThatThereIsNone(t *testing.T) {
	s := newScripted(t, nil, nil)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"400 not found":       {refuses(400, "UK.OBIE.Resource.NotFound"), institution.ConsentGone},
		"400 not found (4.0)": {refuses(400, "U011"), institution.ConsentGone},
		"400 bank's own":      {refuses(400, "DB.Unknown"), institution.ConsentGone},
		"400 own, in words":   {refuses(400, "BANK_CONSENT_NOT_FOUND"), institution.ConsentGone},
		"400 own, the other":  {refuses(400, "Invalid.ConsentId"), institution.ConsentGone},
		"400 no valid one":    {refuses(400, "UK.OBIE.Resource.InvalidConsentStatus"), institution.ConsentGone},
		"400 no valid (4.0)":  {refuses(400, "U009"), institution.ConsentGone},
		"400 own, by path":    {responds(400, `{"Errors":[{"ErrorCode":"DB.17","Path":"Data.ConsentId"}]}`), institution.Refused},
		"400 format":          {refuses(400, "UK.OBIE.Resource.InvalidFormat"), institution.Refused},
		"400 format (4.0)":    {refuses(400, "U010"), institution.Refused},
		"403 mismatch":        {refuses(403, "UK.OBIE.Resource.ConsentMismatch"), institution.Refused},
		"400 mismatch (4.0)":  {refuses(400, "U008"), institution.Refused},
		"404 page":            {responds(404, "<html>Not here</html>"), institution.Unreachable},
		"400 own, throttled":  {refuses(400, "DB.TooManyRequests"), institution.Refused},
		"400 own, of a field": {refuses(400, "DB.UnknownHeader"), institution.Refused},
		"400 own and another": {responds(400, `{"Errors":[{"ErrorCode":"DB.NotFound"},{"ErrorCode":"UK.OBIE.Signature.Missing"}]}`), institution.Refused},
		"400 without errors":  {responds(400, `{"Code":"400 BadRequest","Message":"m"}`), institution.Refused},
		"400 header":          {refuses(400, "UK.OBIE.Header.Missing"), institution.Refused},
		"400 signature":       {refuses(400, "UK.OBIE.Signature.Missing"), institution.Refused},
		"400 another (4.0)":   {refuses(400, "U017"), institution.Refused},
		"400 without a body":  {responds(400, ""), institution.Refused},
		"400 page":            {responds(400, "<html>"), institution.Unreachable},
		"403":                 {responds(403, ""), institution.Refused},
		"404":                 {responds(404, ""), institution.Refused},
		"503":                 {refuses(503, "UK.OBIE.Resource.NotFound"), institution.Unreachable},
		"429":                 {refuses(429, "x"), institution.Busy},
	} {
		s.answer = c.answer
		if _, err := s.Consent(t.Context(), access()); kindOf(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Revoke(t.Context(), access()); (err == nil) != (c.want == institution.ConsentGone) {
			t.Errorf("%s: revoke: %v", name, err)
		}
	}
	s.answer = responds(200, "<html>Back soon</html>")
	if err := s.Revoke(t.Context(), access()); kindOf(t, err) != institution.Unreachable {
		t.Errorf("a page with 200: %v", err)
	}
	s.answer = responds(204, "")
	if err := s.Revoke(t.Context(), access()); err != nil || s.last(t).method != "DELETE" || s.last(t).path != "/account-access-consents/aac-1" {
		t.Errorf("%v %+v", err, s.last(t))
	}
}

func TestHeaders_AreAboutThePersonOrNot(t *testing.T) {
	s := newScripted(t, func(c *obie.Config) { c.FinancialID = "001580000103UAvAAM" }, responds(200, `{"Data":{"Account":[]}}`))
	q := s.Start(full, since)[0]
	names := []string{"X-Fapi-Customer-Ip-Address", "X-Customer-User-Agent", "X-Fapi-Auth-Date"}
	for _, p := range []psu.Context{person, person.Unattended(), {PersonalNumber: person.PersonalNumber, UserAgent: "Test/1.0"}} {
		a := access()
		a.PSU = p
		if _, err := s.Fetch(t.Context(), a, q); err != nil {
			t.Fatal(err)
		}
		h := s.last(t).header
		for _, name := range names {
			if (h.Get(name) != "") != p.Attended() {
				t.Errorf("attended %t: %s is %q", p.Attended(), name, h.Get(name))
			}
		}
		if h.Get("X-Fapi-Financial-Id") != "001580000103UAvAAM" || h.Get("Accept") != "application/json" || h.Get("Authorization") != "Bearer at-1" || h.Get("X-Fapi-Interaction-Id") == "" {
			t.Errorf("headers %v", h)
		}
		if slices.ContainsFunc(slices.Collect(values(h)), func(v string) bool { return strings.Contains(v, person.PersonalNumber.Digits()) }) {
			t.Error("the personal number is in a header")
		}
	}
	a := access()
	a.PSU.UserAgent = "Evil\r\nX-Other: 1"
	if _, err := s.Fetch(t.Context(), a, q); err != nil || s.last(t).header.Get("X-Other") != "" {
		t.Errorf("%v %v", err, s.last(t).header)
	}
}

func values(h http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, all := range h {
			for _, v := range all {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// An answer that plays back the id of another request is somebody else's.
func TestExchange_ChecksTheInteraction(t *testing.T) {
	for id, want := range map[string]institution.ErrorKind{"": "", "93bac548-d2de-4546-b106-880a5018460d": institution.MalformedResponse} {
		s := newScripted(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Del("X-Fapi-Interaction-Id")
			if id != "" {
				w.Header().Set("X-Fapi-Interaction-Id", id)
			}
			_, _ = io.WriteString(w, `{"Data":{"Account":[]}}`)
		})
		_, err := s.Fetch(t.Context(), access(), s.Start(full, since)[0])
		if want == "" && err != nil || want != "" && kindOf(t, err) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
}
