package permissions_test

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/internal/bankidrp"
	"samla/internal/consent"
	pages "samla/internal/pages/permissions"
	"samla/internal/permissions"
	"samla/internal/qr"
	"samla/internal/sandbox/bankid"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/user"
)

const maja, bertil = "198412099296", "198208149297"

// identifier is the sandbox's BankID without its HTTP API.
type identifier struct{ of *bankid.Service }

func refused(err error) error {
	var e *bankid.Error
	if errors.As(err, &e) {
		return &bankidrp.Error{Status: http.StatusBadRequest, Code: string(e.Code)}
	}
	return err
}

func (i identifier) Identify(_ context.Context, r bankidrp.Identification) (bankidrp.Order, error) {
	o, err := i.of.Auth(bankid.AuthRequest{EndUserIP: r.Address, UserVisibleData: r.Visible})
	return bankidrp.Order{Ref: o.OrderRef, AutoStartToken: o.AutoStartToken, QRStartToken: o.QRStartToken, QRStartSecret: o.QRStartSecret}, refused(err)
}

func (i identifier) Collect(_ context.Context, ref string) (bankidrp.Result, error) {
	c, err := i.of.Collect(ref)
	r := bankidrp.Result{Status: c.Status, Hint: c.HintCode, Address: c.Request.EndUserIP}
	if c.User != nil {
		r.PersonalNumber = c.User.PersonalNumber
	}
	return r, refused(err)
}

func (i identifier) Cancel(_ context.Context, ref string) error { return refused(i.of.Cancel(ref)) }

// given is a permission of a user that a person has given.
func (e *env) given(u user.User, number string) consent.Consent {
	e.Helper()
	mark, err := e.persons.Mark(e.Context(), number)
	if err != nil {
		e.Fatal(err)
	}
	c, err := store.UpdateConsent(e.Context(), e.Store, e.permission(u, 100).ID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		c.Person = mark
		return c, nil, nil
	})
	if err != nil {
		e.Fatal(err)
	}
	return c
}

var appLink = regexp.MustCompile(`id="app" href="([^"]+)"`)

// signsIn lets a person sign in with the app on the same device.
func (b *browser) signsIn(number string) (status int, to, body string) {
	b.Helper()
	if status, to, body := b.do("POST", "/permissions/signin", url.Values{"way": {"this"}}); status != http.StatusSeeOther || to != "/permissions/signin" {
		b.Fatalf("%d to %q\n%s", status, to, body)
	}
	_, _, body = b.do("GET", "/permissions/signin", nil)
	found := appLink.FindStringSubmatch(body)
	if found == nil {
		b.Fatalf("no link in\n%s", body)
	}
	link, err := url.Parse(html.UnescapeString(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.e.bankID.Act(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: link.Query().Get("autostarttoken"), PersonalNumber: number}); err != nil {
		b.Fatal(err)
	}
	b.e.Clock.Advance(2 * time.Second) // BankID is not asked more often
	return b.do("GET", "/permissions/signin", nil)
}

// A person sees what she has given, as whatever user of whatever client; nothing of others,
// not even what the same user of the client has from another person or from nobody known.
func TestSignIn_ShowsWhatThePersonHasGivenAndNothingElse(t *testing.T) {
	e := newEnv(t)
	stranger, neighbour := e.stranger(), e.AddUser("neighbour")
	first, second := e.given(e.User, maja), e.given(stranger, maja)
	others := []consent.Consent{e.given(e.User, bertil), e.permission(stranger, 50), e.given(neighbour, bertil)}
	b := e.browser(t)
	if status, to, body := b.signsIn(maja); status != http.StatusSeeOther || to != pages.Path {
		t.Fatalf("%d to %q\n%s", status, to, body)
	}
	_, _, body := b.do("GET", pages.Path, nil)
	wants(t, body, string(first.ID), string(second.ID), "acme", "Other &lt;b&gt;shop", "Some of it may be of another person. Ask acme")
	for _, c := range others {
		if strings.Contains(body, string(c.ID)) {
			t.Errorf("%s is shown", c.ID)
		}
		for _, r := range [][2]string{{"GET", "/permissions/history/"}, {"POST", "/permissions/withdraw/"}, {"POST", "/permissions/renew/"}} {
			if status, to, body := b.do(r[0], r[1]+string(c.ID), url.Values{}); status != http.StatusNotFound || to != "" || strings.Contains(body, "Demobanken") {
				t.Errorf("%s: %d to %q", r[1], status, to)
			}
		}
	}
	// Whole users of which some is another person's are neither given out nor erased.
	visits, err := e.service.Visiting(t.Context(), b.cookie("permissions"))
	if err != nil || len(visits) != 2 {
		t.Fatalf("%d visits, %v", len(visits), err)
	}
	for _, v := range visits {
		for path, form := range map[string]url.Values{"/permissions/erase": {"sure": {"yes"}}, "/permissions/download": {}} {
			if status, _, body := b.do("POST", path+"?at="+v.ID, form); status != http.StatusForbidden || !strings.Contains(body, "Some of it may be of another person.") {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
	if status, to, _ := b.do("POST", "/permissions/withdraw/"+string(second.ID), url.Values{}); status != http.StatusSeeOther || to != pages.Path+"?withdrawn="+string(second.ID) {
		t.Errorf("%d to %q", status, to)
	}
	_, _, body = b.do("GET", pages.Path+"?withdrawn="+string(second.ID), nil)
	wants(t, body, "Withdrawn. Other &lt;b&gt;shop can read no more.")
	if status, _, _ := b.do("POST", "/permissions/signout", url.Values{}); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if visits, err = e.service.Visiting(t.Context(), b.cookie("permissions")); err != nil || len(visits) != 0 {
		t.Errorf("%d visits after she signed out, %v", len(visits), err)
	}
}

// Where all is hers, she erases one of her users; the other stays.
func TestSignIn_ErasesWhatIsWhollyHers(t *testing.T) {
	e := newEnv(t)
	stranger := e.stranger()
	e.given(e.User, maja)
	e.given(stranger, maja)
	b := e.browser(t)
	b.signsIn(maja)
	visits, err := e.service.Visiting(t.Context(), b.cookie("permissions"))
	if err != nil || len(visits) != 2 {
		t.Fatalf("%d visits, %v", len(visits), err)
	}
	gone := visits[1]
	if status, _, body := b.do("POST", "/permissions/erase?at="+gone.ID, url.Values{"sure": {"yes"}}); status != http.StatusOK || !strings.Contains(body, "Erased.") {
		t.Fatalf("%d\n%s", status, body)
	}
	left, err := e.service.Visiting(t.Context(), b.cookie("permissions"))
	if err != nil || len(left) != 1 || left[0].ID != visits[0].ID {
		t.Errorf("%+v, %v", left, err)
	}
	// A reload sends the form again: what is left is not erased by it.
	if status, to, _ := b.do("POST", "/permissions/erase?at="+gone.ID, url.Values{"sure": {"yes"}}); status != http.StatusSeeOther || to != pages.Path {
		t.Errorf("sent again: %d to %q", status, to)
	}
	again := e.browser(t)
	again.signsIn(maja)
	if found, err := e.service.Visiting(t.Context(), again.cookie("permissions")); err != nil || len(found) != 1 || found[0].UserID == gone.UserID {
		t.Errorf("the erased user is found: %+v, %v", found, err)
	}
}

// Nobody is signed in without an order that was approved: who is not known here, who makes up
// or repeats what a browser keeps, whose order was declined, and who is elsewhere.
func TestSignIn_TakesNobodyForAnother(t *testing.T) {
	e := newEnv(t)
	e.given(e.User, maja)
	b := e.browser(t)
	if status, to, body := b.signsIn(bertil); status != http.StatusOK || to != "" || !strings.Contains(body, "We find no permission") || !strings.Contains(body, "on the bank&#39;s own page are found through a link") || b.cookie("permissions") != "" {
		t.Errorf("%d to %q\n%s", status, to, body)
	}
	for _, kept := range []string{"x", strings.Repeat("A", 100), strings.Repeat("A", 3000)} {
		if _, err := e.service.LookSignIn(t.Context(), kept, "192.0.2.1"); !errors.Is(err, permissions.ErrSignIn) {
			t.Errorf("%.10q: %v", kept, err)
		}
	}
	kept, err := e.service.BeginSignIn(t.Context(), "192.0.2.1", "", "en", true)
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(kept)
	changed[len(changed)-2] ^= 1
	if _, err := e.service.LookSignIn(t.Context(), string(changed), "192.0.2.1"); !errors.Is(err, permissions.ErrSignIn) {
		t.Errorf("changed: %v", err)
	}
	look, err := e.service.LookSignIn(t.Context(), kept, "192.0.2.1")
	if err != nil || look.Token == "" || look.QR != "" {
		t.Fatalf("%+v, %v", look, err)
	}
	approve := func(a bankid.PhoneAction) {
		t.Helper()
		a.PersonalNumber = maja
		if _, err := e.bankID.Act(a); err != nil {
			t.Fatal(err)
		}
		e.Clock.Advance(2 * time.Second)
	}
	approve(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: look.Token})
	if look, err = e.service.LookSignIn(t.Context(), kept, "198.51.100.1"); err != nil || !look.Elsewhere || look.Key != "" {
		t.Errorf("elsewhere: %+v, %v", look, err)
	}
	e.Clock.Advance(2 * time.Second)
	if look, err = e.service.LookSignIn(t.Context(), kept, "192.0.2.1"); !errors.Is(err, permissions.ErrSignIn) {
		t.Errorf("again: %+v, %v", look, err)
	}
	if kept, err = e.service.BeginSignIn(t.Context(), "192.0.2.1", "", "en", false); err != nil {
		t.Fatal(err)
	}
	if look, err = e.service.LookSignIn(t.Context(), kept, "192.0.2.1"); err != nil || look.QR == "" || look.Token != "" {
		t.Fatalf("%+v, %v", look, err)
	}
	if _, _, err := qr.Path(look.QR); err != nil {
		t.Error(err)
	}
	approve(bankid.PhoneAction{Action: bankid.Decline, QRData: look.QR})
	if look, err = e.service.LookSignIn(t.Context(), kept, "192.0.2.1"); err != nil || !look.Failed || look.Message != "RFA6" || look.Key != "" {
		t.Errorf("declined: %+v, %v", look, err)
	}
}

// A code that nobody scans is replaced until the time is over.
func TestSignIn_RenewsACodeThatNobodyScans(t *testing.T) {
	e := newEnv(t)
	kept, err := e.service.BeginSignIn(t.Context(), "192.0.2.1", "", "en", false)
	if err != nil {
		t.Fatal(err)
	}
	orders := 1
	for range int(permissions.SignInLife / (5 * time.Second)) {
		look, err := e.service.LookSignIn(t.Context(), kept, "192.0.2.1")
		if look.Failed || err != nil {
			break
		}
		if look.Kept != "" {
			kept, orders = look.Kept, orders+1
		}
		e.Clock.Advance(5 * time.Second)
	}
	if orders < 4 {
		t.Errorf("%d orders", orders)
	}
	e.Clock.Advance(permissions.SignInLife)
	if _, err := e.service.LookSignIn(t.Context(), kept, "192.0.2.1"); !errors.Is(err, permissions.ErrSignIn) {
		t.Errorf("after its time: %v", err)
	}
}

func TestSignIn_IsLimited(t *testing.T) {
	e := newEnv(t)
	begin := func(address string) error {
		_, err := e.service.BeginSignIn(t.Context(), address, "", "en", false)
		return err
	}
	allowed := 0
	for range 30 {
		if begin("2001:db8::1") == nil {
			allowed++
		}
	}
	if allowed != 10 || !errors.Is(begin("2001:db8::2"), permissions.ErrTooMany) || begin("2001:db8:0:1::1") != nil {
		t.Errorf("%d of one address", allowed)
	}
	b := e.browser(t)
	for range 12 {
		b.do("POST", "/permissions/signin", url.Values{"way": {"other"}})
	}
	if status, _, body := b.do("POST", "/permissions/signin", url.Values{"way": {"other"}}); status != http.StatusTooManyRequests || !strings.Contains(body, "Try again in a minute") {
		t.Errorf("%d\n%s", status, body)
	}
	if status, _, _ := b.do("POST", "/permissions/signin", url.Values{"way": {"this"}}, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("of another site: %d", status)
	}
}

// A visit by signing in ends as one by a link.
func TestSignIn_EndsWhenIdle(t *testing.T) {
	e := newEnv(t)
	e.given(e.User, maja)
	b := e.browser(t)
	b.signsIn(maja)
	e.Clock.Advance(session.VisitIdle)
	if _, _, body := b.do("GET", pages.Path, nil); !strings.Contains(body, "You have been away for a while") || !strings.Contains(body, `value="other"`) {
		t.Error(body)
	}
}

// cookie returns what the browser keeps under a name.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.e.web.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Where nobody can sign in, the page speaks of no sign-in.
func TestSignIn_IsNotSpokenOfWithoutIt(t *testing.T) {
	e := newEnv(t)
	link := "Ask the company that reads your data for a link to this page."
	_, _, body := e.browser(t).do("GET", pages.Path, nil)
	if wants(t, body, "Sign-in finds permissions"); strings.Contains(body, link) {
		t.Error(body)
	}
	e.service.BankID = nil
	_, _, body = e.browser(t).do("GET", pages.Path, nil)
	if wants(t, body, link); strings.Contains(body, "Sign-in") {
		t.Error(body)
	}
}
