package xs2a_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// theWay is how the person of these tests goes to the bank.
var theWay = institution.Way{
	State: "st-8a41", Return: "https://samla.example/callback/se-bank", OnceReturn: "https://samla.example/callback/se-bank/st-8a41",
	Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Nonce: "n-1",
}

// routes answers requests by "METHOD /path".
func routes(answers map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, found := answers[r.Method+" "+r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		answer(w, r)
	}
}

// signsBy returns a change of the configuration to a way to sign.
func signsBy(sca string, more ...func(*xs2a.Config)) func(*xs2a.Config) {
	return func(c *xs2a.Config) {
		c.Profile.SCA = sca
		for _, change := range more {
			change(c)
		}
	}
}

func pageRequest() institution.OpenRequest {
	return institution.OpenRequest{RequestID: requestID, Scope: consent.Scope{Balances: true, Transactions: true},
		ValidUntil: noon.AddDate(0, 0, 90), Recurring: true, PSU: person, Way: theWay}
}

const implicit = `{"consentStatus":"received","consentId":"c1","_links":{"scaRedirect":{"href":"https://login.bank.example/sca?id=1"},
	"status":{"href":"/psd2/v1/consents/c1/status"},"scaStatus":{"href":"/psd2/v1/consents/c1/authorisations/a1"}}}`

func TestOpenConsent_SendsThePersonToThePage(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), responds(201, implicit))
	opened, err := s.OpenConsent(t.Context(), pageRequest())
	if err != nil {
		t.Fatal(err)
	}
	want := institution.Opened{ConsentID: "c1", Started: &institution.Authorization{
		ID: "a1", StatusLink: "/psd2/v1/consents/c1/authorisations/a1",
		Instructions: &consent.Instructions{RedirectURL: "https://login.bank.example/sca?id=1&state=st-8a41", RefreshedAt: noon},
	}}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Error(diff)
	}
	h := s.last(t).header
	for name, value := range map[string]string{
		"TPP-Redirect-Preferred": "true", "TPP-Explicit-Authorisation-Preferred": "false", "TPP-Decoupled-Preferred": "",
		"TPP-Redirect-URI": theWay.OnceReturn, "TPP-Nok-Redirect-URI": theWay.OnceReturn + "?nok=1",
	} {
		if h.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, h.Get(name), value)
		}
	}
}

// What a bank does with persons on its page is data.
func TestRedirect_FollowsProfile(t *testing.T) {
	no, yes := false, true
	for name, c := range map[string]struct {
		rules  xs2a.Redirect
		link   string
		page   string
		header map[string]string
	}{
		"no query":      {xs2a.Redirect{}, "https://l.example/sca", "https://l.example/sca?state=st-8a41", nil},
		"fragment":      {xs2a.Redirect{}, "https://l.example/#/sca", "https://l.example/?state=st-8a41#/sca", nil},
		"another state": {xs2a.Redirect{}, "https://l.example/sca?state=bank", "https://l.example/sca?state=bank", nil},
		"without state": {xs2a.Redirect{AppendState: &no}, "https://l.example/sca?a=b", "https://l.example/sca?a=b", nil},
		"one address": {xs2a.Redirect{FixedReturn: &yes}, "https://l.example/sca", "https://l.example/sca?state=st-8a41",
			map[string]string{"TPP-Redirect-URI": theWay.Return, "TPP-Nok-Redirect-URI": ""}},
		"without nok": {xs2a.Redirect{Nok: &no}, "https://l.example/sca", "https://l.example/sca?state=st-8a41",
			map[string]string{"TPP-Redirect-URI": theWay.OnceReturn, "TPP-Nok-Redirect-URI": ""}},
		"explicit": {xs2a.Redirect{ExplicitStart: &yes}, "https://l.example/sca", "https://l.example/sca?state=st-8a41",
			map[string]string{"TPP-Explicit-Authorisation-Preferred": "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScriptedBank(t, signsBy("redirect", func(b *xs2a.Config) { b.Profile.Redirect = c.rules }),
				responds(201, `{"consentStatus":"received","consentId":"c1","_links":{"scaRedirect":{"href":"`+c.link+`"}}}`))
			opened, err := s.OpenConsent(t.Context(), pageRequest())
			if err != nil || opened.Started == nil || opened.Started.Instructions.RedirectURL != c.page {
				t.Errorf("got %+v, %v", opened.Started, err)
			}
			for name, value := range c.header {
				if got := s.last(t).header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		})
	}
}

func TestStartAuthorization_SendsThePersonToThePage(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": responds(201, `{"consentStatus":"received","consentId":"c1","_links":{"startAuthorisation":{"href":"/psd2/v1/consents/c1/authorisations"}}}`),
		"POST /psd2/v1/consents/c1/authorisations": responds(201, `{"scaStatus":"received","authorisationId":"a1",
			"_links":{"scaRedirect":{"href":"https://login.bank.example/sca"},"scaStatus":{"href":"/psd2/v1/consents/c1/authorisations/a1"}}}`),
	}))
	opened, err := s.OpenConsent(t.Context(), pageRequest())
	if err != nil || opened.Started != nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, Way: theWay})
	if err != nil || a.ID != "a1" || a.Instructions == nil || a.Instructions.RedirectURL != "https://login.bank.example/sca?state=st-8a41" {
		t.Errorf("got %+v, %v", a, err)
	}
	if h := s.last(t).header; h.Get("TPP-Redirect-URI") != theWay.OnceReturn || h.Get("TPP-Redirect-Preferred") != "true" {
		t.Errorf("headers %v", h)
	}
}

// A person can be sent to an https address only; without one, nobody can sign.
func TestRedirect_RefusesPageThatIsNone(t *testing.T) {
	for _, link := range []string{"", "http://login.bank.example/", "javascript:alert(1)", "https://u:p@login.bank.example/", "/sca",
		"https://login.bank.example/#" + strings.Repeat("a", 5000), `https://login.bank.example/#a\r\nb`} {
		body := `{"consentStatus":"received","consentId":"c1","scaStatus":"received","authorisationId":"a1","_links":{"scaRedirect":{"href":"` + link + `"}}}`
		s := newScriptedBank(t, signsBy("redirect"), responds(201, body))
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, Way: theWay})
		if institution.KindOf(err) != institution.MalformedResponse || err == nil {
			t.Errorf("%q: got %+v, %v", link, a, err)
		}
	}
}

func TestRedirect_NeedsAnAddressOfReturn(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), responds(201, implicit))
	r := pageRequest()
	r.Way = institution.Way{}
	if _, err := s.OpenConsent(t.Context(), r); institution.KindOf(err) != institution.Refused || err == nil {
		t.Errorf("got %v", err)
	}
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: "c1", PSU: person}); institution.KindOf(err) != institution.Refused || err == nil {
		t.Errorf("got %v", err)
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// completion is what a person brings back to consent c1.
func completion(link, query string) institution.Completion {
	brought, _ := url.ParseQuery(query)
	return institution.Completion{RequestID: requestID, ConsentID: "c1", AuthorizationID: "a1", Link: link, PSU: person, Way: theWay, Brought: brought}
}

const plainLink = "/psd2/v1/consents/c1/authorisations/a1"

// Without a confirmation nothing is sent but a question: what the bank says precedes what
// the browser brought.
func TestComplete_AsksTheBankAfterThePage(t *testing.T) {
	for name, c := range map[string]struct {
		query, status string
		state         institution.AuthorizationState
		failure       consent.FailureCode
	}{
		"signed":                     {"state=st-8a41", "finalised", institution.AuthorizationDone, ""},
		"without state":              {"", "finalised", institution.AuthorizationDone, ""},
		"not told yet":               {"state=st-8a41", "started", institution.AuthorizationDone, ""},
		"not told at all":            {"state=st-8a41", "", institution.AuthorizationDone, ""},
		"failed":                     {"state=st-8a41", "failed", institution.AuthorizationFailed, consent.AuthenticationFailed},
		"did not sign":               {"nok=1", "received", institution.AuthorizationFailed, consent.AuthenticationCancelled},
		"did not sign, it failed":    {"nok=1", "failed", institution.AuthorizationFailed, consent.AuthenticationCancelled},
		"did not sign, it expired":   {"nok=1", "expired", institution.AuthorizationFailed, consent.AuthenticationTimeout},
		"did not sign, but has":      {"nok=1", "finalised", institution.AuthorizationDone, ""},
		"cancelled":                  {"error=access_denied&state=st-8a41", "started", institution.AuthorizationFailed, consent.AuthenticationCancelled},
		"in the bank's words":        {"error=user_cancelled", "started", institution.AuthorizationFailed, consent.AuthenticationCancelled},
		"timed out":                  {"error=session_expired", "started", institution.AuthorizationFailed, consent.AuthenticationTimeout},
		"the bank is down":           {"error=server_error", "started", institution.AuthorizationFailed, consent.BankUnavailable},
		"refused":                    {"error=request_denied", "started", institution.AuthorizationFailed, consent.Rejected},
		"an unknown error":           {"error=E4711", "started", institution.AuthorizationFailed, consent.AuthenticationFailed},
		"our request is not as told": {"error=invalid_request", "started", institution.AuthorizationFailed, consent.BankError},
	} {
		t.Run(name, func(t *testing.T) {
			answer := responds(200, `{"scaStatus":"`+c.status+`"}`)
			if c.status == "" {
				answer = responds(503, ``)
			}
			s := newScriptedBank(t, signsBy("redirect"), answer)
			got, err := s.Complete(t.Context(), completion(plainLink, c.query))
			if err != nil || got.State != c.state || got.Failure != c.failure || got.Tokens != nil || got.Next != nil {
				t.Errorf("got %+v, %v", got, err)
			}
			for _, r := range s.requests() {
				if r.method != http.MethodGet {
					t.Errorf("%s %s", r.method, r.path)
				}
			}
		})
	}
}

// Attacks on the return (docs/reference/families.md 15.3, R10) end without any request.
func TestComplete_RefusesForeignReturns(t *testing.T) {
	const confirmed = plainLink + " confirm=" + plainLink
	for name, c := range map[string]struct{ link, query string }{
		"another state":                 {plainLink, "state=st-other"},
		"two states":                    {plainLink, "state=st-8a41&state=st-other"},
		"another consent":               {plainLink, "state=st-8a41&consentId=c2"},
		"another consent, own spelling": {plainLink, "consent_id=c2"},
		"no state to confirm with":      {confirmed, "confirmationCode=123"},
		"another state to confirm with": {confirmed, "confirmationCode=123&state=st-other"},
		"two codes":                     {confirmed, "confirmationCode=123&confirmationCode=124&state=st-8a41"},
		"code and error":                {confirmed, "confirmationCode=123&error=access_denied&state=st-8a41"},
		"a step that is ours":           {confirmed, "step=confirm"},
	} {
		s := newScriptedBank(t, signsBy("redirect"), responds(200, `{"scaStatus":"finalised"}`))
		got, err := s.Complete(t.Context(), completion(c.link, c.query))
		if err != nil || got.State != institution.AuthorizationFailed || got.Failure != consent.AuthenticationFailed {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if n := len(s.requests()); n != 0 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

// confirmingBank opens consents that want a confirmation, which it answers with answer.
func confirmingBank(t *testing.T, confirmed, status http.HandlerFunc) (*scriptedBank, institution.Completion) {
	t.Helper()
	s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": responds(201, strings.Replace(implicit, `"status"`, `"confirmation":{"href":"/psd2/v1/consents/c1/authorisations/a1"},"status"`, 1)),
		"PUT " + plainLink:       confirmed,
		"GET " + plainLink:       status,
	}))
	opened, err := s.OpenConsent(t.Context(), pageRequest())
	if err != nil || opened.Started == nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	return s, completion(opened.Started.StatusLink, "confirmationCode=c0de&state=st-8a41")
}

func TestComplete_ConfirmsWithTheCode(t *testing.T) {
	for name, c := range map[string]struct {
		put, get http.HandlerFunc
		state    institution.AuthorizationState
		failure  consent.FailureCode
		kind     institution.ErrorKind // of an error; "" = none
	}{
		"finalised":          {responds(200, `{"scaStatus":"finalised","_links":{"status":{"href":"x"}}}`), nil, institution.AuthorizationDone, "", ""},
		"no body":            {responds(200, ``), nil, institution.AuthorizationDone, "", ""},
		"failed":             {responds(200, `{"scaStatus":"failed"}`), nil, institution.AuthorizationFailed, consent.AuthenticationFailed, ""},
		"refused":            {responds(400, `{"tppMessages":[{"category":"ERROR","code":"SCA_INVALID"}]}`), responds(200, `{"scaStatus":"failed"}`), institution.AuthorizationFailed, consent.AuthenticationFailed, ""},
		"refused, not told":  {responds(400, `{}`), responds(500, ``), institution.AuthorizationFailed, consent.AuthenticationFailed, ""},
		"repeated":           {responds(409, `{"tppMessages":[{"category":"ERROR","code":"STATUS_INVALID"}]}`), responds(200, `{"scaStatus":"finalised"}`), institution.AuthorizationDone, "", ""},
		"the bank is down":   {responds(503, ``), nil, 0, "", institution.Unreachable},
		"bank is busy":       {responds(429, ``), nil, 0, "", institution.Busy},
		"not with this seal": {responds(401, `{"tppMessages":[{"category":"ERROR","code":"SIGNATURE_INVALID"}]}`), nil, 0, "", institution.CertificateRejected},
	} {
		t.Run(name, func(t *testing.T) {
			get := c.get
			if get == nil {
				get = func(http.ResponseWriter, *http.Request) { t.Error("the status was asked for") }
			}
			s, brought := confirmingBank(t, c.put, get)
			got, err := s.Complete(t.Context(), brought)
			if c.kind != "" {
				if err == nil || institution.KindOf(err) != c.kind {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if err != nil || got.State != c.state || got.Failure != c.failure {
				t.Errorf("got %+v, %v", got, err)
			}
			put := s.requests()[1]
			if put.method != http.MethodPut || put.header.Get("X-Request-ID") != requestID {
				t.Errorf("sent %+v", put)
			}
			jsonEqual(t, put.body, `{"confirmationCode":"c0de"}`)
		})
	}
}

// A person who comes back without the code has not signed, as far as the bank knows.
func TestComplete_CannotConfirmWithoutTheCode(t *testing.T) {
	for status, want := range map[string]institution.AuthorizationState{
		"started": institution.AuthorizationPending, "failed": institution.AuthorizationFailed, "finalised": institution.AuthorizationDone,
	} {
		s, brought := confirmingBank(t, nil, responds(200, `{"scaStatus":"`+status+`"}`))
		brought.Brought = url.Values{"state": {theWay.State}}
		if got, err := s.Complete(t.Context(), brought); err != nil || got.State != want {
			t.Errorf("%s: got %+v, %v", status, got, err)
		}
	}
}

// The example of the standard: two shapes are told apart by the answer.
func TestOpenConsent_ConfirmsWhereTheProfileSays(t *testing.T) {
	for rule, want := range map[string]string{"always": plainLink + " confirm=", "never": plainLink, "link": plainLink} {
		s := newScriptedBank(t, signsBy("redirect", func(c *xs2a.Config) { c.Profile.Redirect.Confirmation = rule }), responds(201, implicit))
		opened, err := s.OpenConsent(t.Context(), pageRequest())
		if err != nil || opened.Started == nil || opened.Started.StatusLink != want {
			t.Errorf("%s: got %+v, %v", rule, opened.Started, err)
		}
	}
}

func TestAuthorizationStatus_OfAPage(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{
		"GET " + plainLink:                responds(200, `{"scaStatus":"finalised"}`),
		"GET /psd2/v1/consents/c1/status": responds(200, `{"consentStatus":"rejected"}`),
	}))
	access := institution.Access{ConsentID: "c1", PSU: person}
	for link, want := range map[string]institution.AuthorizationState{
		plainLink:               institution.AuthorizationDone,
		plainLink + " confirm=": institution.AuthorizationDone,
		plainLink + " oauth=https://login.bank.example/metadata": institution.AuthorizationPending,
		" confirm=": institution.AuthorizationFailed, // the consent tells
	} {
		a, err := s.AuthorizationStatus(t.Context(), access, "", link, false)
		if err != nil || a.State != want {
			t.Errorf("%q: got %+v, %v", link, a, err)
		}
	}
}

// A bank can reject a consent at once, and say why.
func TestOpenConsent_SaysWhyItIsRejected(t *testing.T) {
	for body, want := range map[string]consent.FailureCode{
		`{"consentStatus":"rejected","consentId":"c1"}`:                                                               consent.Rejected,
		`{"consentStatus":"rejected","consentId":"c1","hintCode":"alreadyInProgress"}`:                                consent.AuthenticationConflict,
		`{"consentStatus":"rejected","consentId":"c1","tppMessages":[{"code":"PSU_CREDENTIALS_INVALID","text":"x"}]}`: consent.AuthenticationMismatch,
	} {
		s := newScriptedBank(t, nil, responds(201, body))
		opened, err := s.OpenConsent(t.Context(), openRequest(fullScope))
		if err != nil || opened.Started == nil || opened.Started.State != institution.AuthorizationFailed || opened.Started.Failure != want {
			t.Errorf("%s: got %+v, %v", body, opened.Started, err)
		}
	}
}

// A consent that the bank has created is known although no page can be made of its answer.
func TestOpenConsent_ReturnsTheIDWithoutAPage(t *testing.T) {
	for name, c := range map[string]struct {
		sca, links string
		kind       institution.ErrorKind
	}{
		"no https":    {"redirect", `"scaRedirect":{"href":"http://login.bank.example/sca"}`, institution.MalformedResponse},
		"no metadata": {"redirect", `"scaOAuth":{"href":"https://elsewhere.example/metadata"}`, institution.ForeignAddress},
	} {
		s := newScriptedBank(t, signsBy(c.sca), responds(201, `{"consentStatus":"received","consentId":"c1","_links":{`+c.links+`}}`))
		opened, err := s.OpenConsent(t.Context(), pageRequest())
		if err == nil || institution.KindOf(err) != c.kind || opened.ConsentID != "c1" || opened.Started != nil {
			t.Errorf("%s: got %+v, %v", name, opened, err)
		}
	}
}
