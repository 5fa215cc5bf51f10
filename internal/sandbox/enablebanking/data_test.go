package enablebanking_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/enablebanking"
)

func stringReader(s string) io.Reader { return strings.NewReader(s) }

// report reads all pages, and returns the rows and the number of rows of each page.
func (e *env) report(uid, query string) (rows []map[string]any, pages []int) {
	e.Helper()
	key := ""
	for range 200 {
		at := "/accounts/" + uid + "/transactions?" + query
		if key != "" {
			at += "&continuation_key=" + url.QueryEscape(key)
		}
		got := e.call("GET", at, nil)
		if got.status != 200 {
			e.Fatalf("%s: %d %s", query, got.status, got.text)
		}
		page := got.list("transactions")
		rows, pages = append(rows, page...), append(pages, len(page))
		if key, _ = got.body["continuation_key"].(string); key == "" {
			return rows, pages
		}
	}
	e.Fatal("the pages do not end")
	return nil, nil
}

func TestTransactions_ComeInPagesOfWhichOneIsEmpty(t *testing.T) {
	e := start(t)
	uid := e.session("Nordea", maja, nil).uid(t, "Privatkonto")
	rows, pages := e.report(uid, "date_from=2025-11-18")
	if len(pages) < 4 || pages[0] != 50 || pages[1] != 0 || pages[2] != 50 {
		t.Errorf("pages of %v rows", pages)
	}
	seb := e.session("SEB", maja, nil).uid(t, "Privatkonto")
	if other, pages := e.report(seb, "date_from=2025-11-18"); pages[1] == 0 || len(other) < 300 {
		t.Errorf("pages of %v rows", pages)
	}
	last := "9999"
	signs := map[any]bool{}
	for _, r := range rows {
		signs[r["credit_debit_indicator"]] = true
		if strings.HasPrefix(r["transaction_amount"].(map[string]any)["amount"].(string), "-") {
			t.Errorf("signed amount %v", r)
		}
		if r["status"] == "PDNG" {
			if r["booking_date"] != nil {
				t.Errorf("a pending row is booked: %v", r)
			}
			continue
		}
		if day := r["booking_date"].(string); day > last {
			t.Errorf("%s after %s", day, last)
		} else {
			last = day
		}
	}
	if !signs["CRDT"] || !signs["DBIT"] {
		t.Errorf("signs %v", signs)
	}
}

func TestTransactions_KeepToTheirPeriod(t *testing.T) {
	e := start(t)
	s := e.session("SEB", maja, nil)
	uid := s.uid(t, "Privatkonto")
	span := func(uid, query string) (first, last string) {
		rows, _ := e.report(uid, "transaction_status=BOOK&"+query)
		if len(rows) == 0 {
			return "", ""
		}
		return rows[len(rows)-1]["booking_date"].(string), rows[0]["booking_date"].(string)
	}
	if first, last := span(uid, "date_from=2026-10-01&date_to=2026-10-27"); first != "2026-10-01" || last != "2026-10-27" {
		t.Errorf("got %s to %s", first, last)
	}
	if first, _ := span(uid, "x"[1:]); first < "2026-08-20" || first > "2026-08-31" {
		t.Errorf("without dates from %s", first)
	}
	if first, last := span(uid, "strategy=longest&date_to=2026-10-01&date_from=2024-01-01"); first > "2024-01-05" || last < "2026-11-10" {
		t.Errorf("longest got %s to %s", first, last)
	}
	if first, _ := span(uid, "strategy=longest"); first > "2023-01-05" {
		t.Errorf("longest begins %s", first)
	}
	for query, code := range map[string]string{
		"date_to=2026-10-01":                      "DATE_TO_WITHOUT_DATE_FROM",
		"date_from=2027-10-01":                    "DATE_FROM_IN_FUTURE",
		"date_from=2026-10-02&date_to=2026-10-01": "WRONG_DATE_INTERVAL",
		"date_from=2020-10-02":                    "WRONG_TRANSACTIONS_PERIOD",
		"date_from=2026-02-30":                    "WRONG_REQUEST_PARAMETERS",
		"strategy=all":                            "WRONG_REQUEST_PARAMETERS",
		"transaction_status=booked":               "WRONG_REQUEST_PARAMETERS",
		"continuation_key=x":                      "WRONG_CONTINUATION_KEY",
		"date_from=":                              "WRONG_REQUEST_PARAMETERS",
	} {
		e.expect(query, e.call("GET", "/accounts/"+uid+"/transactions?"+query, nil), 422, code)
	}
}

// A bank that goes back far only right after the login.
func TestTransactions_AreShorterLater(t *testing.T) {
	e := start(t)
	uid := e.session("Swedbank", maja, nil).uid(t, "Privatkonto")
	at := "/accounts/" + uid + "/transactions?date_from=2025-11-18"
	e.expect("at once", e.call("GET", at, nil), 200, "")
	e.leave()
	e.expect("without the person", e.call("GET", at, nil), 400, "ASPSP_ERROR")
	e.attend()
	e.clock.Jump(2 * time.Hour)
	e.expect("later", e.call("GET", at, nil), 400, "ASPSP_ERROR")
	e.expect("later, longest", e.call("GET", at+"&strategy=longest", nil), 200, "")
	e.expect("90 days", e.call("GET", "/accounts/"+uid+"/transactions?date_from=2026-08-20", nil), 200, "")
}

func TestContinuationKey_IsForOneQuery(t *testing.T) {
	e := start(t)
	s := e.session("Nordea", maja, nil)
	uid, card := s.uid(t, "Privatkonto"), s.uid(t, "Sparkonto")
	got := e.call("GET", "/accounts/"+uid+"/transactions?date_from=2025-11-18", nil)
	key := "&continuation_key=" + got.body["continuation_key"].(string)
	e.expect("same", e.call("GET", "/accounts/"+uid+"/transactions?date_from=2025-11-18"+key, nil), 200, "")
	e.expect("other query", e.call("GET", "/accounts/"+uid+"/transactions?date_from=2025-11-17"+key, nil), 422, "WRONG_CONTINUATION_KEY")
	e.expect("other account", e.call("GET", "/accounts/"+card+"/transactions?date_from=2025-11-18"+key, nil), 422, "WRONG_CONTINUATION_KEY")
	again := e.session("Nordea", maja, nil).uid(t, "Privatkonto")
	e.expect("other session", e.call("GET", "/accounts/"+again+"/transactions?date_from=2025-11-18"+key, nil), 422, "WRONG_CONTINUATION_KEY")
}

// transaction_id changes and leads to the row; entry_reference stays, where there is one.
func TestTransactionID_Changes(t *testing.T) {
	e := start(t)
	uid := e.session("SEB", maja, nil).uid(t, "Privatkonto")
	first, _ := e.report(uid, "transaction_status=BOOK")
	second, _ := e.report(uid, "transaction_status=BOOK")
	missing := 0
	for i, r := range first {
		if r["transaction_id"] == nil || r["transaction_id"] == second[i]["transaction_id"] {
			t.Fatalf("row %d: %v", i, r)
		}
		if r["entry_reference"] != second[i]["entry_reference"] {
			t.Fatalf("row %d has another reference", i)
		}
		if r["entry_reference"] == nil {
			missing++
		}
	}
	if missing == 0 || missing == len(first) {
		t.Errorf("%d of %d rows without reference", missing, len(first))
	}
	at := "/accounts/" + uid + "/transactions/"
	got := e.call("GET", at+first[0]["transaction_id"].(string), nil)
	if got.status != 200 || got.body["booking_date"] != first[0]["booking_date"] {
		t.Errorf("got %d %s", got.status, got.text)
	}
	e.expect("unknown", e.call("GET", at+"x", nil), 422, "TRANSACTION_DOES_NOT_EXIST")
	none := e.session("Handelsbanken", maja, nil).uid(t, "Privatkonto")
	if rows, _ := e.report(none, ""); rows[len(rows)-1]["transaction_id"] != nil {
		t.Error("a bank without details has transaction ids")
	}
}

func TestAmounts_MayRepeatTheSign(t *testing.T) {
	e := start(t)
	uid := e.session("Länsförsäkringar", maja, nil).uid(t, "Privatkonto")
	rows, _ := e.report(uid, "")
	for _, r := range rows {
		minus := strings.HasPrefix(r["transaction_amount"].(map[string]any)["amount"].(string), "-")
		if minus != (r["credit_debit_indicator"] == "DBIT") {
			t.Fatalf("got %v", r)
		}
	}
}

func TestPSUHeaders_AreAllOrNone(t *testing.T) {
	e := start(t)
	nordea := e.session("Nordea", maja, nil).uid(t, "Privatkonto")
	danske := e.session("Danske Bank", maja, nil).uid(t, "Privatkonto")
	lf := e.session("Länsförsäkringar", maja, nil).uid(t, "Privatkonto")
	avanza := e.session("Avanza", maja, nil).uid(t, "Privatkonto")
	for _, c := range []struct {
		name, uid string
		psu       http.Header
		status    int
		code      string
	}{
		{"all", nordea, http.Header{"Psu-Ip-Address": {address}, "Psu-User-Agent": {"x"}}, 200, ""},
		{"none", nordea, http.Header{}, 200, ""},
		{"part", nordea, http.Header{"Psu-Ip-Address": {address}}, 422, "PSU_HEADER_NOT_PROVIDED"},
		{"others only", nordea, http.Header{"Psu-Accept": {"*/*"}}, 422, "PSU_HEADER_NOT_PROVIDED"},
		{"no address", nordea, http.Header{"Psu-Ip-Address": {"here"}, "Psu-User-Agent": {"x"}}, 422, "PSU_HEADER_INVALID"},
		{"place missing", danske, http.Header{"Psu-Ip-Address": {address}, "Psu-User-Agent": {"x"}}, 422, "PSU_HEADER_NOT_PROVIDED"},
		{"one is enough", lf, http.Header{"Psu-Ip-Address": {address}}, 200, ""},
		{"nothing required", avanza, http.Header{"Psu-Ip-Address": {address}}, 200, ""},
	} {
		e.psu = c.psu
		e.expect(c.name, e.call("GET", "/accounts/"+c.uid+"/balances", nil), c.status, c.code)
	}
}

func TestUnattendedReads_AreLimited(t *testing.T) {
	e := start(t)
	s := e.session("Nordea", maja, nil)
	uid, other := s.uid(t, "Privatkonto"), s.uid(t, "Sparkonto")
	e.leave()
	for n := range 4 {
		e.expect(fmt.Sprint(n), e.call("GET", "/accounts/"+uid+"/balances", nil), 200, "")
	}
	e.expect("fifth", e.call("GET", "/accounts/"+uid+"/balances", nil), 429, "ASPSP_RATE_LIMIT_EXCEEDED")
	e.expect("another kind", e.call("GET", "/accounts/"+uid+"/details", nil), 200, "")
	e.expect("another account", e.call("GET", "/accounts/"+other+"/balances", nil), 200, "")
	e.attend()
	e.expect("with the person", e.call("GET", "/accounts/"+uid+"/balances", nil), 200, "")
	e.leave()
	if _, pages := e.report(uid, "date_from=2025-11-18"); len(pages) < 5 {
		t.Errorf("%d pages, none of which counts but the first", len(pages))
	}
	e.clock.Jump(25 * time.Hour)
	e.expect("a day later", e.call("GET", "/accounts/"+uid+"/balances", nil), 200, "")
	if got := e.gateway.Stats(); got.Refusals["ASPSP_RATE_LIMIT_EXCEEDED"] != 1 || got.Unattended != 8 {
		t.Errorf("got %+v", got)
	}
}

func TestAccess_CoversWhatWasAskedFor(t *testing.T) {
	e := start(t)
	uid := e.session("Nordea", maja, func(b map[string]any) {
		b["access"].(map[string]any)["balances"] = false
	}).uid(t, "Privatkonto")
	e.expect("balances", e.call("GET", "/accounts/"+uid+"/balances", nil), 403, "ACCESS_DENIED")
	rows, _ := e.report(uid, "transaction_status=BOOK")
	if rows[0]["balance_after_transaction"] != nil {
		t.Error("rows have balances")
	}
	uid = e.session("Nordea", maja, func(b map[string]any) {
		b["access"].(map[string]any)["transactions"] = false
	}).uid(t, "Privatkonto")
	e.expect("transactions", e.call("GET", "/accounts/"+uid+"/transactions", nil), 403, "ACCESS_DENIED")
	e.expect("unknown account", e.call("GET", "/accounts/4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1/details", nil), 404, "ACCOUNT_DOES_NOT_EXIST")
	e.expect("no operation", e.call("GET", "/accounts/"+uid+"/cards", nil), 404, "")
	e.expect("no method", e.call("POST", "/accounts/"+uid+"/balances", nil), 405, "")
}

func TestPersons_MeetFailuresOfTheirBank(t *testing.T) {
	e := start(t)
	s := e.session("SEB", ida, nil)
	e.expect("savings", e.call("GET", "/accounts/"+s.uid(t, "Sparkonto")+"/transactions", nil), 400, "ASPSP_ERROR")
	e.expect("card", e.call("GET", "/accounts/"+s.uid(t, "Visa")+"/transactions", nil), 408, "ASPSP_TIMEOUT")
	e.expect("the rest", e.call("GET", "/accounts/"+s.uid(t, "Privatkonto")+"/transactions", nil), 200, "")
	e.expect("everything", e.call("GET", "/accounts/"+e.session("SEB", leo, nil).uid(t, "Privatkonto")+"/balances", nil), 400, "ASPSP_ERROR")
}

func TestFaults_ChangeAnswers(t *testing.T) {
	e := start(t)
	uid := e.session("SEB", maja, nil).uid(t, "Privatkonto")
	get := func(what string) reply { return e.call("GET", "/accounts/"+uid+"/"+what, nil) }
	for _, c := range []struct {
		kind, what, code string
		status           int
		shows            string
	}{
		{"aspspError", "balances", "ASPSP_ERROR", 400, ""},
		{"aspspTimeout", "balances", "ASPSP_TIMEOUT", 408, ""},
		{"aspspLimit", "balances", "ASPSP_RATE_LIMIT_EXCEEDED", 429, "RateLimitException"},
		{"psuAction", "balances", "ASPSP_PSU_ACTION_REQUIRED", 400, ""},
		{"accessDenied", "balances", "ACCESS_DENIED", 403, ""},
		{"unknownError", "balances", "MOON_NOT_FULL", 400, ""},
		{"unavailable", "balances", "", 503, "upstream"},
		{"page", "balances", "", 200, "<html>"},
		{"cutBody", "balances", "", 200, "cut"},
		{"otherType", "balances", "", 200, "balances"},
		{"slow", "balances", "", 200, "balances"},
		{"unknownMembers", "balances", "", 200, "x_new"},
		{"unknownValues", "balances", "", 200, "XNEW"},
		{"manyDecimals", "transactions", "", 200, "00000\""},
		{"numberAmounts", "balances", "", 200, `"SEK","amount":2`},
		{"missingMembers", "balances", "", 200, `{"balance_amount"`},
		{"nullMembers", "transactions", "", 200, "null"},
		{"missingSign", "transactions", "", 200, `"transactions"`},
	} {
		e.deviate(enablebanking.Fault{Kind: enablebanking.FaultKind(c.kind), Call: c.what, Times: 1})
		e.expect(c.kind+": another call", get("details"), 200, "")
		got := get(c.what)
		e.expect(c.kind, got, c.status, c.code)
		if !strings.Contains(got.text, c.shows) {
			t.Errorf("%s: %.300s", c.kind, got.text)
		}
		if c.shows != "cut" && strings.HasPrefix(got.text, "{") && got.body == nil {
			t.Errorf("%s: no JSON: %.300s", c.kind, got.text)
		}
		e.expect(c.kind+": once", get(c.what), 200, "")
	}
	e.deviate(enablebanking.Fault{Kind: enablebanking.MissingSign})
	if got := get("transactions"); strings.Contains(got.text, "credit_debit_indicator") {
		t.Error("rows have a sign")
	}
}
