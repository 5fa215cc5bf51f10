package xs2a

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"samla/internal/eidas"
	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// keys returns the keys that are given, or else reads the files, and validates
// them at the time now. Errors: strictjson.Faults.
func (c Config) keys(given *Keys, now time.Time) (Keys, error) {
	if given != nil {
		keys := *given
		return keys, c.checkKeys(&keys, now).Err()
	}
	keys, faults := c.Certificates.read()
	if len(faults) > 0 {
		return Keys{}, faults
	}
	return keys, c.checkKeys(&keys, now).Err()
}

func (c Config) checkKeys(keys *Keys, now time.Time) (faults strictjson.Faults) {
	// A gateway of ours on this machine (plain http) adds the QWAC itself.
	gateway := strings.HasPrefix(strings.ToLower(c.BaseURL), "http:")
	if keys.QWAC == nil && !gateway {
		faults.Add("/certificates/qwacCert", "is missing: name the QWAC that identifies us to the bank")
	}
	if keys.QWAC != nil {
		if err := validate(keys.QWAC, eidas.Web, now); err != nil {
			faults.Add("/certificates/qwacCert", err.Error())
		}
	}
	if c.Signature.None {
		if c.OAuth.ClientAuth != authJWT {
			keys.QSEAL = nil
		}
		return faults
	}
	if keys.QSEAL == nil {
		faults.Add("/certificates/qsealCert", `is missing: name the QSealC, or set "none" in /signature if the bank wants no signature`)
	} else if err := validate(keys.QSEAL, eidas.Seal, now); err != nil {
		faults.Add("/certificates/qsealCert", err.Error())
	}
	return faults
}

func (c Certificates) read() (keys Keys, faults strictjson.Faults) {
	var err error
	if c.QWACCert != "" {
		if keys.QWAC, err = httpclient.LoadKeyPair(c.QWACCert, c.QWACKey); err != nil {
			faults.Add("/certificates/qwacCert", err.Error())
		}
	}
	if c.QSEALCert != "" {
		if keys.QSEAL, err = httpclient.LoadKeyPair(c.QSEALCert, c.QSEALKey); err != nil {
			faults.Add("/certificates/qsealCert", err.Error())
		}
	}
	if c.CAFile != "" {
		if keys.Roots, err = httpclient.LoadRoots(c.CAFile); err != nil {
			faults.Add("/certificates/caFile", err.Error())
		}
	}
	return keys, faults
}

var kindNames = map[eidas.QcType]string{eidas.Web: "QWAC (QcType web)", eidas.Seal: "QSealC (QcType eseal)"}

// validate reports why a bank would have to refuse a certificate
// (docs/reference/banks.md 9.1).
func validate(pair *tls.Certificate, want eidas.QcType, now time.Time) error {
	if len(pair.Certificate) == 0 {
		return errors.New("holds no certificate")
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	statements, err := eidas.Parse(cert)
	switch {
	case err != nil:
		return fmt.Errorf("is not a %s: %w", kindNames[want], err)
	case statements.Type != want:
		return fmt.Errorf("is not a %s: it has another QcType", kindNames[want])
	case want == eidas.Web && !statements.Has(eidas.AI):
		return errors.New("lacks the role PSP_AI: the authority has not licensed it for account information")
	case now.Before(cert.NotBefore):
		return fmt.Errorf("is valid only from %s", cert.NotBefore.Format(time.DateOnly))
	case now.After(cert.NotAfter):
		return fmt.Errorf("has expired on %s: install its successor", cert.NotAfter.Format(time.DateOnly))
	}
	return nil
}
