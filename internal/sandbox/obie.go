package sandbox

import (
	"crypto/rsa"
	"fmt"
	"path/filepath"
	"strconv"

	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
	"samla/internal/sandbox/pki"

	"github.com/go-jose/go-jose/v4"
)

// OBIEClientID is the sandbox's own client at the OBIE banks. Its keys are those of the
// QSealC, and its certificate is the QWAC.
const OBIEClientID = "samla-sandbox"

// openOBIE makes the banks that speak OBIE, with the state of the last start.
func (s *Sandbox) openOBIE() error {
	seal, err := signed.KeyID(s.keys.QSEAL.Leaf.PublicKey)
	if err != nil {
		return err
	}
	client := obie.Client{
		ID: OBIEClientID, Name: "Samla sandbox TPP AB", Subject: s.keys.QWAC.Leaf.Subject.String(), RedirectURIs: s.config.RedirectURIs,
		Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.keys.QSEAL.Leaf.PublicKey, KeyID: seal, Algorithm: string(jose.PS256), Use: "sig"}}},
	}
	for _, behaviour := range s.config.OBIE {
		c := obie.Config{
			Behaviour: behaviour, Clock: s.config.Clock, Random: s.config.Random, Roots: s.keys.CA.Pool(), Clients: []obie.Client{client},
			BankID: s.bankID, Log: s.config.Logger, Origin: s.URL,
			Key: func(n int) (*rsa.PrivateKey, error) {
				return pki.OpenKey(s.config.Dir, behaviour.Company+"-"+strconv.Itoa(n), s.config.Random)
			},
		}
		if s.config.Dir != "" {
			c.Journal = filepath.Join(s.config.Dir, behaviour.Company+".jsonl")
			c.PageJournal = filepath.Join(s.config.Dir, behaviour.Company+"-pages.jsonl")
		}
		bank, err := obie.New(c)
		if err != nil {
			return fmt.Errorf("%s: %w", behaviour.Company, err)
		}
		s.obie = append(s.obie, bank)
	}
	return nil
}

// OBIEInfo is what a client must configure to use a bank that speaks OBIE. The addresses
// are empty before Start, and the files without Config.Dir.
type OBIEInfo struct {
	Company     string
	DisplayName string
	Issuer      string // its metadata are at Issuer + "/.well-known/openid-configuration"
	Resources   string // the resources are below it
	ClientID    string
	KeyID       string // kid of the signatures with the QSealC's key
	Behaviour   obie.Behaviour
}

// OBIE returns the banks that speak OBIE, in the order of the configuration.
func (s *Sandbox) OBIE() []OBIEInfo {
	id, _ := signed.KeyID(s.keys.QSEAL.Leaf.PublicKey) // openOBIE has made it too
	var list []OBIEInfo
	for _, b := range s.obie {
		info := OBIEInfo{Company: b.Company, DisplayName: b.DisplayName, ClientID: OBIEClientID, KeyID: id, Behaviour: b.Behaviour}
		if s.url != "" {
			info.Issuer, info.Resources = b.Issuer(), b.Resources()
		}
		list = append(list, info)
	}
	return list
}

// OBIEBank returns a bank that speaks OBIE, for tests and for the registration of addresses
// to which it sends browsers back; nil for an unknown company.
func (s *Sandbox) OBIEBank(company string) *obie.Bank {
	for _, b := range s.obie {
		if b.Company == company {
			return b
		}
	}
	return nil
}
