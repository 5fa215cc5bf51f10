package nordea_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

func redirect(country, scopes string, more ...string) string {
	return `{"country":"` + country + `","duration":129600,"redirect_uri":"` + redirectURI + `","scope":[` + scopes + `],"state":"s-1"` + strings.Join(more, "") + `}`
}

// abroad walks the redirect flow in a country, without a browser: the page tells the bank a
// decision with all accounts.
func (c *client) abroad(person, country, scopes string, more ...string) *client {
	c.Helper()
	page := c.call("POST", "/personal/v5/authorize", redirect(country, scopes, append(more, `,"max_tx_history":12`)...)).want(302).header.Get("Location")
	id := page[strings.LastIndexByte(page, '/')+1:]
	h := nordea.Host(c.Bank)
	list, err := h.Accounts(id, person)
	if err != nil {
		c.Fatal(err)
	}
	d := bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: person}
	for _, a := range list {
		d.Accounts = append(d.Accounts, a.ID)
	}
	to, err := h.Decide(id, d)
	if err != nil {
		c.Fatal(err)
	}
	if again, err := h.Decide(id, d); err != nil || again != to {
		c.Fatalf("the second decision returns to %s, %v", again, err)
	}
	u, err := url.Parse(to)
	if err != nil {
		c.Fatal(err)
	}
	return c.as(c.redeem(u.Query().Get("code"), redirectURI).want(200).text("access_token"))
}

func (c *client) redeem(code, uri string) response {
	c.Helper()
	return c.call("POST", "/personal/v5/authorize/token", "code="+url.QueryEscape(code)+"&grant_type=authorization_code&redirect_uri="+url.QueryEscape(uri))
}

// visit walks the bank's page in a browser and returns the query with which it comes back.
func (c *client) visit(location string, p visitor.Person) (url.Values, error) {
	c.Helper()
	return c.visitWith(c.browser(), location, p)
}

func (c *client) browser() *visitor.Browser {
	return visitor.New(c.server.Client().Transport, c.clock, c.server.URL)
}

func (c *client) visitWith(b *visitor.Browser, location string, p visitor.Person) (url.Values, error) {
	c.Helper()
	to, err := b.Visit(c.Context(), location, p)
	if err != nil {
		return nil, err
	}
	if got, _, _ := strings.Cut(to.String(), "?"); got != redirectURI {
		c.Fatalf("returned to %s", to)
	}
	return to.Query(), nil
}

func fast(t *testing.T, change func(*nordea.Config)) *client {
	t.Helper()
	return startAt(t, clock.NewFast(startTime, 200), change).client()
}

func TestRedirect_TakesThePersonToTheTokens(t *testing.T) {
	c := fast(t, nil)
	cards := all + `,"CARDS_INFORMATION","CARDS_TRANSACTIONS"`
	page := c.call("POST", "/personal/v5/authorize", redirect("SE", cards)).want(302).header.Get("Location")
	if !strings.HasPrefix(page, c.server.URL+"/se-demo-nordea/login/") {
		t.Fatalf("Location %s", page)
	}
	browser := c.browser()
	back, err := c.visitWith(browser, page, visitor.Person{Number: maja, Phone: visitor.Approve})
	if err != nil {
		t.Fatal(err)
	}
	if back.Get("state") != "s-1" || back.Get("code") == "" || len(back) != 2 {
		t.Fatalf("came back with %v", back)
	}
	again, err := c.visitWith(browser, page, visitor.Person{})
	if err != nil || again.Get("code") != back.Get("code") {
		t.Errorf("a reload comes back with %v, %v", again, err)
	}
	c.redeem(back.Get("code"), redirectURI+"/other").wantError(400, "error.code.invalid")
	c.call("POST", "/personal/v5/authorize/token", "code="+back.Get("code")+"&grant_type=authorization_code").wantError(400, "error.code.invalid")
	c.exchange(back.Get("code")).wantError(400, "error.code.invalid") // of the other flow
	tokens := c.redeem(back.Get("code"), redirectURI).want(200)
	c.redeem(back.Get("code"), redirectURI).wantError(400, "error.code.invalid")
	r := c.as(tokens.text("access_token"))
	if got := len(r.call("GET", accounts, "").want(200).list("response", "accounts")); got != 2 {
		t.Errorf("%d accounts", got)
	}
	if got := len(r.call("GET", "/personal/v4/cards", "").want(200).list("response", "cards")); got != 1 {
		t.Errorf("%d cards", got)
	}
	c.refresh(tokens.text("refresh_token")).wantError(401, "error.token.invalid") // of the other flow
	c.call("POST", "/personal/v5/authorize/token", "grant_type=refresh_token&refresh_token="+tokens.text("refresh_token")).want(200)
}

func TestRedirect_SharesWhatIsChosen(t *testing.T) {
	c := fast(t, nil)
	list := c.reader(maja, all).call("GET", accounts, "").want(200).list("response", "accounts")
	saving := list[1]["_id"].(string)
	page := c.call("POST", "/personal/v5/authorize", redirect("SE", all)).want(302).header.Get("Location")
	back, err := c.visit(page, visitor.Person{Number: maja, Phone: visitor.Approve, Chooses: []string{saving}})
	if err != nil {
		t.Fatal(err)
	}
	r := c.as(c.redeem(back.Get("code"), redirectURI).want(200).text("access_token"))
	got := r.call("GET", accounts, "").want(200).list("response", "accounts")
	if len(got) != 1 || got[0]["_id"] != saving {
		t.Errorf("shared %v", got)
	}
	r.call("GET", accounts+"/"+list[0]["_id"].(string), "").wantError(403, "error.resource.denied")
}

// With a list the page offers only its accounts; without the selection it shares them all.
func TestRedirect_FollowsTheList(t *testing.T) {
	c := fast(t, nil)
	number := c.reader(maja, all).call("GET", accounts, "").want(200).text("response", "accounts", 1, "account_numbers", 0, "value")
	for _, more := range []string{`,"account_list":["` + number + `"]`, `,"account_list":["` + number + `"],"skip_account_selection":true`} {
		page := c.call("POST", "/personal/v5/authorize", redirect("SE", all, more)).want(302).header.Get("Location")
		back, err := c.visit(page, visitor.Person{Number: maja, Phone: visitor.Approve})
		if err != nil {
			t.Fatal(err)
		}
		r := c.as(c.redeem(back.Get("code"), redirectURI).want(200).text("access_token"))
		if got := r.call("GET", accounts, "").want(200).list("response", "accounts"); len(got) != 1 || got[0]["account_type"] != "Savings" {
			t.Errorf("%s: shared %v", more, got)
		}
	}
	page := c.call("POST", "/personal/v5/authorize", redirect("SE", all, `,"account_list":["ALL"],"skip_account_selection":true`)).want(302).header.Get("Location")
	v, err := nordea.Host(c.Bank).Visit(page[strings.LastIndexByte(page, '/')+1:])
	if err != nil || v.Choose {
		t.Errorf("the page lets choose: %+v, %v", v, err)
	}
	back, err := c.visit(page, visitor.Person{Number: maja, Phone: visitor.Approve})
	if err != nil {
		t.Fatal(err)
	}
	r := c.as(c.redeem(back.Get("code"), redirectURI).want(200).text("access_token"))
	if got := r.call("GET", accounts, "").want(200).list("response", "accounts"); len(got) != 2 {
		t.Errorf("shared %v", got)
	}
}

// Persons with a habit reach their end.
func TestRedirect_EndsByHabit(t *testing.T) {
	want := map[string]string{
		"189001019802": "", "189001029819": "error.session.cancelled", "189001039800": "error.bankid.expired", "189001049809": "error.bankid.expired",
		"189001059808": "error.server", "189001069815": "error.session.cancelled", "189001079806": "error.resource.denied", "189001089813": "error.server",
		"189001099812": "stays", "189001109801": "error.bankid.failed",
	}
	for _, h := range persona.Habits() {
		t.Run(h.Shows, func(t *testing.T) {
			t.Parallel()
			c := fast(t, nil)
			page := c.call("POST", "/personal/v5/authorize", redirect("SE", all)).want(302).header.Get("Location")
			back, err := c.visit(page, visitor.Person{Number: h.Number})
			expected, known := want[h.Number]
			switch {
			case !known:
				t.Fatal("no end is expected")
			case expected == "stays":
				if !errors.Is(err, visitor.ErrStays) || len(c.Grants()) != 1 {
					t.Errorf("%v, %v, %d grants", back, err, len(c.Grants()))
				}
			case err != nil:
				t.Fatal(err)
			case back.Get("httpMessage") != expected || (back.Get("code") == "") != (expected != "") || back.Get("state") != "s-1":
				t.Errorf("came back with %v, want %s", back, expected)
			}
			if expected != "" && expected != "stays" && len(c.Grants()) != 0 {
				t.Error("a grant was made")
			}
		})
	}
}

func TestRedirect_ChecksTheRequest(t *testing.T) {
	c := start(t, nil).client()
	request := redirect("SE", all)
	for name, change := range map[string][2]string{
		"unknown country":       {`"SE"`, `"IS"`},
		"no state":              {`,"state":"s-1"`, ``},
		"address of another":    {redirectURI, `https://other.example/back`},
		"address with a suffix": {redirectURI, redirectURI + "/x"},
		"address, other port":   {redirectURI, strings.Replace(redirectURI, "example/", "example:8443/", 1)},
		"loopback, other path":  {redirectURI, `http://127.0.0.1:8080/callback/other`},
		"duration":              {`129600`, `259201`},
		"scope":                 {`"ACCOUNTS_BASIC",`, ``},
		"withdrawn method":      {`"state"`, `"authentication_method":"QR_RDR","state"`},
		"method of a country":   {`"state"`, `"authentication_method":"BANKID_NO","state"`},
		"language":              {`"state"`, `"language":"de","state"`},
		"history":               {`"state"`, `"max_tx_history":13,"state"`},
		"skip without a list":   {`"state"`, `"skip_account_selection":true,"state"`},
		"skip with cards":       {all, `"CARDS_INFORMATION"`},
		"company of a person":   {`"state"`, `"company_id":"5560360793","state"`},
	} {
		body := strings.Replace(request, change[0], change[1], 1)
		if name == "skip with cards" {
			body = strings.Replace(body, `"state"`, `"skip_account_selection":true,"account_list":["ALL"],"state"`, 1)
		}
		if body == request {
			t.Fatal(name)
		}
		a := c.call("POST", "/personal/v5/authorize", body)
		if a.status != 400 || a.text("error", "failures", 0, "code") != "error.validation" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	c.call("POST", "/personal/v5/authorize", strings.Replace(request, redirectURI, "http://127.0.0.1:40123/callback/nordea", 1)).want(302)
}

func TestRegister_AddsAnAddress(t *testing.T) {
	c := start(t, nil).client()
	request := strings.Replace(redirect("SE", all), redirectURI, "https://new.example/back", 1)
	c.call("POST", "/personal/v5/authorize", request).want(400)
	for _, bad := range []string{"", "/back", "https://new.example/back#x"} {
		if c.Register("app-1", bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if c.Register("app-3", "https://new.example/back") == nil {
		t.Error("an unknown application is accepted")
	}
	if err := c.Register("app-1", "https://new.example/back"); err != nil {
		t.Fatal(err)
	}
	c.call("POST", "/personal/v5/authorize", request).want(302)
	c.restart()
	c.call("POST", "/personal/v5/authorize", request).want(302)
}

func TestPage_IsUnknownWithoutAVisit(t *testing.T) {
	c := start(t, nil).client()
	if _, err := nordea.Host(c.Bank).Visit("unknown"); !errors.Is(err, bankpage.ErrNoVisit) {
		t.Errorf("%v", err)
	}
	got, err := c.server.Client().Get(c.server.URL + c.PagePath("unknown"))
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != 404 {
		t.Errorf("status %d", got.StatusCode)
	}
}

func TestVisit_EndsAfterAQuarterOfAnHour(t *testing.T) {
	c := start(t, nil).client()
	page := c.call("POST", "/personal/v5/authorize", redirect("SE", all)).want(302).header.Get("Location")
	c.advance(15 * time.Minute)
	back, err := c.visit(page, visitor.Person{Number: maja})
	if err != nil || back.Get("httpMessage") != "error.bankid.expired" {
		t.Errorf("%v %v", back, err)
	}
}

const agreementsPath = "/business/v5/decoupled/authorizations"

func (c *client) businessCode(person, company string) string {
	c.Helper()
	l := c.call("POST", "/business/v5/decoupled/authentications",
		`{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"`+person+`","company_id":"`+company+`"}`).want(200)
	c.phone(l.text("auto_start_token"), "approve")
	return c.call("GET", "/business/v5/decoupled/authentications/"+l.text("session_id"), "").want(200).text("code")
}

func TestBusiness_ChoosesAnAgreement(t *testing.T) {
	c := start(t, nil).client()
	kinds := []string{"[Current Current]", "[Savings Savings Savings]"}
	var ids []string
	for i, kind := range kinds {
		code := c.businessCode(elsa, "5560360793")
		c.call("POST", agreementsPath+"/"+strings.Repeat("1", 10), `{"code":"`+code+`"}`).wantError(400, "error.code.invalid") // nothing to choose yet
		conflict := c.call("POST", agreementsPath, authorization(code, all)).want(409)
		list := conflict.list("agreements")
		if len(list) != 2 || list[0]["id"] == list[1]["id"] || list[i]["type"] == "" || list[i]["customer_name"] == "" {
			t.Fatalf("%s", conflict.body)
		}
		ids = append(ids, list[i]["id"].(string))
		c.call("POST", agreementsPath+"/unknown", `{"code":"`+code+`"}`).wantError(404, "error.resource.notfound")
		grant := c.call("POST", agreementsPath+"/"+list[i]["id"].(string), `{"code":"`+code+`"}`).want(200).text("code")
		c.call("POST", agreementsPath+"/"+list[i]["id"].(string), `{"code":"`+code+`"}`).wantError(400, "error.code.invalid")
		tokens := c.call("POST", "/business/v5/decoupled/token", "code="+grant+"&grant_type=authorization_code").want(200)
		r := c.as(tokens.text("access_token"))
		var got []string
		for _, a := range r.call("GET", "/business/v4/accounts", "").want(200).list("response", "accounts") {
			got = append(got, a["account_type"].(string))
			r.call("GET", "/business/v4/accounts/"+a["_id"].(string)+"/transactions", "").want(200)
		}
		if fmt.Sprint(got) != kind {
			t.Errorf("agreement %d: accounts %v, want %s", i, got, kind)
		}
		r.call("GET", "/business/v5/accounts", "").wantError(404, "error.resource.notfound")
		r.call("GET", "/business/v4/cards", "").wantError(404, "error.resource.notfound")
		r.call("GET", "/personal/v4/accounts", "").wantError(401, "error.token.invalid")
	}
	if ids[0] == ids[1] {
		t.Error("the agreements have one id")
	}
}

func TestBusiness_OfASoleTraderNeedsNoChoice(t *testing.T) {
	c := start(t, nil).client()
	code := c.businessCode(maja, maja)
	c.call("POST", agreementsPath, authorization(code, all)).want(200)
}

func TestBusiness_NeedsACompany(t *testing.T) {
	c := start(t, nil).client()
	for _, company := range []string{`""`, `"556036079"`, `"55603607931"`, `"55603607AB"`} {
		c.call("POST", "/business/v5/decoupled/authentications",
			`{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","company_id":`+company+`}`).wantError(400, "error.validation")
	}
	c.call("POST", "/personal/v5/decoupled/authentications",
		`{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","company_id":"5560360793"}`).wantError(400, "error.validation")
	for country, company := range map[string]string{"SE": "5560360793", "NO": "123456789", "DK": "12345678", "FI": "12345678"} {
		c.call("POST", "/business/v5/authorize", redirect(country, all, `,"company_id":"`+company+`"`)).want(302)
		c.call("POST", "/business/v5/authorize", redirect(country, all, `,"company_id":"`+company+`0"`)).want(400)
	}
}

func TestCards_AreSharedByScope(t *testing.T) {
	c := start(t, nil).client()
	none := c.reader(maja, all)
	none.call("GET", "/personal/v4/cards", "").wantError(403, "error.resource.denied")
	r := c.abroad(maja, "SE", `"CARDS_INFORMATION"`)
	for _, version := range []string{"v4", "v5"} {
		root := "/personal/" + version + "/cards"
		list := r.call("GET", root, "").want(200).list("response", "cards")
		if len(list) != 1 {
			t.Fatalf("%d cards", len(list))
		}
		card := list[0]
		parallel, _ := card["parallel_cards"].([]any)
		second, _ := parallel[0].(map[string]any)
		if second["id"] == card["id"] || second["main_cardholder_name"] != card["cardholder_name"] || second["cardholder_name"] == card["cardholder_name"] ||
			second["masked_credit_card_number"] == card["masked_credit_card_number"] || second["credit_account_number"] != card["credit_account_number"] {
			t.Errorf("parallel card %v of %v", second, card)
		}
		id := card["id"].(string)
		r.call("GET", root+"/"+id, "").want(200)
		r.call("GET", root+"/"+id+"/transactions", "").wantError(403, "error.resource.denied")
		r.call("GET", root+"/unknown", "").wantError(404, "error.resource.notfound")
	}
	r.call("GET", accounts, "").wantError(403, "error.resource.denied")
	id := r.call("GET", "/personal/v4/cards", "").want(200).text("response", "cards", 0, "id")
	c.abroad(elsa, "SE", `"CARDS_INFORMATION"`).call("GET", "/personal/v4/cards/"+id, "").wantError(403, "error.resource.denied")
}

func TestCardTransactions_HaveTheirKeyInTheResponse(t *testing.T) {
	c := start(t, nil).client()
	r := c.abroad(maja, "SE", `"CARDS_INFORMATION","CARDS_TRANSACTIONS"`)
	id := r.call("GET", "/personal/v4/cards", "").want(200).text("response", "cards", 0, "id")
	path := "/personal/v4/cards/" + id + "/transactions"
	first := r.call("GET", path, "").want(200)
	if first.at("group_header", "message_pagination") != nil || first.text("response", "continuation_key") == "" {
		t.Errorf("%s", first.body)
	}
	foreign, payments := 0, 0
	rows := r.rows(path + "?")
	for _, row := range rows {
		if row["original_currency"] == "EUR" && row["original_amount"] != nil {
			foreign++
		}
		if row["transaction_type"] == "Payment" {
			payments++
		}
	}
	if len(rows) < 60 || foreign == 0 || payments == 0 {
		t.Errorf("%d rows, %d of them foreign, %d payments", len(rows), foreign, payments)
	}
	if got := len(r.rows(path + "?from_date=2026-03-01&to_date=2026-03-07&")); got == 0 || got >= len(rows) {
		t.Errorf("%d rows of a week", got)
	}
	r.call("GET", path+"?continuation_key=x", "").wantError(400, "error.validation")
}
