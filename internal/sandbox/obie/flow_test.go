package obie_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
	"samla/internal/sandbox/persona"
)

// The whole flow of docs/reference/families.md 4.2 at both banks.
func TestBank_ServesTheWholeFlow(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent := c.newConsent(allPermissions, nil)
		awaiting, authorised := "AwaitingAuthorisation", "Authorised"
		if b.Company == "se-demo-obie4" {
			awaiting, authorised = "AWAU", "AUTH"
		}
		status := func() string {
			return c.api(http.MethodGet, "account-access-consents/"+consent, c.appToken(), "").want(200).text("Data", "Status")
		}
		if got := status(); got != awaiting {
			t.Errorf("a new consent is %s", got)
		}
		answer := c.approve(c.login(consent), persona.Default)
		if got := status(); got != authorised {
			t.Errorf("an approved consent is %s", got)
		}
		claims, err := c.verify(answer.Get("id_token"))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"iss": c.Issuer(), "aud": clientID, "nonce": "nonce-" + consent, "openbanking_intent_id": consent, "c_hash": signed.HalfHash(answer.Get("code")),
			"s_hash": signed.HalfHash("state-" + consent), "acr": "urn:openbanking:psd2:sca", "exp": float64(c.clock.Now().Unix() + 600),
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if answer.Get("state") != "state-"+consent || (answer.Get("iss") == c.Issuer()) != b.SaysIssuer {
			t.Errorf("beside the code: %v", answer)
		}
		tokens := c.exchange(answer.Get("code")).want(200)
		if claims, err = c.verify(tokens.text("id_token")); err != nil || claims["at_hash"] != signed.HalfHash(access(tokens)) ||
			claims["refresh_token_expires_at"] != float64(startTime.AddDate(0, 0, 180).Unix()) {
			t.Errorf("id_token of the token endpoint: %v %v", claims, err)
		}
		c.readAll(access(tokens))
		again := c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
		c.readAll(access(again))
		c.api(http.MethodDelete, "account-access-consents/"+consent, c.appToken(), "").want(204)
		c.api(http.MethodGet, "accounts", access(again), "").want(401)
	})
}

// readAll reads everything that the API offers.
func (c *client) readAll(token string) {
	c.Helper()
	paths := []string{"accounts", "party"}
	if c.Bulk {
		paths = append(paths, "balances", "transactions")
	}
	list := c.api(http.MethodGet, "accounts", token, "").want(200).list("Data", "Account")
	if len(list) == 0 {
		c.Error("no accounts")
	}
	for _, a := range list {
		root := fmt.Sprint("accounts/", a["AccountId"])
		paths = append(paths, root)
		for _, sub := range []string{"balances", "transactions", "party", "parties", "beneficiaries", "direct-debits", "standing-orders", "scheduled-payments"} {
			paths = append(paths, root+"/"+sub)
		}
	}
	for _, path := range paths {
		c.api(http.MethodGet, path, token, "").want(200)
	}
}

// Every person of the sandbox is judged by the published definition.
func TestBank_ServesEveryPerson(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		for _, p := range persona.All() {
			if len(p.Accounts) == 0 || p.Status != 0 || slices.ContainsFunc(p.Accounts, func(a persona.Account) bool { return a.TransactionsStatus != 0 }) {
				continue
			}
			_, tokens := c.connect(p.Number, allPermissions)
			c.readAll(access(tokens))
		}
		broken := func(number string) response {
			_, tokens := c.connect(number, allPermissions)
			list := c.api(http.MethodGet, "accounts", access(tokens), "")
			if list.status != 200 {
				return list
			}
			return c.api(http.MethodGet, fmt.Sprint("accounts/", list.list("Data", "Account")[1]["AccountId"], "/transactions"), access(tokens), "")
		}
		broken("199501302393").want(500) // every read fails
		broken("199312252399").want(500) // the transactions of one account fail
	})
}
