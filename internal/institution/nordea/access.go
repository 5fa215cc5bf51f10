package nordea

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// access is what identifies us to the bank, and the bank to us.
type access struct {
	secret      string
	key         crypto.PrivateKey
	certificate *tls.Certificate // nil = none
	roots       *x509.CertPool   // nil = the system's
}

const longestSecret = 4096

// access reads the files and the variable. Relative paths start at dir. No fault repeats
// a value.
func (c Config) access(dir string) (a access, faults strictjson.Faults) {
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	var err error
	if c.SecretFile != "" {
		text, err := os.ReadFile(at(c.SecretFile))
		if err != nil {
			faults.Add("/secretFile", "cannot be read: "+httpclient.WithoutPath(err).Error())
		} else if a.secret = strings.TrimSpace(string(text)); !isSecret(a.secret) {
			faults.Add("/secretFile", secretRule)
		}
	}
	if c.SecretVariable != "" {
		if a.secret = strings.TrimSpace(os.Getenv(c.SecretVariable)); !isSecret(a.secret) {
			faults.Add("/secretVariable", "the value "+secretRule)
		}
	}
	if a.key, err = httpclient.LoadKey(at(c.KeyFile)); err != nil {
		faults.Add("/keyFile", err.Error())
	}
	if c.Certificates.Cert != "" {
		if a.certificate, err = httpclient.LoadKeyPair(at(c.Certificates.Cert), at(c.Certificates.Key)); err != nil {
			faults.Add("/certificates/cert", err.Error())
		}
	}
	if c.Certificates.CAFile != "" {
		if a.roots, err = httpclient.LoadRoots(at(c.Certificates.CAFile)); err != nil {
			faults.Add("/certificates/caFile", err.Error())
		}
	}
	return a, faults
}

const secretRule = "must have 1 to 4096 visible ASCII characters and no others"

// isSecret reports whether s can be sent in a header.
func isSecret(s string) bool {
	return s != "" && len(s) <= longestSecret && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
