package sandbox

import (
	"crypto/rsa"
	"errors"
	"path/filepath"

	"samla/internal/sandbox/enablebanking"
	"samla/internal/sandbox/pki"
)

const (
	gatewayPath = "/enablebanking"
	// Journals of the gateway in Config.Dir.
	gatewayFile      = "gateway.jsonl"
	gatewayPagesFile = "gateway-pages.jsonl"
)

// openGateway makes the gateway, with the sessions of the last start.
func (s *Sandbox) openGateway() error {
	key, ok := s.keys.App.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return errors.New("the application has no RSA key")
	}
	c := enablebanking.Config{
		Clock: s.config.Clock, Random: s.config.Random, Key: &key.PublicKey, Path: gatewayPath, BankID: s.bankID, Log: s.config.Logger,
	}
	if s.config.Dir != "" {
		c.Journal, c.PageJournal = filepath.Join(s.config.Dir, gatewayFile), filepath.Join(s.config.Dir, gatewayPagesFile)
	}
	var err error
	s.gateway, err = enablebanking.New(c)
	return err
}

// GatewayInfo is what a client must configure to use the gateway. BaseURL is empty before
// Start, and KeyFile without Config.Dir.
type GatewayInfo struct {
	BaseURL       string // the operations are under it
	ApplicationID string
	KeyFile       string // the application's private key, PEM
}

// GatewayInfo returns what a client must configure to use the gateway.
func (s *Sandbox) GatewayInfo() GatewayInfo {
	info := GatewayInfo{ApplicationID: s.gateway.ApplicationID(), KeyFile: s.file(pki.AppKeyFile)}
	if s.url != "" {
		info.BaseURL = s.url + gatewayPath
	}
	return info
}

// Gateway returns the gateway, for tests, and for the registration of addresses to which
// the gateway sends browsers back.
func (s *Sandbox) Gateway() *enablebanking.Gateway { return s.gateway }

// ApplicationKey returns the private key of the sandbox's own application.
func (s *Sandbox) ApplicationKey() *rsa.PrivateKey {
	key, _ := s.keys.App.PrivateKey.(*rsa.PrivateKey) // openGateway has verified it
	return key
}
