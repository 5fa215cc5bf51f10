package xs2a_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/strictjson"
)

const signedConfig = `{"baseURL":"https://psd2.mybank.example/xs2a","query":{"bic":"B"},"headers":{"Date":"{date}"},
 "oauth":{"metadata":"https://login.mybank.example/m","issuer":"https://login.mybank.example","authorizationEndpoint":"https://login.mybank.example/a",
  "tokenEndpoint":"https://token.mybank.example/t","hosts":["https://other.mybank.example"],"clientID":"me","clientAuth":"basic","secretFile":"s","keyID":"k","audience":"a",
  "scope":"x AIS:{consentId}","responseType":"CODE","challenge":"unnamed","authorizationQuery":{"brand":"1"},"tokenQuery":{"role":"AISP"},"tokenForm":{"a":"b"},
  "headers":{"X-Api-Key":"k"},"codeErrors":["invalid_request"],"clientToken":true,"clientScope":"c"},
 "profile":{"sca":"redirect","redirect":{"explicitStart":true,"appendState":false,"fixedReturn":true,"nok":true,"confirmation":"always"},"scaMethods":["BankID"],"scaMethodsSameDevice":["same"],"listFirst":true,
  "needsPSUID":true,"namesSigner":true,"secondSigner":"72h0m0s","fullHistory":"15m0s","pages":{"offset":"o","limit":"l","size":100}}}`

func TestConfig_OfAPageSurvivesEncoding(t *testing.T) {
	c, faults := parse(signedConfig)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	written, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	again, faults := parse(string(written))
	if diff := cmp.Diff(c, again); diff != "" || len(faults) > 0 {
		t.Error(faults, diff)
	}
	jsonEqual(t, string(written), signedConfig)
}

func TestConfig_OfAPageReportsFaultsByPointer(t *testing.T) {
	change := func(old, replacement string) string {
		if !strings.Contains(signedConfig, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(signedConfig, old, replacement, 1)
	}
	login := `{"baseURL":"https://b.example","profile":{"sca":"redirect-after-login"},"oauth":`
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"whole":                   {signedConfig, nil},
		"way to sign":             {change(`"sca":"redirect"`, `"sca":"embedded"`), []string{"/profile/sca"}},
		"confirmation":            {change(`"always"`, `"sometimes"`), []string{"/profile/redirect/confirmation"}},
		"nobody is named":         {change(`"needsPSUID":true,`, ``), []string{"/profile/namesSigner"}},
		"a negative time":         {change(`"72h0m0s"`, `"-1h"`), []string{"/profile/secondSigner"}},
		"pages without a size":    {change(`,"size":100`, ``), []string{"/profile/pages/size"}},
		"pages without a name":    {change(`"offset":"o",`, ``), []string{"/profile/pages/offset"}},
		"a query that is ours":    {change(`"query":{"bic":"B"}`, `"query":{"dateFrom":"1","b\n":""}`), []string{"/query/b\n", "/query/dateFrom"}},
		"metadata":                {change(`"metadata":"https:`, `"metadata":"http:`), []string{"/oauth/metadata"}},
		"host":                    {change(`"hosts":["https://other.mybank.example"]`, `"hosts":["https://a.example","b.example"]`), []string{"/oauth/hosts/1"}},
		"authentication":          {change(`"clientAuth":"basic"`, `"clientAuth":"none"`), []string{"/oauth/clientAuth"}},
		"no secret":               {change(`"secretFile":"s",`, ``), []string{"/oauth/secretFile"}},
		"a secret without use":    {change(`"clientAuth":"basic"`, `"clientAuth":"tls"`), []string{"/oauth/clientAuth"}},
		"two secrets":             {change(`"secretFile":"s",`, `"secretFile":"s","secretVariable":"S",`), []string{"/oauth/secretVariable"}},
		"challenge":               {change(`"unnamed"`, `"plain"`), []string{"/oauth/challenge"}},
		"a state from the file":   {change(`{"brand":"1"}`, `{"state":"1","code_challenge":"x"}`), []string{"/oauth/authorizationQuery/code_challenge", "/oauth/authorizationQuery/state"}},
		"a code from the file":    {change(`"tokenForm":{"a":"b"}`, `"tokenForm":{"code":"b"}`), []string{"/oauth/tokenForm/code"}},
		"login without a server":  {login + `{}}`, []string{"/oauth/metadata"}},
		"login with half of one":  {login + `{"tokenEndpoint":"https://b.example/t"}}`, []string{"/oauth/metadata"}},
		"login with a server":     {login + `{"tokenEndpoint":"https://b.example/t","authorizationEndpoint":"https://b.example/a"}}`, nil},
		"login with metadata":     {login + `{"metadata":"https://b.example/m"}}`, nil},
		"login for a consent":     {login + `{"metadata":"https://b.example/m","scope":"AIS:{consentId}"}}`, []string{"/oauth/scope"}},
		"a server without use":    {`{"baseURL":"https://b.example","oauth":{"metadata":"https://b.example/m"}}`, []string{"/oauth"}},
		"a client without server": {`{"baseURL":"https://b.example","oauth":{"clientToken":true}}`, []string{"/oauth/metadata"}},
		"a client":                {`{"baseURL":"https://b.example","oauth":{"clientToken":true,"tokenEndpoint":"https://b.example/t"}}`, nil},
	} {
		_, faults := parse(c.text)
		if got := pointers(faults); !slices.Equal(got, c.pointers) {
			t.Errorf("%s: got %q, want %q: %v", name, got, c.pointers, faults)
		}
	}
}

func TestProfile_OfAPageReachesThePort(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	for sca, want := range map[string]institution.Profile{
		"":                      {},
		"redirect":              {Redirects: true, ReturnsOnce: true},
		"oauth":                 {Redirects: true},
		"decoupled-after-login": {Redirects: true, LoginFirst: true},
		"redirect-after-login":  {Redirects: true, LoginFirst: true, ReturnsOnce: true},
	} {
		c := demoConfig("https://bank.example")
		c.Profile = xs2a.Profile{SCA: sca, NeedsPSUID: true, NamesSigner: true, SecondSigner: strictjson.Duration(72 * time.Hour), FullHistory: strictjson.Duration(time.Minute)}
		if want.LoginFirst {
			c.OAuth.Metadata = "https://bank.example/m"
		}
		b, err := xs2a.New(c, xs2a.Deps{Deps: atNoon, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}})
		if err != nil {
			t.Fatal(err)
		}
		p, i := b.Profile(), b.Institution()
		if p.Redirects != want.Redirects || p.ReturnsOnce != want.ReturnsOnce || p.LoginFirst != want.LoginFirst || !p.NamesSigner || p.SecondSigner != 72*time.Hour || p.FullHistory != time.Minute ||
			p.Deadline != map[bool]time.Duration{false: 5 * time.Minute, true: 15 * time.Minute}[want.Redirects] {
			t.Errorf("%q: %+v", sca, p)
		}
		if has := i.Completer != nil && i.Refresher != nil; has != want.Redirects {
			t.Errorf("%q: completes and refreshes %t", sca, has)
		}
		b.Close()
	}
}

func TestNew_RefusesClientWithoutProof(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	both := xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}
	for name, c := range map[string]struct {
		oauth xs2a.OAuth
		keys  xs2a.Keys
		want  []string
	}{
		"certificate":       {xs2a.OAuth{}, both, nil},
		"a file":            {xs2a.OAuth{ClientAuth: "basic", SecretFile: write("good", "s3cret\n")}, both, nil},
		"no file":           {xs2a.OAuth{ClientAuth: "basic", SecretFile: "none"}, both, []string{"/oauth/secretFile"}},
		"an empty file":     {xs2a.OAuth{ClientAuth: "post", SecretFile: write("empty", " \n")}, both, []string{"/oauth/secretFile"}},
		"two lines":         {xs2a.OAuth{ClientAuth: "post", SecretFile: write("two", "a\nb")}, both, []string{"/oauth/secretFile"}},
		"no variable":       {xs2a.OAuth{ClientAuth: "post", SecretVariable: "SAMLA_TEST_NO_SECRET"}, both, []string{"/oauth/secretVariable"}},
		"a key":             {xs2a.OAuth{ClientAuth: "privateKeyJWT"}, both, nil},
		"no key":            {xs2a.OAuth{ClientAuth: "privateKeyJWT"}, xs2a.Keys{QWAC: &set.QWAC}, []string{"/certificates/qsealCert"}},
		"no id":             {xs2a.OAuth{}, xs2a.Keys{QSEAL: &set.QSEAL}, []string{"/oauth/clientID"}},
		"an id in the file": {xs2a.OAuth{ClientID: "me"}, xs2a.Keys{QSEAL: &set.QSEAL}, nil},
	} {
		config := demoConfig("http://127.0.0.1:1") // a gateway has the QWAC
		config.Profile.SCA, config.OAuth, config.Signature.None = "oauth", c.oauth, true
		b, err := xs2a.New(config, xs2a.Deps{Deps: institution.Deps{Clock: atNoon.Clock, Dir: dir}, Keys: &c.keys})
		var faults strictjson.Faults
		if errors.As(err, &faults); !slices.Equal(pointers(faults), c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			b.Close()
		}
	}
}
