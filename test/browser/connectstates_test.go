package browser

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/test/qrscan"
)

// person is what the client knows of a person. Who has an order of BankID open gets no second
// one, so that each walk has a person of its own.
func person(number string) map[string]any { return map[string]any{"personalNumber": number} }

// Time runs out: what was typed is kept, and one press begins anew.
func beginsAnewAfterTimeRanOut(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	w.logs(p, "200004040000") // gives no code within three seconds
	p.in("ASK_CODE")
	p.in("FAILED")
	if got := p.text("main h1"); got != "Time ran out" {
		t.Errorf("%q", got)
	}
	p.judgeAll("connect-timeout")
	p.click("button[value=again]")
	p.in("REVIEW")
	if got := p.attribute("#pn", "value"); got != "200004040000" {
		t.Errorf("the number is %q", got)
	}
	p.click("button[value=other]")
	p.in("ASK_CODE")
	p.click("button[value=cancel]")
	p.in("CANCELLED")
}

// opens opens what the inbox has from an institution.
func (w *world) opens(institution string) {
	w.t.Helper()
	items, err := w.phone.Inbox(w.t.Context())
	at := slices.IndexFunc(items, func(i apiclient.InboxItem) bool { return i.Institution == institution })
	if err == nil && at < 0 {
		err = fmt.Errorf("nothing from %s", institution)
	}
	if err == nil {
		err = w.phone.Open(w.t.Context(), items[at])
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// The person opens the link of an e-mail, approves in an app, and acts on a page of the
// institution: the page goes on by itself.
func actsElsewhere(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	const insurer = "se-sandbox-insurer"
	_, address := w.link(map[string]any{"companies": []string{insurer}, "person": map[string]any{"email": "anna@example.com"}})
	p.starts(address)
	p.in("REVIEW")
	p.judgeAll("connect-review-email")
	p.click("button[value=email]")
	p.in("ASK_EMAIL")
	p.judgeAll("connect-email")
	w.opens(insurer)
	p.in("DONE")

	w.logs(p, "200004090000")
	p.in("ASK_WAIT")
	p.judgeAll("connect-wait")
	w.opens(demoLogs)
	p.in("DONE")
	p.judgeAll("connect-done-many")

	w.logs(p, "200004100000")
	p.in("BANK")
	p.judgeAll("connect-bank-login")
	w.opens(demoLogs)
	p.in("DONE")
}

// An institution gives a picture of its code.
func scansAPicture(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	_, address := w.link(map[string]any{"companies": []string{"se-sandbox-static"}, "collect": false, "person": person("199501302393")})
	p.starts(address)
	p.click("button[value=other]")
	p.in("QR")
	p.waitFor("img.qr-code")
	p.judgeAll("connect-qr-picture")
	text := qrscan.Decode(t, strings.TrimPrefix(p.attribute("img.qr-code", "src"), "data:image/png;base64,"))
	if err := w.phone.Act(t.Context(), "approve", "", text, "199501302393"); err != nil {
		t.Fatal(err)
	}
	p.in("DONE")
}

// An institution that does not answer says so, since when, and cannot be chosen.
func saysWhoIsDown(t *testing.T, d *driver, w *world) {
	const lender = "se-sandbox-lender"
	down := func(body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.Sandbox.URL()+"/sandbox/sources/"+lender+"/fault", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := w.phone.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			t.Fatalf("HTTP %d", answer.StatusCode)
		}
	}
	const gun = "194408139089" // of no other walk: an order of hers that comes late disturbs nobody
	down(`{"status":500}`)
	defer down(`{}`)
	for i := range 5 {
		user, err := w.client.CreateUser(t.Context(), fmt.Sprint("unlucky-", i))
		if err != nil {
			t.Fatal(err)
		}
		token, err := w.client.CreateSession(t.Context(), user.ID)
		if err != nil {
			t.Fatal(err)
		}
		s, err := w.client.StartLogin(t.Context(), token, apiclient.Login{Company: lender, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", PersonalNumber: gun})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.client.CancelCollection(context.WithoutCancel(t.Context()), token, s.ID) }() // the server would try for minutes
	}
	for !w.isUnavailable(lender) { // each login has failed once
		if err := clock.Sleep(t.Context(), clock.System(), pollEvery); err != nil {
			t.Fatal(err)
		}
	}
	p := d.page("mine")
	_, address := w.link(map[string]any{})
	p.starts(address)
	p.in("START")
	if got := p.text("li[data-id=" + lender + "] .row-off"); !strings.Contains(got, "Not answering since ") {
		t.Errorf("its row says %q", got)
	}
	p.judgeAll("connect-start-down")
	at, _, _ := strings.Cut(p.url(), "?")
	p.open(at + "?choose=" + lender)
	p.in("START")
}

// isUnavailable reports whether an institution does not answer, as the API says it.
func (w *world) isUnavailable(id string) bool {
	w.t.Helper()
	list, err := w.client.Companies(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(c apiclient.Company) bool { return c.ID == id && !c.Functional })
}

// The whole way by the keyboard alone: each stop has a ring, and nothing is out of reach.
func needsNoMouse(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	_, address := w.link(map[string]any{"person": person("198208149297")})
	p.open(address)
	p.in("OPEN")
	p.presses("Continue")
	p.in("START")
	p.stops()
	p.fill("#q", "demo bank")
	p.presses("Demo bank (PSD2)")
	p.in("REVIEW")
	p.stops()
	p.presses("Use BankID on another device")
	p.in("QR")
	p.stops()
	p.presses("Show a larger code")
	p.waitFor("body.qr-large")
	p.do(map[string]any{"do": "key", "page": p.name, "key": "Escape"}, nil)
	p.waitFor("body:not(.qr-large)")
	p.presses("Cancel")
	p.in("CANCELLED")
	p.stops()
}

// presses goes to a link or a button with the Tab key, and presses Enter.
func (p page) presses(text string) {
	p.t.Helper()
	p.do(map[string]any{"do": "tabTo", "page": p.name, "text": text}, nil)
}

// Without a script everything is forms, and pages that wait look again by themselves.
func needsNoScript(t *testing.T, d *driver, w *world) {
	p := d.page("plain")
	_, address := w.link(map[string]any{"person": person("196603233724")})
	p.do(map[string]any{"do": "open", "page": p.name, "url": address, "plain": true}, nil)
	p.in("OPEN")
	p.click("main button")
	p.in("START")
	p.fill("#q", "demo bank")
	p.do(map[string]any{"do": "key", "page": p.name, "key": "Enter"}, nil)
	p.waitFor("#q[value='demo bank']")
	p.click("li[data-id=" + demoBank + "] a")
	p.in("REVIEW")
	p.click("button[value=other]")
	p.in("QR")
	w.scans(p, "approve", "196603233724")
	p.in("DONE")
}

// budget is what the page may weigh in all, from the link to the code, in bytes as they are
// sent (docs/pages.md).
const budget = 100 << 10

// The page is small: it is of use on a slow phone.
func weighsLittle(t *testing.T, d *driver, w *world) {
	p := d.page("slow")
	_, address := w.link(map[string]any{"companies": []string{demoBank}, "person": person("199006022397")})
	p.do(map[string]any{"do": "slow", "page": p.name, "url": address}, nil)
	p.in("OPEN")
	p.click("main button")
	p.in("REVIEW")
	p.click("button[value=other]")
	p.in("QR")
	var got struct {
		Bytes, Requests int
		Paints          []float64 // of the pages, in milliseconds
	}
	p.do(map[string]any{"do": "weight", "page": p.name}, &got)
	t.Logf("from the link to the code: %d bytes in %d requests; first paints after %.0f ms, with a processor of a quarter of the speed, 150 ms of delay and 1.6 Mbit/s", got.Bytes, got.Requests, got.Paints)
	if got.Bytes > budget || got.Bytes == 0 || got.Requests > 15 {
		t.Errorf("%d bytes in %d requests", got.Bytes, got.Requests)
	}
}

// orderLife is how long BankID waits for the app (docs/reference/banks.md 12.1).
const orderLife = 30 * time.Second

// waitsForItsOrder opens a page with a code. It is signed when the order that it showed first has
// run out, and not much later, because the five minutes of the consent go on: signs does that
// between the other walks, or waits for it.
func (w *world) waitsForItsOrder(d *driver) (signs func(wait bool)) {
	w.t.Helper()
	p := d.page("patient")
	_, address := w.link(map[string]any{"companies": []string{demoBank}, "person": person("199011062388")})
	p.starts(address)
	p.click("button[value=other]")
	p.in("QR")
	began := time.Now()
	signed := false
	return func(wait bool) {
		w.t.Helper()
		left := time.Until(began.Add(orderLife + 2*time.Second)) // BankID's clock is the machine's
		if signed || left > 0 && !wait {
			return
		}
		time.Sleep(left)
		signed = true
		p.in("QR")
		w.scans(p, "approve", "199011062388")
		p.in("DONE")
	}
}
