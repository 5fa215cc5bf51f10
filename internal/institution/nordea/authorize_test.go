package nordea_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
)

const (
	session   = "5c7a1a52-7b1e-4c36-9a3e-0d8a54a1f001"
	autoStart = "8d2f3f4e-3f0a-4b60-a7a2-3d1f0c9b7e11"
	qrData    = "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"
)

func authentication(status, more string) http.HandlerFunc {
	return responds(200, `{"session_id":"`+session+`","auto_start_token":"`+autoStart+`","status":"`+status+`","verify_after":2000`+more+`}`)
}

func jsonEqual(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	gb, _ := json.Marshal(g)
	wb, _ := json.Marshal(w)
	if string(gb) != string(wb) {
		t.Errorf("got  %s\nwant %s", gb, wb)
	}
}

func TestStartAuthorization_StartsBankID(t *testing.T) {
	s := newScripted(t, nil, authentication("assignment_pending", `,"qr_data":"`+qrData+`"`))
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person, OtherDevice: true})
	if err != nil {
		t.Fatal(err)
	}
	i := a.Instructions
	if a.ID != session || a.State != institution.AuthorizationPending || a.Progress != consent.NotScanned || a.Silent || i == nil ||
		i.AutoStartToken != autoStart || i.QRData != qrData || i.UserMessage.Code != "RFA1" || i.UserMessage.Text == "" || !i.RefreshedAt.Equal(noon) {
		t.Errorf("got %+v, %+v", a, i)
	}
	r := s.last(t)
	if r.method != http.MethodPost || r.path != "/personal/v5/decoupled/authentications" {
		t.Errorf("%s %s", r.method, r.path)
	}
	jsonEqual(t, r.body, `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"191212121212"}`)
}

func TestStartAuthorization_NeedsNoNumber(t *testing.T) {
	s := newScripted(t, nil, authentication("assignment_pending", ""))
	unknown := person
	unknown.PersonalNumber = ""
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: unknown}); err != nil {
		t.Fatal(err)
	}
	jsonEqual(t, s.last(t).body, `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code"}`)
	s = newScripted(t, func(c *nordea.Config) { c.Profile.NeedsPSUID = true }, nil)
	_, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: unknown})
	if kindOf(t, err) != institution.PersonRefused || len(s.requests()) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAuthorizationStatus_FollowsThePerson(t *testing.T) {
	s := newScripted(t, nil, steps(t,
		authentication("assignment_pending", `,"qr_data":"`+qrData+`"`), authentication("confirmation_pending", ""),
		authentication("something_new", ""), authentication("completed", `,"code":"c-1"`)))
	access := institution.Access{ConsentID: s.open(t, full), PSU: person}
	for _, want := range []struct {
		state    institution.AuthorizationState
		progress consent.Progress
		code     bool
		message  string
	}{
		{institution.AuthorizationPending, consent.NotScanned, true, "RFA13"}, {institution.AuthorizationPending, consent.Scanned, false, "RFA9"},
		{institution.AuthorizationPending, consent.ProgressUnknown, false, ""}, {institution.AuthorizationDone, consent.Scanned, false, ""},
	} {
		a, err := s.AuthorizationStatus(t.Context(), access, session, "", false)
		if err != nil || a.State != want.state || a.Progress != want.progress || a.ID != "" {
			t.Fatalf("got %+v, %v", a, err)
		}
		if i := a.Instructions; i != nil && (i.HasCode() != want.code || i.UserMessage.Code != want.message) {
			t.Errorf("instructions %+v", i)
		}
		if done := want.state == institution.AuthorizationDone; done != (a.Brought.Get("code") == "c-1") {
			t.Errorf("brought %v", a.Brought)
		}
	}
	if r := s.last(t); r.path != "/personal/v5/decoupled/authentications/"+session || r.method != http.MethodGet || r.header.Get("Digest") != "" {
		t.Errorf("%s %s", r.method, r.path)
	}
}

// A refusal to give the status is the only word for a failure.
func TestAuthorizationStatus_TellsFailuresApart(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   consent.FailureCode
	}{
		"cancelled":           {refuses(400, "error.session.cancelled", "x", ""), consent.AuthenticationCancelled},
		"expired":             {refuses(400, "error.bankid.expired", "x", ""), consent.AuthenticationTimeout},
		"another order":       {refuses(409, "error.bankid.already_in_progress", "x", ""), consent.AuthenticationConflict},
		"another person":      {refuses(400, "error.bankid.mismatch", "x", ""), consent.AuthenticationMismatch},
		"no reason":           {refuses(400, "error.validation", "x", ""), consent.AuthenticationFailed},
		"forgotten":           {refuses(404, "error.resource.not_found", "x", ""), consent.AuthenticationFailed},
		"no body":             {responds(400, ""), consent.AuthenticationFailed},
		"by its status":       {authentication("cancelled", ""), consent.AuthenticationCancelled},
		"with a success":      {refuses(200, "error.session.cancelled", "x", ""), consent.AuthenticationCancelled},
		"about another thing": {refuses(403, "error.token.expired", "x", ""), consent.AuthenticationFailed},
	} {
		s := newScripted(t, nil, c.answer)
		a, err := s.AuthorizationStatus(t.Context(), institution.Access{ConsentID: s.open(t, full)}, session, "", true)
		if err != nil || a.State != institution.AuthorizationFailed || a.Failure != c.want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"down":             {responds(503, "<html>down</html>"), institution.Unreachable},
		"too fast":         {responds(429, `{"httpCode":"429","httpMessage":"Too Many Requests","moreInformation":"Assembly Rate Limit exceeded"}`), institution.Busy},
		"our secret":       {responds(401, `{"httpCode":"401","httpMessage":"Unauthorized","moreInformation":"Invalid client id or secret."}`), institution.CertificateRejected},
		"our signature":    {refuses(401, "error.signature.invalid", "x", ""), institution.CertificateRejected},
		"a page":           {responds(404, "<html>lost</html>"), institution.Refused},
		"no status":        {responds(200, `{"session_id":"`+session+`"}`), institution.MalformedResponse},
		"done and no code": {authentication("completed", ""), institution.MalformedResponse},
		"half an answer":   {responds(200, `{"status":"assignment_pen`), institution.MalformedResponse},
	} {
		s := newScripted(t, nil, c.answer)
		a, err := s.AuthorizationStatus(t.Context(), institution.Access{ConsentID: s.open(t, full)}, session, "", true)
		if err == nil || institution.KindOf(err) != c.want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestStartAuthorization_FailsWhileAnotherOrderIsOpen(t *testing.T) {
	s := newScripted(t, nil, refuses(400, "error.bankid.already_in_progress", "x", ""))
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: "r-1", ConsentID: s.open(t, full), PSU: person})
	if err != nil || a.ID == "" || a.State != institution.AuthorizationFailed || a.Failure != consent.AuthenticationConflict {
		t.Errorf("%+v, %v", a, err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"a wrong number":  {refuses(400, "error.validation", "x", "psu_id"), institution.PersonRefused},
		"not a customer":  {refuses(403, "error.resource.denied", "x", ""), institution.PersonRefused},
		"another fault":   {refuses(400, "error.validation", "x", "country"), institution.Refused},
		"our application": {refuses(401, "error.apikey.missing", "x", ""), institution.CertificateRejected},
		"no session":      {responds(200, `{"status":"assignment_pending"}`), institution.MalformedResponse},
	} {
		s := newScripted(t, nil, c.answer)
		if a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person}); err == nil || institution.KindOf(err) != c.want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

var way = institution.Way{State: "st-4f0a", Return: "https://samla.example/callback/se-nordea", Verifier: "v", Nonce: "n"}

func byRedirect(c *nordea.Config) {
	c.Flow, c.CardScopes = "redirect", []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
}

func leads(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

func TestStartAuthorization_HandsThePageToTheBrowser(t *testing.T) {
	page := "https://open.nordea.com/personal/login?ticket=a%2Fb&x=1"
	s := newScripted(t, byRedirect, leads(302, page))
	a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person, Way: way})
	if err != nil || !a.Silent || a.ID != "" || a.StatusLink != "" || a.State != institution.AuthorizationPending || a.Instructions == nil || a.Instructions.RedirectURL != page {
		t.Fatalf("got %+v, %v", a, err)
	}
	if len(s.requests()) != 1 {
		t.Error("the page was asked for")
	}
	r := s.last(t)
	if r.path != "/personal/v5/authorize" {
		t.Errorf("path %s", r.path)
	}
	jsonEqual(t, r.body, `{"country":"SE","duration":43919,"language":"sv","max_tx_history":12,"redirect_uri":"https://samla.example/callback/se-nordea",
		"scope":["ACCOUNTS_BASIC","ACCOUNTS_BALANCES","ACCOUNTS_TRANSACTIONS","ACCOUNTS_DETAILS","CARDS_INFORMATION","CARDS_TRANSACTIONS"],"state":"st-4f0a"}`)
}

func TestStartAuthorization_NamesTheAccountsThatAreAskedFor(t *testing.T) {
	s := newScripted(t, func(c *nordea.Config) {
		c.Flow, c.SkipAccountSelection, c.AuthenticationMethod = "redirect", true, "BANKID_SE"
	}, leads(302, "https://bank.example/"))
	scope := consent.Scope{AccountIDs: []string{"SE35 5000 0000 0549 1000 0003", "4135 13 000 39", "SE06 3000 0000 0000 1234 5674"}}
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, scope), PSU: person, Way: way}); err != nil {
		t.Fatal(err)
	}
	var sent struct {
		AccountList []string `json:"account_list"`
		Scope       []string `json:"scope"`
		Skip        bool     `json:"skip_account_selection"`
		History     int      `json:"max_tx_history"`
		Method      string   `json:"authentication_method"`
	}
	if err := json.Unmarshal([]byte(s.last(t).body), &sent); err != nil {
		t.Fatal(err)
	}
	if strings.Join(sent.AccountList, " ") != "54910000003 41351300039 0012345674" || strings.Join(sent.Scope, " ") != "ACCOUNTS_BASIC ACCOUNTS_DETAILS" ||
		!sent.Skip || sent.History != 0 || sent.Method != "BANKID_SE" {
		t.Errorf("sent %+v", sent)
	}
}

func TestStartAuthorization_CanSkipTheChoiceOfAccounts(t *testing.T) {
	s := newScripted(t, func(c *nordea.Config) { c.Flow, c.SkipAccountSelection = "redirect", true }, leads(302, "https://bank.example/"))
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person, Way: way}); err != nil {
		t.Fatal(err)
	}
	if body := s.last(t).body; !strings.Contains(body, `"account_list":["ALL"]`) || !strings.Contains(body, `"skip_account_selection":true`) {
		t.Errorf("sent %s", body)
	}
}

func TestStartAuthorization_RefusesPagesThatCannotBeOpened(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"none": leads(302, ""), "not https": leads(302, "http://bank.example/"), "a script": leads(302, "javascript:alert(1)"),
		"a path": leads(302, "/login"), "a user": leads(302, "https://a@bank.example/"), "a fragment": leads(302, "https://bank.example/#x"),
		"too long": leads(302, "https://bank.example/?x="+strings.Repeat("a", 5000)), "a page in place": responds(200, `{}`),
	} {
		s := newScripted(t, byRedirect, answer)
		a, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person, Way: way})
		if err == nil || institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%s: %+v, %v", name, a.Instructions, err)
		}
	}
	s := newScripted(t, byRedirect, nil)
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: s.open(t, full), PSU: person}); kindOf(t, err) != institution.Refused {
		t.Errorf("without a way: %v", err)
	}
}

func completion(id consent.RemoteID, brought url.Values) institution.Completion {
	return institution.Completion{ConsentID: id, PSU: person, Way: way, Brought: brought}
}

const bearer = `{"access_token":"nd-at-01","expires_in":3600,"token_type":"Bearer","refresh_token":"nd-rt-01"}`

// Each exchange is a completion of its own, so that each is committed by itself.
func TestComplete_TakesTwoExchangesAfterBankID(t *testing.T) {
	s := newScripted(t, nil, steps(t, responds(200, `{"code":"c-2"}`), responds(200, bearer)))
	id := s.open(t, full)
	first, err := s.Complete(t.Context(), completion(id, url.Values{"code": {"c-1"}}))
	if err != nil || first.State != institution.AuthorizationPending || first.Tokens != nil || len(first.Next) == 0 || len(s.requests()) != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	r := s.last(t)
	if r.path != "/personal/v5/decoupled/authorizations" {
		t.Errorf("path %s", r.path)
	}
	jsonEqual(t, r.body, `{"account_list":["ALL"],"code":"c-1","duration":43919,"max_tx_history":12,"response_type":"nordea_token",
		"scope":["ACCOUNTS_BASIC","ACCOUNTS_BALANCES","ACCOUNTS_TRANSACTIONS","ACCOUNTS_DETAILS"]}`)
	second, err := s.Complete(t.Context(), completion(id, first.Next))
	if err != nil || second.State != institution.AuthorizationDone || second.Tokens == nil || second.Next != nil {
		t.Fatalf("%+v, %v", second, err)
	}
	if got := *second.Tokens; got.Access != "nd-at-01" || got.Refresh != "nd-rt-01" || !got.Until.Equal(noon.Add(time.Hour)) {
		t.Errorf("tokens until %v", got.Until)
	}
	if r := s.last(t); r.path != "/personal/v5/decoupled/token" || r.body != "code=c-2&grant_type=authorization_code" ||
		r.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%s: %s", r.path, r.body)
	}
}

func TestComplete_AsksForTheDurationThatIsLeft(t *testing.T) {
	s := newScripted(t, nil, responds(200, `{"code":"c-2"}`))
	for days, minutes := range map[int]int{0: 719, 30: 43919, 180: 259200, 1000: 259200} {
		opened, err := s.OpenConsent(t.Context(), institution.OpenRequest{RequestID: "r-1", Scope: full, ValidUntil: noon.AddDate(0, 0, days)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Complete(t.Context(), completion(opened.ConsentID, url.Values{"code": {"c-1"}})); err != nil {
			t.Fatal(err)
		}
		var sent struct{ Duration int }
		if err := json.Unmarshal([]byte(s.last(t).body), &sent); err != nil || sent.Duration != minutes {
			t.Errorf("%d days: %d minutes, want %d", days, sent.Duration, minutes)
		}
	}
}

func TestComplete_ExchangesTheCodeOfTheBrowser(t *testing.T) {
	s := newScripted(t, byRedirect, responds(200, bearer))
	done, err := s.Complete(t.Context(), completion(s.open(t, full), url.Values{"code": {"c/1+ å"[:4]}, "state": {way.State}, "more": {"x"}}))
	if err != nil || done.State != institution.AuthorizationDone || done.Tokens == nil {
		t.Fatalf("%+v, %v", done, err)
	}
	r := s.last(t)
	want := "code=c%2F1%2B&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fsamla.example%2Fcallback%2Fse-nordea"
	if r.path != "/personal/v5/authorize/token" || r.body != want {
		t.Errorf("%s: %s", r.path, r.body)
	}
}

// What does not answer our request leads to no token request.
func TestComplete_RefusesWhatAnybodyCouldBring(t *testing.T) {
	for name, c := range map[string]struct {
		brought url.Values
		want    consent.FailureCode
	}{
		"no state":           {url.Values{"code": {"c-1"}}, consent.AuthenticationFailed},
		"another state":      {url.Values{"code": {"c-1"}, "state": {"st-other"}}, consent.AuthenticationFailed},
		"two codes":          {url.Values{"code": {"c-1", "c-2"}, "state": {way.State}}, consent.AuthenticationFailed},
		"two states":         {url.Values{"code": {"c-1"}, "state": {way.State, "x"}}, consent.AuthenticationFailed},
		"a code and a fault": {url.Values{"code": {"c-1"}, "error": {"access_denied"}, "state": {way.State}}, consent.AuthenticationFailed},
		"nothing":            {nil, consent.AuthenticationFailed},
		"the state only":     {url.Values{"state": {way.State}}, consent.AuthenticationFailed},
		"our own words":      {url.Values{"token_code": {"c-1"}, "state": {"st-other"}}, consent.AuthenticationFailed},
		"cancelled":          {url.Values{"error": {"access_denied"}, "state": {way.State}}, consent.AuthenticationCancelled},
		"cancelled, Nordea":  {url.Values{"httpMessage": {"error.session.cancelled"}, "state": {way.State}}, consent.AuthenticationCancelled},
		"without the state":  {url.Values{"httpmessage": {"error.session.cancelled"}}, consent.AuthenticationCancelled},
		"with a wrong state": {url.Values{"httpMessage": {"error.session.cancelled"}, "state": {"st-other"}}, consent.AuthenticationFailed},
		"too late, Nordea":   {url.Values{"httpMessage": {"error.bankid.expired"}, "state": {way.State}}, consent.AuthenticationTimeout},
		"BankID, Nordea":     {url.Values{"httpMessage": {"error.bankid.failed"}, "state": {way.State}}, consent.AuthenticationFailed},
		"a fault of Nordea":  {url.Values{"httpMessage": {"error.server"}, "state": {way.State}}, consent.BankUnavailable},
		"denied, Nordea":     {url.Values{"httpMessage": {"error.resource.denied"}, "state": {way.State}}, consent.Rejected},
		"refused, Nordea":    {url.Values{"httpMessage": {"something"}, "state": {way.State}}, consent.Rejected},
		"refused":            {url.Values{"error": {"invalid_scope"}, "state": {way.State}}, consent.Rejected},
		"not now":            {url.Values{"error": {"temporarily_unavailable"}, "state": {way.State}}, consent.BankUnavailable},
	} {
		s := newScripted(t, byRedirect, nil)
		done, err := s.Complete(t.Context(), completion(s.open(t, full), c.brought))
		if err != nil || done.State != institution.AuthorizationFailed || done.Failure != c.want || len(s.requests()) != 0 {
			t.Errorf("%s: %+v, %v, %d requests", name, done, err, len(s.requests()))
		}
	}
	s := newScripted(t, nil, nil)
	if done, err := s.Complete(t.Context(), completion(s.open(t, full), url.Values{"state": {"x"}})); err != nil || done.State != institution.AuthorizationFailed {
		t.Errorf("decoupled, without a code: %+v, %v", done, err)
	}
	if _, err := s.Complete(t.Context(), completion("b0000000-0000-4000-8000-000000000000", url.Values{"code": {"c"}})); kindOf(t, err) != institution.ConsentGone {
		t.Errorf("an id of somebody else: %v", err)
	}
}

func TestComplete_TellsRefusalsApart(t *testing.T) {
	first, last := url.Values{"code": {"c-1"}}, url.Values{"token_code": {"c-2"}}
	for name, c := range map[string]struct {
		brought url.Values
		answer  http.HandlerFunc
		want    institution.ErrorKind
	}{
		"the code is used":          {last, refuses(400, "error.oauth.code.invalid", "Oauth code expired", ""), institution.SCARequired},
		"the code is too old":       {last, refuses(400, "error.x", "Oauth code expired", ""), institution.SCARequired},
		"our fault":                 {last, refuses(400, "error.validation", "x", "grant_type"), institution.Refused},
		"our secret":                {last, refuses(401, "error.apikey.missing", "x", ""), institution.CertificateRejected},
		"the gateway":               {last, responds(401, `{"httpCode":"401"}`), institution.CertificateRejected},
		"down":                      {last, responds(502, "<html>"), institution.Unreachable},
		"too fast":                  {last, responds(429, `{"httpCode":"429"}`), institution.Busy},
		"no token":                  {last, responds(200, `{"expires_in":3600}`), institution.MalformedResponse},
		"the first code is used":    {first, refuses(400, "error.code.invalid", "x", ""), institution.Refused},
		"the first has no code":     {first, responds(200, `{}`), institution.MalformedResponse},
		"the first, our signature":  {first, refuses(401, "error.signature.invalid", "x", ""), institution.CertificateRejected},
		"the first is out of order": {first, responds(500, ``), institution.Unreachable},
	} {
		s := newScripted(t, nil, c.answer)
		done, err := s.Complete(t.Context(), completion(s.open(t, full), c.brought))
		if err == nil || institution.KindOf(err) != c.want {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
	s := newScripted(t, nil, refuses(400, "error.validation", "x", "account_list[0]"))
	done, err := s.Complete(t.Context(), completion(s.open(t, consent.Scope{AccountIDs: []string{"41351300039"}}), first))
	if err != nil || done.State != institution.AuthorizationFailed || done.Failure != consent.Rejected {
		t.Errorf("accounts of somebody else: %+v, %v", done, err)
	}
}

func companies(c *nordea.Config) { c.Base, c.CompanyID = "business", "5566778899" }

func TestComplete_PicksTheAgreementOfACompany(t *testing.T) {
	two := responds(409, `{"agreements":[{"id":"1234567890","type":"Internetbanken Företag","customer_name":"BOLAGET AB"},{"id":"987","customer_name":"B AB"}]}`)
	s := newScripted(t, func(c *nordea.Config) { companies(c); c.Agreement = "987" }, steps(t, authentication("assignment_pending", ""), two, responds(200, `{"code":"c-2"}`), responds(200, bearer)))
	id := s.open(t, full)
	if _, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: id, PSU: person}); err != nil {
		t.Fatal(err)
	}
	jsonEqual(t, s.last(t).body, `{"authentication_method":"BANKID_SE","company_id":"5566778899","country":"SE","psu_id":"191212121212","response_type":"code"}`)
	next := url.Values{"code": {"c-1"}}
	for i, path := range []string{"/business/v5/decoupled/authorizations", "/business/v5/decoupled/authorizations/987", "/business/v5/decoupled/token"} {
		done, err := s.Complete(t.Context(), completion(id, next))
		if err != nil || (done.State == institution.AuthorizationDone) != (i == 2) || s.last(t).path != path {
			t.Fatalf("%s: %+v, %v", s.last(t).path, done, err)
		}
		if i == 1 {
			jsonEqual(t, s.last(t).body, `{"code":"c-1"}`)
		}
		next = done.Next
	}
	for name, c := range map[string]struct {
		agreement, answer string
		want              string
	}{
		"one":             {"", `{"agreements":[{"id":"5"}]}`, "5"},
		"a wrong one":     {"6", `{"agreements":[{"id":"5"}]}`, ""},
		"several":         {"", `{"agreements":[{"id":"5"},{"id":"6"}]}`, ""},
		"not an id":       {"", `{"agreements":[{"id":"../5"}]}`, ""},
		"the same twice":  {"", `{"agreements":[{"id":"5"},{"id":"5"}]}`, "5"},
		"no list":         {"", `{"agreements":[]}`, ""},
		"a list of texts": {"", `{"agreements":["5"]}`, ""},
	} {
		s := newScripted(t, func(cfg *nordea.Config) { companies(cfg); cfg.Agreement = c.agreement }, responds(409, c.answer))
		done, err := s.Complete(t.Context(), completion(s.open(t, full), url.Values{"code": {"c-1"}}))
		if err != nil || done.Next.Get("agreement") != c.want || (done.State == institution.AuthorizationFailed) != (c.want == "") {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
}

// A conflict that is about something else is a refusal.
func TestComplete_RefusesOtherConflicts(t *testing.T) {
	for _, answer := range []string{`{"error":{"failures":[{"code":"error.conflict"}]}}`, `<html>`, `{"agreements":"5"}`} {
		s := newScripted(t, companies, responds(409, answer))
		if done, err := s.Complete(t.Context(), completion(s.open(t, full), url.Values{"code": {"c-1"}})); err == nil || institution.KindOf(err) != institution.Refused {
			t.Errorf("%s: %+v, %v", answer, done, err)
		}
	}
}

func TestComplete_AsksForCardsWithoutAPage(t *testing.T) {
	s := newEdition(t, nordeaspec.Newer, func(c *nordea.Config) { c.CardScopes = []string{"CARDS_INFORMATION"} }, responds(200, `{"code":"c-2"}`))
	if _, err := s.Complete(t.Context(), completion(s.open(t, full), url.Values{"code": {"c-1"}})); err != nil {
		t.Fatal(err)
	}
	if body := s.last(t).body; !strings.Contains(body, `"account_list":["ALL_WITH_CARDS"]`) || !strings.Contains(body, `"CARDS_INFORMATION"`) {
		t.Errorf("sent %s", body)
	}
}

func TestRefresh_ReplacesTheTokens(t *testing.T) {
	for flow, path := range map[string]string{"decoupled": "/personal/v5/decoupled/token", "redirect": "/personal/v5/authorize/token"} {
		s := newScripted(t, func(c *nordea.Config) { c.Flow = flow }, responds(200, `{"access_token":"nd-at-02","expires_in":"1800","refresh_token":"nd-rt-02"}`))
		tokens, err := s.Refresh(t.Context(), s.access(t))
		if err != nil || tokens.Access != "nd-at-02" || tokens.Refresh != "nd-rt-02" || !tokens.Until.Equal(noon.Add(30*time.Minute)) {
			t.Errorf("%s: %v", flow, err)
		}
		if r := s.last(t); r.path != path || r.body != "grant_type=refresh_token&refresh_token=nd-rt-01" {
			t.Errorf("%s: %s", r.path, r.body)
		}
	}
}

// Only the bank's word about the grant ends it.
func TestRefresh_EndsAConsentForTheGrantOnly(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"invalid":            {refuses(401, "error.token.invalid", "x", ""), institution.ConsentGone},
		"expired":            {refuses(400, "error.token.expired", "x", ""), institution.ConsentGone},
		"in words":           {refuses(400, "error.x", "Refresh token expired.", ""), institution.ConsentGone},
		"of RFC 6749":        {responds(400, `{"error":"invalid_grant"}`), institution.ConsentGone},
		"our certificate":    {refuses(400, "error.certificate", "The client certificate has expired", ""), institution.Refused},
		"our agreement":      {refuses(403, "error.subscription", "Your subscription has expired.", ""), institution.Refused},
		"our secret":         {refuses(401, "error.apikey.missing", "x", ""), institution.CertificateRejected},
		"our signature":      {refuses(401, "error.signature.invalid", "The signature has expired", ""), institution.CertificateRejected},
		"no reason":          {responds(401, ``), institution.CertificateRejected},
		"a fault of ours":    {refuses(400, "error.validation", "x", ""), institution.Refused},
		"a page":             {responds(400, `<html>expired</html>`), institution.Unreachable},
		"down with a reason": {refuses(503, "error.token.invalid", "x", ""), institution.Unreachable},
		"too fast":           {refuses(429, "error.token.invalid", "x", ""), institution.Busy},
		"half an answer":     {responds(200, `{"access_token":"nd`), institution.Unreachable},
	} {
		s := newScripted(t, nil, c.answer)
		tokens, err := s.Refresh(t.Context(), s.access(t))
		if err == nil || institution.KindOf(err) != c.want || tokens.Access != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
