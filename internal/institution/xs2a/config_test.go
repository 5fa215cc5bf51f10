package xs2a_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/clock"
	"samla/internal/eidas"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/sandbox/pki"
)

const wholeBank = `{"company":"se-mybank","displayName":"My bank","loginMethods":["SWEDISH_MOBILE_BANKID_SAME_DEVICE"],
 "baseURL":"https://psd2.mybank.example/xs2a",
 "certificates":{"qwacCert":"qwac.pem","qwacKey":"qwac-key.pem","qsealCert":"qseal.pem","qsealKey":"/abs/qseal-key.pem","caFile":"ca.pem"},
 "signature":{"headers":["date","digest","x-request-id"],"digest":"sha-512","algorithm":"rsa-sha512","keyId":"me"},
 "headers":{"X-API-Key":"k"},
 "profile":{"qr":"none","needsPSUID":true,"pollInterval":"2s","deadline":"4m","historyAttended":400,"historyUnattended":80,"dailyLimit":2,
  "longestConsent":90,"replaySafe":true,"parallel":2,"autoStartToken":"/a","qrData":"/b","qrImage":"/c","hintCode":"/d","expiresAt":"/e",
  "accessForm":"bankOffered","allPsd2":"allAccounts","frequencyPerDay":2,"sendPSUID":true,"psuIDType":"SSN","redirectRefusal":"all",
  "withBalance":false,"bookingStatus":"booked","cards":""}}`

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "banks.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	path := write(t, "\ufeff"+`{"banks":[`+wholeBank+`,{"company":"se-other","displayName":"Other","loginMethods":["EID"],"baseURL":"https://o.example","signature":{"none":true}}]}`)
	got, err := xs2a.Load(path)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d banks, %v", len(got), err)
	}
	dir := filepath.Dir(path)
	want := xs2a.Certificates{
		QWACCert: filepath.Join(dir, "qwac.pem"), QWACKey: filepath.Join(dir, "qwac-key.pem"), QSEALCert: filepath.Join(dir, "qseal.pem"),
		QSEALKey: "/abs/qseal-key.pem", CAFile: filepath.Join(dir, "ca.pem"),
	}
	if diff := cmp.Diff(want, got[0].Certificates); diff != "" {
		t.Error(diff)
	}
	// Written and read again they are the same: no member is lost on the way, and
	// what was left out is not written.
	text, err := json.Marshal(map[string]any{"banks": got})
	if err != nil {
		t.Fatal(err)
	}
	again, err := xs2a.Load(write(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Error(diff)
	}
}

// Each unusable member is told by its pointer, several at once.
func TestLoadTellsWhatIsWrong(t *testing.T) {
	change := func(old, replacement string) string {
		if !strings.Contains(wholeBank, old) {
			t.Fatalf("no %s", old)
		}
		return `{"banks":[` + strings.Replace(wholeBank, old, replacement, 1) + `]}`
	}
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"no JSON":            {`{"banks":[`, []string{""}},
		"two values":         {`{"banks":[]} {}`, []string{""}},
		"a list":             {`[]`, []string{""}},
		"no banks":           {`{}`, []string{"/banks"}},
		"empty":              {`{"banks":[]}`, []string{"/banks"}},
		"unknown at the top": {`{"banks":[],"bank":[]}`, []string{"/bank"}},
		"unknown in a bank":  {change(`"baseURL"`, `"baseUrl"`), []string{"/banks/0/baseUrl"}},
		"unknown, deep":      {change(`"qr":"none"`, `"qr":"none","x/y~z":1`), []string{"/banks/0/profile/x~1y~0z"}},
		"wrong types": {change(`"needsPSUID":true,"pollInterval":"2s"`, `"needsPSUID":"yes","pollInterval":2`),
			[]string{"/banks/0/profile/needsPSUID", "/banks/0/profile/pollInterval"}},
		"more wrong types": {`{"banks":[{"company":1,"loginMethods":"x","headers":{"a":1},"certificates":[],"profile":{"parallel":1.5,"sendPSUID":null}},7]}`,
			[]string{"/banks/0/certificates", "/banks/0/company", "/banks/0/headers/a", "/banks/0/loginMethods", "/banks/0/profile/parallel", "/banks/0/profile/sendPSUID", "/banks/1"}},
		"missing members": {`{"banks":[{}]}`, []string{"/banks/0/company", "/banks/0/displayName", "/banks/0/loginMethods", "/banks/0/baseURL"}},
		"twice":           {`{"banks":[` + wholeBank + `,` + wholeBank + `]}`, []string{"/banks/1/company"}},
		"company":         {change("se-mybank", "MyBank"), []string{"/banks/0/company"}},
		"login method":    {change("SWEDISH_MOBILE", "swedish"), []string{"/banks/0/loginMethods/0"}},
		"base URL":        {change("https://psd2", "http://psd2"), []string{"/banks/0/baseURL"}},
		"half a pair":     {change(`"qwacKey":"qwac-key.pem",`, ``), []string{"/banks/0/certificates/qwacCert"}},
		"signature":       {change("rsa-sha512", "hs2019"), []string{"/banks/0/signature"}},
		"digest":          {change("sha-512", "md5"), []string{"/banks/0/signature"}},
		"header":          {change(`"X-API-Key":"k"`, `"X API":"k"`), []string{"/banks/0/headers/X API"}},
		"header value":    {change(`"X-API-Key":"k"`, `"X-API-Key":"k\r\nX: y"`), []string{"/banks/0/headers/X-API-Key"}},
		"qr":              {change(`"qr":"none"`, `"qr":"secret"`), []string{"/banks/0/profile/qr"}},
		"pointer":         {change(`"/a"`, `"a"`), []string{"/banks/0/profile/autoStartToken"}},
		"access form":     {change("bankOffered", "detailed"), []string{"/banks/0/profile/accessForm"}},
		"booking status":  {change(`"bookingStatus":"booked"`, `"bookingStatus":"all"`), []string{"/banks/0/profile/bookingStatus"}},
		"redirect":        {change(`"redirectRefusal":"all"`, `"redirectRefusal":"yes"`), []string{"/banks/0/profile/redirectRefusal"}},
		"allPsd2":         {change(`"allPsd2":"allAccounts"`, `"allPsd2":"some"`), []string{"/banks/0/profile/allPsd2"}},
		"cards":           {change(`"cards":""`, `"cards":"../cards"`), []string{"/banks/0/profile/cards"}},
		"negative":        {change(`"parallel":2`, `"parallel":-2`), []string{"/banks/0/profile/parallel"}},
		"negative time":   {change(`"deadline":"4m"`, `"deadline":"-4m"`), []string{"/banks/0/profile/deadline"}},
	} {
		_, err := xs2a.Load(write(t, c.text))
		got := pointers(err)
		slices.Sort(got)
		slices.Sort(c.pointers)
		if !slices.Equal(got, c.pointers) {
			t.Errorf("%s: got %q, want %q: %v", name, got, c.pointers, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "banks.json: ") {
			t.Errorf("%s: the file is not named: %v", name, err)
		}
	}
	if _, err := xs2a.Load(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func pointers(err error) (found []string) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	for _, e := range joined.Unwrap() {
		var f *xs2a.Fault
		if errors.As(e, &f) && f.Problem != "" {
			found = append(found, f.Pointer)
		}
	}
	return found
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"banks":[` + wholeBank + `]}`))
	f.Add([]byte(`{"banks":[{"profile":{"pollInterval":"1s"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		banks, err := xs2a.Load(write(t, string(text)))
		if err != nil {
			if len(pointers(err)) == 0 || banks != nil {
				t.Errorf("no fault in %v", err)
			}
			return
		}
		for _, c := range banks {
			if err := c.Check(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestProfileIsHandedOn(t *testing.T) {
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	keys := &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL}
	banks, err := xs2a.Load(write(t, `{"banks":[`+wholeBank+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := xs2a.New(banks[0], xs2a.Deps{Clock: clock.NewManual(noon), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	want := institution.Profile{QR: institution.QRNone, NeedsPSUID: true, PollInterval: 2 * time.Second, Deadline: 4 * time.Minute,
		HistoryAttended: 400, HistoryUnattended: 80, DailyLimit: 2, LongestConsent: 90, ReplaySafe: true, Signed: true, Parallel: 2}
	if diff := cmp.Diff(want, b.Profile()); diff != "" {
		t.Error(diff)
	}
	if c := b.Company(); c.ID != "se-mybank" || c.DisplayName != "My bank" || !c.PSD2 || len(c.LoginMethods) != 1 {
		t.Errorf("company %+v", c)
	}
	defaults := institution.Profile{Signed: true}.WithDefaults()
	if got := newReader(t).Profile(); got != defaults {
		t.Errorf("defaults %+v", got)
	}
}

// Certificates that a bank would have to refuse are refused at the start.
func TestCertificatesAreJudged(t *testing.T) {
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
		_, err := xs2a.New(demoConfig("https://bank.example"), xs2a.Deps{Clock: clock.NewManual(noon), Keys: &c.keys})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := xs2a.New(demoConfig("http://127.0.0.1:1"), xs2a.Deps{Clock: clock.NewManual(noon), Keys: &xs2a.Keys{QSEAL: &set.QSEAL}}); err != nil {
		t.Errorf("a gateway of ours: %v", err)
	}
	unsigned := demoConfig("https://bank.example")
	unsigned.Signature.None = true
	if _, err := xs2a.New(unsigned, xs2a.Deps{Clock: clock.NewManual(noon), Keys: &xs2a.Keys{QWAC: &set.QWAC}}); err != nil {
		t.Errorf("a bank that wants no signature: %v", err)
	}
}

func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := pki.Open(dir, func() time.Time { return noon }, nil); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	good := xs2a.Certificates{QWACCert: at(pki.QWACFile), QWACKey: at(pki.QWACKeyFile), QSEALCert: at(pki.QSEALFile), QSEALKey: at(pki.QSEALKeyFile), CAFile: at(pki.CAFile)}
	for name, c := range map[string]struct {
		change func(*xs2a.Certificates)
		want   string
	}{
		"good":         {func(*xs2a.Certificates) {}, ""},
		"no such file": {func(c *xs2a.Certificates) { c.QWACCert = at("none") }, "/certificates/qwacCert"},
		"wrong key":    {func(c *xs2a.Certificates) { c.QSEALKey = at(pki.QWACKeyFile) }, "/certificates/qsealCert"},
		"no CA in it":  {func(c *xs2a.Certificates) { c.CAFile = at(pki.QSEALKeyFile) }, "/certificates/caFile"},
		"no CA file":   {func(c *xs2a.Certificates) { c.CAFile = at("none") }, "/certificates/caFile"},
	} {
		config := demoConfig("https://bank.example")
		config.Certificates = good
		c.change(&config.Certificates)
		_, err := xs2a.New(config, xs2a.Deps{Clock: clock.NewManual(noon)})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error shows a path: %v", name, err)
		}
	}
}
