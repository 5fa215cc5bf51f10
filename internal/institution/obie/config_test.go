package obie_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/obie"
	"samla/internal/quota"
	"samla/internal/strictjson"
)

// revolutLike and danskeLike are entries as docs/adding-an-obie-bank.md shows them
// (docs/reference/families.md 4.1, 4.7), with addresses that are invented.
const (
	revolutLike = `{"baseURL":"https://oba-auth.r.example","issuer":"https://oba-auth.r.example","authorizationEndpoint":"https://oba.r.example/ui/index.html",
		"tokenEndpoint":"https://oba-auth.r.example/token","jwksURI":"https://keys.r.example/jwks","scope":"accounts","clientID":"c-1","keyFile":"qseal-key.pem","keyID":"k",
		"certificates":{"cert":"qwac.pem","key":"qwac-key.pem"},"financialID":"001580000103UAvAAM","profile":{"fullHistory":"5m","countsPer":"account"}}`
	danskeLike = `{"baseURL":"https://obp-api.d.example/open-banking/v4.0/aisp","version":"4.0","issuer":"https://id.d.example","clientID":"c-1","clientAuth":"private_key_jwt",
		"keyFile":"qseal-key.pem","certificates":{"cert":"qwac.pem","key":"qwac-key.pem"},"hosts":["https://keys.d.example"]}`
)

func configOf(t *testing.T, text string) (c obie.Config) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func newBank(t *testing.T, c obie.Config) *obie.Bank {
	t.Helper()
	dir, _ := certificates()
	b, err := obie.New(c, obie.Deps{Deps: institution.Deps{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestConfig_IsForBanksLikeRevolutAndDanske(t *testing.T) {
	b := newBank(t, configOf(t, revolutLike))
	p := b.Profile()
	if !p.Redirects || p.ReplaySafe || p.NamesSigner || p.FullHistory != 5*time.Minute || p.HistoryUnattended != 89 || p.HistoryAttended != 730 ||
		p.CountsPer != quota.PerAccount || p.DailyLimit != 4 || p.LongestConsent != 180 || !p.OpensWithoutNumber || !p.OpensWithoutAddress {
		t.Errorf("%+v", p)
	}
	// With every endpoint named, no metadata is read: nothing of this is reachable.
	a, err := b.StartAuthorization(t.Context(), institution.AuthorizeRequest{ConsentID: consentID, Way: way})
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(a.Instructions.RedirectURL)
	if err != nil || page.Host != "oba.r.example" || page.Path != "/ui/index.html" || page.Query().Get("scope") != "accounts" || page.Query().Get("redirect_uri") != way.Return || page.Query().Get("request") == "" {
		t.Errorf("%s %v", page, err)
	}
	newBank(t, configOf(t, danskeLike))
}

// Tokens and keys are read at hosts of the configuration only, whatever the metadata say.
func TestServer_CallsNoOtherHost(t *testing.T) {
	s := newScripted(t, nil, responds(201, consentBody("AwaitingAuthorisation", "")))
	s.tokenAt = "https://token.evil.example/t"
	if _, err := s.OpenConsent(t.Context(), openRequest(full)); kindOf(t, err) != institution.ForeignAddress || len(s.requests()) != 0 {
		t.Errorf("%v after %d requests", err, len(s.requests()))
	}
	if _, err := s.complete(t, s.right()); kindOf(t, err) != institution.ForeignAddress {
		t.Error(err)
	}
	if _, err := s.Refresh(t.Context(), access()); kindOf(t, err) != institution.ForeignAddress {
		t.Error(err)
	}
}

func TestConfig_ReportsWhatCannotBeUsed(t *testing.T) {
	for want, change := range map[string]func(*obie.Config){
		"/baseURL":                func(c *obie.Config) { c.BaseURL = "http://b.example" },
		"/version":                func(c *obie.Config) { c.Version = "3.1.10" },
		"/issuer":                 func(c *obie.Config) { c.Issuer = "" },
		"/metadata":               func(c *obie.Config) { c.Metadata = "ftp://b.example" },
		"/authorizationEndpoint":  func(c *obie.Config) { c.AuthorizationEndpoint = "https://u:p@b.example" },
		"/tokenEndpoint":          func(c *obie.Config) { c.TokenEndpoint = "b.example/token" },
		"/jwksURI":                func(c *obie.Config) { c.JWKSURI = "https://b.example/#f" },
		"/hosts/0":                func(c *obie.Config) { c.Hosts = []string{"b.example"} },
		"/algorithms/1":           func(c *obie.Config) { c.Algorithms = []string{"PS256", "HS256"} },
		"/algorithms/0":           func(c *obie.Config) { c.Algorithms = []string{"none"} },
		"/clientID":               func(c *obie.Config) { c.ClientID = "a b" },
		"/clientAuth":             func(c *obie.Config) { c.ClientAuth = "client_secret_basic" },
		"/audience":               func(c *obie.Config) { c.Audience = "https://b.example/token" },
		"/keyFile":                func(c *obie.Config) { c.KeyFile = "" },
		"/keyID":                  func(c *obie.Config) { c.KeyID = "a\nb" },
		"/certificates/cert":      func(c *obie.Config) { c.Certificates = obie.Certificates{} },
		"/financialID":            func(c *obie.Config) { c.FinancialID = "a b" },
		"/scope":                  func(c *obie.Config) { c.Scope = "ö" },
		"/clientScope":            func(c *obie.Config) { c.ClientScope = "\t" },
		"/acr/1":                  func(c *obie.Config) { c.ACR = []string{"urn:x", "none"} },
		"/acr/0":                  func(c *obie.Config) { c.ACR = []string{""} },
		"/challenge":              func(c *obie.Config) { c.Challenge = "plain" },
		"/permissions/1":          func(c *obie.Config) { c.Permissions = []string{"ReadPAN", "ReadPAN"} },
		"/permissions/0":          func(c *obie.Config) { c.Permissions = []string{"WriteAll"} },
		"/profile/countsPer":      func(c *obie.Config) { c.Profile.CountsPer = "day" },
		"/profile/oldConsent":     func(c *obie.Config) { c.Profile.OldConsent = "burn" },
		"/profile/deadline":       func(c *obie.Config) { c.Profile.Deadline = strictjson.Duration(2 * time.Hour) },
		"/profile/windowDays":     func(c *obie.Config) { c.Profile.WindowDays = -1 },
		"/profile/longestConsent": func(c *obie.Config) { c.Profile.LongestConsent = -1 },
	} {
		c := configOf(t, revolutLike)
		change(&c)
		var got []string
		for _, f := range c.Check() {
			got = append(got, f.Pointer)
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("want %s, got %v", want, got)
		}
	}
}

func TestNew_ReportsFilesThatCannotBeUsed(t *testing.T) {
	dir, _ := certificates()
	c := configOf(t, revolutLike)
	c.KeyFile, c.Certificates.Key, c.Certificates.CAFile = "qwac.pem", "qseal-key.pem", "none.pem"
	_, err := obie.New(c, obie.Deps{Deps: institution.Deps{Dir: dir}})
	var faults strictjson.Faults
	if !errors.As(err, &faults) || len(faults) != 3 || faults[0].Pointer != "/keyFile" || faults[1].Pointer != "/certificates/cert" || faults[2].Pointer != "/certificates/caFile" {
		t.Errorf("%v", err)
	}
}

// A period that the bank refuses is asked for shorter, never longer, and comes to an end.
func TestInstead_AsksForShorterPeriods(t *testing.T) {
	b := newReader(t)
	q := transactionsOf("1")
	q.From = "2024-11-22"
	refused := &institution.Error{Kind: institution.SCARequired, HTTPStatus: 403}
	var asked []string
	for next, ok := q, true; ok && len(asked) < 10; {
		if next, ok = b.Instead(next, refused, noon); ok {
			asked = append(asked, next.Detail)
		}
	}
	if !slices.Equal(asked, []string{"from=2026-08-25", "from=2026-10-23"}) {
		t.Errorf("%v", asked)
	}
	for _, other := range []institution.Question{b.Start(full, since)[0], balancesOf("1"), {Kind: "transactions", Account: "1", From: since, Link: "/x"}} {
		if _, ok := b.Instead(other, refused, noon); ok {
			t.Errorf("%+v", other)
		}
	}
}
