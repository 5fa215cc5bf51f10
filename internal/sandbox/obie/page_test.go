package obie_test

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

// browsers runs a bank with its page and the phone, whose clock runs fast.
type browsers struct {
	*client
	fast   *clock.Fast
	bankID *bankid.Service
}

func startPages(t *testing.T, b obie.Behaviour) *browsers {
	t.Helper()
	fast := clock.NewFast(startTime, 200)
	service := bankid.New(fast, rand.Reader)
	service.Habit = func(n string) (bankid.Habit, bool) {
		h, ok := persona.HabitOf(n)
		return bankid.Habit{OpenAfter: h.Opens, ActAfter: h.Acts, Action: bankid.Action(h.Does), By: h.SignsAs}, ok
	}
	w := start(t, b, func(c *obie.Config) { c.BankID, c.Clock = service, fast })
	bank := w.Bank
	mux := http.NewServeMux()
	mux.Handle("/"+b.Company+"/", bank)
	(&httpapi.Phone{Service: service}).Mount(mux)
	w.serve = mux
	w.now = fast.Now
	return &browsers{w.client(), fast, service}
}

// visit sends a person to the authorisation endpoint and returns where they end.
func (b *browsers) visit(consent string, p visitor.Person) (string, error) {
	b.Helper()
	q := "client_id=" + b.id + "&response_type=code+id_token&scope=openid+accounts&request=" + b.sign(b.requestObject(consent))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.keys.CA.Pool()}}
	b.Cleanup(transport.CloseIdleConnections)
	to, err := visitor.New(transport, b.fast, b.srv.URL).Visit(b.Context(), b.Issuer()+"/authorize?"+q, p)
	if err != nil {
		return "", err
	}
	return to.String(), nil
}

func TestPage_LeadsBackToTheClient(t *testing.T) {
	eachBank(t, func(t *testing.T, behaviour obie.Behaviour) {
		b := startPages(t, behaviour)
		for name, tt := range map[string]struct {
			person visitor.Person
			want   string // the error, or "code"
		}{
			"approves":     {visitor.Person{Number: persona.Default, Phone: visitor.Approve}, "code"},
			"one account":  {visitor.Person{Number: ester, Phone: visitor.Approve, Chooses: b.accountsOf(ester)[:1]}, "code"},
			"no account":   {visitor.Person{Number: ester, Phone: visitor.Approve, Chooses: []string{}}, ""},
			"refuses":      {visitor.Person{Number: persona.Default, Phone: visitor.Approve, Refuse: true}, "access_denied"},
			"cancels":      {visitor.Person{Number: persona.Default, Phone: visitor.Cancel}, "access_denied"},
			"other signs":  {visitor.Person{Number: persona.Default, Phone: visitor.Approve, SignsAs: ester}, "access_denied"},
			"habit":        {visitor.Person{Number: "189001019802"}, "code"},
			"habit: KYC":   {visitor.Person{Number: "189001079806"}, "access_denied"},
			"habit: fails": {visitor.Person{Number: "189001089813"}, "server_error"},
			"habit: stays": {visitor.Person{Number: "189001099812"}, ""},
		} {
			address, err := b.visit(b.newConsent(allPermissions, nil), tt.person)
			if tt.want == "" {
				if !errors.Is(err, visitor.ErrStays) {
					t.Errorf("%s: %s %v", name, address, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if q := fragment(t, address); q.Get("error") != tt.want && !(tt.want == "code" && q.Has("code") && q.Has("id_token")) {
				t.Errorf("%s: %s", name, address)
			}
		}
	})
}

func TestPage_ShowsWhatIsAsked(t *testing.T) {
	w := start(t, behaviour("se-demo-obie"))
	c := w.client()
	v, err := c.Visit(c.login(c.newConsent([]string{"ReadAccountsBasic", "ReadBalances"}, nil)))
	if err != nil || v.Client != "Test client" || v.Bank != "Demo bank (OBIE)" || v.PersonalNumber != "" || !v.Choose || !v.Until.Equal(startTime.Add(15*time.Minute)) {
		t.Errorf("%+v %v", v, err)
	}
	if got := strings.Join(v.Asked, "; "); got != "the names of your accounts; your balances; until 2026-07-10" {
		t.Errorf("asked: %s", got)
	}
	if _, err := c.Visit("unknown"); !errors.Is(err, bankpage.ErrNoVisit) {
		t.Errorf("unknown: %v", err)
	}
	accounts, err := c.Accounts("", alva)
	if err != nil || len(accounts) != 5 || accounts[0].Number == "" || accounts[0].ID != c.accountsOf(alva)[0] {
		t.Errorf("%+v %v", accounts, err)
	}
	if _, err := c.Accounts("", "1"); err == nil {
		t.Error("nobody has accounts")
	}
}

// A login that the person left cannot be approved later.
func TestPage_EndsInTime(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	login := c.login(c.newConsent(allPermissions, nil))
	c.clock.Advance(15*time.Minute + time.Second)
	if q := c.decide(login, approval(tim, c.accountsOf(tim))); q.Get("error") != "access_denied" {
		t.Errorf("%v", q)
	}
}

// A restart keeps consents, logins, codes, tokens, the limits and the key.
func TestRestart_KeepsEverything(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		path := filepath.Join(t.TempDir(), "bank.jsonl")
		kept := func(c *obie.Config) { c.Journal = path }
		w := start(t, b, kept)
		restart := func() {
			t.Helper()
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w.open(b, kept)
		}
		c := w.client()
		if err := w.RotateKey(); err != nil {
			t.Fatal(err)
		}
		c.appToken()
		const other = "https://samla.example/other"
		if !c.AllowRedirect(clientID, other) {
			t.Fatal("the client is unknown")
		}
		restart()
		restart()
		claims := c.requestObject(c.newConsent(allPermissions, nil))
		claims["redirect_uri"] = other
		c.authorize(c.sign(claims), "redirect_uri", other).want(303)
		consent := c.newConsent(allPermissions, nil)
		restart()
		login := c.login(consent)
		restart()
		answer := c.approve(login, tim)
		restart()
		restart() // from the state alone, not from its changes
		if again := c.decide(login, approval(tim, nil)); again.Encode() != answer.Encode() {
			t.Error("the login has another end")
		}
		if err := c.check(redirectURI+"#"+answer.Encode(), consent); err != nil {
			t.Error(err)
		}
		tokens := c.exchange(answer.Get("code")).want(200)
		restart()
		c.attended = false
		for range 4 {
			c.api(http.MethodGet, "accounts", access(tokens), "").want(200)
			restart()
		}
		c.api(http.MethodGet, "accounts", access(tokens), "").want(429)
		next := c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
		restart()
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
		c.exchange(answer.Get("code")).wantOAuth(400, "invalid_grant") // and its tokens die
		restart()
		c.token("grant_type", "refresh_token", "refresh_token", refresh(next)).wantOAuth(400, "invalid_grant")
	})
}
