package nordea_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/nordea"
)

func TestTransactions_AreNewestFirstInPages(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(birgitta, all, `,"max_tx_history":12`)
	path := accounts + "/" + r.first() + "/transactions"
	first := r.call("GET", path, "").want(200)
	if got := len(first.list("response", "transactions")); got != 50 {
		t.Errorf("%d on the first page", got)
	}
	rows := r.rows(path + "?")
	if got := len(rows); got < 9*360 {
		t.Errorf("%d transactions", got)
	}
	last := "9999"
	ids := map[any]bool{}
	for _, row := range rows {
		if day := row["booking_date"].(string); day > last {
			t.Fatalf("%s after %s", day, last)
		} else {
			last = day
		}
		if id := row["transaction_id"]; id != nil && ids[id] {
			t.Fatalf("%v is there twice", id)
		} else {
			ids[id] = true
		}
	}
	// The link says the same as the key.
	next, err := url.Parse(first.text("response", "_links", 0, "href"))
	if err != nil || next.Query().Get("continuation_key") != first.text("group_header", "message_pagination", "continuation_key") ||
		first.text("response", "_links", 0, "rel") != "next" || "/personal"+next.Path != path {
		t.Errorf("link %v %v", next, err)
	}
	if got := r.call("GET", "/personal"+next.String(), "").want(200).list("response", "transactions"); got[0]["transaction_id"] != rows[50]["transaction_id"] {
		t.Error("the link leads elsewhere")
	}
}

func bigPages(c *nordea.Config) { c.PageSize = 5000 }

func TestTransactions_ShowTheDaysThatAreAskedFor(t *testing.T) {
	c := start(t, bigPages).client()
	r := c.reader(birgitta, all, `,"max_tx_history":12`)
	days := func(query string) string {
		rows := r.transactions(query)
		if len(rows) == 0 {
			return ""
		}
		return rows[len(rows)-1]["booking_date"].(string) + " " + rows[0]["booking_date"].(string)
	}
	for query, want := range map[string]string{
		"?from_date=2026-03-01&to_date=2026-03-03&": "2026-03-01 2026-03-03", // both inclusive
		"?from_date=2026-03-31&":                    "2026-03-31 2026-04-01",
		"?to_date=2025-04-02&":                      "2025-04-01 2025-04-02",
		"?from_date=2020-01-01&to_date=2025-04-01&": "2025-04-01 2025-04-01", // cut silently
		"?from_date=2026-04-02&":                    "",
		"?from_date=2027-01-01&to_date=2027-02-01&": "",
		"?": "2025-04-01 2026-04-01",
	} {
		if got := days(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	path := accounts + "/" + r.first() + "/transactions"
	for _, query := range []string{
		"?from_date=2026-03-02&to_date=2026-03-01", "?from_date=01.03.2026", "?to_date=2026-02-30", "?page=2",
		"?from_date=2026-03-01&from_date=2026-03-02", "?continuation_key=unknown", "?continuation_key=",
	} {
		r.call("GET", path+query, "").wantError(400, "error.validation")
	}
}

// A key is bound to the grant, the account and the parameters of its first page.
func TestContinuationKey_IsBoundToItsRequest(t *testing.T) {
	c := start(t, nil).client()
	r, other := c.reader(birgitta, all), c.reader(maja, all)
	path := accounts + "/" + r.first() + "/transactions"
	key := r.call("GET", path+"?from_date=2026-03-01&language=en", "").want(200).text("group_header", "message_pagination", "continuation_key")
	r.call("GET", path+"?from_date=2026-03-01&language=en&continuation_key="+key, "").want(200)
	for _, query := range []string{"?", "?from_date=2026-03-01&", "?from_date=2026-03-02&language=en&", "?from_date=2026-03-01&to_date=2026-04-01&language=en&", "?from_date=2026-03-01&language=sv&"} {
		r.call("GET", path+query+"continuation_key="+key, "").wantError(400, "error.validation")
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || !strings.Contains(string(raw), `"o":50`) {
		t.Fatalf("the key holds %q, %v", raw, err)
	}
	forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(raw), `"o":50`, `"o":10`, 1)))
	r.call("GET", path+"?from_date=2026-03-01&language=en&continuation_key="+forged, "").wantError(400, "error.validation")
	other.call("GET", accounts+"/"+other.first()+"/transactions?from_date=2026-03-01&language=en&continuation_key="+key, "").wantError(400, "error.validation")
	again := c.reader(birgitta, all)
	again.call("GET", path+"?from_date=2026-03-01&language=en&continuation_key="+key, "").wantError(400, "error.validation")

	small := start(t, func(c *nordea.Config) { c.PageSize = 1 }).client().reader(maja, all)
	list := small.call("GET", accounts, "").want(200).list("response", "accounts")
	key = small.call("GET", accounts+"/"+list[0]["_id"].(string)+"/transactions", "").want(200).text("group_header", "message_pagination", "continuation_key")
	small.call("GET", accounts+"/"+list[0]["_id"].(string)+"/transactions?continuation_key="+key, "").want(200)
	small.call("GET", accounts+"/"+list[1]["_id"].(string)+"/transactions?continuation_key="+key, "").wantError(400, "error.validation")
}

// The history is cut without a word: at max_tx_history, and at 90 days without the person or
// too long after they signed.
func TestHistory_IsCut(t *testing.T) {
	earliest := func(c *client, path string) string {
		rows := c.rows(path)
		return rows[len(rows)-1]["booking_date"].(string)
	}
	c := start(t, bigPages).client()
	r := c.reader(birgitta, all)
	path := accounts + "/" + r.first() + "/transactions?"
	if got := earliest(r, path); got != "2026-02-01" {
		t.Errorf("by default since %s, want two months", got)
	}
	r = c.reader(birgitta, all, `,"max_tx_history":12`)
	if got := earliest(r, path); got != "2025-04-01" {
		t.Errorf("since %s, want twelve months", got)
	}
	if got := earliest(r.absent(), path); got != "2026-01-01" {
		t.Errorf("without the person since %s, want 90 days", got)
	}
	c.advance(40 * time.Minute)
	if got := earliest(r, path); got != "2025-04-01" {
		t.Errorf("later since %s", got)
	}
	c = start(t, func(c *nordea.Config) { c.PageSize, c.FullHistoryFor = 5000, 5*time.Minute }).client()
	r = c.reader(birgitta, all, `,"max_tx_history":12`)
	c.advance(5*time.Minute - 1)
	if got := earliest(r, path); got != "2025-04-01" {
		t.Errorf("in time since %s", got)
	}
	c.advance(1)
	if got := earliest(r, path); got != "2026-01-01" {
		t.Errorf("too late since %s", got)
	}
}

// What was bought today is reserved until noon and booked from then on. In Denmark its id
// changes; what else is reserved disappears the next day.
func TestTransaction_BecomesBooked(t *testing.T) {
	for _, country := range []string{"SE", "DK"} {
		t.Run(country, func(t *testing.T) {
			morning := time.Date(2026, 4, 1, 11, 59, 59, 0, time.UTC)
			c := startAt(t, clock.NewManual(morning), nil).client()
			r := c.abroad(maja, country, all)
			today := func() (reserved, booked map[any]any, balance string) {
				reserved, booked = map[any]any{}, map[any]any{}
				for _, row := range r.transactions("?from_date=2026-04-01&to_date=2026-04-01&") {
					if row["status"] == "reserved" {
						reserved[fmt.Sprint(row["amount"], row["narrative"])] = row["transaction_id"]
						if row["value_date"] != nil || row["balance_after_transaction"] != nil {
							t.Errorf("a reserved row has %v", row)
						}
					} else {
						booked[fmt.Sprint(row["amount"], row["narrative"])] = row["transaction_id"]
					}
				}
				return reserved, booked, fmt.Sprint(r.call("GET", accounts, "").want(200).at("response", "accounts", 0, "booked_balance"))
			}
			latest := func() string {
				return r.call("GET", accounts, "").want(200).text("response", "accounts", 0, "latest_transaction_booking_date")
			}
			if got := latest(); got >= "2026-04-01" {
				t.Errorf("in the morning the latest booking is of %s", got)
			}
			before, none, balance := today()
			if len(none) != 0 || len(before) < 2 {
				t.Fatalf("in the morning %v and %v", before, none)
			}
			c.advance(time.Second)
			if got := latest(); got != "2026-04-01" {
				t.Errorf("at noon the latest booking is of %s", got)
			}
			after, booked, next := today()
			if len(booked) == 0 || len(after) == 0 || len(after)+len(booked) != len(before) || next == balance {
				t.Fatalf("at noon %v and %v, balance %s", after, booked, next)
			}
			for row, id := range booked {
				if was := before[row]; (was == id) != (country == "SE") {
					t.Errorf("%v: id %v, before %v", row, id, was)
				}
			}
			c.advance(24 * time.Hour)
			c.token = ""
			r = c.abroad(maja, country, all)
			tomorrow, _, _ := today()
			if len(tomorrow) != 0 {
				t.Errorf("still reserved: %v", tomorrow)
			}
		})
	}
}

func TestTransaction_MayHaveNoID(t *testing.T) {
	c := start(t, nil).client()
	without := 0
	for _, row := range c.reader(maja, all, `,"max_tx_history":12`).transactions("?") {
		if row["transaction_id"] == nil && row["status"] != "reserved" {
			without++
		}
	}
	if without == 0 {
		t.Error("every booked transaction has an id")
	}
	for _, row := range c.reader(per, all).transactions("?") {
		if row["transaction_id"] != nil {
			t.Errorf("%v has an id", row)
		}
	}
}

func TestTransaction_IsInTheLanguageThatIsAskedFor(t *testing.T) {
	r := start(t, nil).client().reader(maja, all)
	for language, want := range map[string]string{"": "Kortköp", "language=sv&": "Kortköp", "language=en&": "Card purchase", "language=fi&": "Korttiosto", "language=da&": "Kortkøb"} {
		rows := r.transactions("?" + language)
		if !slices.ContainsFunc(rows, func(row map[string]any) bool { return row["type_description"] == want }) {
			t.Errorf("%s: no %s", language, want)
		}
	}
	r.call("GET", accounts+"/"+r.first()+"/transactions?language=xx", "").wantError(400, "error.validation")
}

func TestTransaction_HasItsForeignCurrency(t *testing.T) {
	r := start(t, nil).client().reader(maja, all, `,"max_tx_history":12`)
	for _, row := range r.transactions("?") {
		if row["original_currency"] == nil {
			continue
		}
		if row["original_currency"] != "EUR" || !strings.HasPrefix(fmt.Sprint(row["original_currency_amount"]), "-") || row["currency_rate"] == nil {
			t.Errorf("%v", row)
		}
		return
	}
	t.Error("no purchase abroad")
}

func TestQuota_LimitsReadsWithoutThePerson(t *testing.T) {
	c := start(t, nil).client()
	r := c.reader(birgitta, all)
	path := accounts + "/" + r.first()
	for _, p := range []string{accounts, path, path + "/transactions"} {
		for i := range 4 {
			if got := r.absent().call("GET", p, ""); got.status != 200 {
				t.Fatalf("%s: read %d answers %d", p, i, got.status)
			}
		}
		refused := r.absent().call("GET", p, "").wantError(429, "error.request.limit")
		if got := refused.header.Get("Retry-After"); got != "86401" {
			t.Errorf("Retry-After %s", got)
		}
		r.call("GET", p, "").want(200) // the person is there
	}
	if got := c.Stats(); got.AccessExceeded != 3 || got.UnattendedReads != 12 {
		t.Errorf("%+v", got)
	}
	another := c.reader(birgitta, all)
	another.absent().call("GET", accounts, "").want(200) // a quota of its own
	c.advance(24 * time.Hour)
	r = c.reader(birgitta, all)
	for range 4 {
		r.absent().rows(path + "/transactions?") // pages do not count
		c.advance(6 * time.Hour)
		r = r.again()
	}
}

// again returns the client with a fresh access token of its grant.
func (c *client) again() *client {
	c.Helper()
	return c.reader(birgitta, all)
}

func TestQuota_IsOfARollingDay(t *testing.T) {
	c := start(t, func(c *nordea.Config) { c.AccessLife = 48 * time.Hour }).client()
	r := c.reader(maja, all).absent()
	for range 4 {
		r.call("GET", accounts, "").want(200)
		c.advance(time.Hour)
	}
	r.call("GET", accounts, "").want(429)
	c.advance(20*time.Hour - 1)
	r.call("GET", accounts, "").want(429)
	c.advance(1)
	r.call("GET", accounts, "").want(200)
	r.call("GET", accounts, "").want(429)
}

func TestBurst_IsRefusedByTheGateway(t *testing.T) {
	c := start(t, func(c *nordea.Config) { c.Burst = 5 }).client()
	for range 5 {
		c.call("GET", accounts, "").want(401)
	}
	got := c.call("GET", accounts, "").want(429)
	if got.text("httpCode") != "429" || got.text("httpMessage") != "Too Many Requests" {
		t.Errorf("%s", got.body)
	}
	c.advance(time.Second)
	c.call("GET", accounts, "").want(401)
	if got := c.Stats().BurstExceeded; got != 1 {
		t.Errorf("%d", got)
	}
}
