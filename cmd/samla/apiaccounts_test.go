package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering is a server that answers requests in order, and is the server of commands.
func answering(t *testing.T, answers ...string) (asked *[]string) {
	t.Helper()
	configured(t)
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.String())
		if len(answers) == 0 {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = w.Write([]byte(answers[0]))
		answers = answers[1:]
	}))
	t.Cleanup(server.Close)
	t.Setenv("SAMLA_SERVER", server.URL)
	t.Setenv("SAMLA_API_KEY", testKey)
	return asked
}

// The pages of a feed are applied in their order: what counts is the newest form of an id.
func TestAccountsTransactions_AppliesPages(t *testing.T) {
	row := func(id, amount, status, day, text string) string {
		return `{"id": "` + id + `", "accountId": "a", "transactionId": "t` + id + `", "amount": {"amount": ` + amount + `, "currency": "SEK"}, "direction": "DEBIT", "status": "` + status + `"` + day + `, "description": "` + text + `"}`
	}
	day := func(d string) string { return `, "bookingDate": "` + d + `"` }
	asked := answering(t,
		`{"generation": 1, "added": [`+row("1", "-5", "PENDING", "", "old")+`, `+row("2", "-7.25", "BOOKED", day("2026-11-01"), "stays")+`, `+row("3", "-1", "BOOKED", day("2026-11-02"), "goes")+`], "modified": [], "removed": [], "nextCursor": "c 1", "hasMore": true}`,
		`{"generation": 1, "added": [`+row("4", "-1000", "PENDING", "", "newest")+`], "modified": [`+row("1", "-5", "BOOKED", day("2026-11-03"), "new")+`], "removed": ["3"], "nextCursor": "c2", "hasMore": false}`)
	out, _, err := samla(t, "accounts", "transactions", "acc/1")
	want := "DATE               AMOUNT  DESCRIPTION\npending     -1 000.00 SEK  newest\n2026-11-03      -5.00 SEK  new\n2026-11-01      -7.25 SEK  stays\n"
	if err != nil || out != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
	if got := strings.Join(*asked, "\n"); got != "GET /accounts/acc%2F1/transactions?limit=1000\nGET /accounts/acc%2F1/transactions?cursor=c+1&limit=1000" {
		t.Error(got)
	}
}

// Events are followed with the cursor of the last answer, also if it had none.
func TestEvents_GoOnWithTheCursor(t *testing.T) {
	event := func(id string) string {
		return `{"eventId": "` + id + `", "type": "COLLECTION", "recordedAt": "2026-11-27T07:47:12.464Z", "userId": "u", "body": {"collectionId": "` + id + `", "status": "COMPLETED", "n": 1795765632469}}`
	}
	asked := answering(t, `{"events": [`+event("e1")+`], "cursor": "c1", "more": true}`, `{"events": [`+event("e2")+`], "cursor": "c2", "more": false}`)
	out, log, err := samla(t, "events", "--type", "COLLECTION", "--limit", "3")
	if err != nil || !strings.Contains(out, "collectionId e1, n 1795765632469, status COMPLETED\n") || !strings.Contains(out, "collectionId e2") || strings.Count(out, "RECORDED") != 1 || log != "cursor: c2\n" {
		t.Errorf("%v\n%s%s", err, out, log)
	}
	if got := strings.Join(*asked, "\n"); got != "GET /events?limit=3&type=COLLECTION\nGET /events?cursor=c1&limit=2&type=COLLECTION" {
		t.Error(got)
	}
}

// A failure in the middle says where to go on.
func TestEvents_SayWhereAFailureStoppedThem(t *testing.T) {
	answering(t, `{"events": [], "cursor": "c1", "more": true}`)
	_, log, err := samla(t, "events", "--follow")
	if err == nil || log != "cursor: c1\n" {
		t.Errorf("%v\n%s", err, log)
	}
}

// Accounts that no bookkeeping format has a place for are named.
func TestAccountsExport_SaysWhatItLeavesOut(t *testing.T) {
	account := func(id, kind string) string {
		return `{"accountId": "` + id + `", "type": "` + kind + `", "company": "se-x", "companyDisplayName": "X", "currency": "SEK", "state": "OPEN", "balances": [{"kind": "BOOKED", "amount": {"amount": 1, "currency": "SEK"}}], "balancesAt": "2026-11-27T07:47:12.464Z"}`
	}
	answering(t, `[`+account("a1", "PSD2_CHECKING_ACCOUNT")+`, `+account("a2", "ISK")+`, `+account("a3", "MORTGAGE_LOAN")+`]`,
		`{"generation": 1, "added": [], "modified": [], "removed": [], "nextCursor": "c", "hasMore": false}`)
	out, log, err := samla(t, "accounts", "export", "--user", "01a21bf1-fe94-72f0-83bf-1c634c1ce66c", "--out", t.TempDir(), "--format", "csv")
	if err != nil || !strings.Contains(out, "-products.csv") || !strings.Contains(log, "2 accounts left out") {
		t.Errorf("%v\n%s%s", err, out, log)
	}
}

// A collection that is not whole says so in its files and to the person.
func TestCollectionsData_SaysThatItIsPartial(t *testing.T) {
	const id = "01a21bf8-f1c6-73fa-bdbe-839fa1b366fc"
	answering(t, `{"id": "`+id+`", "company": "se-x", "status": "COMPLETED_PARTIAL"}`, `[{"id": "p", "type": "ISK", "company": "se-x", "companyDisplayName": "X", "productName": "n"}]`,
		`[{"collectionId": "other", "createdAt": "2026-01-01T00:00:00Z"}, {"collectionId": "`+id+`", "createdAt": "2026-11-27T07:47:12.464Z"}]`)
	dir := t.TempDir()
	out, log, err := samla(t, "collections", "data", id, "--out", dir, "--format", "json,csv")
	if err != nil || strings.Count(log, "INCOMPLETE") != 1 || !strings.Contains(out, "/se-x-20261127T074712Z.json\n") {
		t.Errorf("%v %s%s", err, out, log)
	}
}
