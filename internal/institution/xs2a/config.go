package xs2a

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/httpclient/httpsig"
	"samla/internal/jsontext"
)

// Config is one bank of the banks file.
type Config struct {
	Company      string            `json:"company,omitzero"`      // id of the directory, {market}-{slug}
	DisplayName  string            `json:"displayName,omitzero"`  // for people
	LoginMethods []string          `json:"loginMethods,omitzero"` // docs/reference/api.md 6.3
	BaseURL      string            `json:"baseURL,omitzero"`      // what stands before /v1
	Certificates Certificates      `json:"certificates,omitzero"`
	Signature    Signature         `json:"signature,omitzero"`
	Headers      map[string]string `json:"headers,omitempty"` // sent with every request, such as an API key of the bank's portal
	Profile      Profile           `json:"profile,omitzero"`
}

// Certificates names PEM files. Load makes relative paths relative to the banks
// file.
type Certificates struct {
	QWACCert  string `json:"qwacCert,omitzero"`
	QWACKey   string `json:"qwacKey,omitzero"`
	QSEALCert string `json:"qsealCert,omitzero"`
	QSEALKey  string `json:"qsealKey,omitzero"`
	CAFile    string `json:"caFile,omitzero"` // CAs of the bank's server; empty = the system's
}

// Signature is how the bank wants requests signed.
type Signature struct {
	None bool `json:"none,omitzero"` // the bank identifies us by the QWAC alone
	httpsig.Variant
}

// Fault is a member of a Config that cannot be used.
type Fault struct {
	File    string // empty when the Config is not from a file
	Pointer string // RFC 6901
	Problem string // what is wrong and what to write; repeats no value
}

// Error implements error.
func (f *Fault) Error() string {
	if f.File == "" {
		return fmt.Sprintf("%s: %s", f.Pointer, f.Problem)
	}
	return fmt.Sprintf("%s: %s: %s", f.File, f.Pointer, f.Problem)
}

var (
	companyRE = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)+$`)
	methodRE  = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	headerRE  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// Check finds what cannot be used; each finding is a *Fault with a pointer into
// the Config, all joined.
func (c Config) Check() error {
	var faults []error
	fault := func(pointer, problem string) { faults = append(faults, &Fault{Pointer: pointer, Problem: problem}) }
	if !companyRE.MatchString(c.Company) {
		fault("/company", `must be a market and a name in lower case, such as "se-mybank"`)
	}
	if strings.TrimSpace(c.DisplayName) == "" {
		fault("/displayName", "is missing: write the bank's name as people know it")
	}
	if len(c.LoginMethods) == 0 {
		fault("/loginMethods", `is missing: list at least one, such as "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"`)
	}
	for i, m := range c.LoginMethods {
		if !methodRE.MatchString(m) {
			fault(fmt.Sprintf("/loginMethods/%d", i), "must be in upper case with underscores")
		}
	}
	if err := httpclient.ValidateBaseURL(c.BaseURL); err != nil {
		fault("/baseURL", "must be the https address before /v1, without user, query and fragment")
	}
	c.Certificates.check(fault)
	if !c.Signature.None {
		if err := c.Signature.Validate(); err != nil {
			problem := strings.TrimPrefix(err.Error(), httpsig.ErrInvalidVariant.Error()+": ")
			fault("/signature", problem)
		}
	}
	for name, value := range c.Headers {
		if !headerRE.MatchString(name) || strings.ContainsFunc(value, isControl) {
			fault("/headers/"+jsontext.EscapeToken(name), "must be a header's name and a value without control characters")
		}
	}
	c.Profile.check(fault)
	return errors.Join(faults...)
}

func (c Certificates) check(fault func(pointer, problem string)) {
	for _, pair := range []struct{ cert, key, name string }{
		{c.QWACCert, c.QWACKey, "qwac"}, {c.QSEALCert, c.QSEALKey, "qseal"},
	} {
		if (pair.cert == "") != (pair.key == "") {
			fault("/certificates/"+pair.name+"Cert", "certificate and key go together: name both files")
		}
	}
}

func (c Config) withDefaults() Config {
	c.Profile = c.Profile.withDefaults()
	return c
}

// under makes relative paths relative to dir.
func (c Certificates) under(dir string) Certificates {
	for _, path := range []*string{&c.QWACCert, &c.QWACKey, &c.QSEALCert, &c.QSEALKey, &c.CAFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return c
}
