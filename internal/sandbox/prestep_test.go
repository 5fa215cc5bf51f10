package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"samla/internal/visitor"
)

// login has a person log in at the bank like that of docs/reference/families.md 2.6, first table.
func (p *tpp) login(person visitor.Person) (*client, *oauth2.Token) {
	p.Helper()
	root := p.URL() + "/se-demo-prestep/psd2"
	c := p.client(root+"/authorize?bic="+p.behaviour.BIC, root+"/token", "PSD2")
	c.ClientID, c.ClientSecret = "samla-app", "samla-app-secret"
	to := p.walk(p.browser(), c.AuthCodeURL("s1"), person)
	if to.Query().Get("state") != "s1" {
		p.Fatalf("returned to %s", to)
	}
	token, err := c.Exchange(c.ctx(), to.Query().Get("code"))
	if err != nil {
		p.Fatal(err)
	}
	p.bearer = token.AccessToken
	return c, token
}

const accountList = `{"availableAccounts":"allAccounts"}`

// oneOff makes a consent's body one-off.
func oneOff(body string) string {
	return strings.NewReplacer("true", "false", `"frequencyPerDay":4`, `"frequencyPerDay":1`).Replace(body)
}

func TestPreStep_TwoConsents(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep")
	p.call("POST", "consents", consentBody(accountList), "TPP-Redirect-URI", back).wantError(401, "TOKEN_INVALID")
	c, token := p.login(visitor.Person{Number: ester, Phone: visitor.Approve})
	if token.RefreshToken == "" || token.Expiry.IsZero() {
		t.Errorf("%+v", token)
	}
	for _, access := range []string{`{"allPsd2":"allAccounts"}`, `{"accounts":[]}`} {
		p.call("POST", "consents", consentBody(access), "TPP-Redirect-URI", back).wantError(400, "PARAMETER_NOT_SUPPORTED")
	}
	// A list of accounts is there at once, without a signature.
	first := p.create(oneOff(consentBody(accountList)))
	list := first.text("consentId")
	if first.text("consentStatus") != "valid" || first.at("_links", "scaRedirect") != nil || first.header.Get("ASPSP-SCA-Approach") != "" ||
		!strings.HasPrefix(first.text("_links", "self", "href"), "/se-demo-prestep/v5/consents/") {
		t.Fatalf("%s", first.body)
	}
	accounts := p.call("GET", "accounts", "", "Consent-ID", list).want(200)
	iban := accounts.text("accounts", 0, "iban")
	if len(accounts.list("accounts")) != 2 || iban == "" || accounts.at("accounts", 0, "_links", "balances") != nil {
		t.Errorf("%s", accounts.body)
	}
	p.call("GET", "accounts/"+accounts.text("accounts", 0, "resourceId")+"/balances", "", "Consent-ID", list).wantError(401, "CONSENT_INVALID")

	// The second consent names accounts, and is signed on the bank's page.
	second := p.create(consentBody(fmt.Sprintf(`{"accounts":[{"iban":%[1]q}],"balances":[{"iban":%[1]q}],"transactions":[{"iban":%[1]q}]}`, iban)))
	id := second.text("consentId")
	if second.text("consentStatus") != "received" || p.status(list) != "valid" {
		t.Fatalf("%s, the list is %s", second.body, p.status(list))
	}
	var seen []string
	b := w.browser()
	b.Saw = func(*url.URL, int) {
		seen = append(seen, p.call("GET", second.text("_links", "scaStatus", "href"), "").want(200).text("scaStatus"))
	}
	to := w.walk(b, withState(second.text("_links", "scaRedirect", "href"), "s2"), visitor.Person{Phone: visitor.Approve})
	if to.String() != back+"&state=s2" || p.status(id) != "valid" || p.status(list) != "terminatedByTpp" {
		t.Errorf("%s; %s, the list is %s", to, p.status(id), p.status(list))
	}
	for _, status := range []string{"received", "authenticationStarted", "started"} {
		if !strings.Contains(strings.Join(seen, " "), status) {
			t.Errorf("%s was not told: %v", status, seen)
		}
	}
	if got := p.call("GET", "accounts", "", "Consent-ID", id).want(200); len(got.list("accounts")) != 1 {
		t.Errorf("%s", got.body)
	}

	// A refresh answers without a refresh token and a time; the one before goes on.
	next, err := c.refresh(token.RefreshToken)
	if err != nil || !next.Expiry.IsZero() || next.AccessToken == token.AccessToken {
		t.Fatalf("%+v %v", next, err)
	}
	if _, err := c.refresh(token.RefreshToken); err != nil {
		t.Error(err)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	// What a person ends at the bank is the end of the login too.
	if _, err := w.Bank("se-demo-prestep").Revoke(id); err != nil {
		t.Fatal(err)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_INVALID")
}

// Every call needs the bank's query and headers, and the login is one person's.
func TestPreStep_ChecksCalls(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep")
	p.login(visitor.Person{Number: ester, Phone: visitor.Approve})
	id := p.create(oneOff(consentBody(accountList))).text("consentId")
	for name, change := range map[string]func(*http.Request){
		"no bic":      func(r *http.Request) { r.URL.RawQuery = "app-id=samla-app" },
		"other bic":   func(r *http.Request) { r.URL.RawQuery = "app-id=samla-app&bic=SWEDSESS" },
		"no app-id":   func(r *http.Request) { r.URL.RawQuery = "bic=" + p.behaviour.BIC },
		"two app-ids": func(r *http.Request) { r.URL.RawQuery += "&app-id=samla-app" },
		"no date":     func(r *http.Request) { r.Header.Del("Date") },
		"no X-header": func(r *http.Request) { r.Header.Del("X-AffiliatedASPSP-ID") },
	} {
		p.change = change
		for _, path := range []string{"accounts", "consents/" + id} {
			if a := p.call("GET", path, "", "Consent-ID", id); a.status != 400 || a.text("tppMessages", 0, "code") != "FORMAT_ERROR" {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	}
	p.change = nil
	p.call("POST", "consents", consentBody(accountList), "TPP-Redirect-URI", back, "PSU-User-Agent", "").wantError(400, "FORMAT_ERROR")
	p.call("POST", "consents", consentBody(accountList), "TPP-Redirect-URI", back, "PSU-ID", maja).wantError(401, "PSU_CREDENTIALS_INVALID")
	mine := p.bearer
	p.login(visitor.Person{Number: maja, Phone: visitor.Approve})
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_INVALID")
	p.bearer = mine
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)

	// The authorization server: bic, the registered client, its secret.
	root := w.URL() + "/se-demo-prestep/psd2"
	c := p.client(root+"/authorize", root+"/token", "PSD2")
	c.ClientID = "samla-app"
	for _, address := range []string{c.AuthCodeURL("s"), strings.Replace(c.AuthCodeURL("s"), "samla-app", "other", 1) + "&bic=" + p.behaviour.BIC} {
		if a, err := w.browser().Get(t.Context(), address); err != nil || a.StatusCode != 400 {
			t.Errorf("%s: %v", address, err)
		} else {
			_ = a.Body.Close()
		}
	}
	c.ClientSecret = "wrong"
	_, err := c.Exchange(c.ctx(), "code")
	wantOAuthError(t, err, "invalid_client")
	c.Scopes, c.Endpoint.AuthURL = []string{"PSD2sandbox"}, root+"/authorize?bic="+p.behaviour.BIC
	if to := w.walk(w.browser(), c.AuthCodeURL("s"), visitor.Person{}); to.Query().Get("error") != "invalid_scope" {
		t.Errorf("another scope: %s", to)
	}
}

// A person who refuses, or does not come back, gives no token.
func TestPreStep_EndsByHabit(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep")
	root := w.URL() + "/se-demo-prestep/psd2"
	c := p.client(root+"/authorize?bic="+p.behaviour.BIC, root+"/token", "PSD2")
	c.ClientID = "samla-app"
	for person, want := range map[string]string{
		"cancels in BankID": "access_denied", "meets a technical error of the bank": "server_error", "never opens BankID": "access_denied",
	} {
		if to := w.walk(w.browser(), c.AuthCodeURL("s"), habit(t, person)); to.Query().Get("error") != want || to.Query().Get("state") != "s" {
			t.Errorf("%s: %s", person, to)
		}
	}
	b := w.browser()
	first := w.walk(b, c.AuthCodeURL("s"), habit(t, "approves in BankID and on the page"))
	if first.Query().Get("code") == "" {
		t.Errorf("returned to %s", first)
	}
}

// The bank without the person's address after the time of a signature: history ends.
func TestPreStep_TellsOldHistoryForAWhileOnly(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep")
	p.login(visitor.Person{Number: maja, Phone: visitor.Approve})
	account := p.known(maja, "Privatkonto")
	created := p.create(consentBody(fmt.Sprintf(`{"transactions":[{"iban":%q}]}`, account.IBAN)))
	w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), visitor.Person{Phone: visitor.Approve})
	path := "accounts/" + account.ID + "/transactions?bookingStatus=booked&dateFrom="
	id := created.text("consentId")
	old, recent := "2025-06-01", "2026-02-01"
	p.call("GET", path+old, "", "Consent-ID", id).want(200)
	p.call("GET", path+old, "", "Consent-ID", id, "PSU-IP-Address", "").wantError(401, "CONSENT_INVALID")
	w.clock.Advance(16 * time.Minute)
	p.call("GET", path+old, "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	p.call("GET", path+recent, "", "Consent-ID", id).want(200)
}

// appLogin has a person log in at the bank like that of docs/reference/families.md 2.6, last table, as its
// documentation says: CODE in capitals, no method of the challenge, no redirect_uri.
func (p *tpp) appLogin(person visitor.Person, change func(authorize, token url.Values)) (status int, body string) {
	p.Helper()
	verifier := oauth2.GenerateVerifier()
	query := url.Values{
		"client_id": {organization}, "scope": {"DEDICATED_AISP"}, "code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)},
		"redirect_uri": {back}, "response_type": {"CODE"}, "state": {"s1"},
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code_verifier": {verifier}, "role": {"DEDICATED_AISP"}}
	if change != nil {
		change(query, form)
	}
	to := p.walk(p.browser(), p.URL()+"/se-demo-prestep-decoupled/oauth2/authorize?"+query.Encode(), person)
	form.Set("code", to.Query().Get("code"))
	return p.appToken(form)
}

func (p *tpp) appToken(form url.Values) (status int, body string) {
	p.Helper()
	role := url.Values{"role": form["role"]}
	form.Del("role")
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", p.URL()+"/se-demo-prestep-decoupled/oauth2/token?"+role.Encode(), strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := p.http.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	text, _ := io.ReadAll(a.Body)
	p.bearer = response{p.TB, 0, nil, text}.text("access_token")
	return a.StatusCode, string(text)
}

func TestPreStep_ConsentInTheApp(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep-decoupled")
	p.change = func(r *http.Request) { // the bank reads no signature
		r.Header.Del("Signature")
		r.Header.Del("Digest")
	}
	status, body := p.appLogin(visitor.Person{Number: ester, Phone: visitor.Approve}, nil)
	if status != 200 || !strings.Contains(body, `"token_type":"bearer"`) || !strings.Contains(body, `"expires_in":900`) {
		t.Fatalf("%d %s", status, body)
	}
	p.call("POST", "consents", consentBody(accountList)).wantError(400, "PARAMETER_NOT_SUPPORTED")
	created := p.call("POST", "consents", allAccounts).want(201)
	id := created.text("consentId")
	if links, _ := created.at("_links").(map[string]any); len(links) != 1 || created.text("_links", "status", "href") == "" ||
		created.header.Get("ASPSP-SCA-Approach") != "DECOUPLED" || created.at("challengeData") != nil || created.text("consentStatus") != "received" {
		t.Fatalf("%s", created.body)
	}
	if n := len(p.call("GET", "consents/"+id+"/authorisations", "").want(200).list("authorisationIds")); n != 1 {
		t.Errorf("%d authorisations", n)
	}
	// BankID's order waits for the person, again and again for five minutes.
	for range 4 {
		w.clock.Advance(40 * time.Second)
		if got := p.status(id); got != "received" {
			t.Fatalf("status %s", got)
		}
	}
	w.phone(fmt.Sprintf(`{"action":"approve","personalNumber":%q}`, ester)).want(200)
	if got := p.status(id); got != "valid" {
		t.Fatalf("status %s", got)
	}
	// No cards, spaces without IBAN, the expected balance only.
	list := p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	spaces := 0
	for i := range list.list("accounts") {
		if list.text("accounts", i, "cashAccountType") == "TRAN" {
			spaces++
			if list.at("accounts", i, "iban") != nil || list.at("accounts", i, "bban") != nil {
				t.Errorf("%s", list.body)
			}
		}
	}
	account := list.text("accounts", 0, "resourceId")
	balances := p.call("GET", "accounts/"+account+"/balances", "", "Consent-ID", id).want(200)
	if spaces != 1 || len(balances.list("balances")) != 1 || balances.text("balances", 0, "balanceType") != "expected" {
		t.Errorf("%s %s", list.body, balances.body)
	}
	p.call("GET", "accounts?withBalance=true", "", "Consent-ID", id).wantError(400, "PARAMETER_NOT_SUPPORTED")
	path := "accounts/" + account + "/transactions?dateFrom=2026-03-01&bookingStatus="
	information := p.call("GET", path+"information", "", "Consent-ID", id).want(200)
	if information.at("transactions", "booked") != nil || information.at("transactions", "pending") != nil {
		t.Errorf("%s", information.body)
	}
	p.call("GET", path+"pending", "", "Consent-ID", id).wantError(400, "PARAMETER_NOT_SUPPORTED")

	late := p.call("POST", "consents", allAccounts).want(201).text("consentId")
	w.clock.Advance(5*time.Minute + time.Second)
	if got := p.status(late); got != "rejected" {
		t.Errorf("after five minutes: %s", got)
	}
	w.clock.Advance(10 * time.Minute)
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_EXPIRED")
}

// What this bank's authorization server wants differs from the standard.
func TestPreStep_AppLoginIsParticular(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-prestep-decoupled")
	person := habit(t, "approves in BankID and on the page")
	for name, tt := range map[string]struct {
		change func(authorize, token url.Values)
		want   string
	}{
		"small letters":   {func(a, _ url.Values) { a.Set("response_type", "code") }, "invalid_request"},
		"no role":         {func(_, f url.Values) { f.Del("role") }, "invalid_request"},
		"wrong verifier":  {func(_, f url.Values) { f.Set("code_verifier", strings.Repeat("a", 43)) }, `"userMessage"`},
		"with address":    {func(_, f url.Values) { f.Set("redirect_uri", back) }, "access_token"},
		"another address": {func(_, f url.Values) { f.Set("redirect_uri", back+"&x") }, `"userMessage"`},
		"with method":     {func(a, _ url.Values) { a.Set("code_challenge_method", "S256") }, "access_token"},
	} {
		if _, body := p.appLogin(person, tt.change); !strings.Contains(body, tt.want) {
			t.Errorf("%s: %s", name, body)
		}
	}
}
