package xs2a_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// loginBank is a bank of persons who log in before a consent.
func loginBank(t *testing.T, sca string, answers map[string]http.HandlerFunc) *scriptedBank {
	t.Helper()
	return newScriptedBank(t, signsBy(sca, func(c *xs2a.Config) {
		host := strings.TrimSuffix(c.BaseURL, "/psd2")
		c.OAuth = xs2a.OAuth{AuthorizationEndpoint: "https://login.bank.example/authorize", TokenEndpoint: host + tokenPath, Scope: "PSD2 offline"}
	}), routes(answers))
}

func TestLogin_IsBeforeTheConsent(t *testing.T) {
	for _, sca := range []string{"decoupled-after-login", "redirect-after-login"} {
		s := loginBank(t, sca, map[string]http.HandlerFunc{
			"POST " + tokenPath:      responds(200, wholeTokens),
			"POST /psd2/v1/consents": responds(201, implicit),
		})
		if p := s.Profile(); !p.LoginFirst || !p.Redirects {
			t.Errorf("%s: %+v", sca, p)
		}
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, PSU: person, Way: theWay, Login: true})
		if err != nil || !a.Silent || a.ID != "" || a.StatusLink != "" || a.Instructions == nil {
			t.Fatalf("%s: got %+v, %v", sca, a, err)
		}
		page, err := url.Parse(a.Instructions.RedirectURL)
		if err != nil {
			t.Fatal(err)
		}
		if q := page.Query(); q.Get("scope") != "PSD2 offline" || q.Get("redirect_uri") != theWay.Return || q.Get("state") != theWay.State {
			t.Errorf("%s: %v", sca, q)
		}
		login := completion("", "code=c0de&state=st-8a41")
		login.ConsentID, login.AuthorizationID = "", ""
		got, err := s.Complete(t.Context(), login)
		want := institution.Completed{State: institution.AuthorizationDone, Tokens: &institution.Tokens{Access: "at-1", Refresh: "rt-1", Until: noon.Add(time.Hour)}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v: %s", sca, err, diff)
		}
		open := pageRequest()
		open.Token = got.Tokens.Access
		opened, err := s.OpenConsent(t.Context(), open)
		if err != nil || opened.Started == nil {
			t.Fatalf("%s: got %+v, %v", sca, opened, err)
		}
		h := s.last(t).header
		onPage := sca == "redirect-after-login"
		if h.Get("Authorization") != "Bearer at-1" || (h.Get("TPP-Redirect-URI") == theWay.OnceReturn) != onPage {
			t.Errorf("%s: headers %v", sca, h)
		}
		if shown := opened.Started.Instructions; (shown != nil && shown.RedirectURL != "") != onPage {
			t.Errorf("%s: shown %+v", sca, shown)
		}
	}
}

// A refused return of the login makes no token request.
func TestLogin_RefusesForeignReturns(t *testing.T) {
	for _, query := range []string{"code=c0de&state=st-other", "code=c0de", "error=access_denied", "step=confirm", ""} {
		s := loginBank(t, "redirect-after-login", nil)
		login := completion("", query)
		login.ConsentID, login.AuthorizationID = "", ""
		if got, err := s.Complete(t.Context(), login); err != nil || got.State != institution.AuthorizationFailed || len(s.requests()) != 0 {
			t.Errorf("%q: got %+v, %v after %d requests", query, got, err, len(s.requests()))
		}
	}
}

func TestLogin_IsRefusedWhereThereIsNone(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), responds(200, `{}`))
	_, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, PSU: person, Way: theWay, Login: true})
	if err == nil || institution.KindOf(err) != institution.Refused || len(s.requests()) != 0 {
		t.Errorf("got %v", err)
	}
}

const methods = `"scaMethods":[{"authenticationType":"SMS_OTP","authenticationMethodId":"m1","name":"Kod per SMS"},
	{"authenticationType":"PUSH_OTP","authenticationMethodId":"m2","name":"Mobilt BankID"},{"authenticationType":"CHIP_OTP","authenticationMethodId":"m3","name":"Dosa"}]`

func TestStartAuthorization_ChoosesAMethod(t *testing.T) {
	for name, c := range map[string]struct {
		preferred []string
		links     string
		put, body string
	}{
		"BankID":                {nil, `"selectAuthenticationMethod":{"href":"/psd2/v1/consents/c1/authorisations/a1"}`, plainLink, `{"authenticationMethodId":"m2"}`},
		"the first of profile":  {[]string{"chip_otp", "m1"}, `"selectAuthenticationMethod":{"href":"/psd2/v1/consents/c1/authorisations/a1"}`, plainLink, `{"authenticationMethodId":"m3"}`},
		"by its id":             {[]string{"M1"}, `"selectAuthenticationMethod":{"href":"/psd2/v1/consents/c1/authorisations/a1"}`, plainLink, `{"authenticationMethodId":"m1"}`},
		"by a part of its name": {[]string{"per sms"}, ``, plainLink, `{"authenticationMethodId":"m1"}`},
		"a link elsewhere":      {nil, `"selectAuthenticationMethod":{"href":"https://evil.example/authorisations/a1"}`, plainLink, `{"authenticationMethodId":"m2"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScriptedBank(t, func(b *xs2a.Config) { b.Profile.SCAMethods = c.preferred }, routes(map[string]http.HandlerFunc{
				"POST /psd2/v1/consents/c1/authorisations": responds(201, `{"scaStatus":"psuAuthenticated","authorisationId":"a1",`+methods+`,"_links":{`+c.links+`}}`),
				"PUT " + c.put: responds(200, `{"scaStatus":"scaMethodSelected","chosenScaMethod":{"authenticationMethodId":"m2"},"challengeData":{"data":["`+token+`"]}}`),
			}))
			a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
			if err != nil || a.ID != "a1" || a.Instructions == nil || a.Instructions.AutoStartToken != token {
				t.Fatalf("got %+v, %v", a, err)
			}
			all := s.requests()
			jsonEqual(t, all[1].body, c.body)
			if id := all[1].header.Get("X-Request-ID"); id == requestID || uuid.Validate(id) != nil {
				t.Errorf("X-Request-ID %q", id)
			}
			if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person}); err != nil {
				t.Fatal(err)
			}
			if again := s.requests()[3].header.Get("X-Request-ID"); again != all[1].header.Get("X-Request-ID") {
				t.Error("a repetition has another X-Request-ID")
			}
		})
	}
}

func TestStartAuthorization_ChoosesAMethodByDevice(t *testing.T) {
	for _, c := range []struct {
		other     bool
		same      []string
		preferred string
	}{{true, []string{"m3"}, "m1"}, {false, []string{"m3"}, "m3"}, {false, nil, "m1"}} {
		s := newScriptedBank(t, func(b *xs2a.Config) { b.Profile.SCAMethods, b.Profile.SameDevice = []string{"m1"}, c.same }, routes(map[string]http.HandlerFunc{
			"POST /psd2/v1/consents/c1/authorisations": responds(201, `{"scaStatus":"received","authorisationId":"a1",`+methods+`}`),
			"PUT " + plainLink:                         responds(200, `{"scaStatus":"started"}`),
		}))
		_, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, OtherDevice: c.other})
		if err != nil {
			t.Fatal(err)
		}
		jsonEqual(t, s.last(t).body, `{"authenticationMethodId":"`+c.preferred+`"}`)
	}
}

func TestStartAuthorization_ChoosesNothingWithoutNeed(t *testing.T) {
	for name, body := range map[string]string{
		"chosen":            `{"scaStatus":"started","authorisationId":"a1",` + methods + `,"chosenScaMethod":{"authenticationMethodId":"m2"}}`,
		"begun":             `{"scaStatus":"started","authorisationId":"a1",` + methods + `,"challengeData":{"data":["` + token + `"]}}`,
		"one":               `{"scaStatus":"started","authorisationId":"a1","scaMethods":[{"authenticationMethodId":"m1","authenticationType":"PUSH_OTP"}]}`,
		"failed":            `{"scaStatus":"failed","authorisationId":"a1",` + methods + `}`,
		"not in a list":     `{"scaStatus":"started","authorisationId":"a1","scaMethods":"BankID"}`,
		"of unknown things": `{"scaStatus":"started","authorisationId":"a1","scaMethods":[1,null,{}]}`,
	} {
		s := newScriptedBank(t, nil, responds(201, body))
		if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person}); err != nil || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.requests()))
		}
	}
}

// Some banks start the authorisation with the choice, and offer it with the consent.
func TestOpenConsent_StartsWithAMethod(t *testing.T) {
	offer := `{"consentStatus":"received","consentId":"c1",` + methods + `,"_links":{"startAuthorisationWithAuthenticationMethodSelection":{"href":"/psd2/v1/consents/c1/authorisations"}}}`
	start := responds(201, `{"scaStatus":"started","authorisationId":"a1","_links":{"scaRedirect":{"href":"https://l.example/"}}}`)
	s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{"POST /psd2/v1/consents": responds(201, offer), "POST /psd2/v1/consents/c1/authorisations": start}))
	opened, err := s.OpenConsent(t.Context(), pageRequest())
	if err != nil || opened.Started == nil || opened.Started.ID != "a1" || opened.Started.Instructions.RedirectURL != "https://l.example/?state=st-8a41" {
		t.Fatalf("got %+v, %v", opened, err)
	}
	r := s.last(t)
	if jsonEqual(t, r.body, `{"authenticationMethodId":"m2"}`); r.header.Get("TPP-Redirect-URI") != theWay.OnceReturn {
		t.Errorf("headers %v", r.header)
	}
	s = newScriptedBank(t, nil, routes(map[string]http.HandlerFunc{"POST /psd2/v1/consents": responds(201, offer)}))
	if opened, err = s.OpenConsent(t.Context(), pageRequest()); err != nil || opened.ConsentID != "c1" || opened.Started != nil {
		t.Errorf("after a choice that was refused: %+v, %v", opened, err)
	}
}

// A method can have a link of its own.
func TestStartAuthorization_FollowsLinkOfAMethod(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents/c1/authorisations": responds(201, `{"scaStatus":"received","authorisationId":"a0","scaMethods":[
			{"scaMethodType":"DECOUPLED","_links":{"authorization":[{"href":"/psd2/v1/consents/c1/authorisations/a2"}]}},
			{"scaMethodType":"REDIRECT","_links":{"authorization":[{"href":"/psd2/v1/consents/c1/authorisations/a1"}]}}]}`),
		"PUT " + plainLink: responds(200, `{"scaStatus":"started","authorisationId":"a1","_links":{"scaRedirect":{"href":"https://l.example/"}}}`),
	}))
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, Way: theWay})
	if err != nil || a.ID != "a1" {
		t.Errorf("got %+v, %v", a, err)
	}
}

// listBank lists two accounts on two pages, under a consent of its own.
func listBank(t *testing.T, sca string, first http.HandlerFunc, list string) *scriptedBank {
	t.Helper()
	return newScriptedBank(t, signsBy(sca, func(c *xs2a.Config) { c.Profile.ListFirst = true }), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": first,
		"GET /psd2/v1/accounts": func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("Consent-ID") != "list":
				t.Errorf("the list is read with %q", r.Header.Get("Consent-ID"))
			case r.URL.Query().Get("page") == "2":
				list = `{"accounts":[{"bban":"50000000001"},{"currency":"SEK"},{"iban":"SE4550000000058398257466"}]}`
			}
			responds(200, list)(w, r)
		},
	}))
}

const listedAccounts = `{"accounts":[{"iban":"SE4550000000058398257466","currency":"SEK"}],"_links":{"next":{"href":"/psd2/v1/accounts?page=2"}}}`

func TestOpenConsent_NamesAccountsThatItHasListed(t *testing.T) {
	opens := func(w http.ResponseWriter, r *http.Request) {
		answer := `{"consentStatus":"valid","consentId":"list","_links":{}}`
		if r.Header.Get("X-Request-ID") == requestID {
			answer = implicit
		}
		responds(201, answer)(w, r)
	}
	s := listBank(t, "redirect", opens, listedAccounts)
	opened, err := s.OpenConsent(t.Context(), pageRequest())
	if err != nil || opened.ConsentID != "c1" || opened.Started == nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	all := s.requests()
	if len(all) != 5 { // one for the cards, which this bank does not have
		t.Fatalf("%d requests", len(all))
	}
	jsonEqual(t, all[0].body, `{"access":{"availableAccounts":"allAccounts"},"recurringIndicator":false,"validUntil":"2027-02-20","frequencyPerDay":1,"combinedServiceIndicator":false}`)
	two := `[{"iban":"SE4550000000058398257466"},{"bban":"50000000001"}]`
	jsonEqual(t, all[4].body, `{"access":{"accounts":`+two+`,"balances":`+two+`,"transactions":`+two+`},"recurringIndicator":true,"validUntil":"2027-02-20","frequencyPerDay":4,"combinedServiceIndicator":false}`)
	if _, err = s.OpenConsent(t.Context(), pageRequest()); err != nil {
		t.Fatal(err)
	}
	if again := s.requests()[5].header.Get("X-Request-ID"); again == requestID || again != all[0].header.Get("X-Request-ID") {
		t.Error("a repetition of the list has another X-Request-ID")
	}
	named := pageRequest()
	named.Scope.AccountIDs = []string{"SE4550000000058398257466"}
	before := len(s.requests())
	if _, err = s.OpenConsent(t.Context(), named); err != nil || len(s.requests()) != before+1 {
		t.Errorf("accounts that are named are listed: %v", err)
	}
}

// What fails before the consent is asked for can be tried again.
func TestOpenConsent_FailsWithoutTheList(t *testing.T) {
	for name, c := range map[string]struct {
		opens http.HandlerFunc
		list  string
		kind  institution.ErrorKind
	}{
		"has to be signed": {responds(201, strings.Replace(implicit, `"c1"`, `"list"`, 1)), "", institution.SCARequired},
		"no accounts":      {responds(201, `{"consentStatus":"valid","consentId":"list"}`), `{"accounts":[]}`, institution.PersonRefused},
		"no list":          {responds(201, `{"consentStatus":"valid","consentId":"list"}`), `{}`, institution.MalformedResponse},
		"the bank is down": {responds(503, ``), "", institution.Unreachable},
	} {
		s := listBank(t, "redirect", c.opens, c.list)
		_, err := s.OpenConsent(t.Context(), pageRequest())
		e, ok := err.(*institution.Error)
		if !ok || e.Kind != c.kind || !e.NotSent {
			t.Errorf("%s: got %v", name, err)
		}
		for _, r := range s.requests() {
			if r.header.Get("X-Request-ID") == requestID {
				t.Errorf("%s: the consent was asked for", name)
			}
		}
		if last := s.last(t); (last.method == http.MethodDelete && strings.HasSuffix(last.path, "/consents/list")) != (name == "has to be signed") {
			t.Errorf("%s: the last request is %s %s", name, last.method, last.path)
		}
	}
}

// clientBank wants a token of ours with requests that have none of the person.
func clientBank(t *testing.T, answer http.HandlerFunc) *scriptedBank {
	t.Helper()
	n := 0
	return newScriptedBank(t, func(c *xs2a.Config) {
		c.OAuth = xs2a.OAuth{TokenEndpoint: strings.TrimSuffix(c.BaseURL, "/psd2") + tokenPath, ClientID: "CN=samla", ClientToken: true, ClientScope: "aisp", Headers: map[string]string{"X-Api-Key": "k"}}
	}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			n++
			responds(200, `{"access_token":"ours-`+string(rune('0'+n))+`","token_type":"Bearer","expires_in":1800}`)(w, r)
			return
		}
		answer(w, r)
	})
}

func TestClientToken_IsSentWithoutAPersonsToken(t *testing.T) {
	s := clientBank(t, responds(200, `{"consentStatus":"received"}`))
	bearer := func(a institution.Access) string {
		t.Helper()
		if _, err := s.Consent(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		return s.last(t).header.Get("Authorization")
	}
	access := institution.Access{ConsentID: "c1"}
	if got := []string{bearer(access), bearer(access)}; got[0] != "Bearer ours-1" || got[1] != "Bearer ours-1" {
		t.Errorf("sent %q", got)
	}
	form, _ := url.ParseQuery(s.requests()[0].body)
	if form.Get("grant_type") != "client_credentials" || form.Get("scope") != "aisp" || form.Get("client_id") != "CN=samla" || s.requests()[0].header.Get("X-Api-Key") != "k" {
		t.Errorf("sent %v", form)
	}
	if got := bearer(institution.Access{ConsentID: "c1", Token: "at-1"}); got != "Bearer at-1" {
		t.Errorf("sent %q", got)
	}
	s.clock.Advance(30*time.Minute - 30*time.Second)
	if got := bearer(access); got != "Bearer ours-2" {
		t.Errorf("after its time: sent %q", got)
	}
}

// A refused client token is replaced once, and says nothing about the consent.
func TestClientToken_IsReplacedOnceRefused(t *testing.T) {
	refuse := "ours-1"
	s := clientBank(t, func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get("Authorization"); token == "Bearer "+refuse || refuse == "all" {
			responds(401, `{"tppMessages":[{"category":"ERROR","code":"TOKEN_INVALID"}]}`)(w, r)
			return
		}
		responds(200, `{"consentStatus":"received"}`)(w, r)
	})
	access := institution.Access{ConsentID: "c1"}
	if _, err := s.Consent(t.Context(), access); err == nil || institution.KindOf(err) == institution.TokenRefused || institution.KindOf(err) == institution.ConsentGone || len(s.requests()) != 2 {
		t.Errorf("a new token: %v after %d requests", err, len(s.requests()))
	}
	if _, err := s.Consent(t.Context(), access); err != nil || len(s.requests()) != 5 {
		t.Errorf("a used token: %v after %d requests", err, len(s.requests()))
	}
	refuse = "all"
	if _, err := s.Consent(t.Context(), access); err == nil || len(s.requests()) != 8 {
		t.Errorf("refused twice: %v after %d requests", err, len(s.requests()))
	}
}

func TestTransactions_AreReadInCountedPages(t *testing.T) {
	rows := map[string]string{"0": `{"transactionId":"1","bookingDate":"2026-11-01","transactionAmount":{"currency":"NOK","amount":"1"}},{"transactionId":"2","bookingDate":"2026-11-01","transactionAmount":{"currency":"NOK","amount":"2"}}`,
		"2": `{"transactionId":"3","bookingDate":"2026-11-01","transactionAmount":{"currency":"NOK","amount":"3"}}`}
	s := newScriptedBank(t, func(c *xs2a.Config) {
		c.Profile.Pages, c.Profile.BookingStatus = xs2a.Pages{Offset: "offset", Limit: "limit", Size: 2}, "booked"
	}, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("limit") != "2" || q.Get("bookingStatus") != "booked" || q.Get("dateFrom") != since {
			t.Errorf("asked %v", q)
		}
		responds(200, `{"transactions":{"booked":[`+rows[q.Get("offset")]+`]}}`)(w, r)
	})
	questions := []institution.Question{{Kind: "transactions", Account: "account/1", From: since, Needs: institution.NeedsTransactions}}
	var ids []string
	for len(questions) > 0 {
		answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, questions[0])
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range read.Facts.Histories[0].Transactions {
			ids = append(ids, row.ID)
		}
		questions = append(questions[1:], read.Questions...)
	}
	if strings.Join(ids, " ") != "1 2 3" || len(s.requests()) != 2 {
		t.Errorf("read %q with %d requests", ids, len(s.requests()))
	}
}

// A page cannot be had from a bank that has no authorisations, or has one under way.
func TestStartAuthorization_NeedsAPage(t *testing.T) {
	for status, kind := range map[int]institution.ErrorKind{404: institution.Refused, 409: institution.Conflict} {
		s := newScriptedBank(t, signsBy("redirect"), routes(map[string]http.HandlerFunc{
			"POST /psd2/v1/consents/c1/authorisations": responds(status, ``),
			"GET /psd2/v1/consents/c1/authorisations":  responds(200, `{"authorisationIds":["a1"]}`),
		}))
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person, Way: theWay})
		if err == nil || institution.KindOf(err) != kind {
			t.Errorf("%d: got %+v, %v", status, a, err)
		}
	}
}

// Our own address is only for requests for consents.
func TestOpenConsent_ListsWithoutOurAddress(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect", func(c *xs2a.Config) { c.Profile.ListFirst, c.OwnAddress = true, "198.51.100.7" }), routes(map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": func(w http.ResponseWriter, r *http.Request) {
			answer := implicit
			if r.Header.Get("X-Request-ID") != requestID {
				answer = `{"consentStatus":"valid","consentId":"list"}`
			}
			responds(201, answer)(w, r)
		},
		"GET /psd2/v1/accounts": responds(200, `{"accounts":[{"bban":"50000000001"}]}`),
	}))
	r := pageRequest()
	r.PSU.IPAddress = ""
	if _, err := s.OpenConsent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, sent := range s.requests() {
		want := ""
		if sent.method == http.MethodPost {
			want = "198.51.100.7"
		}
		if got := sent.header.Get("PSU-IP-Address"); got != want {
			t.Errorf("%s %s: %q", sent.method, sent.path, got)
		}
	}
}

// A list of cards that does not answer may have cards; one that is refused has none.
func TestOpenConsent_WaitsForTheListOfCards(t *testing.T) {
	for status, kind := range map[int]institution.ErrorKind{503: institution.Unreachable, 403: "", 400: ""} {
		s := newScriptedBank(t, signsBy("redirect", func(c *xs2a.Config) { c.Profile.ListFirst = true }), routes(map[string]http.HandlerFunc{
			"POST /psd2/v1/consents": func(w http.ResponseWriter, r *http.Request) {
				answer := implicit
				if r.Header.Get("X-Request-ID") != requestID {
					answer = `{"consentStatus":"valid","consentId":"list"}`
				}
				responds(201, answer)(w, r)
			},
			"GET /psd2/v1/accounts":      responds(200, `{"accounts":[{"bban":"50000000001"}]}`),
			"GET /psd2/v1/card-accounts": responds(status, `{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR"}]}`),
		}))
		_, err := s.OpenConsent(t.Context(), pageRequest())
		if (err != nil) != (kind != "") || err != nil && institution.KindOf(err) != kind {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// Who can be asked before the consent is opened can choose: after a login.
func TestInstitution_ListsAccountsAfterALogin(t *testing.T) {
	for sca, want := range map[string]bool{"redirect-after-login": true, "redirect": false} {
		for _, lists := range []bool{true, false} {
			s := newScriptedBank(t, signsBy(sca, func(c *xs2a.Config) {
				c.Profile.ListFirst = lists
				if want {
					c.OAuth = xs2a.OAuth{AuthorizationEndpoint: "https://login.bank.example/authorize", TokenEndpoint: c.BaseURL + tokenPath, Scope: "PSD2"}
				}
			}), routes(nil))
			i := s.Institution()
			if can := i.AccountLister != nil; can != (want && lists) || i.Profile.ListsAccounts != can {
				t.Errorf("%s, listFirst %v: lists accounts %v", sca, lists, can)
			}
		}
	}
}
