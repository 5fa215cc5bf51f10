package aspsp

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/oauth"
	"samla/internal/sandbox/persona"
)

const (
	redirectHeader = "TPP-Redirect-URI"
	nokHeader      = "TPP-Nok-Redirect-URI"

	pagePath = "/login/" // of the pages, below the base path
	linkPath = "/sca/"   // of the links to them; with a query: linkQuery
	// linkQuery is the path of links with a query, whose member "id" is the visit.
	linkQuery = "/sca"
)

// openPages opens the bank's page and its authorization server, if it has them. Their
// journals are beside the bank's own.
func (b *Bank) openPages() error {
	if !b.paged() {
		return nil
	}
	beside := func(name string) string {
		if b.Journal == "" {
			return ""
		}
		return strings.TrimSuffix(b.Journal, filepath.Ext(b.Journal)) + "-" + name + filepath.Ext(b.Journal)
	}
	var err error
	b.pages, err = bankpage.New(bankpage.Config{
		Host: pageHost{b}, BankID: b.BankID, Clock: b.Clock, Random: b.Random,
		Prefix: b.base + pagePath, Journal: beside("page"), Log: b.Log,
	})
	if err != nil || b.Signing.Server == nil {
		return err
	}
	b.server, err = oauth.New(oauth.Config{
		Policy: b.Signing.Server.Policy, Clock: b.Clock, Random: b.Random, Authenticate: b.authenticate,
		Journal: beside("tokens"), Calls: b.calls, Log: b.Log,
	})
	return err
}

// checkRedirect returns the addresses to which the page sends the browser back: those of
// this call, or those of the consent.
func (c *call) checkRedirect(consent Consent) (redirect, nok string, f *apiError) {
	redirect, nok = c.r.Header.Get(redirectHeader), c.r.Header.Get(nokHeader)
	if c.r.Header.Get("TPP-Redirect-Preferred") == "false" {
		return "", "", newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "this bank's customers sign on its page only")
	}
	if redirect == "" {
		redirect, nok = consent.RedirectURI, consent.NokURI
	}
	if redirect == "" {
		return "", "", formatError("TPP-Redirect-URI is required")
	}
	if consent.RedirectURI != "" && redirect != consent.RedirectURI {
		return "", "", newError(http.StatusBadRequest, "PARAMETER_NOT_CONSISTENT", "TPP-Redirect-URI is not the one of the consent")
	}
	for _, address := range []string{redirect, nok} {
		if address != "" && !isReturnAddress(address) {
			return "", "", formatError("TPP-Redirect-URI and TPP-Nok-Redirect-URI are absolute https addresses without fragment")
		}
	}
	return redirect, nok, nil
}

// isReturnAddress reports whether a browser can be sent to an address. Plain HTTP is
// accepted for the machine itself only.
func isReturnAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil {
		return false
	}
	if u.Scheme == "http" {
		ip, err := netip.ParseAddr(u.Hostname())
		return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	}
	return u.Scheme == "https"
}

// newPage gives an authorisation a visit of the bank's page.
func (c *call) newPage(h *consentRecord, a *Authorisation) *apiError {
	redirect, nok, f := c.checkRedirect(h.Consent)
	if f != nil {
		return f
	}
	id, err := c.newID()
	if err != nil {
		return c.internal(err)
	}
	a.Page = &pageSide{Visit: id, Until: a.Created.Add(authorizeWithin), RedirectURI: redirect, NokURI: nok}
	return nil
}

// pageLinks adds the links of an authorisation on the page. self is its own.
func (c *call) pageLinks(a *Authorisation, self link, links map[string]link) {
	if a.Status.Final() {
		return
	}
	host := "https://" + c.r.Host + c.base
	switch {
	case a.Status == Unconfirmed:
	case c.Approach == OAuth:
		links["scaOAuth"] = link{host + c.Signing.Server.Metadata}
	case c.LinkQuery:
		links["scaRedirect"] = link{host + linkQuery + "?" + url.Values{"id": {a.Page.Visit}, "lang": {"sv"}}.Encode()}
	default:
		links["scaRedirect"] = link{host + linkPath + a.Page.Visit}
	}
	if c.Confirmation {
		links["confirmation"] = self
	}
}

// arrive handles the link to the page: it keeps the state that the browser brings. With a
// confirmation the page needs one (docs/reference/families.md 2.2, step 3).
func (b *Bank) arrive(w http.ResponseWriter, r *http.Request, visit string) int {
	state := r.URL.Query().Get("state")
	b.mu.Lock()
	a := b.visits[visit]
	if a != nil && !a.Status.Final() && a.Status != Unconfirmed && state != a.Page.State {
		page := *a.Page
		page.State = state
		a.Page = &page
		b.writeEntry(entry{Authorisation: a})
	}
	b.mu.Unlock()
	switch {
	case a == nil:
		return plain(w, http.StatusNotFound, "There is no such login.")
	case state == "" && b.Confirmation:
		return plain(w, http.StatusBadRequest, "The address lacks the parameter state.")
	}
	b.pages.Arrive(w, visit)
	return http.StatusFound
}

// plain answers a browser with one sentence, and returns the status.
func plain(w http.ResponseWriter, status int, text string) int {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // an error means that the connection is closed
	return status
}

// pageHost is the bank as the host of its pages.
type pageHost struct{ *Bank }

// Visit implements bankpage.Host.
func (b pageHost) Visit(id string) (bankpage.Visit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.logins[id]; l != nil {
		return bankpage.Visit{Bank: b.DisplayName, Client: l.Request.ClientID, Until: l.Until, Asked: []string{"to see which accounts you have, and ask you for their data"}}, nil
	}
	a := b.visits[id]
	if a == nil {
		return bankpage.Visit{}, bankpage.ErrNoVisit
	}
	h := b.consents[a.ConsentID]
	return bankpage.Visit{
		Bank: b.DisplayName, Client: h.TPP, PersonalNumber: a.PSUID, Until: a.Created.Add(authorizeWithin),
		Asked: h.Consent.asked(), Choose: h.Access.bankOffered() && !a.Status.Final(),
	}, nil
}

// asked is what the person is asked, in words.
func (c Consent) asked() []string {
	a := c.Access
	what := "your accounts"
	switch {
	case a.AllPSD2 != "":
		what = "all your accounts, their balances and transactions"
	case a.WithBalance != "":
		what = "a list of your accounts with balances"
	case a.Available != "":
		what = "a list of your accounts"
	case a.Transactions != nil && a.Balances != nil:
		what = "accounts, their balances and transactions"
	case a.Transactions != nil:
		what = "accounts and their transactions"
	case a.Balances != nil:
		what = "accounts and their balances"
	}
	once := "once"
	if c.Recurring {
		once = "until " + c.Until
	}
	return []string{"to see " + what + ", " + once}
}

// Accounts implements bankpage.Host.
func (b pageHost) Accounts(id, personalNumber string) ([]bankpage.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _ := b.customers.Person(personalNumber)
	var list []bankpage.Account
	for _, a := range b.known(p).Accounts {
		list = append(list, bankpage.Account{ID: a.ID, Name: a.Name, Number: slices.MaxFunc([]string{a.IBAN, a.BBAN, a.MaskedPAN}, func(x, y string) int { return len(x) - len(y) })})
	}
	return list, nil
}

// Entered implements bankpage.Follower.
func (b pageHost) Entered(id string, s bankpage.Step) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.visits[id]
	if a == nil {
		return
	}
	to := map[bankpage.Step]SCAStatus{bankpage.Sign: PSUIdentified, bankpage.Choose: PSUAuthenticated}[s]
	if b.OwnWord && to != "" {
		to = map[bankpage.Step]SCAStatus{bankpage.Sign: AuthenticationStarted, bankpage.Choose: Started}[s]
	}
	b.applySCA(b.consents[a.ConsentID], a, PageReached{to})
}

// Decide implements bankpage.Host.
func (b pageHost) Decide(id string, d bankpage.Decision) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.logins[id]; l != nil {
		return b.decideLogin(l, d)
	}
	a := b.visits[id]
	if a == nil {
		return "", bankpage.ErrNoVisit
	}
	if a.Page.ReturnTo != "" {
		return a.Page.ReturnTo, nil
	}
	h := b.consents[a.ConsentID]
	b.refresh(h)
	if d.Outcome == bankpage.Approved {
		b.approve(h, a, d)
	} else {
		b.applySCA(h, a, OrderFailed{hintOf(d.Outcome)})
	}
	return b.returned(a, d.Outcome)
}

// hintOf returns the hint of an outcome.
func hintOf(o bankpage.Outcome) string {
	switch o {
	case bankpage.WrongPerson:
		return hintMismatch
	case bankpage.TimedOut:
		return hintLate
	}
	return string(o)
}

// approve applies the approval of the person. The caller holds mu.
func (b *Bank) approve(h *consentRecord, a *Authorisation, d bankpage.Decision) {
	p, _ := b.customers.Person(d.PersonalNumber)
	accounts := slices.DeleteFunc(slices.Clone(b.known(p).Accounts), func(acc persona.Account) bool { return !slices.Contains(d.Accounts, acc.ID) })
	granted, ok := h.Access.grant(accounts)
	if !ok {
		b.applySCA(h, a, OrderFailed{hintNothingToGrant})
		return
	}
	b.applySCA(h, a, PageApproved{Signer: d.PersonalNumber, Granted: granted, Confirm: b.Confirmation})
	if a.Status == Unconfirmed {
		a.Page.Until = b.Clock.Now().Add(authorizeWithin)
	}
}
