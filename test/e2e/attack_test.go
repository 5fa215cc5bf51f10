package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/visitor"
)

const (
	codePage    = "se-demo-oauth"             // gives a code
	confirmPage = "se-demo-redirect-explicit" // wants a confirmation code
	barePage    = "se-sandbox-cosign"         // gives nothing
)

// attempts returns how often tokens and confirmations were asked for at all banks.
func (w *env) attempts() (n int) {
	for _, b := range pageBanks {
		for kind, count := range w.calls(b.company) {
			if strings.HasPrefix(kind, "token ") || kind == "PUT consents/*/authorisations/*" {
				n += count
			}
		}
	}
	return n
}

// victimAndAttacker are two users of a client. The attacker's consent names nobody, so that
// anybody can sign it.
type attack struct {
	*env
	victim, attacker *person
	company          string
}

// begun is a consent with the address that its user was given.
type begun struct{ id, page string }

func (b begun) state() string { return stateOf(b.page) }

func (a attack) begin(t *testing.T, p *person) begun {
	t.Helper()
	id := p.requestConsent(t, consentRequest{company: a.company, noPerson: true})
	return begun{id, p.awaitPage(t, id)}
}

// unharmed checks that a consent still waits, or has failed, and gives nobody anything.
func (a attack) unharmed(t *testing.T, p *person, id string) {
	t.Helper()
	s := p.pollConsent(t, id)
	if s.Status != "AWAITING_AUTHORIZATION" && s.Status != "FAILED" {
		t.Errorf("the consent is %s", s.Status)
	}
	got := p.Do(t, "POST", "/collections", storedConsent(a.company, id, address))
	if got.Status/100 == 2 {
		t.Error("a collection was started")
	}
}

// callback is an address to which banks send browsers back.
func (w *env) callback(company string, query url.Values) string {
	return w.Server.URL() + "/callback/" + company + "?" + query.Encode()
}

// leaksNothing checks a page for a browser that is not the person's.
func (a answer) leaksNothing(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range append(secrets, "AUTHORIZED", "FAILED", "consentId") {
		if secret != "" && strings.Contains(a.body+a.location, secret) {
			t.Errorf("the page has what is not for this browser: %d %s", a.status, a.location)
		}
	}
	if a.status == http.StatusSeeOther {
		t.Errorf("the browser is sent on")
	}
}

func TestAttacks_AskForNoTokens(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	victim, attacker := w.person(t, maja), w.person(t, sten)
	for name, test := range map[string]func(*testing.T, attack){
		"foreign state":          foreignState,
		"another user's state":   anotherUsersState,
		"another company":        anotherCompany,
		"ask without addresses":  nothingBrought,
		"before anybody signed":  beforeAnybodySigned,
		"odd parameters":         oddParameters,
		"after the end":          afterTheEnd,
		"who does not look":      whoDoesNotLook,
		"addresses of others":    addressesOfOthers,
		"swapped consent":        swappedConsent,
		"another server's iss":   anotherIssuer,
		"a link of somebody":     linkOfSomebody,
		"a link of two":          anotherOpened,
		"a return from nowhere":  bareReturn,
		"after the user's erase": afterErasure,
	} {
		t.Run(name, func(t *testing.T) {
			before := w.attempts()
			test(t, attack{w, victim, attacker, codePage})
			if n := w.attempts() - before; n != 0 {
				t.Errorf("%d requests for tokens, or confirmations", n)
			}
		})
	}
	t.Run("code of another session", func(t *testing.T) { injectedCode(t, attack{w, victim, attacker, codePage}) })
	t.Run("confirmation of another session", func(t *testing.T) { injectedCode(t, attack{w, victim, attacker, confirmPage}) })
	t.Run("replays", func(t *testing.T) { replays(t, attack{w, victim, attacker, codePage}) })
}

// foreignState: states that are none, or are put together of two.
func foreignState(t *testing.T, a attack) {
	mine, other := a.begin(t, a.attacker), a.begin(t, a.victim)
	b := a.browser()
	a.begins(t, b, mine.page)
	for _, state := range []string{other.state()[:22] + mine.state()[22:], mine.state()[:42], mine.state() + "A", "", "x", strings.Repeat("A", 43), mine.state() + "\x00", strings.ToLower(mine.state())} {
		got := a.get(t, b, a.callback(a.company, url.Values{"state": {state}, "code": {"code-of-nobody"}}))
		if state == "" { // belongs to the only way of this browser
			continue
		}
		if got.status != http.StatusNotFound {
			t.Errorf("%d for the state %.5s… of %d characters", got.status, state, len(state))
		}
		got.leaksNothing(t, mine.id, other.id)
	}
	a.unharmed(t, a.victim, other.id)
}

// anotherUsersState: what the victim would bring is brought by the attacker's browser, which
// has a way of its own, and another one that has opened the link never.
func anotherUsersState(t *testing.T, a attack) {
	mine, other := a.begin(t, a.attacker), a.begin(t, a.victim)
	b, theirs := a.browser(), a.browser()
	a.begins(t, b, mine.page)
	a.begins(t, theirs, other.page)
	got := a.get(t, b, a.callback(a.company, url.Values{"state": {other.state()}, "code": {"code-of-nobody"}}))
	if got.status == http.StatusSeeOther { // is shown a short code, at an address of ours
		got = a.get(t, b, a.Server.URL()+got.location)
	}
	got.leaksNothing(t, other.id)
	a.unharmed(t, a.victim, other.id)
	a.unharmed(t, a.attacker, mine.id)
}

// anotherCompany: what belongs to one bank is brought to the address of another one.
func anotherCompany(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	b := a.browser()
	a.begins(t, b, mine.page)
	for _, company := range []string{confirmPage, barePage, "se-none", "..%2f" + a.company, a.company + "%00", strings.ToUpper(a.company)} {
		for _, address := range []string{"?state=" + mine.state() + "&code=c", "/" + mine.state() + "?code=c"} {
			got := a.get(t, b, a.Server.URL()+"/callback/"+company+address)
			if got.status != http.StatusNotFound {
				t.Errorf("%s: %d", company, got.status)
			}
			got.leaksNothing(t, mine.id)
		}
	}
	a.unharmed(t, a.attacker, mine.id)
}

// nothingBrought: a browser that is on its way comes without anything of the bank.
func nothingBrought(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	b := a.browser()
	a.begins(t, b, mine.page)
	a.get(t, b, a.callback(a.company, url.Values{"state": {mine.state()}}))
	if s := a.attacker.awaitConsent(t, mine.id, "FAILED"); s.Error.Code != "AUTHENTICATION_FAILED" {
		t.Errorf("failed as %s", s.Error.Code)
	}
}

// beforeAnybodySigned: at a bank that gives nothing, the attacker says to have been there,
// and then lets the victim sign. The second signer signs, too.
func beforeAnybodySigned(t *testing.T, a attack) {
	a.company = barePage
	mine := a.begin(t, a.attacker)
	b, theirs := a.browser(), a.browser()
	leads := a.begins(t, b, mine.page)
	for _, address := range []string{"/" + mine.state(), "/" + mine.state() + "?state=" + mine.state(), "?state=" + mine.state()} {
		if got := a.get(t, b, a.Server.URL()+"/callback/"+a.company+address); got.status == http.StatusSeeOther {
			a.get(t, b, a.Server.URL()+got.location)
		}
	}
	back := a.goToBank(t, theirs, leads.location, a.victim.acts())
	if got := a.get(t, theirs, back.String()); got.status == http.StatusSeeOther {
		a.get(t, theirs, a.Server.URL()+got.location).leaksNothing(t, mine.id)
	}
	for _, address := range []string{"/" + mine.state(), "?state=" + mine.state()} {
		a.get(t, b, a.Server.URL()+"/callback/"+a.company+address)
	}
	if signed, err := a.Sandbox.Bank(a.company).CoSign(a.bankConsent(t, mine.id).ID, ester, false); err != nil || !signed {
		t.Fatal(signed, err)
	}
	a.neverAuthorized(t, a.attacker, mine.id)
}

// neverAuthorized waits until a consent has failed.
func (a attack) neverAuthorized(t *testing.T, p *person, id string) {
	t.Helper()
	a.await(t, "the end of the consent", func() bool {
		s := p.pollConsent(t, id)
		if s.Status == "AUTHORIZED" {
			t.Fatal("the attacker has the data of the victim")
		}
		if s.Status == "FAILED" {
			return true
		}
		a.clock.Jump(10 * 1e9)
		return false
	})
	a.unharmed(t, p, id)
}

// oddParameters: duplicates, what is huge or does not parse, and errors that nobody knows
// end in a documented status.
func oddParameters(t *testing.T, a attack) {
	for name, test := range map[string]struct{ query, code string }{
		"two codes":       {"code=c1&code=c2&state=$", "AUTHENTICATION_FAILED"},
		"two states":      {"code=c1&state=$&state=$", "AUTHENTICATION_FAILED"},
		"another state":   {"code=c1&state=$&state=other", "AUTHENTICATION_FAILED"},
		"code and error":  {"code=c1&error=access_denied&state=$", "AUTHENTICATION_FAILED"},
		"unknown error":   {"error=%F0%9F%92%A9&state=$", "AUTHENTICATION_FAILED"},
		"no code":         {"state=$&foo=bar", "AUTHENTICATION_FAILED"},
		"an empty code":   {"state=$&code=", "AUTHENTICATION_FAILED"},
		"a huge code":     {"state=$&code=" + strings.Repeat("c", 8<<10), "AUTHENTICATION_FAILED"},
		"access denied":   {"state=$&error=access_denied", "AUTHENTICATION_CANCELLED"},
		"a server error":  {"state=$&error=server_error", "BANK_UNAVAILABLE"},
		"not even a form": {"state=$&code=c&%zz=;", ""},
		"more than huge":  {"state=$&code=" + strings.Repeat("c", 17<<10), ""},
	} {
		mine := a.begin(t, a.attacker)
		b := a.browser()
		a.begins(t, b, mine.page)
		got := a.get(t, b, a.Server.URL()+"/callback/"+a.company+"?"+strings.ReplaceAll(test.query, "$", mine.state()))
		if test.code == "" {
			if got.status/100 != 4 && got.status != http.StatusSeeOther {
				t.Errorf("%s: %d", name, got.status)
			}
			if r := a.attacker.Do(t, "DELETE", "/consents/"+mine.id, nil); r.Status != http.StatusOK { // what could be read has ended it
				r.WantProblem(t, fault.ConsentNotRevocable)
				a.attacker.awaitConsent(t, mine.id, "FAILED")
			}
			continue
		}
		if s := a.attacker.awaitConsent(t, mine.id, "FAILED"); s.Error.Code != test.code {
			t.Errorf("%s: failed as %s", name, s.Error.Code)
		}
	}
}

// afterTheEnd: a consent that its client has revoked is not revived.
func afterTheEnd(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	b := a.browser()
	a.begins(t, b, mine.page)
	back := a.goToBank(t, b, mine.page, a.attacker.acts())
	a.attacker.revokeConsent(t, mine.id)
	a.get(t, b, back.String())
	if s := a.attacker.pollConsent(t, mine.id); s.Status != "REVOKED" {
		t.Errorf("the consent is %s", s.Status)
	}
	a.get(t, a.browser(), back.String()).leaksNothing(t, mine.id)
}

// afterErasure: the user has been erased while the person was at the bank.
func afterErasure(t *testing.T, a attack) {
	p := &person{personalNumber: a.attacker.personalNumber}
	p.userID, p.externalID = a.backend.User(t)
	p.client = a.backend.session(t, p.userID)
	mine := a.begin(t, p)
	b := a.browser()
	back := a.goToBank(t, b, mine.page, a.attacker.acts())
	a.backend.Do(t, "DELETE", "/users/"+p.userID, nil).WantStatus(t, http.StatusNoContent, nil)
	for _, address := range []string{back.String(), mine.page} {
		got := a.get(t, b, address)
		if got.status == http.StatusSeeOther && strings.HasPrefix(got.location, "/go/") {
			got = a.get(t, b, a.Server.URL()+got.location)
		}
		if got.status/100 == 5 {
			t.Errorf("%d after the user was erased", got.status)
		}
		if strings.Contains(got.body+got.location, mine.id) {
			t.Error("the page names the consent")
		}
	}
}

// whoDoesNotLook: HEAD, prefetches and previews change nothing.
func whoDoesNotLook(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	for _, address := range []string{mine.page, a.callback(a.company, url.Values{"state": {mine.state()}, "code": {"c"}}), a.callback(a.company, url.Values{"state": {mine.state()}, "error": {"access_denied"}})} {
		for _, header := range []string{"", "Sec-Purpose", "Purpose"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			if header == "" {
				r.Method = http.MethodHead
			} else {
				r.Header.Set(header, "prefetch;prerender")
			}
			res, err := http.DefaultTransport.RoundTrip(r)
			got := read(t, res, err)
			if got.status != http.StatusOK || got.body != "" || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s %s: %d", r.Method, header, got.status)
			}
		}
	}
	if s := a.attacker.pollConsent(t, mine.id); s.Status != "AWAITING_AUTHORIZATION" {
		t.Errorf("the consent is %s", s.Status)
	}
	if got := a.begins(t, a.browser(), mine.page); !strings.HasPrefix(got.location, a.Sandbox.URL()) {
		t.Errorf("then the first browser is not led on: %d", got.status)
	}
	if s := a.attacker.pollConsent(t, mine.id); s.Status != "AWAITING_AUTHORIZATION" {
		t.Errorf("the consent is %s", s.Status)
	}
}

// addressesOfOthers: nobody is sent to an address that the client has not registered.
func addressesOfOthers(t *testing.T, a attack) {
	registered := "https://shop.example/back?cart=7"
	clients, err := a.Server.Store().Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Server.Store().Write(t.Context(), func(tx store.Tx) error {
		return tx.AddReturnURL(t.Context(), clients[0].ID, registered, a.clock.Now())
	}); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"https://shop.example/back", "https://shop.example/back?cart=7&x=1", "https://shop.example.evil/back?cart=7", "https://shop.example@evil.example/back?cart=7",
		"https://SHOP.example/back?cart=7", "https://shop.example/back/../back?cart=7", "https://shop.example/back?cart=7#x", "//evil.example/", "https://shop.example:444/back?cart=7", "http://shop.example/back?cart=7"} {
		a.attacker.wantInvalid(t, "/consents", consentRequest{company: a.company, scope: map[string]any{"returnUrl": address}}, "/parameters/0/returnUrl")
	}
	id := a.attacker.requestConsent(t, consentRequest{company: a.company, scope: map[string]any{"returnUrl": registered}})
	page := a.attacker.awaitPage(t, id)
	b := a.browser()
	a.begins(t, b, page)
	evil := url.Values{"state": {stateOf(page)}, "error": {"access_denied"}, "returnUrl": {"https://evil.example/"}, "redirect_uri": {"//evil.example/"}, "next": {"https://evil.example/"}}
	for _, path := range []string{"//evil.example/callback/", "/callback//evil.example", "/go//evil.example/", "/callback/%2f%2fevil.example"} {
		if got := a.get(t, b, a.Server.URL()+path+"?"+evil.Encode()); strings.Contains(got.location, "//evil") {
			t.Errorf("%s leads to %s", path, got.location)
		}
	}
	if got := a.get(t, b, a.callback(a.company, evil)); got.location != "/go/"+stateOf(page) {
		t.Errorf("the browser is sent to %s", got.location)
	}
	a.attacker.awaitConsent(t, id, "FAILED")
	if got := a.get(t, b, page); got.location != registered+"&consentId="+id+"&error=AUTHENTICATION_CANCELLED&status=FAILED" {
		t.Errorf("at the end the browser is sent to %s", got.location)
	}
}

// swappedConsent: the address of return names another consent of the bank.
func swappedConsent(t *testing.T, a attack) {
	a.company = confirmPage
	mine, other := a.begin(t, a.attacker), a.begin(t, a.victim)
	b := a.browser()
	back := a.goToBank(t, b, mine.page, a.attacker.acts())
	a.get(t, b, back.String()+"&consentId="+url.QueryEscape(a.bankConsent(t, other.id).ID))
	if s := a.attacker.awaitConsent(t, mine.id, "FAILED"); s.Error.Code != "AUTHENTICATION_FAILED" {
		t.Errorf("failed as %s", s.Error.Code)
	}
	a.unharmed(t, a.victim, other.id)
}

// anotherIssuer: the answer is said to be of another authorization server (RFC 9207).
func anotherIssuer(t *testing.T, a attack) {
	for _, issuer := range []string{"https://evil.example", ""} {
		mine := a.begin(t, a.attacker)
		b := a.browser()
		back := a.goToBank(t, b, mine.page, a.attacker.acts())
		q := back.Query()
		if q.Get("iss") == "" {
			t.Fatal("the bank does not say who it is")
		}
		if q.Set("iss", issuer); issuer == "" {
			q.Del("iss")
		}
		back.RawQuery = q.Encode()
		a.get(t, b, back.String())
		if s := a.attacker.awaitConsent(t, mine.id, "FAILED"); s.Error.Code != "AUTHENTICATION_FAILED" {
			t.Errorf("failed as %s", s.Error.Code)
		}
	}
}

// linkOfSomebody: the victim follows the link that the attacker has opened, and signs.
func linkOfSomebody(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	b, theirs := a.browser(), a.browser()
	leads := a.begins(t, b, mine.page).location
	if got := a.get(t, theirs, mine.page); got.status != http.StatusOK || got.location != "" || !asks(got) {
		t.Errorf("the victim is not asked: %d", got.status)
	}
	back := a.goToBank(t, theirs, leads, a.victim.acts()) // the page of the bank, sent by the attacker
	a.get(t, theirs, back.String())
	got := a.get(t, theirs, a.Server.URL()+"/go/"+mine.state())
	if got.status != http.StatusOK || !strings.Contains(got.body, `id="code"`) {
		t.Errorf("the victim does not see a short code: %d", got.status)
	}
	got.leaksNothing(t, mine.id)
	for _, code := range []string{"AAAAAA", "BBBBBB", "CCCCCC", "DDDDDD", "EEEEEE", "FFFFFF"} {
		res, err := b.Submit(t.Context(), mine.page, url.Values{"code": {code}})
		read(t, res, err)
	}
	a.unharmed(t, a.attacker, mine.id)
}

// anotherOpened: the attacker's browser has opened the link, and has been asked. It knows
// no page of the bank that it could send to the victim, who is asked too.
func anotherOpened(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	for _, b := range []*visitor.Browser{a.browser(), a.browser()} {
		if got := a.get(t, b, mine.page); !asks(got) {
			t.Errorf("a browser is not asked: %d", got.status)
		}
	}
	a.unharmed(t, a.attacker, mine.id)
}

// bareReturn: a browser without any way comes back from nowhere.
func bareReturn(t *testing.T, a attack) {
	b := a.browser()
	for _, query := range []string{"?code=c", "?error=access_denied", "?state=", "/?code=c"} {
		if got := a.get(t, b, a.Server.URL()+"/callback/"+a.company+query); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	first, second := a.begin(t, a.attacker), a.begin(t, a.attacker)
	a.begins(t, b, first.page)
	a.begins(t, b, second.page)
	if got := a.get(t, b, a.Server.URL()+"/callback/"+a.company+"?code=c"); got.status != http.StatusNotFound {
		t.Errorf("with two ways: %d", got.status)
	}
	a.unharmed(t, a.attacker, first.id)
	a.unharmed(t, a.attacker, second.id)
}

// injectedCode: the attacker has what the victim's browser would bring, and brings it by the
// attacker's own way. The bank is asked once, and refuses: it is bound to the victim's.
func injectedCode(t *testing.T, a attack) {
	mine, other := a.begin(t, a.attacker), a.begin(t, a.victim)
	b, theirs := a.browser(), a.browser()
	stolen := a.goToBank(t, theirs, other.page, a.victim.acts()).Query()
	own := a.goToBank(t, b, mine.page, a.attacker.acts())
	q := own.Query()
	for _, name := range []string{"code", "confirmationCode"} {
		if stolen.Has(name) {
			q.Set(name, stolen.Get(name))
		}
	}
	own.RawQuery = q.Encode()
	before := a.attempts()
	a.get(t, b, own.String())
	if s := a.attacker.awaitConsent(t, mine.id, "FAILED"); s.Error.Code != "AUTHENTICATION_FAILED" {
		t.Errorf("failed as %s", s.Error.Code)
	}
	if n := a.attempts() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
	a.unharmed(t, a.attacker, mine.id)
	a.victim.revokeConsent(t, other.id)
}

// replays: a reload, the back button, a second code and a replay from elsewhere show the
// first outcome, or nothing, and exchange nothing.
func replays(t *testing.T, a attack) {
	mine := a.begin(t, a.attacker)
	b := a.browser()
	back := a.goToBank(t, b, mine.page, a.attacker.acts())
	before := a.attempts()
	a.get(t, b, back.String())
	a.attacker.awaitConsent(t, mine.id, "AUTHORIZED")
	second := *back
	q := second.Query()
	q.Set("code", "another-code")
	second.RawQuery = q.Encode()
	for _, address := range []string{back.String(), second.String(), a.callback(a.company, url.Values{"state": {mine.state()}, "error": {"access_denied"}})} {
		if got := a.get(t, b, address); got.location != "/go/"+mine.state() {
			t.Errorf("again: %d, %s", got.status, got.location)
		}
		got := a.get(t, a.browser(), address)
		got.leaksNothing(t, mine.id, a.attacker.personalNumber, "Sten")
	}
	if got := a.get(t, b, mine.page); got.status != http.StatusOK || !strings.Contains(got.body, "Done.") {
		t.Errorf("the link again: %d", got.status)
	}
	if n := a.attempts() - before; n != 1 {
		t.Errorf("%d exchanges", n)
	}
	a.attacker.revokeConsent(t, mine.id)
}
