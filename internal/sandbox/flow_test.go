package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"samla/test/qrscan"
)

// autoStartToken decodes the QR code of a static image and returns its autostart token.
func autoStartToken(t testing.TB, image string) string {
	t.Helper()
	token, ok := strings.CutPrefix(qrscan.Decode(t, image), "bankid:///?autostarttoken=")
	if !ok {
		t.Fatal("the image does not contain an autostart URL")
	}
	return token
}

var banks = []string{"se-demo-psd2", "se-sandbox-autostart", "se-sandbox-static", "se-sandbox-short"}

// The whole flow at each bank: consent, BankID, accounts, every page of the
// transactions of every account and card, deletion of the consent.
func TestFlow_SucceedsAtEachBank(t *testing.T) {
	for _, bank := range banks {
		t.Run(bank, func(t *testing.T) {
			w := start(t, nil)
			p := w.tpp(bank)
			id := p.consent(allAccounts, maja)
			read := func(path string) response {
				t.Helper()
				for {
					a := p.call("GET", path, "", "Consent-ID", id)
					if a.status != 503 && a.status != 429 {
						return a.want(200)
					}
					if a.header.Get("Retry-After") == "" {
						t.Fatalf("%d without Retry-After", a.status)
					}
				}
			}
			accounts := append(read("accounts").list("accounts"), read("card-accounts").list("cardAccounts")...)
			if len(accounts) != 3 {
				t.Fatalf("%d accounts", len(accounts))
			}
			rows := 0
			for _, account := range accounts {
				links := account.(map[string]any)["_links"].(map[string]any)
				read(links["balances"].(map[string]any)["href"].(string))
				next := links["transactions"].(map[string]any)["href"].(string) + "?bookingStatus=booked&dateFrom=2026-01-01"
				for next != "" {
					page := read(next)
					for _, kind := range []string{"transactions", "cardTransactions"} {
						rows += len(page.list(kind, "booked"))
						if page.at(kind) != nil {
							next = page.text(kind, "_links", "next", "href")
						}
					}
				}
			}
			if rows < 100 {
				t.Errorf("%d rows since New Year", rows)
			}
			p.call("DELETE", "consents/"+id, "").want(204)
			if got := p.call("GET", "consents/"+id+"/status", "").text("consentStatus"); got != "terminatedByTpp" {
				t.Errorf("after DELETE: %s", got)
			}
		})
	}
}

// The QR text changes every second until the app opens; then there is none.
func TestQRText_ChangesUntilAppOpens(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	created := p.call("POST", "consents", allAccounts).want(201)
	if got := created.header.Get("Location"); got != "/se-demo-psd2/v1/consents/"+created.text("consentId") {
		t.Errorf("Location %q", got)
	}
	auth := p.call("POST", created.text("_links", "startAuthorisationWithPsuIdentification", "href"), `{}`).want(201)
	poll := func() response { return p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200) }
	seen := map[string]bool{}
	for range 3 {
		qr := poll().text("challengeData", "data", 1)
		if !strings.HasPrefix(qr, "bankid.") || seen[qr] {
			t.Fatalf("QR text %q", qr)
		}
		seen[qr] = true
		w.clock.Advance(time.Second)
	}
	last := poll()
	if last.text("scaStatus") != "scaMethodSelected" || last.text("hintCode") != "outstandingTransaction" || !strings.Contains(last.text("psuMessage"), "BankID") {
		t.Errorf("waiting: %s", last.body)
	}
	w.phone(`{"action":"open","qrData":"` + last.text("challengeData", "data", 1) + `"}`).want(200)
	opened := poll()
	if opened.text("scaStatus") != "started" || len(opened.list("challengeData", "data")) != 1 {
		t.Errorf("opened: %s", opened.body)
	}
	p.approve(last, maja)
	done := poll()
	if done.text("scaStatus") != "finalised" || done.text("psuName") != "Maja Lindqvist" || done.at("challengeData") != nil {
		t.Errorf("done: %s", done.body)
	}
}
