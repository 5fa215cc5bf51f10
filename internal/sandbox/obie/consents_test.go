package obie_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/grant"
)

// code is the code of an error in the words of the bank's version.
func (w *env) code(v31, v40 string) string {
	if w.Version == "4.0" {
		return v40
	}
	return v31
}

// O2, O3.
func TestConsents_FollowTheRules(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		c.lax = true
		invalid, missing, format, date := c.code("UK.OBIE.Field.Invalid", "U002"), c.code("UK.OBIE.Field.Missing", "U004"), c.code("UK.OBIE.Resource.InvalidFormat", "U010"), c.code("UK.OBIE.Field.InvalidDate", "U003")
		permissions := func(list string) string { return `{"Data":{"Permissions":[` + list + `]},"Risk":{}}` }
		data := func(more string) string {
			return `{"Data":{"Permissions":["ReadAccountsBasic"],` + more + `},"Risk":{}}`
		}
		for name, tt := range map[string]struct{ body, code string }{
			"accounts":                  {permissions(`"ReadAccountsBasic"`), ""},
			"basic and detail":          {permissions(`"ReadAccountsBasic","ReadAccountsDetail"`), ""},
			"transactions of one kind":  {permissions(`"ReadAccountsBasic","ReadTransactionsBasic","ReadTransactionsDebits"`), ""},
			"none":                      {permissions(``), invalid},
			"unknown":                   {permissions(`"ReadAccountsBasic","ReadEverything"`), invalid},
			"not offered":               {permissions(`"ReadAccountsBasic","ReadOffers"`), invalid},
			"no accounts":               {permissions(`"ReadBalances"`), invalid},
			"transactions of no kind":   {permissions(`"ReadAccountsBasic","ReadTransactionsDetail"`), invalid},
			"basic of no kind":          {permissions(`"ReadAccountsBasic","ReadTransactionsBasic"`), invalid},
			"credits of nothing":        {permissions(`"ReadAccountsBasic","ReadTransactionsCredits"`), invalid},
			"debits of nothing":         {permissions(`"ReadAccountsBasic","ReadTransactionsDebits"`), invalid},
			"no permissions":            {`{"Data":{},"Risk":{}}`, missing},
			"no data":                   {`{"Risk":{}}`, missing},
			"no risk":                   {`{"Data":{"Permissions":["ReadAccountsBasic"]}}`, missing},
			"no JSON":                   {`{`, format},
			"two objects":               {permissions(`"ReadAccountsBasic"`) + `{}`, format},
			"unknown member":            {data(`"X":1`), format},
			"member of Risk":            {`{"Data":{"Permissions":["ReadAccountsBasic"]},"Risk":{"X":1}}`, format},
			"a number":                  {`{"Data":{"Permissions":[1]},"Risk":{}}`, format},
			"range":                     {data(`"TransactionFromDateTime":"2026-01-01T00:00:00Z","TransactionToDateTime":"2026-02-01T00:00:00.5+02:00"`), ""},
			"until a past time (O3)":    {data(`"ExpirationDateTime":"2026-04-01T08:00:00+00:00"`), date},
			"until a day":               {data(`"ExpirationDateTime":"2026-05-01"`), date},
			"until a time of no zone":   {data(`"ExpirationDateTime":"2026-05-01T00:00:00"`), date},
			"range that ends before it": {data(`"TransactionFromDateTime":"2026-02-01T00:00:00Z","TransactionToDateTime":"2026-01-01T00:00:00Z"`), date},
		} {
			a := c.api(http.MethodPost, "account-access-consents", c.appToken(), tt.body)
			if got := a.text("Errors", 0, "ErrorCode"); got != tt.code || (a.status == 201) != (tt.code == "") || tt.code != "" && a.status != 400 {
				t.Errorf("%s: %d %s, want %s", name, a.status, a.body, tt.code)
			}
		}
		big := c.api(http.MethodPost, "account-access-consents", c.appToken(), data(`"X":"`+strings.Repeat("x", 1<<17)+`"`))
		big.wantError(400, format)
	})
}

func TestConsents_AreWhatWasAsked(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		until := "2026-06-01T10:00:00+02:00"
		data := map[string]any{"ExpirationDateTime": until, "TransactionFromDateTime": "2025-01-01T00:00:00+00:00"}
		first, second := c.newConsent([]string{"ReadAccountsBasic"}, data), c.newConsent([]string{"ReadAccountsBasic"}, data)
		if first == second {
			t.Error("the same request has the same consent")
		}
		a := c.api(http.MethodGet, "account-access-consents/"+first, c.appToken(), "").want(200)
		if a.text("Data", "ExpirationDateTime") != "2026-06-01T08:00:00+00:00" || a.text("Data", "TransactionFromDateTime") != "2025-01-01T00:00:00+00:00" ||
			a.text("Data", "Permissions", 0) != "ReadAccountsBasic" || a.at("Data", "TransactionToDateTime") != nil {
			t.Errorf("%s", a.body)
		}
		if self := a.text("Links", "Self"); self != c.Resources()+"/account-access-consents/"+first {
			t.Errorf("Self is %s", self)
		}
	})
}

func TestConsents_BelongToTheirClient(t *testing.T) {
	w := start(t, behaviour("se-demo-obie"))
	c, other := w.client(), w.clientWith(otherID, &w.keys.QWAC)
	consent := c.newConsent(allPermissions, nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		other.api(method, "account-access-consents/"+consent, other.appToken(), "").wantError(403, "UK.OBIE.Resource.ConsentMismatch")
		c.api(method, "account-access-consents/aac-1", c.appToken(), "").wantError(400, "UK.OBIE.Resource.NotFound")
	}
	// The token of a person is not one of a client, and the other way round.
	_, tokens := c.connect(tim, allPermissions)
	c.api(http.MethodGet, "account-access-consents/"+consent, access(tokens), "").want(401)
	c.api(http.MethodGet, "accounts", c.appToken(), "").want(401)
}

// O16: what each side's end does.
func TestConsents_EndOnBothSides(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent, tokens := c.connect(tim, allPermissions)
		if known, err := c.Revoke(consent); !known || err != nil {
			t.Fatal(known, err)
		}
		if a := c.api(http.MethodGet, "accounts", access(tokens), "").want(401); len(a.body) > 0 {
			t.Errorf("401 with %s", a.body)
		}
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
		if a := c.api(http.MethodGet, "account-access-consents/"+consent, c.appToken(), ""); a.text("Data", "Status") != c.code("Authorised", "AUTH") {
			t.Errorf("after the person ended it: %s", a.body)
		}
		// The person can be asked again.
		tokens = c.exchange(c.approve(c.login(consent), tim).Get("code")).want(200)
		c.api(http.MethodGet, "accounts", access(tokens), "").want(200)

		c.api(http.MethodDelete, "account-access-consents/"+consent, c.appToken(), "").want(204)
		c.api(http.MethodGet, "account-access-consents/"+consent, c.appToken(), "").wantError(400, c.code("UK.OBIE.Resource.NotFound", "U011"))
		c.api(http.MethodDelete, "account-access-consents/"+consent, c.appToken(), "").wantError(400, c.code("UK.OBIE.Resource.NotFound", "U011"))
		c.api(http.MethodGet, "accounts", access(tokens), "").want(401)
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
		if known, err := c.Revoke(consent); !known || err == nil {
			t.Error("a deleted consent can be ended")
		}
		if known, _ := c.Revoke("aac-1"); known {
			t.Error("an unknown consent is known")
		}
	})
}

// A code that was issued before the person or the client ended the consent is dead.
func TestConsents_EndWithTheirCodes(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	for name, end := range map[string]func(string){
		"by the person": func(id string) { _, _ = c.Revoke(id) },
		"by the client": func(id string) {
			c.api(http.MethodDelete, "account-access-consents/"+id, c.appToken(), "").want(204)
		},
		"by time": func(string) { c.clock.Advance(2 * time.Second) },
	} {
		consent := c.newConsent(allPermissions, map[string]any{"ExpirationDateTime": c.clock.Now().Add(2 * time.Second).Format(time.RFC3339)})
		code := c.approve(c.login(consent), tim).Get("code")
		end(consent)
		if a := c.exchange(code); a.status != 400 || a.text("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestConsents_Expire(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent, tokens := c.connect(tim, allPermissions)
		c.clock.Advance(100 * 24 * time.Hour)
		c.api(http.MethodGet, "accounts", access(tokens), "").want(401)
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
		if a := c.api(http.MethodGet, "account-access-consents/"+consent, c.appToken(), ""); a.text("Data", "Status") != c.code("Authorised", "EXPD") {
			t.Errorf("%s", a.body)
		}
	})
}

// O17: the same consent again, by the same person; then the old tokens are dead.
func TestConsents_AreAuthorisedAgain(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent, old := c.connect(ester, allPermissions)
		if known, err := c.Reauthenticate(consent); !known || err != nil {
			t.Fatal(known, err)
		}
		c.api(http.MethodGet, "accounts", access(old), "").wantError(403, c.code("UK.OBIE.Reauthenticate", "U028"))
		// A refresh alone does not help.
		old = c.token("grant_type", "refresh_token", "refresh_token", refresh(old)).want(200)
		c.api(http.MethodGet, "accounts", access(old), "").want(403)

		if q := c.decide(c.login(consent), bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: tim, Accounts: c.accountsOf(tim)}); q.Get("error") != "access_denied" {
			t.Errorf("another person: %v", q)
		}
		if q := c.decide(c.login(consent), bankpage.Decision{Outcome: bankpage.Refused}); q.Get("error") != "access_denied" {
			t.Errorf("refused: %v", q)
		}
		visit, err := c.Visit(c.login(consent))
		if err != nil || visit.PersonalNumber != ester {
			t.Errorf("%+v %v", visit, err)
		}
		one := c.accountsOf(ester)[:1]
		q := c.decide(c.login(consent), bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: ester, Accounts: one})
		c.api(http.MethodGet, "accounts", access(old), "").want(403)
		fresh := c.exchange(q.Get("code")).want(200)
		if list := c.api(http.MethodGet, "accounts", access(fresh), "").want(200).list("Data", "Account"); len(list) != 1 || list[0]["AccountId"] != one[0] {
			t.Errorf("%v", list)
		}
		c.api(http.MethodGet, "accounts", access(old), "").want(401)
		c.token("grant_type", "refresh_token", "refresh_token", refresh(old)).wantOAuth(400, "invalid_grant")
		if known, err := c.Reauthenticate(c.newConsent(allPermissions, nil)); !known || err != grant.ErrState {
			t.Error("a consent that waits can be authorised again")
		}
	})
}

// Reads need an authorisation of the last 180 days.
func TestConsents_NeedAFreshAuthorisation(t *testing.T) {
	b := behaviour("se-demo-obie")
	b.RefreshLifetime = 400 * 24 * time.Hour
	c := start(t, b).client()
	consent := c.newConsent(allPermissions, map[string]any{"ExpirationDateTime": startTime.AddDate(2, 0, 0).Format(time.RFC3339)})
	tokens := c.exchange(c.approve(c.login(consent), tim).Get("code")).want(200)
	for _, tt := range []struct {
		after  time.Duration
		status int
	}{{180 * 24 * time.Hour, 200}, {time.Second, 403}} {
		c.clock.Advance(tt.after)
		tokens = c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
		c.api(http.MethodGet, "accounts", access(tokens), "").want(tt.status)
	}
}
