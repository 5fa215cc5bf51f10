package obie_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"

	"github.com/google/uuid"
)

// Personas of package persona.
const (
	alva     = "200002292399" // several currencies
	birgitta = "196603233724" // over 10 000 transactions
	per      = "198208149297" // rows that look alike
	elsa     = "199011062388" // many kinds of accounts
)

var transactionsOnly = []string{"ReadAccountsBasic", "ReadTransactionsDetail", "ReadTransactionsCredits", "ReadTransactionsDebits"}

// rows reads all pages of transactions of an account and returns their rows.
func (c *client) rows(token, account, query string) (all []map[string]any, pages int) {
	c.Helper()
	for next := "accounts/" + account + "/transactions" + query; next != ""; pages++ {
		a := c.api(http.MethodGet, next, token, "").want(200)
		list := a.list("Data", "Transaction")
		if pages > 0 {
			if fmt.Sprint(list[0]) != fmt.Sprint(all[len(all)-1]) {
				c.Fatalf("page %d does not repeat the last row of the one before", pages)
			}
			list = list[1:]
		}
		all = append(all, list...)
		next = a.text("Links", "Next")
	}
	return all, pages
}

// O12.
func TestTransactions_ComeInPages(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		_, tokens := c.connect(birgitta, allPermissions)
		account := c.accountsOf(birgitta)[0]
		rows, pages := c.rows(access(tokens), account, "?fromBookingDateTime=2026-03-01T00:00:00")
		customers := persona.NewCustomers(b.BankID)
		p, _ := customers.Person(birgitta)
		var want []persona.Transaction
		for _, r := range customers.Ledger(p.Accounts[0], persona.DayAt(startTime)).Booked {
			if r.Day >= persona.DayOf(2026, 3, 1) {
				want = append(want, r)
			}
		}
		slices.Reverse(want)
		if len(rows) != len(want) || len(want) < 200 {
			t.Fatalf("%d rows, want %d", len(rows), len(want))
		}
		for i, r := range rows {
			sum, _ := r["Amount"].(map[string]any)
			text := fmt.Sprint(sum["Amount"])
			if r["CreditDebitIndicator"] == "Debit" {
				text = "-" + text
			}
			if text != persona.Amount(want[i].Minor) || r["BookingDateTime"] != want[i].Day.String()+"T00:00:00+00:00" {
				t.Fatalf("row %d is %v, want %v", i, r, want[i])
			}
		}
		a := c.api(http.MethodGet, "accounts/"+account+"/transactions?fromBookingDateTime=2026-03-01T00:00:00", access(tokens), "").want(200)
		if n := len(a.list("Data", "Transaction")); n != 25 {
			t.Errorf("%d rows on the first page", n)
		}
		total := a.at("Meta", "TotalPages")
		if b.NoTotalPages && total != nil || !b.NoTotalPages && total != float64(pages) {
			t.Errorf("TotalPages is %v, want %d", total, pages)
		}
		next := a.text("Links", "Next")
		second := c.api(http.MethodGet, next, access(tokens), "").want(200)
		if first := c.api(http.MethodGet, second.text("Links", "Prev"), access(tokens), "").want(200); fmt.Sprint(first.at("Data")) != fmt.Sprint(a.at("Data")) {
			t.Error("Prev is not the first page")
		}
		c.api(http.MethodGet, strings.Replace(next, "pg=", "pg=x", 1), access(tokens), "").want(400)
		_, others := c.connect(birgitta, allPermissions)
		c.api(http.MethodGet, next, access(others), "").want(400) // a link of another consent
		_, several := c.connect(persona.Default, allPermissions)
		ids := c.accountsOf(persona.Default)
		next = c.api(http.MethodGet, "accounts/"+ids[0]+"/transactions", access(several), "").want(200).text("Links", "Next")
		c.api(http.MethodGet, next, access(several), "").want(200)
		c.api(http.MethodGet, strings.Replace(next, ids[0], ids[1], 1), access(several), "").want(400) // a link of another account
		c.clock.Advance(16 * time.Minute)
		c.api(http.MethodGet, next, access(several), "").wantError(400, c.code("UK.OBIE.Field.Invalid", "U002"))
	})
}

func TestTransactions_AreFilteredByTime(t *testing.T) {
	c := start(t, behaviour("se-demo-obie4")).client()
	_, tokens := c.connect(per, allPermissions)
	account := c.accountsOf(per)[0]
	days := func(query string) string {
		rows, _ := c.rows(access(tokens), account, query)
		seen := map[string]bool{}
		for _, r := range rows {
			seen[fmt.Sprint(r["BookingDateTime"])[8:10]] = true
		}
		return strings.Join(slices.Sorted(maps.Keys(seen)), " ")
	}
	for query, want := range map[string]string{
		"?fromBookingDateTime=2026-03-10T00:00:00&toBookingDateTime=2026-03-12T23:59:59":          "10 11 12",
		"?fromBookingDateTime=2026-03-10T00:00:01&toBookingDateTime=2026-03-12T00:00:00":          "11 12",
		"?fromBookingDateTime=2026-03-10T00:00:00Z&toBookingDateTime=2026-03-10T00:00:00Z":        "10",
		"?fromBookingDateTime=2026-03-10T00:00:00%2B09:00&toBookingDateTime=2026-03-10T00:00:00Z": "10", // the zone is ignored
		"?fromBookingDateTime=2027-01-01T00:00:00":                                                "",
		"?fromBookingDateTime=2026-03-12T00:00:00&toBookingDateTime=2026-03-10T00:00:00":          "",
		"?fromBookingDateTime=1999-01-01T00:00:00&toBookingDateTime=2000-01-01T00:00:00":          "",
	} {
		if got := days(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	c.lax = true
	if got := days("?fromBookingDateTime=2026-03-30&toBookingDateTime=2026-03-31"); got != "30 31" {
		t.Errorf("days: %s", got)
	}
	c.api(http.MethodGet, "accounts/"+account+"/transactions?fromBookingDateTime=yesterday", access(tokens), "").wantError(400, "U003")
}

// O14: the range of the consent, of the bank, and of the minutes after the authorisation.
func TestTransactions_KeepToTheHistory(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		_, tokens := c.connect(per, allPermissions)
		account := c.accountsOf(per)[0]
		oldest := func() (row, meta string) { // of the days that are looked at
			t.Helper()
			for _, day := range []string{"2023-01-02", "2026-01-02"} {
				a := c.api(http.MethodGet, "accounts/"+account+"/transactions?toBookingDateTime="+day+"T00:00:00", access(tokens), "").want(200)
				list := a.list("Data", "Transaction")
				if meta = a.text("Meta", "FirstAvailableDateTime")[:10]; len(list) > 0 {
					return fmt.Sprint(list[len(list)-1]["BookingDateTime"])[:10], meta
				}
			}
			return "none", meta
		}
		if row, meta := oldest(); meta != "2022-02-21" || row != "2023-01-01" { // 1500 days, and the account's first row
			t.Errorf("at once: %s %s", row, meta)
		}
		c.clock.Advance(5 * time.Minute)
		if row, _ := oldest(); row != "2023-01-01" {
			t.Errorf("after five minutes: %s", row)
		}
		c.clock.Advance(time.Second)
		if row, meta := oldest(); (row == "2026-01-01") != (b.FullHistoryFor > 0) || (meta == "2026-01-01") != (b.FullHistoryFor > 0) {
			t.Errorf("then: %s %s", row, meta)
		}
		limited := c.newConsent(transactionsOnly, map[string]any{"TransactionFromDateTime": "2026-03-01T00:00:00Z", "TransactionToDateTime": "2026-03-02T00:00:00Z"})
		tokens = c.exchange(c.approve(c.login(limited), per).Get("code")).want(200)
		rows, _ := c.rows(access(tokens), account, "")
		if len(rows) != 4 || rows[0]["BookingDateTime"] != "2026-03-02T00:00:00+00:00" || rows[3]["BookingDateTime"] != "2026-03-01T00:00:00+00:00" {
			t.Errorf("in the range of the consent: %d rows", len(rows))
		}
	})
}

// O10.
func TestData_IsFilteredByPermissions(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		read := func(permissions ...string) (accounts, rows []map[string]any) {
			_, tokens := c.connect(persona.Default, permissions)
			accounts = c.api(http.MethodGet, "accounts", access(tokens), "").want(200).list("Data", "Account")
			for _, id := range c.accountsOf(persona.Default) {
				a := c.api(http.MethodGet, "accounts/"+id+"/transactions?toBookingDateTime=2026-03-31T00:00:00", access(tokens), "").want(200)
				rows = append(rows, a.list("Data", "Transaction")...)
			}
			return accounts, rows
		}
		having := func(list []map[string]any, members ...string) (n int) {
			for _, m := range list {
				for _, name := range members {
					if m[name] != nil {
						n++
					}
				}
			}
			return n
		}
		detail := []string{"TransactionInformation", "Balance", "MerchantDetails", "CreditorAccount", "DebtorAccount", "CreditorAgent", "DebtorAgent"}
		accounts, rows := read("ReadAccountsBasic", "ReadTransactionsBasic", "ReadTransactionsCredits", "ReadTransactionsDebits")
		if len(accounts) != 3 || having(accounts, "Account", "Servicer") != 0 || len(rows) != 75 || having(rows, detail...) != 0 {
			t.Errorf("basic: %v", accounts)
		}
		accounts, rows = read("ReadAccountsBasic", "ReadAccountsDetail", "ReadTransactionsBasic", "ReadTransactionsDetail", "ReadTransactionsCredits", "ReadTransactionsDebits")
		if having(accounts, "Account", "Servicer") != 6 || having(rows, "TransactionInformation", "Balance") != 150 || having(rows, "MerchantDetails") == 0 || having(rows, "CreditorAccount") == 0 {
			t.Errorf("detail: %v", accounts)
		}
		pan := func(accounts []map[string]any) string {
			return fmt.Sprint(accounts[2]["Account"].([]any)[0].(map[string]any)["Identification"])
		}
		if got := pan(accounts); !strings.Contains(got, "******") || len(got) != 16 {
			t.Errorf("masked: %s", got)
		}
		for kind, indicator := range map[string]string{"ReadTransactionsCredits": "Credit", "ReadTransactionsDebits": "Debit"} {
			_, rows := read("ReadAccountsBasic", "ReadTransactionsDetail", kind)
			if len(rows) < 30 || slices.ContainsFunc(rows, func(r map[string]any) bool { return r["CreditDebitIndicator"] != indicator }) {
				t.Errorf("%s: %d rows", kind, len(rows))
			}
		}
		accounts, rows = read("ReadAccountsDetail", "ReadTransactionsDetail", "ReadTransactionsDebits", "ReadPAN")
		card, _ := rows[len(rows)-1]["CardInstrument"].(map[string]any)
		if got := pan(accounts); strings.Contains(got, "*") || len(got) != 16 || card["Identification"] != got {
			t.Errorf("with ReadPAN: %s %v", got, card)
		}
	})
}

// O11, and which permission each resource needs.
func TestData_IsRefused(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		mismatch := c.code("UK.OBIE.Resource.ConsentMismatch", "U008")
		consent := c.newConsent(allPermissions, nil)
		ids := c.accountsOf(persona.Default)
		q := c.decide(c.login(consent), approval(persona.Default, ids[:1]))
		tokens := c.exchange(q.Get("code")).want(200)
		for _, sub := range []string{"", "/balances", "/transactions", "/party", "/parties", "/direct-debits"} {
			c.api(http.MethodGet, "accounts/"+ids[0]+sub, access(tokens), "").want(200)
			c.api(http.MethodGet, "accounts/"+ids[1]+sub, access(tokens), "").wantError(403, mismatch)               // not chosen
			c.api(http.MethodGet, "accounts/"+c.accountsOf(tim)[0]+sub, access(tokens), "").wantError(403, mismatch) // another person's
			c.api(http.MethodGet, "accounts/"+uuid.NewString()+sub, access(tokens), "").wantError(400, c.code("UK.OBIE.Resource.NotFound", "U011"))
		}
		_, basic := c.connect(persona.Default, []string{"ReadAccountsBasic"})
		c.api(http.MethodGet, "accounts", access(basic), "").want(200)
		paths := []string{"party"}
		for _, sub := range []string{"balances", "transactions", "party", "parties", "beneficiaries", "direct-debits", "standing-orders", "scheduled-payments"} {
			paths = append(paths, "accounts/"+ids[0]+"/"+sub)
		}
		if b.Bulk {
			paths = append(paths, "balances", "transactions")
		} else {
			c.api(http.MethodGet, "balances", access(tokens), "").want(404)
		}
		for _, path := range paths {
			c.api(http.MethodGet, path, access(basic), "").wantError(403, mismatch)
		}

		c.api(http.MethodGet, "accounts", "unknown", "").want(401)
		c.lax = true
		request := func(method, path string, change func(http.Header)) response {
			r := c.request(method, path, "")
			r.Header.Set("Authorization", "Bearer "+access(tokens))
			r.Header.Set("x-fapi-financial-id", b.FinancialID)
			change(r.Header)
			return c.do(r, "")
		}
		accounts := c.Resources() + "/accounts"
		if a := request(http.MethodGet, accounts, func(h http.Header) { h.Del("Authorization") }).want(401); len(a.body) > 0 {
			t.Errorf("401 with %s", a.body)
		}
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("Authorization", "Basic "+access(tokens)) }).want(401)
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("Accept", "text/xml") }).want(406)
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("Accept", "text/html, application/json;q=0.9") }).want(200)
		invalid := c.code("UK.OBIE.Header.Invalid", "U006")
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("x-fapi-customer-ip-address", "home") }).wantError(400, invalid)
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("x-fapi-auth-date", "2026-04-01") }).wantError(400, invalid)
		request(http.MethodGet, accounts, func(h http.Header) { h.Set("x-fapi-auth-date", "Wed, 01 Apr 2026 08:00:00 UTC") }).want(200)
		if a := request(http.MethodPut, accounts, func(http.Header) {}); a.status != 405 || a.header.Get("Allow") != "GET" {
			t.Errorf("PUT: %d", a.status)
		}
		request(http.MethodGet, c.Resources()+"/cards", func(http.Header) {}).want(404)
		request(http.MethodGet, strings.Replace(accounts, "/v", "/v0", 1), func(http.Header) {}).want(503)
		post := c.request(http.MethodPost, c.Resources()+"/account-access-consents", "{}")
		post.Header = http.Header{"Authorization": {"Bearer " + c.appToken()}, "Content-Type": {"text/plain"}}
		post.Header.Set("x-fapi-financial-id", b.FinancialID)
		c.do(post, "").want(415)
	})
}

// O9.
func TestHeaders(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	_, tokens := c.connect(tim, allPermissions)
	send := func(name, value string) response {
		c.change = func(r *http.Request) {
			if r.Header.Set(name, value); value == "" {
				r.Header.Del(name)
			}
		}
		defer func() { c.change = nil }()
		return c.api(http.MethodGet, "accounts", access(tokens), "")
	}
	id := uuid.NewString()
	if a := send("x-fapi-interaction-id", id).want(200); a.header.Get("x-fapi-interaction-id") != id {
		t.Error("the interaction id is another one")
	}
	if a := send("x-fapi-interaction-id", "").want(200); len(a.header.Get("x-fapi-interaction-id")) != 36 {
		t.Error("no interaction id")
	}
	send("x-fapi-financial-id", "").wantError(400, "UK.OBIE.Header.Missing")
	send("x-fapi-financial-id", "other").wantError(400, "UK.OBIE.Header.Invalid")
	req := c.request(http.MethodGet, c.Resources()+"/accounts", "")
	req.Header.Set("x-fapi-interaction-id", "1")
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 400 || len(resp.Header.Get("x-fapi-interaction-id")) != 36 {
		t.Errorf("a wrong interaction id: %d %s", resp.StatusCode, resp.Header.Get("x-fapi-interaction-id"))
	}
}

// O15.
func TestReads_AreLimitedWithoutThePerson(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		consent, tokens := c.connect(birgitta, allPermissions)
		account := c.accountsOf(birgitta)[0]
		fresh := func() {
			tokens = c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
		}
		c.attended = false
		for _, path := range []string{"accounts", "accounts/" + account + "/balances", "accounts/" + account + "/transactions"} {
			for range 4 {
				c.api(http.MethodGet, path, access(tokens), "").want(200)
				c.clock.Advance(time.Minute)
			}
			a := c.api(http.MethodGet, path, access(tokens), "").want(429)
			if after := a.header.Get("Retry-After"); after != fmt.Sprint(24*3600-4*60+1) {
				t.Errorf("%s: Retry-After is %s", path, after)
			}
			c.attended = true
			c.api(http.MethodGet, path, access(tokens), "").want(200)
			c.attended = false
		}
		c.clock.Advance(24*time.Hour - 13*time.Minute)
		fresh()
		c.api(http.MethodGet, "accounts", access(tokens), "").want(429)
		c.clock.Advance(2 * time.Minute)
		c.api(http.MethodGet, "accounts", access(tokens), "").want(200)
		c.clock.Advance(24 * time.Hour)
		fresh()
		rows, pages := c.rows(access(tokens), account, "?fromBookingDateTime=2026-03-01T00:00:00") // further pages do not count
		if pages < 9 || len(rows) == 0 {
			t.Errorf("%d pages", pages)
		}
		other, more := c.connect(birgitta, allPermissions)
		c.api(http.MethodGet, "accounts", access(more), "").want(200)
		if other == consent {
			t.Error("the same consent")
		}
	})
}

// O13: what is special in the rows and balances of some persons.
func TestData_HasItsOddities(t *testing.T) {
	c := start(t, behaviour("se-demo-obie4")).client()
	_, tokens := c.connect(per, allPermissions)
	rows, _ := c.rows(access(tokens), c.accountsOf(per)[0], "?fromBookingDateTime=2026-03-30T00:00:00")
	if len(rows) < 4 || rows[0]["TransactionId"] != nil || fmt.Sprint(rows[0]["Amount"], rows[0]["TransactionInformation"]) != fmt.Sprint(rows[1]["Amount"], rows[1]["TransactionInformation"]) {
		t.Errorf("rows that look alike: %v", rows)
	}

	_, tokens = c.connect(persona.Default, allPermissions)
	ids := c.accountsOf(persona.Default)
	status := func() (list []string) {
		for _, r := range c.api(http.MethodGet, "accounts/"+ids[0]+"/transactions", access(tokens), "").want(200).list("Data", "Transaction") {
			if r["Status"] == "PDNG" {
				list = append(list, fmt.Sprint(r["Amount"], r["BookingDateTime"]))
			}
		}
		return list
	}
	today := status()
	if len(today) != 2 {
		t.Errorf("pending: %v", today)
	}
	c.clock.Advance(24 * time.Hour)
	tokens = c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
	if tomorrow := status(); slices.Equal(today, tomorrow) {
		t.Error("pending rows do not vanish")
	}
	_, tokens = c.connect(elsa, allPermissions)
	types := map[string]map[string]any{}
	for _, balance := range c.api(http.MethodGet, "accounts/"+c.accountsOf(elsa)[1]+"/balances", access(tokens), "").want(200).list("Data", "Balance") {
		types[fmt.Sprint(balance["Type"])] = balance
	}
	if types["ITBD"]["CreditDebitIndicator"] != "Debit" || types["ITAV"]["CreditDebitIndicator"] != "Credit" || types["ITAV"]["CreditLine"] == nil || len(types) != 4 {
		t.Errorf("balances of the overdraft: %v", types)
	}

	_, tokens = c.connect(alva, allPermissions)
	var several []string
	for _, a := range c.api(http.MethodGet, "accounts", access(tokens), "").want(200).list("Data", "Account") {
		if second := a["Account"].([]any)[0].(map[string]any)["SecondaryIdentification"]; second != nil {
			several = append(several, fmt.Sprint(second, a["Currency"]))
			for _, balance := range c.api(http.MethodGet, fmt.Sprint("accounts/", a["AccountId"], "/balances"), access(tokens), "").list("Data", "Balance") {
				if balance["Amount"].(map[string]any)["Currency"] != a["Currency"] {
					t.Errorf("a balance in another currency: %v", balance)
				}
			}
		}
	}
	if strings.Join(several, " ") != "SEKSEK EUREUR USDUSD" {
		t.Errorf("accounts of several currencies: %v", several)
	}
}

// O18: the code tables of both versions for the same accounts.
func TestVersions_HaveTheirCodes(t *testing.T) {
	for company, want := range map[string]string{
		"se-demo-obie":  "CurrentAccount CurrentAccount Savings Savings Savings Mortgage CreditCard",
		"se-demo-obie4": "SLRY ODFT SVGS LLSV MOMA MORT CARD",
	} {
		c := start(t, behaviour(company)).client()
		_, tokens := c.connect(elsa, allPermissions)
		member := map[string]string{"se-demo-obie": "AccountSubType", "se-demo-obie4": "AccountTypeCode"}[company]
		var got []string
		for _, a := range c.api(http.MethodGet, "accounts", access(tokens), "").want(200).list("Data", "Account") {
			got = append(got, fmt.Sprint(a[member]))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", company, got)
		}
		number := c.api(http.MethodGet, "party", access(tokens), "").want(200).text("Data", "Party", "PartyNumber")
		if (number == elsa) != c.PartyNumber {
			t.Errorf("%s: the party has the number %q", company, number)
		}
	}
}
