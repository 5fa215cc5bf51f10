package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const psuAddress = "PSU-IP-Address" // an empty value removes the header: an unattended read

// Each endpoint and account may be read four times in a rolling 24 hours. Attended
// reads and further pages do not count.
func TestUnattendedReads_AreLimitedPerEndpoint(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	account := p.call("GET", "accounts", "", "Consent-ID", id).want(200).text("accounts", 0, "resourceId")
	read := func(path string, psu bool) response {
		header := []string{"Consent-ID", id}
		if !psu {
			header = append(header, psuAddress, "")
		}
		return p.call("GET", path, "", header...)
	}
	for range 4 {
		read("accounts", false).want(200)
		w.clock.Advance(time.Hour)
	}
	over := read("accounts", false)
	over.wantError(429, "ACCESS_EXCEEDED")
	if got := over.header.Get("Retry-After"); got != fmt.Sprint(20*3600+1) {
		t.Errorf("Retry-After %s", got)
	}
	read("accounts", true).want(200)
	rows := "accounts/" + account + "/transactions?dateFrom=2026-03-01&bookingStatus="
	read(rows+"booked", false).want(200)
	read(rows+"both", false).want(200) // counts with the read before
	read(rows+"pending", false).want(200)
	read("accounts/"+account+"/balances", false).want(200) // counts separately
	read(rows+"booked", false).want(200)
	read(rows+"booked", false).wantError(429, "ACCESS_EXCEEDED")
	w.clock.Advance(20 * time.Hour) // the first read of the list is now 24 hours old
	read("accounts", false).want(200)
	read("accounts", false).wantError(429, "ACCESS_EXCEEDED")
	if s := w.Stats(); s.UnattendedReads != 10 || s.Banks["se-demo-psd2"].AccessExceeded != 3 {
		t.Errorf("%+v", s)
	}
}

func TestUnattendedReads_FollowFrequencyOfConsent(t *testing.T) {
	w := start(t, nil)
	for bank, body := range map[string]string{
		"se-demo-psd2":     strings.Replace(allAccounts, `"frequencyPerDay":4`, `"frequencyPerDay":1`, 1),
		"se-sandbox-short": allAccounts, // the bank itself allows one
	} {
		p := w.tpp(bank)
		id := p.consent(body, maja)
		p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").want(200)
		p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").wantError(429, "ACCESS_EXCEEDED")
		if got := p.call("GET", "consents/"+id, "").at("frequencyPerDay"); fmt.Sprint(got) != "1" {
			t.Errorf("%s: frequencyPerDay %v", bank, got)
		}
	}
	once := strings.NewReplacer("true", "false", `"frequencyPerDay":4`, `"frequencyPerDay":1`).Replace(allAccounts)
	p := w.tpp("se-demo-psd2")
	id := p.consent(once, tim)
	for range 6 {
		p.call("GET", "accounts", "", "Consent-ID", id, psuAddress, "").want(200)
	}
}

// The pages contain every transaction once, newest first, and do not count as reads.
func TestTransactions_ArePaged(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-static")
	id := p.consent(allAccounts, maja)
	account := p.call("GET", "accounts", "", "Consent-ID", id).want(200).text("accounts", 0, "resourceId")
	path := "accounts/" + account + "/transactions?bookingStatus=booked&dateFrom=2026-02-01&dateTo=2026-03-15"
	last, rows, pages := "9999", 0, 0
	for next := path; next != ""; pages++ {
		page := p.call("GET", next, "", "Consent-ID", id, psuAddress, "").want(200)
		for i := range page.list("transactions", "booked") {
			date := page.text("transactions", "booked", i, "bookingDate")
			if date > last || date < "2026-02-01" || date > "2026-03-15" {
				t.Fatalf("row of %s after %s", date, last)
			}
			last = date
			rows++
		}
		if n := len(page.list("transactions", "booked")); n > 7 {
			t.Fatalf("%d rows on a page", n)
		}
		if next = page.text("transactions", "_links", "next", "href"); next != "" && pages == 0 {
			other := p.consent(allAccounts, ester)
			p.call("GET", next, "", "Consent-ID", other).wantError(404, "RESOURCE_UNKNOWN")
			p.call("GET", strings.Replace(next, "page=", "page=A", 1), "", "Consent-ID", id).wantError(400, "FORMAT_ERROR")
		}
	}
	if pages < 4 || rows < 25 {
		t.Errorf("%d rows on %d pages", rows, pages)
	}
	if s := w.Stats(); s.UnattendedReads != 1 {
		t.Errorf("%d reads counted", s.UnattendedReads)
	}
	first := p.call("GET", path, "", "Consent-ID", id).want(200).text("transactions", "_links", "next", "href")
	w.clock.Advance(16 * time.Minute)
	p.call("GET", first, "", "Consent-ID", id).wantError(400, "FORMAT_ERROR")
}

// In an unattended read, one bank omits transactions older than 90 days and another
// rejects the request.
func TestTransactions_OlderThan90DaysNeedThePSU(t *testing.T) {
	w := start(t, nil)
	for _, c := range []struct {
		bank string
		clip bool
	}{{"se-demo-psd2", true}, {"se-sandbox-autostart", false}} {
		p := w.tpp(c.bank)
		id := p.consent(allAccounts, maja)
		account := p.call("GET", "accounts", "", "Consent-ID", id).want(200).text("accounts", 0, "resourceId")
		path := "accounts/" + account + "/transactions?bookingStatus=booked&dateFrom=2025-06-01"
		p.call("GET", path+"&dateTo=2025-06-30", "", "Consent-ID", id).want(200)
		late := p.call("GET", path, "", "Consent-ID", id, psuAddress, "")
		if !c.clip {
			late.wantError(401, "CONSENT_INVALID")
			p.call("GET", strings.Replace(path, "2025-06-01", "2026-01-01", 1), "", "Consent-ID", id, psuAddress, "").want(200)
			continue
		}
		oldest := ""
		for page := late.want(200); ; {
			n := len(page.list("transactions", "booked"))
			oldest = page.text("transactions", "booked", n-1, "bookingDate")
			next := page.text("transactions", "_links", "next", "href")
			if next == "" {
				break
			}
			page = p.call("GET", next, "", "Consent-ID", id, psuAddress, "").want(200)
		}
		if oldest < "2026-01-01" || oldest > "2026-01-08" {
			t.Errorf("oldest row of %s", oldest)
		}
	}
}

func TestPersonas_BehaveAsDocumented(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	accounts := func(id string) []any {
		return p.call("GET", "accounts", "", "Consent-ID", id).want(200).list("accounts")
	}
	if n := len(accounts(p.consent(allAccounts, tolvan))); n != 0 {
		t.Errorf("the person without accounts has %d", n)
	}
	p.call("GET", "accounts", "", "Consent-ID", p.consent(allAccounts, leo)).want(500)
	id := p.consent(allAccounts, ida)
	for _, a := range accounts(id) {
		m := a.(map[string]any)
		want := map[string]int{"Privatkonto": 200, "Sparkonto": 500}[m["name"].(string)]
		p.call("GET", "accounts/"+m["resourceId"].(string)+"/transactions?bookingStatus=booked&dateFrom=2026-01-01", "", "Consent-ID", id).want(want)
		p.call("GET", "accounts/"+m["resourceId"].(string)+"/balances", "", "Consent-ID", id).want(200)
	}
	card := p.call("GET", "card-accounts", "", "Consent-ID", id).want(200).text("cardAccounts", 0, "resourceId")
	p.call("GET", "card-accounts/"+card, "", "Consent-ID", id).want(200)
	p.call("GET", "card-accounts/"+card+"/transactions?bookingStatus=both&dateFrom=2026-01-01", "", "Consent-ID", id).want(503)
	p.call("GET", "card-accounts/"+card+"/transactions?bookingStatus=all&dateFrom=2026-01-01", "", "Consent-ID", id).want(503)

	one := accounts(p.consent(allAccounts, ester))[0].(map[string]any)["resourceId"]
	two := accounts(p.consent(allAccounts, sten))[0].(map[string]any)["resourceId"]
	if one != two {
		t.Error("the joint account has different ids for its owners")
	}
	// Any other valid number is a customer with one account.
	if n := len(accounts(p.consent(allAccounts, "189001019802"))); n != 1 {
		t.Errorf("an unlisted person has %d accounts", n)
	}
}

// Every account of every person is read, and the bgspec validator checks the answers.
func TestAccounts_FollowSpecification(t *testing.T) {
	w := start(t, nil)
	for _, bank := range []string{"se-demo-psd2", "se-sandbox-static"} {
		p := w.tpp(bank)
		for _, person := range []string{maja, ester, "200002292399", "194408139089", "199006022397", "199008672397", "198208149297", "199011062388"} {
			id := p.consent(strings.Replace(allAccounts, "allAccounts", "allAccountsWithOwnerName", 1), person)
			for _, root := range []string{"accounts", "card-accounts"} {
				kind := map[string]string{"accounts": "accounts", "card-accounts": "cardAccounts"}[root]
				for _, a := range p.call("GET", root, "", "Consent-ID", id).want(200).list(kind) {
					base := root + "/" + a.(map[string]any)["resourceId"].(string)
					p.call("GET", base, "", "Consent-ID", id).want(200)
					p.call("GET", base+"/balances", "", "Consent-ID", id).want(200)
					page := p.call("GET", base+"/transactions?bookingStatus=booked&dateFrom=2026-03-01", "", "Consent-ID", id).want(200)
					if bank == "se-demo-psd2" {
						p.call("GET", base+"/transactions?bookingStatus=both&dateFrom=2026-03-01", "", "Consent-ID", id).want(200)
						p.call("GET", base+"/transactions?bookingStatus=pending&dateFrom=2026-03-01", "", "Consent-ID", id).want(200)
					}
					if href := page.text("transactions", "booked", 0, "_links", "transactionDetails", "href"); href != "" {
						got := p.call("GET", href, "", "Consent-ID", id).want(200)
						if got.text("transactionsDetails", "transactionDetails", "transactionId") == "" {
							t.Errorf("%s", got.body)
						}
					}
				}
			}
		}
	}
}
