package xs2a_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/eidas"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/sandbox/pki"
	"samla/internal/strictjson"
)

const wholeConfig = `{"baseURL":"https://psd2.mybank.example/xs2a",
 "certificates":{"qwacCert":"qwac.pem","qwacKey":"qwac-key.pem","qsealCert":"qseal.pem","qsealKey":"/abs/qseal-key.pem","caFile":"ca.pem"},
 "signature":{"headers":["date","digest","x-request-id"],"digest":"sha-512","algorithm":"rsa-sha512","methods":["POST"],"keyId":"me"},
 "headers":{"X-API-Key":"k"},
 "profile":{"qr":"none","needsPSUID":true,"pollInterval":"2s","deadline":"4m0s","historyAttended":400,"historyUnattended":80,"dailyLimit":2,"countsPer":"endpoint",
  "longestConsent":90,"replaySafe":true,"parallel":2,"autoStartToken":"/a","qrData":"/b","qrImage":"/c","qrStartToken":"/f","qrStartSecret":"/g","hintCode":"/d","expiresAt":"/e",
  "accessForm":"bankOffered","allPsd2":"allAccounts","frequencyPerDay":2,"sendPSUID":true,"psuIDType":"SSN","redirectRefusal":"all",
  "withBalance":false,"bookingStatus":"booked","cards":""}}`

// parse decodes and checks a configuration as the registry does.
func parse(text string) (c xs2a.Config, faults strictjson.Faults) {
	if faults = strictjson.Decode([]byte(text), &c); len(faults) == 0 {
		faults = c.Check()
	}
	return c, faults
}

// Written and read again a configuration is the same: no member is lost, and what
// was left out is not written.
func TestConfig_SurvivesEncoding(t *testing.T) {
	for _, text := range []string{wholeConfig, `{"baseURL":"https://o.example","signature":{"none":true}}`} {
		c, faults := parse(text)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, faults := parse(string(written))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Error(diff)
		}
		jsonEqual(t, string(written), text)
	}
}

// Each unusable member is reported by its pointer, several at once.
func TestConfig_ReportsFaultsByPointer(t *testing.T) {
	change := func(old, replacement string) string {
		if !strings.Contains(wholeConfig, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(wholeConfig, old, replacement, 1)
	}
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"whole":          {wholeConfig, nil},
		"unknown":        {change(`"baseURL"`, `"baseUrl"`), []string{"/baseUrl"}},
		"unknown, deep":  {change(`"qr":"none"`, `"qr":"none","x/y~z":1`), []string{"/profile/x~1y~0z"}},
		"wrong types":    {change(`"needsPSUID":true,"pollInterval":"2s"`, `"needsPSUID":"yes","pollInterval":2`), []string{"/profile/needsPSUID", "/profile/pollInterval"}},
		"nothing":        {`{}`, []string{"/baseURL"}},
		"base URL":       {change("https://psd2", "http://psd2"), []string{"/baseURL"}},
		"half a pair":    {change(`"qwacKey":"qwac-key.pem",`, ``), []string{"/certificates/qwacCert"}},
		"signature":      {change("rsa-sha512", "hs2019"), []string{"/signature/algorithm"}},
		"digest":         {change("sha-512", "md5"), []string{"/signature/digest"}},
		"method":         {change(`"methods":["POST"]`, `"methods":["Post"]`), []string{"/signature/methods"}},
		"header":         {change(`"X-API-Key":"k"`, `"X API":"k"`), []string{"/headers/X API"}},
		"header value":   {change(`"X-API-Key":"k"`, `"X-API-Key":"k\r\nX: y"`), []string{"/headers/X-API-Key"}},
		"qr":             {change(`"qr":"none"`, `"qr":"video"`), []string{"/profile/qr"}},
		"pointer":        {change(`"/a"`, `"a"`), []string{"/profile/autoStartToken"}},
		"access form":    {change("bankOffered", "detailed"), []string{"/profile/accessForm"}},
		"booking status": {change(`"bookingStatus":"booked"`, `"bookingStatus":"all"`), []string{"/profile/bookingStatus"}},
		"redirect":       {change(`"redirectRefusal":"all"`, `"redirectRefusal":"yes"`), []string{"/profile/redirectRefusal"}},
		"allPsd2":        {change(`"allPsd2":"allAccounts"`, `"allPsd2":"some"`), []string{"/profile/allPsd2"}},
		"cards":          {change(`"cards":""`, `"cards":"../cards"`), []string{"/profile/cards"}},
		"negative":       {change(`"parallel":2`, `"parallel":-2`), []string{"/profile/parallel"}},
		"negative time":  {change(`"deadline":"4m0s"`, `"deadline":"-4m"`), []string{"/profile/deadline"}},
		"several": {`{"baseURL":"x","headers":{"a b":""},"profile":{"qr":"video","deadline":"-1s"}}`,
			[]string{"/baseURL", "/headers/a b", "/profile/qr", "/profile/deadline"}},
	} {
		_, faults := parse(c.text)
		if got := pointers(faults); !slices.Equal(got, c.pointers) {
			t.Errorf("%s: got %q, want %q: %v", name, got, c.pointers, faults)
		}
	}
}

func pointers(faults strictjson.Faults) (found []string) {
	for _, f := range faults {
		found = append(found, f.Pointer)
	}
	return found
}

func TestProfile_ReachesThePort(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	c, faults := parse(wholeConfig)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	b, err := xs2a.New(c, xs2a.Deps{Deps: atNoon, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}})
	if err != nil {
		t.Fatal(err)
	}
	want := institution.Profile{QR: institution.QRNone, NeedsPSUID: true, PollInterval: 2 * time.Second, Deadline: 4 * time.Minute,
		HistoryAttended: 400, HistoryUnattended: 80, DailyLimit: 2, CountsPer: "ENDPOINT", LongestConsent: 90, ReplaySafe: true, Parallel: 2, OldConsent: institution.OldDeleted}
	if diff := cmp.Diff(want, b.Profile()); diff != "" {
		t.Error(diff)
	}
	got := newReader(t).Profile()
	defaults := institution.Profile{OpensWithoutNumber: true, SignatureCost: got.SignatureCost}.WithDefaults()
	if !cmp.Equal(got, defaults) || got.SignatureCost <= 0 {
		t.Errorf("defaults %+v", got)
	}
}

// Certificates that a bank would have to refuse are refused at the start.
func TestNew_RefusesUnusableCertificates(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	issue := func(change func(*pki.Spec)) *tls.Certificate {
		spec := pki.QWAC()
		change(&spec)
		c, err := set.CA.Issue(spec)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	for name, c := range map[string]struct {
		keys xs2a.Keys
		want string
	}{
		"good":            {xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}, ""},
		"good, P-256":     {xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.P256}, ""},
		"no QWAC":         {xs2a.Keys{QSEAL: &set.QSEAL}, "qwacCert"},
		"no QSEAL":        {xs2a.Keys{QWAC: &set.QWAC}, "qsealCert"},
		"seal as QWAC":    {xs2a.Keys{QWAC: &set.QSEAL, QSEAL: &set.QSEAL}, "qwacCert"},
		"QWAC as seal":    {xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QWAC}, "qsealCert"},
		"no statements":   {xs2a.Keys{QWAC: issue(func(s *pki.Spec) { s.NoStatements = true }), QSEAL: &set.QSEAL}, "qwacCert"},
		"other role":      {xs2a.Keys{QWAC: issue(func(s *pki.Spec) { s.Roles = []eidas.Role{eidas.PI} }), QSEAL: &set.QSEAL}, "PSP_AI"},
		"expired":         {xs2a.Keys{QWAC: issue(func(s *pki.Spec) { s.NotAfter = noon.Add(-time.Hour) }), QSEAL: &set.QSEAL}, "expired"},
		"not yet valid":   {xs2a.Keys{QWAC: issue(func(s *pki.Spec) { s.NotBefore = noon.Add(time.Hour) }), QSEAL: &set.QSEAL}, "valid only from"},
		"no leaf":         {xs2a.Keys{QWAC: &tls.Certificate{}, QSEAL: &set.QSEAL}, "qwacCert"},
		"leaf not parsed": {xs2a.Keys{QWAC: &tls.Certificate{Certificate: set.QWAC.Certificate, PrivateKey: set.QWAC.PrivateKey}, QSEAL: &set.QSEAL}, ""},
	} {
		_, err := xs2a.New(demoConfig("https://bank.example"), xs2a.Deps{Deps: atNoon, Keys: &c.keys})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := xs2a.New(demoConfig("http://127.0.0.1:1"), xs2a.Deps{Deps: atNoon, Keys: &xs2a.Keys{QSEAL: &set.QSEAL}}); err != nil {
		t.Errorf("a gateway of ours: %v", err)
	}
	rsaOnly := demoConfig("https://bank.example")
	rsaOnly.Signature.Algorithm = "rsa-sha256"
	_, err = xs2a.New(rsaOnly, xs2a.Deps{Deps: atNoon, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.P256}})
	var faults strictjson.Faults
	if !errors.As(err, &faults) || !slices.Equal(pointers(faults), []string{"/signature/algorithm"}) {
		t.Errorf("an algorithm of another key: %v", err)
	}
	unsigned := demoConfig("https://bank.example")
	unsigned.Signature.None = true
	if _, err := xs2a.New(unsigned, xs2a.Deps{Deps: atNoon, Keys: &xs2a.Keys{QWAC: &set.QWAC}}); err != nil {
		t.Errorf("a bank that wants no signature: %v", err)
	}
}

func TestNew_ReadsCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := pki.Open(dir, func() time.Time { return noon }, nil); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	deps := atNoon
	deps.Dir = dir
	good := xs2a.Certificates{QWACCert: pki.QWACFile, QWACKey: at(pki.QWACKeyFile), QSEALCert: at(pki.QSEALFile), QSEALKey: pki.QSEALKeyFile, CAFile: pki.CAFile}
	for name, c := range map[string]struct {
		change func(*xs2a.Certificates)
		want   string
	}{
		"good":         {func(*xs2a.Certificates) {}, ""},
		"no such file": {func(c *xs2a.Certificates) { c.QWACCert = "none" }, "/certificates/qwacCert"},
		"wrong key":    {func(c *xs2a.Certificates) { c.QSEALKey = at(pki.QWACKeyFile) }, "/certificates/qsealCert"},
		"no CA in it":  {func(c *xs2a.Certificates) { c.CAFile = at(pki.QSEALKeyFile) }, "/certificates/caFile"},
		"two files":    {func(c *xs2a.Certificates) { c.QWACCert, c.CAFile = "none", "none" }, "/certificates/caFile"},
		"no CA file":   {func(c *xs2a.Certificates) { c.CAFile = at("none") }, "/certificates/caFile"},
	} {
		config := demoConfig("https://bank.example")
		config.Certificates = good
		c.change(&config.Certificates)
		_, err := xs2a.New(config, xs2a.Deps{Deps: deps})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error shows a path: %v", name, err)
		}
	}
}
