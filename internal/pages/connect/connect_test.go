package connect

import (
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/pages/look"
	"samla/internal/words"
)

// Each failure has its texts, names whose turn it is and offers a next step.
func TestEnding_KnowsEveryFailure(t *testing.T) {
	say := words.In(words.English)
	var codes []string
	for _, c := range consent.FailureCodes() {
		codes = append(codes, string(c))
	}
	for _, s := range collection.Statuses() {
		if class := s.Class(); class == collection.Failure || class == collection.UserAction {
			codes = append(codes, string(s))
		}
	}
	for _, code := range append(codes, "CONSENT_EXPIRED", "CONSENT_REVOKED", "SOMETHING_NEW") {
		e := endingOf(code)
		if !say.Has(words.Key(e.Title)) || !say.Has(words.Key(e.Body)) || !say.Has(words.Key(e.Turn)) || e.Main == "" {
			t.Errorf("%s: %+v", code, e)
		}
		ours := code == "INTERNAL_ERROR" || code == "SOMETHING_NEW" || strings.HasPrefix(code, "FAILED_PDF")
		if ours != (e.Turn == "turn.us") {
			t.Errorf("%s is the turn of %s", code, e.Turn)
		}
	}
}

// Each state has a template and a title, in every language.
func TestPages_KnowEveryState(t *testing.T) {
	kit := newKit(Deps{})
	for _, s := range flow.States() {
		if s != flow.Failed && titles[s] == "" {
			t.Errorf("%s has no title", s)
		}
		for _, l := range words.Languages {
			d := shown{URL: "/c/x"}
			d.Flow.State, d.Agree, d.End = s, "review.agree.other", endingOf("FAILED")
			d.Relay = look.NewRelay("a", "b", "c", 0, false)
			if _, err := kit.HTML(look.Page{Content: contentOf(s), Action: "c/action", Title: "x", Steps: stepsOf(s), Data: d}, l, false); err != nil {
				t.Errorf("%s in %s: %v", s, l, err)
			}
		}
	}
}

func TestAppURL_FollowsThePlatform(t *testing.T) {
	const back = "https://samla.example/c/x"
	for agent, want := range map[string]string{
		"Mozilla/5.0 (iPhone) AppleWebKit/605 Version/17 Mobile/15E148 Safari/604.1": "https://app.bankid.com/?autostarttoken=t%26o&redirect=https%3A%2F%2Fsamla.example%2Fc%2Fx%23app",
		"Mozilla/5.0 (iPhone) AppleWebKit/605 CriOS/120 Mobile/15E148 Safari/604.1":  "https://app.bankid.com/?autostarttoken=t%26o&redirect=null",
		"Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Safari/537.36":            "https://app.bankid.com/?autostarttoken=t%26o&redirect=null",
		"Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36":                     "bankid:///?autostarttoken=t%26o&redirect=null",
	} {
		if got := string(look.AppURL("t&o", agent, back)); got != want {
			t.Errorf("%s: %s", agent, got)
		}
	}
	if look.AppURL("", "", back) != "" {
		t.Error("an address without a token")
	}
}

// The app, and the page that opens it, learn where the person comes back to, and not the key
// that the address of a frame carries.
func TestAppURL_DoesNotTellTheKeyOfAFrame(t *testing.T) {
	h := &handler{Deps{Clock: clock.NewManual(time.Unix(0, 0)), PublicURL: func() string { return "https://samla.example" }}, newKit(Deps{})}
	d := shown{URL: "/c/x?key=secret", View: connect.View{Flow: flow.Flow{ID: "x", State: flow.App}, Shown: &authorize.Shown{AutoStartToken: "t"}}}
	r := httptest.NewRequest("GET", d.URL, nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (iPhone) AppleWebKit/605 Version/17 Mobile/15E148 Safari/604.1")
	d.fill(h, r, words.In(words.English))
	if got := string(d.AppURL); got != "https://app.bankid.com/?autostarttoken=t&redirect=https%3A%2F%2Fsamla.example%2Fc%2Fx%23app" {
		t.Error(got)
	}
}

func TestBackAddress_SaysHowItStands(t *testing.T) {
	f := flow.Flow{LinkID: "l", State: flow.Done, Terms: flow.Terms{ReturnURL: "https://shop.example/back?cart=7"}}
	if got := backAddress(f); got != "https://shop.example/back?cart=7&connectLinkId=l&state=DONE" {
		t.Error(got)
	}
	if backAddress(flow.Flow{}) != "" {
		t.Error("an address from nowhere")
	}
}

func TestVisitor_IsTheBrowserThatAsks(t *testing.T) {
	r := httptest.NewRequest("GET", "/c/x", nil)
	r.RemoteAddr = "[2001:db8::1]:4711"
	r.Header.Set("X-Forwarded-For", "192.0.2.9") // nobody vouches for it
	if v := visitor(r); v.Address != "2001:db8::1" {
		t.Errorf("%+v", v)
	}
}

func TestPlain_ComparesWithoutCaseAndAccents(t *testing.T) {
	if got := plain("  LÄNSFÖRSÄKRINGAR Ålé "); got != "lansforsakringar ale" {
		t.Error(got)
	}
}

// A row of an institution that does not answer says since when, and cannot be chosen.
func TestRow_SaysSinceWhenNothingAnswers(t *testing.T) {
	at := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	h := &handler{Deps{Health: &company.Health{}, Clock: clock.NewManual(at.Add(time.Minute))}, newKit(Deps{})}
	for i := range 5 {
		h.Health.Record("se-a", strconv.Itoa(i), company.FailedThere, at)
	}
	row := new(shown).row(h, words.In(words.English), company.Company{ID: "se-a", DisplayName: "A"})
	if want := "Not answering since " + words.In(words.English).Clock(at.In(h.kit.Zone())) + ". We keep trying"; !row.Off || row.Sub != want {
		t.Errorf("%+v, want %q", row, want)
	}
}

// What BankID says is in the language of the page; a message that is not known stays as it came.
func TestMessage_IsInTheLanguageOfThePage(t *testing.T) {
	view := connect.View{Shown: &authorize.Shown{UserMessage: consent.UserMessage{Code: "RFA1", Text: "Start your BankID app."}}}
	if got := messageOf(words.In(words.Swedish), view); got != "Starta BankID-appen." {
		t.Error(got)
	}
	view.Shown.UserMessage.Code = "RFA99"
	if got := messageOf(words.In(words.Swedish), view); got != "Start your BankID app." {
		t.Error(got)
	}
}

func TestMasked_IsKnownToItsOwner(t *testing.T) {
	for email, want := range map[string]string{"anna@example.com": "a•••@example.com", "å@example.com": "å•••@example.com", "": "", "@x": "", "anna": ""} {
		if got := masked(email); got != want {
			t.Errorf("%q: %q", email, got)
		}
	}
}

// Nothing is chosen for the person, unless there is one account; only the end of its number
// is shown.
func TestAccounts_AreNotChosenBeforehand(t *testing.T) {
	kit := newKit(Deps{})
	render := func(none bool, list ...consent.Account) string {
		d := shown{View: connect.View{Flow: flow.Flow{State: flow.PickAccounts}, None: none}, URL: "/c/x", Asker: "Shop", At: "Bank"}
		d.accounts(list, words.In(words.English), words.Values{})
		html, err := kit.HTML(look.Page{Content: contentOf(flow.PickAccounts), Title: "x", Data: d}, words.English, false)
		if err != nil {
			t.Fatal(err)
		}
		return string(html)
	}
	salary := consent.Account{ID: "SE45 5000 0000 0583 9825 7466", Name: "Salary", Currency: "SEK"}
	euros := consent.Account{ID: "50000000001", Currency: "EUR"}
	for name, c := range map[string]struct {
		html    string
		has, no []string
	}{
		"two":            {render(false, salary, euros), []string{"Salary", "ends in 7466", "ends in 0001 · EUR", `id="all"`, "Bank asks you to approve once more", ">Continue<"}, []string{" checked", "role=\"alert\"", "· SEK"}},
		"nothing chosen": {render(true, salary, euros), []string{"Choose at least one account", `href="#account-0"`}, []string{" checked"}},
		"one":            {render(false, salary), []string{" checked", ">Share 1 account<"}, []string{`id="all"`, "role=\"alert\""}},
		"no list":        {render(false), []string{"Try again", `href="/c/x"`}, []string{"<form class=\"stage\""}},
	} {
		for _, text := range c.has {
			if !strings.Contains(c.html, text) {
				t.Errorf("%s: without %q", name, text)
			}
		}
		for _, text := range c.no {
			if strings.Contains(c.html, text) {
				t.Errorf("%s: with %q", name, text)
			}
		}
	}
}

// A page with a form does not look again by itself: what is typed or chosen would be lost.
func TestPage_DoesNotLeaveAForm(t *testing.T) {
	for _, s := range flow.States() {
		p := strings.HasPrefix(contentOf(s), "c/co") || s == flow.AskChoice || s == flow.PickAccounts // code, contact
		if got := filled(s); got != p {
			t.Errorf("%s: %v", s, got)
		}
	}
}

// The slip says who asks by law, as far as that is registered.
func TestWho_SaysTheLegalNameAndTheLicence(t *testing.T) {
	say, v := words.In(words.English), words.Values{Operator: "Samla"}
	all := client.Identity{LegalName: "Pärmen AB", Number: "556000-0001", Authority: "Finansinspektionen", Contact: "hej@parmen.example"}
	for name, c := range map[string]struct {
		asker    client.Client
		consents bool
		want     look.SlipRow
	}{
		"name only": {client.Client{Name: "Pärmen"}, true, look.SlipRow{Facts: []string{"Pärmen"}, Fine: "Collected by Samla", Small: true}},
		"all": {client.Client{Name: "Pärmen", Identity: all}, true, look.SlipRow{Facts: []string{"Pärmen", "Pärmen AB, 556000-0001"},
			Fine: "Collects itself, licensed by Finansinspektionen", Small: true, Link: "mailto:hej@parmen.example", LinkTo: "hej@parmen.example"}},
		"no bank": {client.Client{Name: "Pärmen AB", Identity: all}, false, look.SlipRow{Facts: []string{"Pärmen AB, 556000-0001"},
			Fine: "Collected by Samla", Small: true, Link: "mailto:hej@parmen.example", LinkTo: "hej@parmen.example"}},
	} {
		if got := who(say, c.asker, c.consents, v); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
