package nordea_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/visitor"
)

// The bank and BankID are killed after each step of a decoupled login; it goes on.
func TestRestart_KeepsALogin(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	c.restart()
	if got := c.poll(l.text("session_id")).want(200); got.text("auto_start_token") != l.text("auto_start_token") || got.text("qr_data") == "" {
		t.Fatalf("%s", got.body)
	}
	c.phone(l.text("auto_start_token"), bankid.Open)
	c.restart()
	if got := c.poll(l.text("session_id")).want(200); got.text("status") != "confirmation_pending" {
		t.Fatalf("%s", got.body)
	}
	c.phone(l.text("auto_start_token"), bankid.Approve)
	c.restart()
	code := c.poll(l.text("session_id")).want(200).text("code")
	c.restart()
	if got := c.poll(l.text("session_id")).want(200).text("code"); got != code || code == "" {
		t.Fatalf("the code changed to %q", got)
	}
	grant := c.call("POST", "/personal/v5/decoupled/authorizations", authorization(code, all)).want(200).text("code")
	c.restart()
	c.call("POST", "/personal/v5/decoupled/authorizations", authorization(code, all)).wantError(400, "error.code.invalid")
	tokens := c.exchange(grant).want(200)
	c.restart()
	c.exchange(grant).wantError(400, "error.code.invalid")
	c.as(tokens.text("access_token")).reads(200, "")
	next := c.refresh(tokens.text("refresh_token")).want(200)
	c.restart()
	c.refresh(tokens.text("refresh_token")).wantError(401, "error.token.invalid")
	c.as(next.text("access_token")).reads(200, "")
	c.call("POST", "/personal/v5/authorize/token/revoke", `{"token":"`+next.text("refresh_token")+`"}`).want(200)
	c.restart()
	c.as(next.text("access_token")).reads(401, "error.token.invalid")
}

func TestRestart_KeepsTheEndOfALogin(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	c.phone(l.text("auto_start_token"), bankid.Decline)
	c.poll(l.text("session_id")).wantError(400, "error.session.cancelled")
	c.restart()
	c.poll(l.text("session_id")).wantError(400, "error.session.cancelled")
}

// Without BankID's journal the order is forgotten, and the login ends.
func TestRestart_EndsALoginThatBankIDForgot(t *testing.T) {
	c := start(t, nil).client()
	l := c.login(maja)
	if err := os.Remove(filepath.Join(c.dir, "bankid.jsonl")); err != nil {
		t.Fatal(err)
	}
	c.restart()
	c.poll(l.text("session_id")).wantError(400, "error.bankid.expired")
}

func TestRestart_KeepsAVisit(t *testing.T) {
	c := fast(t, nil)
	page := c.call("POST", "/personal/v5/authorize", redirect("SE", all)).want(302).header.Get("Location")
	c.restart()
	browser := c.browser()
	back, err := c.visitWith(browser, page, visitor.Person{Number: maja, Phone: visitor.Approve})
	if err != nil {
		t.Fatal(err)
	}
	c.restart()
	again, err := c.visitWith(browser, page, visitor.Person{})
	if err != nil || again.Get("code") != back.Get("code") {
		t.Errorf("%v %v", again, err)
	}
	c.redeem(back.Get("code"), redirectURI).want(200)
}

func TestRestart_KeepsQuotaAndAgreements(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(maja, all)
	for range 4 {
		r.absent().call("GET", accounts, "").want(200)
	}
	code := c.businessCode(elsa, "5560360793")
	id := c.call("POST", agreementsPath, authorization(code, all)).want(409).text("agreements", 0, "id")
	c.restart()
	r.absent().call("GET", accounts, "").want(429)
	c.call("POST", agreementsPath+"/"+url.PathEscape(id), `{"code":"`+code+`"}`).want(200)
}

// The journal does not grow over restarts, and what ended long ago is forgotten.
func TestRestart_ForgetsWhatIsOver(t *testing.T) {
	c := start(t, nil).client()
	c.call("POST", "/personal/v5/decoupled/authorizations", strings.Replace(authorization(c.code(maja), all), "129600", "1", 1)).want(200)
	c.call("POST", "/personal/v5/authorize", redirect("SE", all)).want(302)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(c.dir, "bank.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	c.restart()
	full := size()
	c.restart()
	if got := size(); got != full {
		t.Errorf("the journal has %d bytes, then %d", full, got)
	}
	c.advance(24*time.Hour + 16*time.Minute)
	c.restart()
	if got := size(); got > full/2 || len(c.Grants()) != 0 {
		t.Errorf("the journal has %d of %d bytes, %d grants", got, full, len(c.Grants()))
	}
}

// A change that cannot be written is not made.
func TestJournal_FailureIsAnError(t *testing.T) {
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	l := c.login(ester)
	c.FailJournal()
	c.refresh(tokens.text("refresh_token")).wantError(500, "error.server")
	c.call("POST", "/personal/v5/authorize/token/revoke", `{"token":"`+tokens.text("access_token")+`"}`).wantError(500, "error.server")
	c.call("POST", "/personal/v5/authorize", redirect("SE", all)).wantError(500, "error.server")
	c.phone(l.text("auto_start_token"), bankid.Approve)
	c.poll(l.text("session_id")).wantError(500, "error.server")
	c.as(tokens.text("access_token")).reads(200, "") // attended reads change nothing
}
