package nordea_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/persona"
)

// The statuses of a login, with a QR text for each second until the app is open.
func TestLogin_ShowsItsProgress(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	if l.text("status") != "assignment_pending" || l.text("auto_start_token") == "" || !strings.HasPrefix(l.text("qr_data"), "bankid.") {
		t.Fatalf("started: %s", l.body)
	}
	if got := l.at("verify_after"); got == nil || got.(interface{ String() string }).String() != "2000" {
		t.Errorf("verify_after %v", got)
	}
	c.advance(2 * time.Second)
	second := c.poll(l.text("session_id")).want(200)
	if second.text("qr_data") == l.text("qr_data") || second.text("auto_start_token") != l.text("auto_start_token") {
		t.Errorf("after two seconds: %s", second.body)
	}
	if _, err := c.bankID.Act(bankid.PhoneAction{Action: bankid.Open, QRData: second.text("qr_data")}); err != nil {
		t.Fatalf("the phone does not accept the QR text: %v", err)
	}
	opened := c.poll(l.text("session_id")).want(200)
	if opened.text("status") != "confirmation_pending" || opened.at("qr_data") != nil {
		t.Errorf("opened: %s", opened.body)
	}
	c.phone(l.text("auto_start_token"), bankid.Approve)
	done := c.poll(l.text("session_id")).want(200)
	if done.text("status") != "completed" || done.text("code") == "" || done.at("auto_start_token") != nil {
		t.Errorf("signed: %s", done.body)
	}
	if again := c.poll(l.text("session_id")).want(200); again.text("code") != done.text("code") {
		t.Error("a repeated poll has another code")
	}
}

func TestLogin_WithoutPersonTakesWhoeverSigns(t *testing.T) {
	c := start(t, nil).client()
	l := c.call("POST", "/personal/v5/decoupled/authentications", `{"authentication_method":"BANKID_SE","country":"SE","response_type":"code"}`).want(200)
	if _, err := c.bankID.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: l.text("auto_start_token"), PersonalNumber: ester}); err != nil {
		t.Fatal(err)
	}
	code := c.poll(l.text("session_id")).want(200).text("code")
	a := c.call("POST", "/personal/v5/decoupled/authorizations", authorization(code, all)).want(200)
	r := c.as(c.exchange(a.text("code")).want(200).text("access_token"))
	if got := r.call("GET", "/personal/v5/accounts", "").want(200).text("response", "accounts", 0, "account_name"); got != "BERGSTRÖM, ESTER" {
		t.Errorf("the accounts of %q", got)
	}
}

func TestLogin_WithPersonRefusesAnother(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	if _, err := c.bankID.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: l.text("auto_start_token"), PersonalNumber: ester}); err == nil {
		t.Error("another person signed")
	}
}

func TestLogin_EndsInAnError(t *testing.T) {
	cases := []struct {
		name   string
		number string
		act    func(*client, string)
		status int
		code   string
	}{
		{"not opened", maja, func(c *client, _ string) { c.advance(31 * time.Second) }, 400, "error.bankid.expired"},
		{"not signed", maja, func(c *client, token string) { c.phone(token, bankid.Open); c.advance(181 * time.Second) }, 400, "error.bankid.expired"},
		{"cancelled", maja, func(c *client, token string) { c.phone(token, bankid.Decline) }, 400, "error.session.cancelled"},
		{"blocked BankID", "189001059808", func(c *client, _ string) { c.advance(3 * time.Second) }, 400, "error.bankid.failed"},
		{"technical error", "189001089813", func(c *client, _ string) { c.advance(3 * time.Second) }, 500, "error.server"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			c := start(t, nil).client()
			l := c.login(k.number)
			k.act(c, l.text("auto_start_token"))
			for range 2 { // the end stays the same
				c.poll(l.text("session_id")).wantError(k.status, k.code)
			}
		})
	}
}

// Persons with a habit reach their end without anybody who acts for them.
func TestLogin_EndsByHabit(t *testing.T) {
	want := map[string]string{
		"189001019802": "completed", "189001029819": "error.session.cancelled", "189001039800": "error.bankid.expired", "189001049809": "error.bankid.expired",
		"189001059808": "error.bankid.failed", "189001069815": "completed", "189001079806": "completed", "189001089813": "error.server",
		"189001099812": "completed", "189001109801": "error.bankid.expired", // another person signs than the one who must
	}
	for _, h := range persona.Habits() {
		t.Run(h.Shows, func(t *testing.T) {
			c := start(t, nil).client()
			l := c.login(h.Number)
			got := ""
			for i := 0; i < 120 && got == ""; i++ {
				c.advance(2 * time.Second)
				a := c.poll(l.text("session_id"))
				if got = a.text("error", "failures", 0, "code"); a.text("status") == "completed" {
					got = "completed"
				}
			}
			if got != want[h.Number] {
				t.Errorf("%q, want %q", got, want[h.Number])
			}
			if early := c.Stats().EarlyPolls; early != 0 {
				t.Errorf("%d early polls", early)
			}
		})
	}
}

func TestLogin_CancelledStatusIsASwitch(t *testing.T) {
	c := start(t, func(c *nordea.Config) { c.CancelledStatus = true }).client()
	l := c.login(maja)
	c.phone(l.text("auto_start_token"), bankid.Decline)
	if got := c.poll(l.text("session_id")).want(200); got.text("status") != "cancelled" || got.text("code") != "" {
		t.Errorf("%s", got.body)
	}
}

func TestLogin_CancelsAnotherInProgress(t *testing.T) {
	c := start(t, nil).client()
	first := c.login(maja)
	c.call("POST", "/personal/v5/decoupled/authentications",
		`{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"`+maja+`"}`).wantError(400, "error.bankid.already_in_progress")
	c.poll(first.text("session_id")).wantError(400, "error.session.cancelled")
}

func TestLogin_CountsEarlyPolls(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	for _, pause := range []time.Duration{0, 2 * time.Second, 2*time.Second - 1, 3 * time.Second, 0} {
		c.advance(pause)
		c.poll(l.text("session_id")).want(200)
	}
	if got := c.Stats().EarlyPolls; got != 2 {
		t.Errorf("%d early polls, want 2", got)
	}
}

func TestLogin_IsKnownToItsApplicationOnly(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	other := *c
	other.app, other.secret = "app-2", "secret-2"
	other.poll(l.text("session_id")).wantError(404, "error.resource.notfound")
	c.poll("unknown").wantError(404, "error.resource.notfound")
	c.call("GET", "/business/v5/decoupled/authentications/"+l.text("session_id"), "").wantError(404, "error.resource.notfound")
}

// A code works once, for its application, in its step, for five minutes.
func TestCode_WorksOnce(t *testing.T) {
	const path = "/personal/v5/decoupled/authorizations"
	c := start(t, nil).client()
	other := *c
	other.app, other.secret = "app-2", "secret-2"

	first := c.code(maja)
	other.call("POST", path, authorization(first, all)).wantError(400, "error.code.invalid")
	c.exchange(first).wantError(400, "error.code.invalid")
	c.call("POST", "/business/v5/decoupled/authorizations", authorization(first, all)).wantError(400, "error.code.invalid")
	second := c.call("POST", path, authorization(first, all)).want(200).text("code")
	c.call("POST", path, authorization(first, all)).wantError(400, "error.code.invalid")
	c.call("POST", path, authorization(second, all)).wantError(400, "error.code.invalid")

	other.exchange(second).wantError(400, "error.code.invalid")
	c.call("POST", "/personal/v5/authorize/token", "code="+second+"&grant_type=authorization_code").wantError(400, "error.code.invalid")
	c.exchange(second).want(200)
	c.exchange(second).wantError(400, "error.code.invalid")

	late := c.code(ester)
	c.advance(5 * time.Minute)
	c.call("POST", path, authorization(late, all)).wantError(400, "error.code.invalid")
	third := c.call("POST", path, authorization(c.code(ester), all)).want(200).text("code")
	c.advance(5 * time.Minute)
	c.exchange(third).wantError(400, "error.code.invalid")
}

func TestAuthorize_ChecksTheRequest(t *testing.T) {
	c := start(t, nil).client()
	code := c.code(maja)
	request := authorization(code, all)
	for name, change := range map[string][2]string{
		"no duration":         {`"duration":129600,`, ``},
		"duration 0":          {`129600`, `0`},
		"duration too long":   {`129600`, `259201`},
		"history 0":           {`"response_type"`, `"max_tx_history":0,"response_type"`},
		"history too long":    {`"response_type"`, `"max_tx_history":13,"response_type"`},
		"no basic scope":      {`"ACCOUNTS_BASIC",`, ``},
		"no scope":            {all, ``},
		"unknown scope":       {`"ACCOUNTS_BALANCES"`, `"ACCOUNTS_ALL"`},
		"scope twice":         {`"ACCOUNTS_BALANCES"`, `"ACCOUNTS_BASIC"`},
		"cards":               {`"ACCOUNTS_BALANCES"`, `"CARDS_INFORMATION"`},
		"all with cards":      {`"ALL"`, `"ALL_WITH_CARDS"`},
		"no accounts":         {`["ALL"]`, `[]`},
		"other response type": {`nordea_token`, `token`},
		"unknown member":      {`"code"`, `"consent":1,"code"`},
		"two values":          {`}`, `}{}`},
	} {
		body := strings.Replace(request, change[0], change[1], 1)
		if body == request {
			t.Fatal(name)
		}
		a := c.call("POST", "/personal/v5/decoupled/authorizations", body)
		if a.status != 400 || a.text("error", "failures", 0, "code") != "error.validation" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	c.call("POST", "/personal/v5/decoupled/authorizations", strings.Replace(request, `"ALL"`, `"54910000003"`, 1)).wantError(403, "error.resource.denied")
	c.call("POST", "/personal/v5/decoupled/authorizations", request).want(200) // none of that used the code
}

func TestAuthorize_DeniesCustomerWithOpenQuestions(t *testing.T) {
	c := start(t, nil).client()
	l := c.login("189001079806")
	c.advance(3 * time.Second)
	code := c.poll(l.text("session_id")).want(200).text("code")
	c.call("POST", "/personal/v5/decoupled/authorizations", authorization(code, all)).wantError(403, "error.resource.denied")
}

func TestAuthorize_SharesNamedAccountsOnly(t *testing.T) {
	c := start(t, nil).client()
	list := c.reader(maja, all).call("GET", "/personal/v5/accounts", "").want(200).list("response", "accounts")
	if len(list) != 2 {
		t.Fatalf("%d accounts", len(list))
	}
	for i, kind := range []string{"IBAN", "BBAN_SE"} {
		numbers := list[i]["account_numbers"].([]any)
		named := numbers[i].(map[string]any)
		if named["_type"] != kind {
			t.Fatalf("numbers %v", numbers)
		}
		request := strings.Replace(authorization(c.code(maja), all), "ALL", named["value"].(string), 1)
		code := c.call("POST", "/personal/v5/decoupled/authorizations", request).want(200).text("code")
		r := c.as(c.exchange(code).want(200).text("access_token"))
		got := r.call("GET", "/personal/v5/accounts", "").want(200).list("response", "accounts")
		if len(got) != 1 || got[0]["_id"] != list[i]["_id"] {
			t.Errorf("shared %v", got)
		}
		r.call("GET", "/personal/v5/accounts/"+list[1-i]["_id"].(string), "").wantError(403, "error.resource.denied")
		r.call("GET", "/personal/v5/accounts/"+list[1-i]["_id"].(string)+"/transactions", "").wantError(403, "error.resource.denied")
	}
}
