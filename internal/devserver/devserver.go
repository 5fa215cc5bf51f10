// Package devserver runs a complete Samla on one machine for development: the sandbox
// with its banks and BankID, and a server that is configured for them. It is used by
// the commands demo, dev and bench, and by end-to-end tests.
package devserver

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"samla/internal/clock"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/ratelimit"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/seal/keyset"
	"samla/internal/server"
)

// Config configures an Environment. Only Dir is required.
type Config struct {
	Listen        string         // address of the API; empty: "127.0.0.1:0"
	SandboxListen string         // address of the sandbox; empty: "127.0.0.1:0"
	Dir           string         // directory of all files
	Database      string         // postgres://…; empty: SQLite under Dir
	APIKey        string         // API key to accept; empty: the key of an earlier start, or a new one
	Rate          ratelimit.Rate // limit of requests; the zero value is no limit
	Clock         clock.Clock
	Log           *slog.Logger
	// WrapSandbox and WrapConnectors, if set, wrap the sandbox's handler and the
	// connectors' transport; tests check all exchanges with them.
	WrapSandbox    func(http.Handler) http.Handler
	WrapConnectors func(http.RoundTripper) http.RoundTripper
}

// Environment is a running sandbox and server.
type Environment struct {
	Sandbox *sandbox.Sandbox
	Server  *server.Server
	APIKey  string
	banks   []*xs2a.Bank
}

// File names under Config.Dir.
const (
	masterFile = "master.json"
	keyFile    = "apikey"
	sandboxDir = "sandbox"
	storeDir   = "store"
)

// Start starts the sandbox and a server that uses it. With the Dir of an earlier start,
// it continues with that state, even if the process was killed.
func Start(ctx context.Context, c Config) (_ *Environment, err error) {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	l := &Environment{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Stop(context.WithoutCancel(ctx)))
		}
	}()
	master, err := loadOrCreateMaster(filepath.Join(c.Dir, masterFile))
	if err != nil {
		return l, err
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, sandboxDir), 0o700); err != nil {
		return l, err
	}
	l.Sandbox, err = sandbox.New(sandbox.Config{Clock: c.Clock, Logger: c.Log, Dir: filepath.Join(c.Dir, sandboxDir),
		Listen: c.SandboxListen, Wrap: c.WrapSandbox})
	if err != nil {
		return l, err
	}
	if err := l.Sandbox.Start(ctx); err != nil {
		return l, err
	}
	if l.banks, err = newConnectors(l.Sandbox, c); err != nil {
		return l, err
	}
	database := c.Database
	if database == "" {
		database = filepath.Join(c.Dir, storeDir)
	}
	institutions := make([]institution.Institution, len(l.banks))
	for i, b := range l.banks {
		institutions[i] = b.Institution()
	}
	l.Server, err = server.New(ctx, server.Config{Listen: c.Listen, Database: database, Rate: c.Rate},
		server.Parts{Clock: c.Clock, Log: c.Log, Master: master, Institutions: institutions})
	if err != nil {
		return l, err
	}
	if l.APIKey, err = ensureAPIKey(ctx, l.Server, c.APIKey, filepath.Join(c.Dir, keyFile)); err != nil {
		return l, err
	}
	return l, l.Server.Start(ctx)
}

// Stop stops the server and then the sandbox.
func (l *Environment) Stop(ctx context.Context) error {
	if l == nil {
		return nil
	}
	var errs []error
	if l.Server != nil {
		errs = append(errs, l.Server.Stop(ctx))
	}
	for _, b := range l.banks {
		b.Close()
	}
	if l.Sandbox != nil {
		errs = append(errs, l.Sandbox.Stop(ctx))
	}
	return errors.Join(errs...)
}

// Bank returns the connector of a company, and reports whether there is one.
func (l *Environment) Bank(company string) (*xs2a.Bank, bool) {
	for _, b := range l.banks {
		if b.Company().ID == company {
			return b, true
		}
	}
	return nil, false
}

// newConnectors returns a connector for each of the sandbox's banks.
func newConnectors(s *sandbox.Sandbox, c Config) ([]*xs2a.Bank, error) {
	qwac, qseal := s.TPP()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM())
	signatures := httpsig.NewLimit(0)
	var banks []*xs2a.Bank
	for _, info := range s.Banks() {
		b, err := xs2a.New(BankConfig(info), xs2a.Deps{Clock: c.Clock, Logger: c.Log, Wrap: c.WrapConnectors, Signatures: signatures,
			Keys: &xs2a.Keys{QWAC: &qwac, QSEAL: &qseal, Roots: roots}})
		if err != nil {
			return banks, err
		}
		banks = append(banks, b)
	}
	return banks, nil
}

// The login methods of the sandbox's banks (docs/reference/api.md 6.3).
var (
	otherDevice = []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_TEST"}
	sameDevice  = []string{"SWEDISH_MOBILE_BANKID_SAME_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE_TEST"}
)

// BankConfig returns the configuration of one of the sandbox's banks, as in a banks file.
func BankConfig(info sandbox.BankInfo) xs2a.Config {
	c := xs2a.Config{Company: info.Company, DisplayName: info.DisplayName, BaseURL: info.BaseURL,
		LoginMethods: append(append([]string{}, otherDevice...), sameDevice...),
		Profile: xs2a.Profile{ReplaySafe: true, NeedsPSUID: info.Behaviour.PSUIDRequired, LongestConsent: info.Behaviour.MaxValidDays,
			DailyLimit: info.Behaviour.DailyLimit}}
	always := true
	c.Profile.SendPSUID = &always
	switch info.Behaviour.Token {
	case aspsp.QRText:
		c.Profile.QR = institution.QRText
	case aspsp.AutostartOnly:
		c.Profile.QR, c.LoginMethods = institution.QRNone, sameDevice
	case aspsp.StaticImage:
		c.Profile.QR, c.LoginMethods = institution.QRImage, otherDevice
	}
	if !info.Behaviour.WithBalance {
		without := false
		c.Profile.WithBalance = &without
	}
	if len(info.Behaviour.BookingStatuses) == 1 {
		c.Profile.BookingStatus = "booked"
	}
	if info.Behaviour.DateSigned {
		c.Signature.Variant = httpsig.Variant{Headers: []string{"date", "digest", "x-request-id", "psu-id"}}
	}
	return c
}

// loadOrCreateMaster loads the master key in the file, or generates one. It creates the
// file atomically.
func loadOrCreateMaster(path string) (*keyset.Master, error) {
	if _, err := os.Stat(path); err == nil {
		return keyset.LoadMaster(path, "")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "master-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("create a master key: %w", err)
	}
	defer os.Remove(f.Name())
	err = errors.Join(keyset.GenerateMaster(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails if another process was faster
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create a master key: %w", err)
	}
	return keyset.LoadMaster(path, "")
}

// ensureAPIKey makes the server accept the wanted key, or if that is empty the key in
// the file, or else a new key. It returns the key and writes it to the file.
func ensureAPIKey(ctx context.Context, s *server.Server, wanted, path string) (string, error) {
	if wanted == "" {
		stored, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		wanted = string(stored)
	}
	_, secret, err := s.Authn.CreateKey(ctx, "local", "local", wanted)
	if err != nil {
		return "", err
	}
	return secret, os.WriteFile(path, []byte(secret), 0o600)
}
