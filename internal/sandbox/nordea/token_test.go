package nordea_test

import (
	"encoding/json"
	"testing"
	"time"

	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/nordea/grant"
)

const accounts = "/personal/v5/accounts"

func (c *client) reads(status int, code string) {
	c.Helper()
	if status == 200 {
		c.call("GET", accounts, "").want(200)
		return
	}
	c.call("GET", accounts, "").wantError(status, code)
}

func seconds(t testing.TB, a response) time.Duration {
	t.Helper()
	n, err := a.at("expires_in").(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

func TestToken_LivesAnHour(t *testing.T) {
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	if got := seconds(t, tokens); got != time.Hour || tokens.text("token_type") != "Bearer" {
		t.Errorf("%s", tokens.body)
	}
	r := c.as(tokens.text("access_token"))
	c.advance(time.Hour - 1)
	r.reads(200, "")
	c.advance(1)
	r.reads(401, "error.token.expired")
	next := c.refresh(tokens.text("refresh_token")).want(200)
	c.as(next.text("access_token")).reads(200, "")
	r.reads(401, "error.token.expired")
	c.as("").reads(401, "error.token.invalid")
	c.as("unknown").reads(401, "error.token.invalid")
	c.as(tokens.text("refresh_token")).reads(401, "error.token.invalid")
}

// Tokens do not outlive the duration of the grant.
func TestToken_EndsWithTheGrant(t *testing.T) {
	c := start(t, nil).client()
	code := c.call("POST", "/personal/v5/decoupled/authorizations",
		`{"code":"`+c.code(maja)+`","account_list":["ALL"],"duration":90,"response_type":"nordea_token","scope":[`+all+`]}`).want(200).text("code")
	tokens := c.exchange(code).want(200)
	c.advance(time.Hour)
	next := c.refresh(tokens.text("refresh_token")).want(200)
	if got := seconds(t, next); got != 30*time.Minute {
		t.Errorf("the last access token lives %v", got)
	}
	c.advance(30 * time.Minute)
	c.as(next.text("access_token")).reads(401, "error.token.expired")
	c.refresh(next.text("refresh_token")).wantError(401, "error.token.expired")
}

func TestToken_IsOfItsApplicationAndRoot(t *testing.T) {
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	other := *c
	other.app, other.secret, other.token = "app-2", "secret-2", tokens.text("access_token")
	other.reads(401, "error.token.invalid")
	other.refresh(tokens.text("refresh_token")).wantError(401, "error.token.invalid")
	c.as(tokens.text("access_token")).call("GET", "/business/v4/accounts", "").wantError(401, "error.token.invalid")
	c.call("POST", "/personal/v5/authorize/token", "grant_type=refresh_token&refresh_token="+tokens.text("refresh_token")).wantError(401, "error.token.invalid")
	other.call("POST", "/personal/v5/authorize/token/revoke", `{"token":"`+tokens.text("refresh_token")+`"}`).want(200)
	c.as(tokens.text("access_token")).reads(200, "") // it was not the other's to revoke
}

func TestRefresh_RotatesByASwitch(t *testing.T) {
	t.Run("rotation", func(t *testing.T) {
		c := start(t, nil).client()
		first := c.grant(maja, all).text("refresh_token")
		second := c.refresh(first).want(200).text("refresh_token")
		if second == first || second == "" {
			t.Fatal("the refresh token stayed")
		}
		c.refresh(first).wantError(401, "error.token.invalid")
		c.refresh(second).want(200)
	})
	t.Run("no rotation", func(t *testing.T) {
		c := start(t, func(c *nordea.Config) { c.Rotation = nordea.KeepRefreshToken }).client()
		first := c.grant(maja, all).text("refresh_token")
		for range 3 {
			if got := c.refresh(first).want(200).text("refresh_token"); got != first {
				t.Fatal("the refresh token changed")
			}
		}
	})
	t.Run("grace", func(t *testing.T) {
		c := start(t, func(c *nordea.Config) { c.RotationGrace = time.Minute }).client()
		first := c.grant(maja, all).text("refresh_token")
		lost := c.refresh(first).want(200).text("refresh_token")
		c.advance(time.Minute - 1)
		second := c.refresh(first).want(200).text("refresh_token")
		c.refresh(lost).wantError(401, "error.token.invalid")
		c.refresh(second).want(200)
		c.refresh(first).wantError(401, "error.token.invalid") // its successor was used
		c2 := start(t, func(c *nordea.Config) { c.RotationGrace = time.Minute }).client()
		first = c2.grant(maja, all).text("refresh_token")
		c2.refresh(first).want(200)
		c2.advance(time.Minute)
		c2.refresh(first).wantError(401, "error.token.invalid")
	})
	t.Run("short answer", func(t *testing.T) {
		c := start(t, func(c *nordea.Config) { c.ShortRefresh, c.Rotation = true, nordea.KeepRefreshToken }).client()
		first := c.grant(maja, all).text("refresh_token")
		got := c.refresh(first).want(200)
		if got.at("refresh_token") != nil || got.at("expires_in") != nil || got.text("access_token") == "" {
			t.Errorf("%s", got.body)
		}
		c.refresh(first).want(200)
	})
}

func TestRevoke_EndsWhatTheTokenStandsFor(t *testing.T) {
	const path = "/personal/v5/authorize/token/revoke"
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	second := c.refresh(tokens.text("refresh_token")).want(200)
	a, b := c.as(tokens.text("access_token")), c.as(second.text("access_token"))
	c.call("POST", path, `{"token":"`+a.token+`"}`).want(200)
	a.reads(401, "error.token.invalid")
	b.reads(200, "")
	c.call("POST", path, `{"token":"`+second.text("refresh_token")+`"}`).want(200)
	b.reads(401, "error.token.invalid")
	c.refresh(second.text("refresh_token")).wantError(401, "error.token.invalid")
	c.call("POST", path, `{"token":"unknown"}`).want(200) // RFC 7009 2.2
	c.call("POST", path, `{"token":""}`).wantError(400, "error.validation")
	if got := c.Stats().Revocations; got != 2 {
		t.Errorf("%d revocations", got)
	}
}

func TestOperator_RevokesAGrant(t *testing.T) {
	c := start(t, nil).client()
	tokens := c.grant(maja, all)
	list := c.Grants()
	if len(list) != 1 || list[0].Revoked || !list[0].Exchanged || list[0].Accounts != 2 || list[0].Flow != grant.Decoupled {
		t.Fatalf("%+v", list)
	}
	if found, err := c.Revoke(list[0].ID); !found || err != nil {
		t.Fatal(found, err)
	}
	c.as(tokens.text("access_token")).reads(401, "error.token.invalid")
	c.refresh(tokens.text("refresh_token")).wantError(401, "error.token.invalid")
	if _, err := c.Revoke(list[0].ID); err == nil {
		t.Error("revoked twice")
	}
	if found, _ := c.Revoke("unknown"); found {
		t.Error("an unknown grant was found")
	}
}

func TestTokenEndpoint_ChecksTheForm(t *testing.T) {
	c := start(t, nil).client()
	for name, body := range map[string]string{
		"no grant type":      "code=c",
		"unknown grant type": "grant_type=password",
		"code twice":         "code=c&code=d&grant_type=authorization_code",
		"unknown member":     "code=c&grant_type=authorization_code&scope=ACCOUNTS_BASIC",
		"both kinds":         "code=c&grant_type=authorization_code&refresh_token=r",
		"refresh with code":  "code=c&grant_type=refresh_token&refresh_token=r",
		"malformed":          "code=%zz&grant_type=authorization_code",
		"JSON":               `{"grant_type":"authorization_code","code":"c"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c.call("POST", "/personal/v5/decoupled/token", body).wantError(400, "error.validation")
		})
	}
	c.call("POST", "/personal/v5/decoupled/token", "grant_type=authorization_code").wantError(400, "error.code.invalid")
	c.call("POST", "/personal/v5/decoupled/token", "grant_type=refresh_token").wantError(401, "error.token.invalid")
}
