package enablebanking_test

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/sandbox/enablebanking"
	"samla/internal/visitor"
)

func id(r reply) string {
	s, _ := r.body["session_id"].(string)
	return s
}

// status is that of GET /sessions/{id}.
func (e *env) status(id string) string {
	e.Helper()
	s, _ := e.call("GET", "/sessions/"+id, nil).body["status"].(string)
	return s
}

func TestSession_HasEachStatus(t *testing.T) {
	e := start(t)
	begin := func() (string, string) {
		got := e.call("POST", "/auth", e.asked("Nordea", nil))
		return got.body["authorization_id"].(string), got.body["url"].(string)
	}
	person := visitor.Person{Number: maja, Phone: visitor.Approve}
	auth, page := begin()
	if s := e.status(auth); s != "PENDING_AUTHORIZATION" {
		t.Errorf("before: %s", s)
	}
	back := e.walk(page, person)
	if s := e.status(auth); s != "RETURNED_FROM_BANK" {
		t.Errorf("returned: %s", s)
	}
	session := e.call("POST", "/sessions", map[string]string{"code": back.Get("code")})
	if s := e.status(id(session)); s != "AUTHORIZED" {
		t.Errorf("exchanged: %s", s)
	}
	e.expect("the other id", e.call("GET", "/sessions/"+auth, nil), 404, "SESSION_DOES_NOT_EXIST")

	auth, page = begin()
	person.Refuse = true
	e.walk(page, person)
	if s := e.status(auth); s != "CANCELLED" {
		t.Errorf("refused: %s", s)
	}
	auth, _ = begin()
	e.clock.Jump(16 * time.Minute)
	if s := e.status(auth); s != "INVALID" {
		t.Errorf("nobody came: %s", s)
	}
	e.expect("unknown", e.call("GET", "/sessions/4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", nil), 404, "SESSION_DOES_NOT_EXIST")
	e.expect("no id", e.call("GET", "/sessions/x", nil), 422, "WRONG_REQUEST_PARAMETERS")
}

func TestSession_EndsInThreeWays(t *testing.T) {
	e := start(t)
	for _, c := range []struct {
		name, status, code string
		end                func(id string)
	}{
		{"closed by us", "CLOSED", "CLOSED_SESSION", func(id string) { e.expect("delete", e.call("DELETE", "/sessions/"+id, nil), 200, "") }},
		{"revoked by the person", "REVOKED", "REVOKED_SESSION", func(id string) {
			resp, err := e.server.Client().Post(e.server.URL+"/sandbox/enablebanking/sessions/"+id+"/revoke", "", nil)
			if err != nil || resp.StatusCode != http.StatusNoContent {
				t.Errorf("revoke: %v %v", resp, err)
			}
		}},
		{"over", "EXPIRED", "EXPIRED_SESSION", func(string) { e.clock.Jump(longTime) }},
	} {
		s := e.session("Nordea", maja, nil)
		uid := s.uid(t, "Sparkonto")
		e.expect(c.name+": before", e.call("GET", "/accounts/"+uid+"/balances", nil), 200, "")
		c.end(id(s))
		if got := e.status(id(s)); got != c.status {
			t.Errorf("%s: %s", c.name, got)
		}
		for _, what := range []string{"details", "balances", "transactions"} {
			e.expect(c.name, e.call("GET", "/accounts/"+uid+"/"+what, nil), 401, c.code)
		}
		e.expect(c.name+": delete", e.call("DELETE", "/sessions/"+id(s), nil), 401, c.code)
		if _, err := e.gateway.Revoke(id(s)); err == nil {
			t.Errorf("%s: revoked again", c.name)
		}
	}
	e.expect("unknown", e.call("DELETE", "/sessions/4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", nil), 404, "SESSION_DOES_NOT_EXIST")
}

// The uid of an account is another one in each session; its primary hash is the same in
// each session of each person.
func TestSession_KeepsHashesAndChangesIDs(t *testing.T) {
	e := start(t)
	first, second, other := e.session("Nordea", ester, nil), e.session("Nordea", ester, nil), e.session("Nordea", sten, nil)
	const joint = "Gemensamt konto"
	if first.uid(t, joint) == second.uid(t, joint) {
		t.Error("the uid is the same in two sessions")
	}
	hash := first.account(t, joint)["identification_hash"]
	if hash != second.account(t, joint)["identification_hash"] || hash != other.account(t, joint)["identification_hash"] {
		t.Error("the hash of an account changes")
	}
	if hash == first.account(t, "Buffert")["identification_hash"] {
		t.Error("two accounts have one hash")
	}
	if elsewhere := e.session("SEB", ester, nil); hash == elsewhere.account(t, joint)["identification_hash"] {
		t.Error("accounts at two banks have one hash")
	}
	pockets := e.session("Nordea", alva, nil)
	hashes, ibans := map[any]bool{}, map[any]int{}
	for _, a := range pockets.list("accounts") {
		hashes[a["identification_hash"]] = true
		ibans[a["account_id"].(map[string]any)["iban"]]++
	}
	if len(hashes) != 5 || len(ibans) != 3 {
		t.Errorf("%d hashes and %d numbers of 5 accounts", len(hashes), len(ibans))
	}
}

func TestAccounts_HaveTheirKinds(t *testing.T) {
	e := start(t)
	s := e.session("Nordea", elsa, nil)
	kinds := map[any]int{}
	for _, a := range s.list("accounts") {
		kinds[a["cash_account_type"]]++
	}
	if kinds["CACC"] != 2 || kinds["SVGS"] != 3 || kinds["LOAN"] != 1 || kinds["CARD"] != 1 {
		t.Errorf("got %v", kinds)
	}
	card := s.account(t, "Kort")
	if other, _ := card["account_id"].(map[string]any)["other"].(map[string]any); other["scheme_name"] != "CPAN" || card["credit_limit"] == nil {
		t.Errorf("card %v", card)
	}
	if a := e.session("Nordea", sam, nil); a.account(t, "Resan")["cash_account_type"] != "OTHR" || a.account(t, "Konto")["account_id"].(map[string]any)["other"] == nil {
		t.Errorf("got %s", a.text)
	}
	blocked := e.session("Nordea", noa, nil)
	if len(blocked.list("accounts")) != 2 || blocked.account(t, "Spärrat konto")["uid"] != nil {
		t.Errorf("got %s", blocked.text)
	}
	if list := e.call("GET", "/sessions/"+id(blocked), nil).list("accounts_data"); len(list) != 1 {
		t.Errorf("%d accounts of the session", len(list))
	}
	if nothing := e.session("SBAB", maja, nil); nothing.account(t, "Sparkonto")["currency"] != "XXX" {
		t.Errorf("got %s", nothing.text)
	}
}

// What was not acknowledged to anybody may be lost; all else is there after a restart.
func TestRestart_KeepsSessionsCodesAndCounts(t *testing.T) {
	e := start(t)
	if err := e.gateway.Register(back + "/2"); err != nil {
		t.Fatal(err)
	}
	s := e.session("Nordea", maja, nil)
	uid := s.uid(t, "Sparkonto")
	code := e.login("Nordea", visitor.Person{Number: maja, Phone: visitor.Approve}, nil)
	begun := e.call("POST", "/auth", e.asked("Nordea", nil))
	e.leave()
	for range 4 {
		e.expect("read", e.call("GET", "/accounts/"+uid+"/balances", nil), 200, "")
	}
	main := s.uid(t, "Privatkonto")
	page := e.call("GET", "/accounts/"+main+"/transactions?date_from=2025-01-01", nil)
	key, _ := page.body["continuation_key"].(string)

	e.open() // without Close: as after kill -9
	e.expect("the limit", e.call("GET", "/accounts/"+uid+"/balances", nil), 429, "ASPSP_RATE_LIMIT_EXCEEDED")
	e.expect("the next page", e.call("GET", "/accounts/"+main+"/transactions?date_from=2025-01-01&continuation_key="+key, nil), 200, "")
	e.expect("the code", e.call("POST", "/sessions", map[string]string{"code": code.Get("code")}), 200, "")
	if back := e.walk(begun.body["url"].(string), visitor.Person{Number: maja, Phone: visitor.Approve}); back.Get("code") == "" {
		t.Errorf("the login came back with %v", back)
	}
	e.expect("the address", e.call("POST", "/auth", e.asked("Nordea", func(b map[string]any) { b["redirect_url"] = back + "/2" })), 200, "")
	e.expect("the end", e.call("DELETE", "/sessions/"+id(s), nil), 200, "")
	if err := e.gateway.Close(); err != nil {
		t.Fatal(err)
	}
	e.open()
	if got := e.status(id(s)); got != "CLOSED" {
		t.Errorf("got %s", got)
	}
}

func TestOperator_ListsSessionsAndSetsFaults(t *testing.T) {
	e := start(t)
	e.session("Nordea", maja, nil)
	post := func(at, body string) int {
		resp, err := e.server.Client().Post(e.server.URL+"/sandbox/enablebanking"+at, "application/json", stringReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		at, body string
		want     int
	}{
		{"/faults", `[{"kind":"aspspError","call":"session","times":1}]`, 204},
		{"/faults", `[{"kind":"earthquake"}]`, 400},
		{"/faults", `{`, 400},
		{"/redirects", `{"redirectUrl":"https://samla.example/3"}`, 204},
		{"/redirects", `{}`, 400},
		{"/sessions/x/revoke", ``, 404},
	} {
		if got := post(c.at, c.body); got != c.want {
			t.Errorf("%s %s: %d", c.at, c.body, got)
		}
	}
	stats := e.gateway.Stats()
	if len(stats.Sessions) != 1 || stats.Sessions[0].Status != enablebanking.Authorized || stats.Calls["auth"] != 1 || stats.Calls["authorize-session"] != 1 {
		t.Errorf("got %+v", stats)
	}
	resp, err := e.server.Client().Get(e.server.URL + "/sandbox/enablebanking")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("%v %v", resp, err)
	}
}
