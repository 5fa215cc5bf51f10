package source_test

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/source"
	"samla/internal/sandbox/pki"
	"samla/internal/strictjson"
)

var noScope consent.Scope

func pointers(err error) (list []string) {
	var faults strictjson.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			list = append(list, f.Pointer)
		}
	}
	return list
}

func TestConfig_ReportsEveryFault(t *testing.T) {
	good := source.Config{BaseURL: "https://source.example", SecretFile: "secret"}
	for name, c := range map[string]struct {
		change func(*source.Config)
		want   []string
	}{
		"as it is":          {func(*source.Config) {}, nil},
		"this machine":      {func(c *source.Config) { c.BaseURL = "http://127.0.0.1:8090" }, nil},
		"plain http":        {func(c *source.Config) { c.BaseURL = "http://source.example" }, []string{"/baseURL"}},
		"no credential":     {func(c *source.Config) { c.SecretFile = "" }, []string{"/secretFile"}},
		"two secrets":       {func(c *source.Config) { c.SecretVariable = "X" }, []string{"/secretVariable"}},
		"half a pair":       {func(c *source.Config) { c.Certificates.Cert = "c.pem" }, []string{"/certificates/cert"}},
		"institution":       {func(c *source.Config) { c.Institution = "a b" }, []string{"/institution"}},
		"unknown parameter": {func(c *source.Config) { c.Parameters = []string{"email", "shoeSize"} }, []string{"/parameters/1"}},
		"twice":             {func(c *source.Config) { c.Parameters = []string{"email", "email"} }, []string{"/parameters/1"}},
		"hosts": {func(c *source.Config) {
			c.DeviceHosts = []string{"a.example", "https://b.example", "B.example", "c.example:8443"}
		}, []string{"/deviceHosts/1", "/deviceHosts/2"}},
		"times": {func(c *source.Config) {
			c.Deadline, c.Limits.Call, c.Limits.Page = strictjson.Duration(2*time.Hour), strictjson.Duration(-1), strictjson.Duration(time.Hour)
		}, []string{"/deadline", "/limits/call", "/limits/page"}},
	} {
		config := good
		c.change(&config)
		if got := pointers(config.Check().Err()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestNew_ReadsCredentials(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good": secret + "\r\n", "short": "hush", "two": secret + "\n" + secret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SAMLA_TEST_GOOD", secret)
	t.Setenv("SAMLA_TEST_SHORT", "hush")
	for name, c := range map[string]struct {
		config source.Config
		want   []string
	}{
		"file":           {source.Config{SecretFile: "good"}, nil},
		"whole path":     {source.Config{SecretFile: filepath.Join(dir, "good")}, nil},
		"variable":       {source.Config{SecretVariable: "SAMLA_TEST_GOOD"}, nil},
		"short file":     {source.Config{SecretFile: "short"}, []string{"/secretFile"}},
		"two lines":      {source.Config{SecretFile: "two"}, []string{"/secretFile"}},
		"no file":        {source.Config{SecretFile: "none"}, []string{"/secretFile"}},
		"short variable": {source.Config{SecretVariable: "SAMLA_TEST_SHORT"}, []string{"/secretVariable"}},
		"no variable":    {source.Config{SecretVariable: "SAMLA_TEST_NONE"}, []string{"/secretVariable"}},
		"no certificate": {source.Config{Certificates: source.Certificates{Cert: "c.pem", Key: "k.pem", CAFile: "ca.pem"}}, []string{"/certificates/cert", "/certificates/caFile"}},
	} {
		c.config.BaseURL = "https://source.example"
		s, err := source.New(c.config, institution.Deps{Dir: dir})
		if got := pointers(err); !slices.Equal(got, c.want) || (err == nil) != (s != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A source may ask for a certificate of ours, in place of a secret.
func TestNew_IdentifiesItselfByACertificate(t *testing.T) {
	dir := t.TempDir()
	set, err := pki.Open(dir, func() time.Time { return noon }, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a secret is sent although there is none")
		}
		_, _ = io.WriteString(w, inTurn)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{set.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: set.CA.Pool(),
		Time: func() time.Time { return noon }}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for _, c := range []struct {
		certificates source.Certificates
		want         institution.Reason
	}{
		{source.Certificates{Cert: pki.QWACFile, Key: pki.QWACKeyFile, CAFile: pki.CAFile}, ""},
		{source.Certificates{CAFile: pki.CAFile}, institution.OurCertificateRejected},
		{source.Certificates{Cert: pki.QWACFile, Key: pki.QWACKeyFile}, institution.ServerCertificateUntrusted},
	} {
		config := source.Config{BaseURL: server.URL, Certificates: c.certificates}
		if c.certificates.Cert == "" {
			t.Setenv("SAMLA_TEST_GOOD", secret)
			config.SecretVariable = "SAMLA_TEST_GOOD"
		}
		s, err := source.New(config, institution.Deps{Dir: dir, Clock: clock.NewManual(noon)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Turn(t.Context(), session); institution.ReasonOf(err) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%+v: %v", c.certificates, err)
		}
		s.Close()
	}
}

// What an entry says of the pace and the time of logins reaches the node.
func TestNew_PassesOnTheTimesOfLogins(t *testing.T) {
	t.Setenv("SOURCE_TEST_SECRET", "0123456789012345678901")
	s, err := source.New(source.Config{BaseURL: "https://source.example", SecretVariable: "SOURCE_TEST_SECRET",
		PollInterval: strictjson.Duration(2 * time.Second), Deadline: strictjson.Duration(time.Minute)}, institution.Deps{Company: "se-x"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p := s.Institution().Profile; p.LoginInterval != 2*time.Second || p.LoginTime != time.Minute {
		t.Errorf("%v, %v", p.LoginInterval, p.LoginTime)
	}
}
