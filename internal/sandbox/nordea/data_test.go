package nordea_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"samla/internal/ident"
	"samla/internal/nordeaspec"
	"samla/internal/sandbox/nordea"
)

// The members of an account follow the table in Nordea's file, for each set of scopes and in
// both versions.
func TestAccount_HasMembersOfItsScopes(t *testing.T) {
	c := start(t, nil).client()
	scopes := []string{"ACCOUNTS_BALANCES", "ACCOUNTS_DETAILS", "ACCOUNTS_TRANSACTIONS", "PAYMENTS_MULTIPLE"}
	for version, file := range map[string]string{"v5": "AccountDetails", "v4": "AccountDetails"} {
		members := nordeaspec.Members(t, nordeaspec.AccountsV5, file)
		if version == "v4" {
			members = nordeaspec.Members(t, nordeaspec.AccountsV4, file)
		}
		for set := range 1 << len(scopes) {
			granted := []string{"ACCOUNTS_BASIC"}
			for i, s := range scopes {
				if set&(1<<i) != 0 {
					granted = append(granted, s)
				}
			}
			r := c.reader(maja, `"`+strings.Join(granted, `","`)+`"`)
			list := r.call("GET", "/personal/"+version+"/accounts", "").want(200).list("response", "accounts")
			if len(list) != 2 {
				t.Fatalf("%d accounts", len(list))
			}
			one := r.call("GET", "/personal/"+version+"/accounts/"+list[0]["_id"].(string), "").want(200)
			object, _ := one.at("response").(map[string]any)
			for _, o := range append(list, object) {
				if err := nordeaspec.CheckScopes(members, o, granted); err != nil {
					t.Errorf("%s %v: %v", version, granted, err)
				}
				for name := range o {
					if _, known := members[name]; !known {
						t.Errorf("%s: the file has no %s", version, name)
					}
				}
			}
			status := 403
			if slices.Contains(granted, "ACCOUNTS_TRANSACTIONS") {
				status = 200
			}
			r.call("GET", "/personal/"+version+"/accounts/"+list[0]["_id"].(string)+"/transactions", "").want(status)
		}
	}
}

// The members of a transaction follow the file of its version: what a country lacks is not
// there.
func TestTransaction_HasMembersOfItsCountry(t *testing.T) {
	for version, members := range map[string]map[string]nordeaspec.Member{
		"v4": nordeaspec.Members(t, nordeaspec.AccountsV4, "Transaction"), "v5": nordeaspec.Members(t, nordeaspec.AccountsV5, "Transaction"),
	} {
		for _, country := range []string{"SE", "NO", "DK", "FI"} {
			r := start(t, nil).client().abroad(maja, country, all)
			seen := map[string]bool{}
			for _, a := range r.call("GET", "/personal/"+version+"/accounts", "").want(200).list("response", "accounts") {
				for _, row := range r.rows("/personal/" + version + "/accounts/" + a["_id"].(string) + "/transactions?") {
					for name := range row {
						seen[name] = true
						m, known := members[name]
						if !known || slices.Contains(m.NotIn, country) {
							t.Fatalf("%s %s: a transaction has %s", version, country, name)
						}
					}
				}
			}
			for name, m := range members {
				optional := name == "counterparty_account" // the bank has none
				if !seen[name] && !optional && !slices.Contains(m.NotIn, country) {
					t.Errorf("%s %s: no transaction has %s", version, country, name)
				}
			}
		}
	}
}

// rows reads all pages of a list, whose address ends with "?" or "&".
func (c *client) rows(address string) []map[string]any {
	c.Helper()
	var out []map[string]any
	for key := ""; ; {
		page := c.call("GET", strings.TrimRight(address+key, "?&"), "").want(200)
		out = append(out, page.list("response", "transactions")...)
		next := page.text("group_header", "message_pagination", "continuation_key") + page.text("response", "continuation_key")
		if next == "" {
			return out
		}
		key = "continuation_key=" + next
	}
}

func TestAccount_ExistsInFourCountries(t *testing.T) {
	for _, k := range []struct{ country, currency, bic, numbers string }{
		{"SE", "SEK", "NDEASESS", "IBAN BBAN_SE"}, {"NO", "NOK", "NDEANOKK", "IBAN BBAN_NO"},
		{"DK", "DKK", "NDEADKKK", "IBAN BBAN_DK"}, {"FI", "EUR", "NDEAFIHH", "IBAN"},
	} {
		t.Run(k.country, func(t *testing.T) {
			r := start(t, nil).client().abroad(maja, k.country, all)
			list := r.call("GET", accounts, "").want(200).list("response", "accounts")
			for _, a := range list {
				bank := a["bank"].(map[string]any)
				if a["country"] != k.country || a["currency"] != k.currency || bank["bic"] != k.bic || bank["country"] != k.country {
					t.Errorf("%v", a)
				}
				var kinds []string
				for _, n := range a["account_numbers"].([]any) {
					n := n.(map[string]any)
					kinds = append(kinds, n["_type"].(string))
					value := n["value"].(string)
					switch n["_type"] {
					case "IBAN":
						if i, err := ident.ParseIBAN(value); err != nil || !strings.HasPrefix(value, k.country) {
							t.Errorf("%v %v", i, err)
						}
					case "BBAN_NO":
						sum := 0
						for i, w := range []int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1} {
							sum += w * int(value[i]-'0')
						}
						if len(value) != 11 || sum%11 != 0 {
							t.Errorf("the check digit of %s is wrong", value)
						}
					}
				}
				if got := strings.Join(kinds, " "); got != k.numbers {
					t.Errorf("numbers %s", got)
				}
			}
			if len(list) != 2 || list[0]["account_type"] != "Current" || list[1]["account_type"] != "Savings" {
				t.Errorf("accounts %v", list)
			}
		})
	}
}

func TestAccounts_AreThePaymentAccountsOfThePerson(t *testing.T) {
	c := start(t, nil).client()
	for _, k := range []struct{ person, want string }{
		{elsa, "Current Current Savings Savings Savings"},         // no loan, no card
		{sam, "Current Savings"},                                  // its kind only in the product
		{noa, "Current Current Savings"},                          //
		{alva, "Current Current Current Current Current Current"}, // EUR, NOK, three of one account, and yen
		{"191212121212", ""},
	} {
		var kinds []string
		for _, a := range c.reader(k.person, all).call("GET", accounts, "").want(200).list("response", "accounts") {
			kinds = append(kinds, a["account_type"].(string))
		}
		if got := strings.Join(kinds, " "); got != k.want {
			t.Errorf("%s: %s, want %s", k.person, got, k.want)
		}
	}
	list := c.reader(noa, all).call("GET", accounts, "").want(200).list("response", "accounts")
	if list[0]["status"] != "OPEN" || list[1]["status"] != "OPEN" || list[2]["status"] != "CLOSED" {
		t.Errorf("statuses of %v", list)
	}
	numbers := c.reader(sam, all).call("GET", accounts, "").want(200).list("response", "accounts")[0]["account_numbers"].([]any)
	if len(numbers) != 1 || numbers[0].(map[string]any)["_type"] != "BBAN_SE" {
		t.Errorf("the account without IBAN has %v", numbers)
	}
}

// Amounts are JSON numbers with the decimals of the currency, debits negative. One customer
// has big ones, one an account in yen.
func TestAmounts_AreNumbers(t *testing.T) {
	c := start(t, nil).client()
	decimals := func(v any) int {
		_, after, _ := strings.Cut(v.(json.Number).String(), ".")
		return len(after)
	}
	yen := 0
	for _, a := range c.reader(alva, all).call("GET", accounts, "").want(200).list("response", "accounts") {
		want := 2
		if a["currency"] == "JPY" {
			want, yen = 0, yen+1
		}
		if got := decimals(a["booked_balance"]); got != want {
			t.Errorf("%s: %v", a["currency"], a["booked_balance"])
		}
	}
	if yen == 0 {
		t.Error("nobody has yen")
	}
	r := c.reader(birgitta, all)
	balance, _ := new(big.Rat).SetString(r.call("GET", accounts, "").want(200).list("response", "accounts")[0]["booked_balance"].(json.Number).String())
	if balance.Cmp(big.NewRat(1_000_000_000_000, 1)) < 0 {
		t.Errorf("the big balance is %v", balance.FloatString(2))
	}
	sign := map[bool]int{}
	for _, row := range c.reader(maja, all).transactions("?") {
		if decimals(row["amount"]) != 2 {
			t.Fatalf("amount %v", row["amount"])
		}
		debit := strings.HasPrefix(row["amount"].(json.Number).String(), "-")
		sign[debit]++
		if row["type_description"] == "Kortköp" && !debit || row["type_description"] == "Lön" && debit {
			t.Errorf("%v of %v", row["type_description"], row["amount"])
		}
	}
	if sign[true] == 0 || sign[false] == 0 {
		t.Errorf("signs %v", sign)
	}
}

// transactions reads all transactions of the first account. query begins with "?" and ends
// with it or "&".
func (c *client) transactions(query string) []map[string]any {
	c.Helper()
	return c.rows(accounts + "/" + c.first() + "/transactions" + query)
}

func (c *client) first() string {
	c.Helper()
	return c.call("GET", accounts, "").want(200).text("response", "accounts", 0, "_id")
}

// The balances are those of the rows: booked without what is reserved.
func TestBalances_AddUp(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(maja, all, `,"max_tx_history":12`)
	a := r.call("GET", accounts, "").want(200).list("response", "accounts")[0]
	booked, available := number(t, a["booked_balance"]), number(t, a["available_balance"])
	reserved, newest := new(big.Rat), ""
	rows := r.transactions("?")
	for i, row := range rows {
		if row["status"] == "reserved" {
			reserved.Add(reserved, number(t, row["amount"]))
			continue
		}
		if newest == "" {
			newest = fmt.Sprint(row["booking_date"])
		}
		if after := row["balance_after_transaction"]; after != nil {
			if i == firstBooked(rows) && number(t, after).Cmp(booked) != 0 {
				t.Errorf("after the last transaction %v, booked %v", after, a["booked_balance"])
			}
		}
	}
	reserved.Add(reserved, booked).Add(reserved, number(t, a["credit_limit"]))
	if reserved.Cmp(available) != 0 {
		t.Errorf("available %v, want %v", a["available_balance"], reserved.FloatString(2))
	}
	if a["latest_transaction_booking_date"] != newest {
		t.Errorf("latest %v, want %s", a["latest_transaction_booking_date"], newest)
	}
}

func firstBooked(rows []map[string]any) int {
	return slices.IndexFunc(rows, func(r map[string]any) bool { return r["status"] != "reserved" })
}

func number(t testing.TB, v any) *big.Rat {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

// The same account has one id in each version, and the bank converts them.
func TestIDs_AreConvertedBetweenVersions(t *testing.T) {
	r := start(t, nil).client().reader(maja, all)
	v4 := r.call("GET", "/personal/v4/accounts", "").want(200).list("response", "accounts")
	v5 := r.call("GET", accounts, "").want(200).list("response", "accounts")
	for i := range v5 {
		old, now := v4[i]["_id"].(string), v5[i]["_id"].(string)
		if old == now {
			t.Errorf("both are %s", now)
		}
		if got := r.call("GET", accounts+"/id-v4-to-v5/"+old, "").want(200).text("response", "_id"); got != now {
			t.Errorf("%s is %s, want %s", old, got, now)
		}
		if got := r.call("GET", accounts+"/id-v5-to-v4/"+now, "").want(200).text("response", "_id"); got != old {
			t.Errorf("%s is %s, want %s", now, got, old)
		}
		r.call("GET", accounts+"/id-v4-to-v5/"+now, "").wantError(403, "error.resource.denied") // known, but not of v4
		r.call("GET", accounts+"/"+old, "").wantError(403, "error.resource.denied")
	}
}

// Somebody else's account is denied, an unknown one not found.
func TestAccount_OfAnotherCustomerIsDenied(t *testing.T) {
	c := start(t, nil).client()
	others := c.reader(ester, all).call("GET", accounts, "").want(200).list("response", "accounts")
	r := c.reader(sten, all)
	own := r.call("GET", accounts, "").want(200).list("response", "accounts")
	if len(own) != 1 || own[0]["_id"] != others[0]["_id"] {
		t.Errorf("the joint account is %v for one and %v for the other", own, others[0])
	}
	for path, status := range map[string]int{"/" + others[1]["_id"].(string): 403, "/unknown": 404} {
		for _, more := range []string{"", "/transactions"} {
			r.call("GET", accounts+path+more, "").want(status)
		}
	}
}

func TestPersona_ThatFailsIsAnError(t *testing.T) {
	c := start(t, nil).client()
	broken := c.reader(leo, all)
	broken.call("GET", accounts, "").wantError(500, "error.server")
	part := c.reader(ida, all)
	list := part.call("GET", accounts, "").want(200).list("response", "accounts")
	part.call("GET", accounts+"/"+list[0]["_id"].(string)+"/transactions", "").want(200)
	part.call("GET", accounts+"/"+list[1]["_id"].(string)+"/transactions", "").wantError(500, "error.server")
}

func TestAssets_ListWhatIsGranted(t *testing.T) {
	c := start(t, func(c *nordea.Config) { c.CardsDecoupled = true }).client()
	cards := `"ACCOUNTS_BASIC","CARDS_INFORMATION"`
	both := strings.Replace(authorization(c.code(maja), cards), "ALL", "ALL_WITH_CARDS", 1)
	code := c.call("POST", "/personal/v5/decoupled/authorizations", both).want(200).text("code")
	r := c.as(c.exchange(code).want(200).text("access_token"))
	for version, file := range map[string]string{"v4": "/personal/v4/assets", "v5": "/personal/v5/assets"} {
		a := r.call("GET", file, "").want(200)
		if got := fmt.Sprint(a.at("response", "scopes")); got != "[ACCOUNTS_BASIC CARDS_INFORMATION]" {
			t.Errorf("scopes %s", got)
		}
		list := r.call("GET", "/personal/"+version+"/accounts", "").want(200).list("response", "accounts")
		assets := a.list("response", "accounts")
		if len(assets) != len(list) {
			t.Fatalf("%d assets, %d accounts", len(assets), len(list))
		}
		for i := range list {
			numbers := list[i]["account_numbers"].([]any)
			if assets[i]["account_id"] != list[i]["_id"] || assets[i]["currency"] != "SEK" ||
				assets[i]["iban"] != numbers[0].(map[string]any)["value"] || assets[i]["account_number"] != numbers[1].(map[string]any)["value"] {
				t.Errorf("%v is not %v", assets[i], list[i])
			}
		}
		if got := a.list("response", "cards"); len(got) != 1 || got[0]["card_id"] != r.call("GET", "/personal/v5/cards", "").want(200).text("response", "cards", 0, "id") {
			t.Errorf("cards %v", got)
		}
	}
	card := r.call("GET", "/personal/v5/cards", "").want(200).text("response", "cards", 0, "id")
	without := c.reader(maja, cards)
	without.call("GET", "/personal/v5/cards/"+card, "").wantError(403, "error.resource.denied")
	if got := without.call("GET", "/personal/v5/cards", "").want(200).list("response", "cards"); len(got) != 0 {
		t.Errorf("listed %v without ALL_WITH_CARDS", got)
	}
	only := without.call("GET", "/personal/v4/assets", "").want(200)
	if got := only.list("response", "cards"); len(got) != 0 {
		t.Errorf("cards %v without ALL_WITH_CARDS", got)
	}
}
