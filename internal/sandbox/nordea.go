package sandbox

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"path/filepath"

	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/pki"
)

// NordeaClientID is the sandbox's own application at the banks with Nordea's wire. Its key
// is ApplicationKey.
const NordeaClientID = "samla-sandbox"

// nordeaSecretFile is the file in Config.Dir with the application's secret.
const nordeaSecretFile = "nordea-secret"

// openNordea makes the banks with Nordea's wire, with the state of the last start.
func (s *Sandbox) openNordea() error {
	key, ok := s.keys.App.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return errors.New("the application has no RSA key")
	}
	var err error
	if s.nordeaSecret, err = s.keptSecret(nordeaSecretFile); err != nil {
		return err
	}
	app := nordea.Application{
		ID: NordeaClientID, Secret: s.nordeaSecret, Name: "Samla sandbox TPP AB", Key: &key.PublicKey, Redirects: s.config.RedirectURIs,
	}
	for _, behaviour := range s.config.Nordea {
		c := nordea.Config{
			Behaviour: behaviour, Applications: []nordea.Application{app}, Clock: s.config.Clock, Random: s.config.Random,
			BankID: s.bankID, Verify: s.verifyClient, Log: s.config.Logger,
		}
		if s.config.Dir != "" {
			c.Journal = filepath.Join(s.config.Dir, behaviour.Company+".jsonl")
		}
		bank, err := nordea.New(c)
		if err != nil {
			return fmt.Errorf("%s: %w", behaviour.Company, err)
		}
		s.nordea = append(s.nordea, bank)
	}
	return nil
}

// NordeaInfo is what a client must configure to use a bank with Nordea's wire. BaseURL is
// empty before Start, and the files without Config.Dir.
type NordeaInfo struct {
	Company     string
	DisplayName string
	BaseURL     string // the operations are below BaseURL + "/personal" and "/business"
	ClientID    string
	SecretFile  string // the application's secret and a newline
	KeyFile     string // the application's private key, PEM
	Behaviour   nordea.Behaviour
}

// Nordea returns the banks with Nordea's wire, in the order of the configuration.
func (s *Sandbox) Nordea() []NordeaInfo {
	var list []NordeaInfo
	for _, b := range s.nordea {
		info := NordeaInfo{
			Company: b.Company, DisplayName: b.DisplayName, ClientID: NordeaClientID,
			SecretFile: s.file(nordeaSecretFile), KeyFile: s.file(pki.AppKeyFile), Behaviour: b.Behaviour,
		}
		if s.url != "" {
			info.BaseURL = s.url + "/" + b.Company
		}
		list = append(list, info)
	}
	return list
}

// NordeaSecret returns the secret of the sandbox's own application.
func (s *Sandbox) NordeaSecret() string { return s.nordeaSecret }

// NordeaBank returns a bank with Nordea's wire, for tests and for the registration of
// addresses to which it sends browsers back; nil for an unknown company.
func (s *Sandbox) NordeaBank(company string) *nordea.Bank {
	for _, b := range s.nordea {
		if b.Company == company {
			return b
		}
	}
	return nil
}
