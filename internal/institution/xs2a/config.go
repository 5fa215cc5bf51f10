package xs2a

import (
	"cmp"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/httpclient/httpsig"
	"samla/internal/jsontext"
	"samla/internal/strictjson"
)

// Config holds the members of an entry of the banks file that belong to this
// family. The least that a bank needs, beside the common members:
//
//	{
//	  "baseURL": "https://psd2.mybank.example/xs2a",
//	  "certificates": {
//	    "qwacCert": "qwac.pem", "qwacKey": "qwac-key.pem",
//	    "qsealCert": "qseal.pem", "qsealKey": "qseal-key.pem"
//	  }
//	}
type Config struct {
	BaseURL      string            `json:"baseURL,omitzero"` // the part before /v1
	Certificates Certificates      `json:"certificates,omitzero"`
	Signature    Signature         `json:"signature,omitzero"`
	Headers      map[string]string `json:"headers,omitempty"` // sent with every request, such as an API key of the bank's portal
	// OwnAddress is the IP address that our requests come from. A bank that is asked for a
	// consent gets it where the address of the person is not known, as the parameter
	// PSU-IP-Address of the Berlin Group's file says (docs/reference/banks.md 2). No other
	// request carries it. Empty: a consent needs the address of the person.
	OwnAddress string `json:"ownAddress,omitempty"`
	// PersonHeaders are sent with requests where the person is known: their values have
	// {personalNumber}, {ipAddress}, {userAgent} or {locale} in them.
	PersonHeaders map[string]string `json:"personHeaders,omitempty"`
	Query         map[string]string `json:"query,omitempty"` // parameters of every request, such as a bic
	OAuth         OAuth             `json:"oauth,omitzero"`
	Profile       Profile           `json:"profile,omitzero"`
}

// Certificates names PEM files. Relative paths start at the folder of the banks
// file.
type Certificates struct {
	QWACCert  string `json:"qwacCert,omitzero"`
	QWACKey   string `json:"qwacKey,omitzero"`
	QSEALCert string `json:"qsealCert,omitzero"`
	QSEALKey  string `json:"qsealKey,omitzero"`
	CAFile    string `json:"caFile,omitzero"` // CAs of the bank's server; empty = the system's
}

// Signature describes the signature that the bank requires.
type Signature struct {
	None bool `json:"none,omitzero"` // the bank identifies us by the QWAC alone
	httpsig.Variant
}

var headerRE = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// Check implements institution.Config.
func (c Config) Check() (faults strictjson.Faults) {
	if err := httpclient.ValidateBaseURL(c.BaseURL); err != nil {
		faults.Add("/baseURL", "must be the https address before /v1, without user, query and fragment")
	}
	faults = append(faults, c.Certificates.check()...)
	if !c.Signature.None {
		if err := c.Signature.Validate(); err != nil {
			faults = append(faults, signatureFaults(err)...)
		}
	}
	faults = append(faults, checkHeaders("/headers", c.Headers)...)
	if addr, err := netip.ParseAddr(c.OwnAddress); c.OwnAddress != "" && (err != nil || addr.Zone() != "") {
		faults.Add("/ownAddress", "must be an IPv4 or IPv6 address")
	}
	faults = append(faults, checkPersonHeaders(c.PersonHeaders).Under("/personHeaders")...)
	faults = append(faults, checkMembers("/query", c.Query, statusParameter, fromParameter, untilParameter, balanceParameter)...)
	faults = append(faults, c.OAuth.check(cmp.Or(c.Profile.SCA, scaDecoupled)).Under("/oauth")...)
	return append(faults, c.Profile.check().Under("/profile")...)
}

func checkHeaders(at string, headers map[string]string) (faults strictjson.Faults) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if !headerRE.MatchString(name) || strings.ContainsFunc(headers[name], isControl) {
			faults.Add(at+"/"+jsontext.EscapeToken(name), "must be a header's name and a value without control characters")
		}
	}
	return faults
}

// signatureFaults turns an error about a variant, or about a key that cannot sign in it,
// into a fault of the member that has to change.
func signatureFaults(err error) (faults strictjson.Faults) {
	text := strings.TrimPrefix(err.Error(), httpsig.ErrInvalidVariant.Error()+": ")
	if member, problem, named := strings.Cut(text, ": "); named {
		faults.Add("/signature/"+member, problem)
	} else {
		faults.Add("/certificates/qsealCert", text)
	}
	return faults
}

func (c Certificates) check() (faults strictjson.Faults) {
	for _, pair := range []struct{ cert, key, name string }{
		{c.QWACCert, c.QWACKey, "qwac"}, {c.QSEALCert, c.QSEALKey, "qseal"},
	} {
		if (pair.cert == "") != (pair.key == "") {
			faults.Add("/certificates/"+pair.name+"Cert", "certificate and key go together: name both files")
		}
	}
	return faults
}

// under returns c with its relative paths joined to dir.
func (c Certificates) under(dir string) Certificates {
	for _, path := range []*string{&c.QWACCert, &c.QWACKey, &c.QSEALCert, &c.QSEALKey, &c.CAFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return c
}
