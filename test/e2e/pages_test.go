package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/visitor"
)

// stateOf returns the state in an address of ours that leads to a bank, or "".
func stateOf(address string) string {
	_, state, _ := strings.Cut(address, "/go/")
	return state
}

// awaitPage polls a consent until it shows a page, and returns its address.
func (p *person) awaitPage(t *testing.T, consent string) string {
	t.Helper()
	shown := p.awaitConsent(t, consent, "AWAITING_AUTHORIZATION").AuthInstructions
	if shown.Type != "REDIRECT" || !strings.HasPrefix(shown.RedirectURL, p.w.Server.URL()+"/go/") || len(stateOf(shown.RedirectURL)) != 43 {
		t.Fatalf("the person is shown %s, with another address than ours", shown.Type)
	}
	return shown.RedirectURL
}

// acts returns what the person does at the bank.
func (p *person) acts() visitor.Person {
	return visitor.Person{Number: p.personalNumber, Phone: visitor.Approve, SignsAs: p.personalNumber}
}

// goAndReturn opens an address, does what the person does on the bank's page, and comes
// back. It returns the address at which the browser ends.
func (w *env) goAndReturn(t *testing.T, b *visitor.Browser, address string, does visitor.Person) *url.URL {
	t.Helper()
	back := w.goToBank(t, b, address, does)
	at, err := b.Arrive(t.Context(), back)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// goToBank is goAndReturn up to the address to which the bank sends the browser.
func (w *env) goToBank(t *testing.T, b *visitor.Browser, address string, does visitor.Person) *url.URL {
	t.Helper()
	back, err := b.Visit(t.Context(), address, does)
	if err != nil {
		t.Fatal(err)
	}
	w.secretsOfReturn(back)
	if !strings.HasPrefix(back.String(), w.Server.URL()+"/callback/") {
		t.Fatalf("the bank sends the browser to %s", back.Host)
	}
	return back
}

// secretsOfReturn registers what a bank gives a browser.
func (w *env) secretsOfReturn(back *url.URL) {
	for _, values := range back.Query() {
		for _, value := range values {
			if len(value) > 20 {
				w.Log.Secret("what a browser brings back", value)
			}
		}
	}
}

// signAtBank signs a consent at a bank that signs on a page, or asks for a login on one
// first, and returns its id.
func (p *person) signAtBank(t *testing.T, a consentRequest) string {
	t.Helper()
	id := p.requestConsent(t, a)
	p.signThere(t, id)
	return id
}

func (p *person) signThere(t *testing.T, id string) {
	t.Helper()
	b := p.w.browser()
	first := p.awaitPage(t, id)
	p.w.goAndReturn(t, b, first, p.acts())
	done := map[string]bool{first: true}
	p.w.await(t, "consent AUTHORIZED", func() bool {
		s := p.pollConsent(t, id)
		switch i := s.AuthInstructions; {
		case s.Status == "AUTHORIZED":
			return true
		case s.Status != "AWAITING_AUTHORIZATION":
			t.Fatalf("the consent is %s %+v", s.Status, s.Error)
		case i.RedirectURL != "" && !done[i.RedirectURL]:
			done[i.RedirectURL] = true
			p.w.goAndReturn(t, b, i.RedirectURL, p.acts())
		}
		return false
	})
}

// calls returns how often the bank was called, by kind.
func (w *env) calls(company string) map[string]int { return w.Sandbox.Bank(company).Calls().Counts() }

// answer is a page that a browser has got.
type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

// get asks for one address with a browser's cookies.
func (w *env) get(t *testing.T, b *visitor.Browser, address string) answer {
	t.Helper()
	res, err := b.Get(t.Context(), address)
	return read(t, res, err)
}

func read(t *testing.T, res *http.Response, err error) answer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(body), res.Header}
}
