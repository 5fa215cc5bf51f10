package nordea_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
	"samla/internal/strictjson"
)

func faultsOf(t *testing.T, err error) (pointers []string) {
	t.Helper()
	var faults strictjson.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("%T %v", err, err)
	}
	for _, f := range faults {
		pointers = append(pointers, f.Pointer)
	}
	return pointers
}

func TestConfig_ReportsWhatCannotBeUsed(t *testing.T) {
	ok := baseConfig("https://api.example")
	if faults := ok.Check(); len(faults) != 0 {
		t.Fatal(faults)
	}
	for want, change := range map[string]func(*nordea.Config){
		"/baseURL": func(c *nordea.Config) { c.BaseURL = "http://api.example" }, "/base": func(c *nordea.Config) { c.Base = "corporate" },
		"/country": func(c *nordea.Config) { c.Country, c.Flow = "EE", "redirect" }, "/flow": func(c *nordea.Config) { c.Flow = "embedded" },
		"/clientId": func(c *nordea.Config) { c.ClientID = `a"b` }, "/secretFile": func(c *nordea.Config) { c.SecretFile = "" },
		"/secretVariable": func(c *nordea.Config) { c.SecretVariable = "X" }, "/keyFile": func(c *nordea.Config) { c.KeyFile = "" },
		"/certificates/cert":     func(c *nordea.Config) { c.Certificates.Cert = "a.pem" },
		"/authenticationMethod":  func(c *nordea.Config) { c.AuthenticationMethod = "MTA_OFF" },
		"/scopes/1":              func(c *nordea.Config) { c.Scopes = &[]string{"ACCOUNTS_DETAILS", "PAYMENTS_MULTIPLE"} },
		"/cardScopes/1":          func(c *nordea.Config) { c.CardScopes = []string{"CARDS_INFORMATION", "CARDS_INFORMATION"} },
		"/skipAccountSelection":  func(c *nordea.Config) { c.SkipAccountSelection, c.CardScopes = true, []string{"CARDS_INFORMATION"} },
		"/versions/cards":        func(c *nordea.Config) { c.Versions.Cards = "../v5" },
		"/companyId":             func(c *nordea.Config) { c.Base = "business" },
		"/agreement":             func(c *nordea.Config) { c.Agreement = "1" },
		"/profile/qr":            func(c *nordea.Config) { c.Profile.QR = institution.QRImage },
		"/profile/historyMonths": func(c *nordea.Config) { c.Profile.HistoryMonths = 19 },
		"/profile/language":      func(c *nordea.Config) { c.Profile.Language = "no" },
		"/profile/countsPer":     func(c *nordea.Config) { c.Profile.CountsPer = "day" },
		"/profile/oldConsent":    func(c *nordea.Config) { c.Profile.OldConsent = "burn" },
		"/profile/windowDays":    func(c *nordea.Config) { c.Profile.WindowDays = -1 },
		"/profile/pollInterval":  func(c *nordea.Config) { c.Profile.PollInterval = -1 },
	} {
		c := ok
		change(&c)
		if got := faultsOf(t, c.Check()); !slices.Equal(got, []string{want}) {
			t.Errorf("want %s, got %v", want, got)
		}
	}
	abroad := ok
	abroad.Country, abroad.Flow = "FI", "decoupled"
	if got := faultsOf(t, abroad.Check()); !slices.Equal(got, []string{"/authenticationMethod"}) {
		t.Errorf("decoupled abroad: %v", got)
	}
	for country, number := range map[string]string{"SE": "5566778899", "FI": "12345678", "DK": "12345678", "NO": "123456789"} {
		c := ok
		c.Base, c.Country, c.Flow, c.CompanyID = "business", country, "redirect", number
		if faults := c.Check(); len(faults) != 0 {
			t.Errorf("%s: %v", country, faults)
		}
		c.CompanyID += "00000"
		if got := faultsOf(t, c.Check()); !slices.Equal(got, []string{"/companyId"}) {
			t.Errorf("%s: %v", country, got)
		}
	}
}

func TestNew_ReportsFilesThatCannotBeUsed(t *testing.T) {
	dir := keyDir(t, nil)
	short, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is refused
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"short.pem": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(short)}),
		"no.pem":    []byte("no key"), "empty.txt": []byte(" \n"), "two.txt": []byte("a b"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("NORDEA_TEST_SECRET", "a secret")
	for name, c := range map[string]struct {
		change func(*nordea.Config)
		want   string
	}{
		"no key": {func(c *nordea.Config) { c.KeyFile = "no.pem" }, "/keyFile"}, "a short key": {func(c *nordea.Config) { c.KeyFile = "short.pem" }, "/keyFile"},
		"no file": {func(c *nordea.Config) { c.KeyFile = "lost.pem" }, "/keyFile"}, "no secret": {func(c *nordea.Config) { c.SecretFile = "empty.txt" }, "/secretFile"},
		"a blank":      {func(c *nordea.Config) { c.SecretFile = "two.txt" }, "/secretFile"},
		"a lost file":  {func(c *nordea.Config) { c.SecretFile = "lost.txt" }, "/secretFile"},
		"the variable": {func(c *nordea.Config) { c.SecretFile, c.SecretVariable = "", "NORDEA_TEST_SECRET" }, "/secretVariable"},
		"no CA":        {func(c *nordea.Config) { c.Certificates.CAFile = "no.pem" }, "/certificates/caFile"},
		"no QWAC":      {func(c *nordea.Config) { c.Certificates.Cert, c.Certificates.Key = "no.pem", "key.pem" }, "/certificates/cert"},
	} {
		cfg := baseConfig("https://api.example")
		c.change(&cfg)
		_, err := nordea.New(cfg, nordea.Deps{Deps: institution.Deps{Dir: dir}})
		if got := faultsOf(t, err); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "a secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// PKCS #8, behind another block.
	p8, err := x509.MarshalPKCS8PrivateKey(signingKey())
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: p8})...)
	if err := os.WriteFile(filepath.Join(dir, "p8.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := baseConfig("https://api.example")
	cfg.KeyFile = filepath.Join(dir, "p8.pem")
	if _, err := nordea.New(cfg, nordea.Deps{Deps: institution.Deps{Dir: dir}}); err != nil {
		t.Error(err)
	}
}

func TestFamily_OpensAnEntry(t *testing.T) {
	f := nordea.Family(httpsig.NewLimit(0))
	text := `{"baseURL":"https://api.example","clientId":"client-1","secretFile":"secret.txt","keyFile":"key.pem","country":"DK","base":"personal","flow":"redirect","scopes":[],
		"cardScopes":["CARDS_INFORMATION"],"versions":{"accounts":"v4"},"profile":{"historyMonths":3,"longestConsent":30,"dailyLimit":2,"countsPer":"account"}}`
	config := f.New()
	if faults := strictjson.Decode([]byte(text), config); len(faults) != 0 {
		t.Fatal(faults)
	}
	if faults := config.Check(); f.Name != "nordea" || len(faults) != 0 {
		t.Fatal(faults)
	}
	i, err := config.Open(institution.Deps{Dir: keyDir(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if len(i.Capabilities()) != 7 || i.Loginer != nil || i.Reach == nil || i.Signatures == nil {
		t.Errorf("%v", i.Capabilities())
	}
	p := i.Profile
	if !p.Redirects || p.LoginFirst || p.NamesSigner || !p.ReplaySafe || !p.OpensWithoutNumber || !p.OpensWithoutAddress || p.NeedsPSUID || p.SignatureCost <= 0 ||
		p.HistoryAttended != 91 || p.LongestConsent != 30 || p.DailyLimit != 2 || p.CountsPer != "ACCOUNT" {
		t.Errorf("%+v", p)
	}
	b := newReader(t)
	if p := b.Profile(); p.Redirects || p.ReplaySafe || p.PollInterval != 2*time.Second || p.QR != institution.QRText || p.LongestConsent != 180 || p.HistoryAttended != 365 {
		t.Errorf("%+v", p)
	}
}
