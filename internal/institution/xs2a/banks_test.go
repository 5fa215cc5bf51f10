package xs2a_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/strictjson"
)

// The banks of docs/reference/families.md 2.6, as far as that says how they differ: each
// is an entry of the banks file, and no code.

// bankOf starts a bank that an entry describes; {host} stands for its address.
func bankOf(t *testing.T, entry string, answer http.HandlerFunc) *scriptedBank {
	t.Helper()
	return newScriptedBank(t, func(c *xs2a.Config) {
		var written xs2a.Config
		text := strings.ReplaceAll(entry, "{host}", strings.TrimSuffix(c.BaseURL, "/psd2"))
		if faults := strictjson.Decode([]byte(text), &written); len(faults) > 0 {
			t.Fatal(faults)
		}
		if faults := written.Check(); len(faults) > 0 {
			t.Fatal(faults)
		}
		*c = written
	}, answer)
}

// logIn takes a person through the login before the consent.
func (s *scriptedBank) logIn(t *testing.T) (page url.Values, got institution.Completed) {
	t.Helper()
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, PSU: person, Way: theWay, Login: true})
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(a.Instructions.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}
	login := completion("", "code=c0de&state="+address.Query().Get("state"))
	login.ConsentID, login.AuthorizationID = "", ""
	if got, err = s.Complete(t.Context(), login); err != nil {
		t.Fatal(err)
	}
	return address.Query(), got
}

const swedbank = `{"baseURL":"{host}/psd2","signature":{"none":true},
 "headers":{"Date":"{date}","PSU-Http-Method":"GET","PSU-IP-Port":"443"},"query":{"bic":"SANDSESS","app-id":"app-1"},
 "oauth":{"authorizationEndpoint":"https://psd2.bank.example/psd2/authorize","tokenEndpoint":"{host}/login/token","clientID":"app-1","clientAuth":"post",
  "secretVariable":"SAMLA_TEST_CLIENT_SECRET","scope":"PSD2sandbox","challenge":"none","authorizationQuery":{"bic":"SANDSESS"}},
 "profile":{"sca":"redirect-after-login","listFirst":true,"oldConsent":"endsOnRequest","historyUnattended":89,"paths":{"consents":"v4/consents","accounts":"v4/accounts"}}}`

func TestSwedbank_LogsInListsAndNamesAccounts(t *testing.T) {
	t.Setenv("SAMLA_TEST_CLIENT_SECRET", "s3cret")
	status := "authenticationStarted"
	s := bankOf(t, swedbank, routes(map[string]http.HandlerFunc{
		"POST /login/token": responds(200, `{"access_token":"at-1","refresh_token":"rt-1","expires_in":"3600","token_type":"Bearer"}`),
		"POST /psd2/v4/consents": func(w http.ResponseWriter, r *http.Request) {
			answer := `{"consentStatus":"received","consentId":"c1","_links":{"scaRedirect":{"href":"https://psd2.bank.example/consent/c1"},"scaStatus":{"href":"/psd2/v4/consents/c1/authorisations/a1"},"status":{"href":"/psd2/v4/consents/c1/status"}}}`
			if r.Header.Get("X-Request-ID") != requestID {
				answer = `{"consentStatus":"valid","consentId":"list"}`
			}
			responds(201, answer)(w, r)
		},
		"GET /psd2/v4/accounts": responds(200, `{"accounts":[{"resourceId":"r1","iban":"SE4550000000058398257466","currency":"SEK"}]}`),
		"GET /psd2/v4/consents/c1/authorisations/a1": func(w http.ResponseWriter, r *http.Request) {
			responds(200, `{"scaStatus":"`+status+`"}`)(w, r)
		},
		"GET /psd2/v4/accounts/r1/transactions": responds(401, ``),
	}))
	page, login := s.logIn(t)
	if page.Get("bic") != "SANDSESS" || page.Get("scope") != "PSD2sandbox" || page.Has("code_challenge") {
		t.Errorf("the page is asked for %v", page)
	}
	open := pageRequest()
	open.Token = login.Tokens.Access
	opened, err := s.OpenConsent(t.Context(), open)
	if err != nil || opened.Started == nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	var sent struct{ Access map[string]json.RawMessage }
	_ = json.Unmarshal([]byte(s.last(t).body), &sent)
	if string(sent.Access["accounts"]) != `[{"iban":"SE4550000000058398257466"}]` {
		t.Errorf("asked for %s", s.last(t).body)
	}
	for _, r := range s.requests() {
		q, _ := url.ParseQuery(r.query)
		if isToken := r.path == "/login/token"; !isToken && (q.Get("bic") != "SANDSESS" || q.Get("app-id") != "app-1" || r.header.Get("Date") == "" || r.header.Get("Authorization") != "Bearer at-1") {
			t.Errorf("%s %s: %v", r.method, r.path, r.query)
		}
	}
	access := institution.Access{ConsentID: "c1", Token: "at-1", PSU: person}
	a, err := s.AuthorizationStatus(t.Context(), access, "a1", opened.Started.StatusLink, false)
	if err != nil || a.State != institution.AuthorizationPending {
		t.Errorf("%s: got %+v, %v", status, a, err)
	}
	// 401 says that the history is too long, and that the token is old. If a new token does
	// not help, a collection takes it for the former.
	long := institution.Question{Kind: "transactions", Account: "account/r1", From: "2025-01-01", Needs: institution.NeedsTransactions}
	_, err = s.Fetch(t.Context(), access, long)
	refused, _ := err.(*institution.Error)
	if refused == nil || refused.Kind != institution.TokenRefused {
		t.Fatalf("got %v", err)
	}
	refused.Kind = institution.SCARequired
	shorter, ok := s.Instead(long, refused, noon)
	if _, err = s.Fetch(t.Context(), access, shorter); !ok || err == nil || !strings.Contains(s.last(t).query, "dateFrom=2026-08-25") {
		t.Errorf("asked %s, %v", s.last(t).query, ok)
	}
}

const n26 = `{"baseURL":"{host}/psd2","signature":{"none":true},"headers":{"User-Agent":"samla"},
 "oauth":{"authorizationEndpoint":"https://xs2a.bank.example/oauth2/authorize","tokenEndpoint":"{host}/login/token","scope":"DEDICATED_AISP","responseType":"CODE",
  "challenge":"unnamed","tokenQuery":{"role":"DEDICATED_AISP"},"codeErrors":["invalid_request"]},
 "profile":{"sca":"decoupled-after-login","redirect":{"explicitStart":false},"redirectRefusal":"never","pollInterval":"1s","withBalance":false,"bookingStatus":"booked","cards":"","fullHistory":"15m","historyUnattended":89}}`

func TestN26_LogsInAndSignsInTheApp(t *testing.T) {
	status := "received"
	s := bankOf(t, n26, routes(map[string]http.HandlerFunc{
		"POST /login/token": responds(200, `{"access_token":"at-1","token_type":"bearer","refresh_token":"rt-1","expires_in":900}`),
		"POST /psd2/v1/consents": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("aspsp-sca-approach", "DECOUPLED")
			responds(201, `{"consentStatus":"received","consentId":"c1","_links":{"status":{"href":"/psd2/v1/consents/c1/status"}}}`)(w, r)
		},
		"GET /psd2/v1/consents/c1":               func(w http.ResponseWriter, r *http.Request) { responds(200, `{"consentStatus":"`+status+`"}`)(w, r) },
		"GET /psd2/v1/accounts":                  responds(200, `{"accounts":[{"resourceId":"space-1","currency":"EUR","name":"Holiday","cashAccountType":"TRAN"}]}`),
		"GET /psd2/v1/accounts/space-1/balances": responds(200, `{"balances":[{"balanceType":"expected","balanceAmount":{"currency":"EUR","amount":"-20.0"}}]}`),
	}))
	page, login := s.logIn(t)
	if page.Get("response_type") != "CODE" || !page.Has("code_challenge") || page.Has("code_challenge_method") || strings.Contains(page.Get("state"), "localhost") {
		t.Errorf("the page is asked for %v", page)
	}
	if token := s.last(t); token.query != "role=DEDICATED_AISP" || !login.Tokens.Until.Equal(noon.Add(15*time.Minute)) {
		t.Errorf("sent %s, got %+v", token.query, login)
	}
	open := pageRequest()
	open.Token = login.Tokens.Access
	opened, err := s.OpenConsent(t.Context(), open)
	if err != nil || opened.Started == nil || opened.Started.ID != "" || opened.Started.StatusLink != "" || opened.Started.Silent {
		t.Fatalf("got %+v, %v: the consent tells when it is signed", opened, err)
	}
	access := institution.Access{ConsentID: "c1", Token: "at-1", PSU: person}
	for said, want := range map[string]institution.ConsentState{"received": institution.ConsentPending, "valid": institution.ConsentValid, "rejected": institution.ConsentRejected} {
		status = said
		if info, err := s.Consent(t.Context(), access); err != nil || info.State != want {
			t.Errorf("%s: got %+v, %v", said, info, err)
		}
	}
	questions := s.Start(consent.Scope{Balances: true, Transactions: true}, since)
	if len(questions) != 1 {
		t.Errorf("asks for %d lists", len(questions))
	}
	var facts fact.Facts
	for len(questions) > 0 {
		q := questions[0]
		questions = questions[1:]
		if q.Kind == "transactions" {
			continue
		}
		answer, err := s.Fetch(t.Context(), access, q)
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		facts.Add(read.Facts)
		questions = append(questions, read.Questions...)
	}
	if len(facts.Accounts) != 1 || facts.Accounts[0].IBAN != "" || len(facts.Balances) != 1 {
		t.Errorf("read %+v", facts)
	}
	for _, r := range s.requests() {
		if !strings.HasPrefix(r.path, "/login/") && r.header.Get("User-Agent") != "samla" || r.header.Get("User-Agent") == "" {
			t.Errorf("%s: User-Agent %q", r.path, r.header.Get("User-Agent"))
		}
	}
}

func TestN26_RefusesACodeInItsOwnWords(t *testing.T) {
	s := bankOf(t, n26, routes(map[string]http.HandlerFunc{"POST /login/token": responds(400, `{"error":"invalid_request","error_description":"x","detail":"x",
		"type":"invalid_request","title":"Error","status":400,"userMessage":{"title":"Error","detail":"Please try later."}}`)}))
	if _, got := s.logIn(t); got.State != institution.AuthorizationFailed || got.Failure != consent.AuthenticationFailed {
		t.Errorf("got %+v", got)
	}
}

const bankdata = `{"baseURL":"{host}/psd2","signature":{"none":true},"headers":{"x-api-key":"key-1"},
 "oauth":{"tokenEndpoint":"{host}/login/token","clientID":"CN=Samla,O=Samla AB,C=SE","clientToken":true,"clientScope":"ais","headers":{"x-api-key":"key-1"}},
 "profile":{"sca":"redirect"}}`

func TestBankdata_GetsATokenOfItsOwn(t *testing.T) {
	s := bankOf(t, bankdata, routes(map[string]http.HandlerFunc{
		"POST /login/token":      responds(200, `{"access_token":"ours","token_type":"Bearer","expires_in":3600}`),
		"POST /psd2/v1/consents": responds(201, implicit),
	}))
	if opened, err := s.OpenConsent(t.Context(), pageRequest()); err != nil || opened.Started == nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	all := s.requests()
	form, _ := url.ParseQuery(all[0].body)
	if form.Get("grant_type") != "client_credentials" || form.Get("client_id") != "CN=Samla,O=Samla AB,C=SE" {
		t.Errorf("sent %v", form)
	}
	for _, r := range all {
		if r.header.Get("X-Api-Key") != "key-1" {
			t.Errorf("%s without the key", r.path)
		}
	}
	if h := all[1].header; h.Get("Authorization") != "Bearer ours" || h.Get("TPP-Redirect-URI") != theWay.OnceReturn {
		t.Errorf("headers %v", h)
	}
}

const fana = `{"baseURL":"{host}/psd2","signature":{"none":true},
 "profile":{"sca":"redirect","pages":{"offset":"offset","limit":"limit","size":100},"dailyLimit":4,"historyAttended":90,"historyUnattended":89,"longestConsent":180}}`

func TestFana_CountsRows(t *testing.T) {
	s := bankOf(t, fana, responds(200, `{"transactions":{"booked":[]}}`))
	q := institution.Question{Kind: "transactions", Account: "account/1", From: since, Needs: institution.NeedsTransactions}
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q)
	if err != nil || s.last(t).query != "bookingStatus=both&dateFrom="+since+"&offset=0&limit=100" {
		t.Errorf("asked %s, %v", s.last(t).query, err)
	}
	if read, err := s.Read(answer); err != nil || len(read.Questions) != 0 {
		t.Errorf("got %+v, %v", read, err)
	}
	if p := s.Profile(); p.DailyLimit != 4 || p.LongestConsent != 180 || p.HistoryAttended != 90 {
		t.Errorf("got %+v", p)
	}
}
