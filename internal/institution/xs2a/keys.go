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
)

// keys reads the files, unless keys are given, and judges them at the time now.
func (c Config) keys(given *Keys, now time.Time) (Keys, error) {
	keys := Keys{}
	if given != nil {
		keys = *given
	} else if err := c.Certificates.read(&keys); err != nil {
		return Keys{}, err
	}
	// Only a gateway of ours, on this machine, may add the QWAC in our place.
	if keys.QWAC == nil && !strings.HasPrefix(strings.ToLower(c.BaseURL), "http:") {
		return Keys{}, &Fault{Pointer: "/certificates/qwacCert", Problem: "is missing: name the QWAC that identifies us to the bank"}
	}
	if keys.QWAC != nil {
		if err := judge(keys.QWAC, eidas.Web, now); err != nil {
			return Keys{}, &Fault{Pointer: "/certificates/qwacCert", Problem: err.Error()}
		}
	}
	if c.Signature.None {
		keys.QSEAL = nil
		return keys, nil
	}
	if keys.QSEAL == nil {
		return Keys{}, &Fault{Pointer: "/certificates/qsealCert", Problem: `is missing: name the QSealC, or set "none" in /signature if the bank wants no signature`}
	}
	if err := judge(keys.QSEAL, eidas.Seal, now); err != nil {
		return Keys{}, &Fault{Pointer: "/certificates/qsealCert", Problem: err.Error()}
	}
	return keys, nil
}

func (c Certificates) read(keys *Keys) (err error) {
	if c.QWACCert != "" {
		if keys.QWAC, err = httpclient.LoadKeyPair(c.QWACCert, c.QWACKey); err != nil {
			return &Fault{Pointer: "/certificates/qwacCert", Problem: err.Error()}
		}
	}
	if c.QSEALCert != "" {
		if keys.QSEAL, err = httpclient.LoadKeyPair(c.QSEALCert, c.QSEALKey); err != nil {
			return &Fault{Pointer: "/certificates/qsealCert", Problem: err.Error()}
		}
	}
	if c.CAFile != "" {
		if keys.Roots, err = httpclient.LoadRoots(c.CAFile); err != nil {
			return &Fault{Pointer: "/certificates/caFile", Problem: err.Error()}
		}
	}
	return nil
}

var kindNames = map[eidas.QcType]string{eidas.Web: "QWAC (QcType web)", eidas.Seal: "QSealC (QcType eseal)"}

// judge refuses a certificate that a bank would have to refuse (docs/reference/banks.md 9.1).
func judge(pair *tls.Certificate, want eidas.QcType, now time.Time) error {
	if len(pair.Certificate) == 0 {
		return errors.New("holds no certificate")
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	said, err := eidas.Parse(cert)
	switch {
	case err != nil:
		return fmt.Errorf("is no %s: %w", kindNames[want], err)
	case said.Type != want:
		return fmt.Errorf("is no %s: its QcType is another", kindNames[want])
	case want == eidas.Web && !said.Has(eidas.AI):
		return errors.New("lacks the role PSP_AI: the authority has not licensed it for account information")
	case now.Before(cert.NotBefore):
		return fmt.Errorf("is valid only from %s", cert.NotBefore.Format(time.DateOnly))
	case now.After(cert.NotAfter):
		return fmt.Errorf("has expired on %s: install its successor", cert.NotAfter.Format(time.DateOnly))
	}
	return nil
}
