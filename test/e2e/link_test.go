package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/visitor"
	"samla/test/harness"
)

// asks reports whether a page asks whether its reader has begun, and leads nowhere.
func asks(got answer) bool {
	return got.status == http.StatusOK && got.location == "" && strings.Contains(got.body, `data-view="ASKS"`) && !strings.Contains(got.body, "http-equiv")
}

// begins opens a page as a person who says to have begun, and returns where that leads.
func (w *env) begins(t *testing.T, b *visitor.Browser, page string) answer {
	t.Helper()
	res, err := b.Submit(t.Context(), page, url.Values{"begun": {"yes"}})
	read(t, res, err)
	return w.get(t, b, page)
}

// The attacker begins a consent for themselves, at a bank that lets anybody sign, and sends
// the link to a victim before anybody has opened it. The victim's browser is the first: it
// follows the link, and nothing else. No token is asked for, nobody logs in at the bank, and
// the attacker gets nothing, whether the victim says no or closes the page.
func TestAttacks_AnUnopenedLinkGivesNothing(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			a := attack{w, w.person(t, maja), w.person(t, sten), ""}
			before := w.attempts()
			for _, company := range []string{codePage, confirmPage, barePage} {
				a.company = company
				for _, no := range []bool{true, false} {
					unopenedLink(t, a, no)
				}
			}
			if n := w.attempts() - before; n != 0 {
				t.Errorf("%d requests for tokens, or confirmations", n)
			}
		})
	}
}

func unopenedLink(t *testing.T, a attack, no bool) {
	mine := a.begin(t, a.attacker)
	theirs := a.browser()
	for _, sent := range []url.Values{nil, nil, {}, {"begun": {""}}} { // a reload, and forms without an answer
		got := a.get(t, theirs, mine.page)
		if sent != nil {
			res, err := theirs.Submit(t.Context(), mine.page, sent)
			got = read(t, res, err)
		}
		if !asks(got) {
			t.Errorf("%s: the victim is not asked: %d", a.company, got.status)
		}
		if got.leaksNothing(t, mine.id, a.attacker.personalNumber); strings.Contains(got.body, a.Sandbox.URL()) {
			t.Errorf("%s: the page has that of the bank", a.company)
		}
	}
	if no {
		for range 2 { // and a reload
			res, err := theirs.Submit(t.Context(), mine.page, url.Values{"begun": {"no"}})
			if got := read(t, res, err); got.status != http.StatusOK || !strings.Contains(got.body, `data-view="STOPPED"`) {
				t.Errorf("%s: the victim says no and sees %d", a.company, got.status)
			} else {
				got.leaksNothing(t, mine.id)
			}
		}
		if s := a.attacker.pollConsent(t, mine.id); s.Status != "FAILED" || s.Error.Code != "AUTHENTICATION_CANCELLED" {
			t.Errorf("%s: after the no the consent is %s", a.company, s.Status)
		}
		a.awaitBankStatus(t, mine.id, "terminatedByTpp")
	}
	for _, query := range []string{"", "&code=code-of-nobody"} { // the attacker claims that the victim was there
		got := a.get(t, a.browser(), a.Server.URL()+"/callback/"+a.company+"?state="+mine.state()+query)
		if got.status == http.StatusSeeOther && !strings.HasPrefix(got.location, "/go/") {
			t.Errorf("%s: the attacker is led to %s", a.company, got.location)
		}
	}
	a.neverAuthorized(t, a.attacker, mine.id)
	if got := a.begins(t, a.browser(), mine.page); got.location != "" {
		t.Errorf("%s: the link leads on after its end", a.company)
	}
}
