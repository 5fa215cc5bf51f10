package bankpage_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

func (e *env) decision(id string) bankpage.Decision {
	e.Helper()
	if len(e.decided[id]) != 1 {
		e.Fatalf("%d decisions: %v", len(e.decided[id]), e.decided[id])
	}
	return e.decided[id][0]
}

func TestPage_TakesThePersonToTheDecision(t *testing.T) {
	e := start(t)
	if got := e.visit(e.browser(), "any", visitor.Person{Number: maja, Phone: visitor.Approve}); got != "approved" {
		t.Fatal(got)
	}
	want := bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: maja, Accounts: []string{"a1", "a2"}}
	if got := e.decision("any"); got.Outcome != want.Outcome || got.PersonalNumber != want.PersonalNumber || !slices.Equal(got.Accounts, want.Accounts) {
		t.Errorf("decided %+v", got)
	}
	if !slices.Equal(e.steps, []bankpage.Step{bankpage.Sign, bankpage.Choose}) {
		t.Errorf("steps %v", e.steps)
	}
}

// Persons with a habit reach their end with a client that only follows the page.
func TestPage_EndsByHabit(t *testing.T) {
	want := []string{
		"approved", "refused", "timedOut", "timedOut", "failed", "refused", "notEligible", "failed",
		"stays: Testbanken: Done: The login has ended. You can close this page.", "wrongPerson",
	}
	for i, h := range persona.Habits() {
		t.Run(h.Shows, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			if got := e.visit(e.browser(), "any", visitor.Person{Number: h.Number}); got != want[i] {
				t.Errorf("%s, want %s", got, want[i])
			}
			e.decision("any")
		})
	}
	if len(want) != len(persona.Habits()) {
		t.Errorf("%d habits", len(persona.Habits()))
	}
}

func TestPage_RefusesOtherPersons(t *testing.T) {
	e := start(t)
	if got := e.visit(e.browser(), "maja", visitor.Person{Phone: visitor.Approve, SignsAs: ester}); got != "wrongPerson" {
		t.Error(got)
	}
	e.visits["any2"] = e.visits["any"]
	if got := e.visit(e.browser(), "any2", visitor.Person{Phone: visitor.Approve, SignsAs: ester}); got != "approved" {
		t.Errorf("%s, although the page names nobody", got)
	}
}

func TestPage_LetsThePersonChoose(t *testing.T) {
	e := start(t)
	e.visit(e.browser(), "choose", visitor.Person{Number: maja, Phone: visitor.Approve, Chooses: []string{"a2"}})
	if got := e.decision("choose").Accounts; !slices.Equal(got, []string{"a2"}) {
		t.Errorf("accounts %v", got)
	}
	e.visits["two"] = e.visits["choose"]
	if got := e.visit(e.browser(), "two", visitor.Person{Number: maja, Phone: visitor.Approve, Chooses: []string{"foreign"}}); !strings.Contains(got, "Choose at least one") {
		t.Error(got)
	}
	e.visits["three"] = e.visits["choose"]
	if got := e.visit(e.browser(), "three", visitor.Person{Number: maja, Phone: visitor.Approve, Refuse: true}); got != "refused" {
		t.Error(got)
	}
}

// Reload, back and a form that is sent twice show the first outcome.
func TestPage_ShowsTheFirstOutcomeAgain(t *testing.T) {
	e := start(t)
	b := e.browser()
	e.visit(b, "any", visitor.Person{Number: maja, Phone: visitor.Approve})
	_, first, _ := e.get(b, e.pages.Path("any"))
	for _, action := range []string{"refuse", "cancel", "approve", "start"} {
		if status, to, _ := e.submit(b, "any", url.Values{"action": {action}, "personalNumber": {ester}}); status != http.StatusSeeOther || to != e.pages.Path("any") {
			t.Errorf("%s: %d %s", action, status, to)
		}
	}
	if status, again, _ := e.get(b, e.pages.Path("any")); status != http.StatusFound || again != first || again == "" {
		t.Errorf("%d %q, first %q", status, again, first)
	}
	e.decision("any")
	// The return address is for the browser that logged in: it may contain a code.
	if status, to, text := e.get(e.browser(), e.pages.Path("any")); status != http.StatusOK || to != "" || !strings.Contains(text, "another browser") {
		t.Errorf("another browser: %d %s", status, to)
	}
}

// Somebody who only knows the address cannot go on with another browser's login.
func TestPage_BelongsToTheBrowserThatLogsIn(t *testing.T) {
	e := startAt(t, clock.NewManual(startTime))
	b, other := e.browser(), e.browser()
	e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {maja}})
	if status, _, _ := e.get(other, e.pages.Path("any")+"/qr"); status != http.StatusNotFound {
		t.Errorf("QR code in another browser: %d", status)
	}
	if _, _, text := e.get(other, e.pages.Path("any")); !strings.Contains(text, "Log in with BankID") || strings.Contains(text, "autostarttoken") {
		t.Error("another browser sees the login of the first")
	}
	token := e.bankID.Pending()[0].AutoStartToken
	if _, err := e.bankID.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: token}); err != nil {
		t.Fatal(err)
	}
	e.submit(other, "any", url.Values{"action": {"approve"}})
	e.submit(other, "any", url.Values{"action": {"cancel"}})
	if len(e.decided["any"]) != 0 {
		t.Fatal("another browser has decided")
	}
	// It can log in itself; then the first browser is out.
	e.submit(other, "any", url.Values{"action": {"start"}, "personalNumber": {ester}})
	if _, _, text := e.get(other, e.pages.Path("any")); !strings.Contains(text, "autostarttoken") {
		t.Error("the second browser cannot log in")
	}
	if _, _, text := e.get(b, e.pages.Path("any")); strings.Contains(text, "autostarttoken") {
		t.Error("the first browser is still in")
	}
}

// The page starts orders again while nobody scans the code.
func TestPage_RenewsOrders(t *testing.T) {
	c := clock.NewManual(startTime)
	e := startAt(t, c)
	b := e.browser()
	e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {maja}})
	_, _, first := e.get(b, e.pages.Path("any"))
	_, _, qr := e.get(b, e.pages.Path("any")+"/qr")
	c.Advance(time.Second)
	if _, _, next := e.get(b, e.pages.Path("any")+"/qr"); next == qr || !strings.HasPrefix(next, "\x89PNG") {
		t.Error("the QR code is not redrawn")
	}
	c.Advance(30 * time.Second)
	if _, _, state := e.get(b, e.pages.Path("any")+"/state"); state != `{"opened":false,"order":2,"step":"sign"}`+"\n" {
		t.Error(state)
	}
	if _, _, second := e.get(b, e.pages.Path("any")); second == first {
		t.Error("the order was not renewed")
	}
	if n := len(e.bankID.Pending()); n != 1 {
		t.Errorf("%d orders are pending", n)
	}
}

func TestPage_AsksAgain(t *testing.T) {
	e := startAt(t, clock.NewManual(startTime))
	b := e.browser()
	if status, _, text := e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {"198412099297"}}); status != 422 || !strings.Contains(text, "not a personal number") {
		t.Errorf("wrong check digit: %d", status)
	}
	if _, err := e.bankID.Auth(bankid.AuthRequest{Expected: maja}); err != nil {
		t.Fatal(err)
	}
	e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {"19841209-9296"}})
	if _, _, text := e.get(b, e.pages.Path("any")); !strings.Contains(text, "another BankID order") {
		t.Error("the page does not say that BankID is busy")
	}
	e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {maja}})
	// An order elsewhere cancels the page's order too.
	if _, err := e.bankID.Auth(bankid.AuthRequest{Expected: maja}); err == nil {
		t.Fatal("two orders of one person")
	}
	if _, _, text := e.get(b, e.pages.Path("any")); !strings.Contains(text, "interrupted") || !strings.Contains(text, "Log in with BankID") {
		t.Error("the page does not say that the login was interrupted")
	}
	if len(e.decided["any"]) != 0 {
		t.Error("decided")
	}
}

func TestPage_EndsWhenItsTimeIsOver(t *testing.T) {
	c := clock.NewManual(startTime)
	e := startAt(t, c)
	e.stays = true
	c.Advance(15 * time.Minute)
	if _, _, text := e.get(e.browser(), e.pages.Path("any")); !strings.Contains(text, "The login has ended") {
		t.Error("the page goes on")
	}
	if e.decision("any").Outcome != bankpage.TimedOut {
		t.Error(e.decided)
	}
}

// A restart of everything in the middle of a login keeps it, at every step.
func TestPage_SurvivesARestartAtEveryStep(t *testing.T) {
	e := startAt(t, clock.NewManual(startTime))
	b := e.browser()
	restart := func() {
		t.Helper()
		if err := errors.Join(e.pages.Close(), e.bankID.Close()); err != nil {
			t.Fatal(err)
		}
		e.open()
	}
	e.submit(b, "any", url.Values{"action": {"start"}, "personalNumber": {maja}})
	_, _, before := e.get(b, e.pages.Path("any"))
	restart()
	if _, _, after := e.get(b, e.pages.Path("any")); after != before || !strings.Contains(after, "autostarttoken") {
		t.Fatal("the order is lost")
	}
	token := e.bankID.Pending()[0].AutoStartToken
	if _, err := e.bankID.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: token}); err != nil {
		t.Fatal(err)
	}
	restart()
	if _, _, text := e.get(b, e.pages.Path("any")); !strings.Contains(text, "Maja Lindqvist") {
		t.Fatal("the signature is lost")
	}
	restart()
	e.submit(b, "any", url.Values{"action": {"approve"}})
	restart()
	if status, to, _ := e.get(b, e.pages.Path("any")); status != http.StatusFound || to == "" {
		t.Errorf("%d %s", status, to)
	}
	e.decision("any")
}

// If the bank cannot decide, the page says so, and the decision can be made again.
func TestPage_DecidesAgainAfterAnError(t *testing.T) {
	e := startAt(t, clock.NewManual(startTime))
	b := e.browser()
	e.err = errors.New("out of order")
	if status, _, text := e.submit(b, "any", url.Values{"action": {"cancel"}}); status != 500 || strings.Contains(text, "out of order") {
		t.Errorf("%d %s", status, text)
	}
	e.err = nil
	e.submit(b, "any", url.Values{"action": {"cancel"}})
	if e.decision("any").Outcome != bankpage.Refused {
		t.Error(e.decided)
	}
}

func TestPage_IsStrict(t *testing.T) {
	e := startAt(t, clock.NewManual(startTime))
	b := e.browser()
	for path, want := range map[string]int{
		"unknown": 404, "any/": 200, "any/other": 404, "any/qr": 404, "": 404, "style.css": 200, "page.js": 200, "any/qr/x": 404,
	} {
		if status, _, _ := e.get(b, prefix+path); status != want {
			t.Errorf("%q: %d, want %d", path, status, want)
		}
	}
	a, err := b.Get(t.Context(), e.address("choose"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, text := e.read(a)
	if strings.Contains(text, "<Fina>") {
		t.Error("a name is not escaped")
	}
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "http") || strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if a.Header.Get(name) != want {
			t.Errorf("%s: %q", name, a.Header.Get(name))
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.address("any"), strings.NewReader("action=cancel"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := e.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden || len(e.decided["any"]) != 0 {
		t.Errorf("a form of another site: %d", answer.StatusCode)
	}
}

func TestNew_RefusesAPrefixWithoutSlashes(t *testing.T) {
	for _, p := range []string{"", "/", "bank/", "/bank"} {
		if _, err := bankpage.New(bankpage.Config{Prefix: p}); err == nil {
			t.Errorf("%q is accepted", p)
		}
	}
}
