// Package devserver runs the whole of Samla on one machine for development: the
// sandbox with its banks and BankID, and a server that knows them. The commands
// demo, dev and bench, and end-to-end tests, start it.
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

	"samla/internal/api"
	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/seal/keyset"
	"samla/internal/server"
)

// Config is what may be chosen; the zero value of each member is usable.
type Config struct {
	Listen   string   // of the API; "127.0.0.1:0"
	Sandbox  string   // of the sandbox; "127.0.0.1:0"
	Dir      string   // keeps everything between starts; required
	Database string   // postgres://…; empty = SQLite under Dir
	APIKey   string   // the key to let in; empty = the one of an earlier start, or a new one
	Rate     api.Rate // of requests; the zero value is no limit
	Clock    clock.Clock
	Log      *slog.Logger
	// Wrap and WrapBank, when set, see every exchange with the sandbox, on its
	// side and on the connectors' side.
	Wrap     func(http.Handler) http.Handler
	WrapBank func(http.RoundTripper) http.RoundTripper
}

// Set is a running set. Start makes it, Stop ends it.
type Set struct {
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

// Start starts the sandbox and a server against it. A set that was stopped, or
// killed, goes on where it was when it is started with the same Dir.
func Start(ctx context.Context, c Config) (_ *Set, err error) {
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
	l := &Set{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Stop(context.WithoutCancel(ctx)))
		}
	}()
	master, err := masterAt(filepath.Join(c.Dir, masterFile))
	if err != nil {
		return l, err
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, sandboxDir), 0o700); err != nil {
		return l, err
	}
	l.Sandbox, err = sandbox.New(sandbox.Config{Clock: c.Clock, Logger: c.Log, Dir: filepath.Join(c.Dir, sandboxDir),
		Listen: c.Sandbox, Wrap: c.Wrap})
	if err != nil {
		return l, err
	}
	if err := l.Sandbox.Start(ctx); err != nil {
		return l, err
	}
	if l.banks, err = connect(l.Sandbox, c); err != nil {
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
	if l.APIKey, err = apiKey(ctx, l.Server, c.APIKey, filepath.Join(c.Dir, keyFile)); err != nil {
		return l, err
	}
	return l, l.Server.Start(ctx)
}

// Stop stops the server first and then the sandbox it works with.
func (l *Set) Stop(ctx context.Context) error {
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

// Bank finds the connector of a company.
func (l *Set) Bank(company string) (*xs2a.Bank, bool) {
	for _, b := range l.banks {
		if b.Company().ID == company {
			return b, true
		}
	}
	return nil, false
}

// connect makes a connector for each of the sandbox's banks.
func connect(s *sandbox.Sandbox, c Config) ([]*xs2a.Bank, error) {
	qwac, qseal := s.TPP()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM())
	var banks []*xs2a.Bank
	for _, info := range s.Banks() {
		b, err := xs2a.New(BankConfig(info), xs2a.Deps{Clock: c.Clock, Logger: c.Log, Wrap: c.WrapBank,
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

// BankConfig is the entry of a banks file for one of the sandbox's banks.
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
		c.Signature.Variant = httpclient.Variant{Headers: []string{"date", "digest", "x-request-id", "psu-id"}}
	}
	return c
}

// masterAt loads the master key of an earlier start, or makes one. The file is
// there whole or not at all.
func masterAt(path string) (*keyset.Master, error) {
	if _, err := os.Stat(path); err == nil {
		return keyset.LoadMaster(path, "")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "master-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make a master key: %w", err)
	}
	defer os.Remove(f.Name())
	err = errors.Join(keyset.GenerateMaster(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // whoever is first wins
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a master key: %w", err)
	}
	return keyset.LoadMaster(path, "")
}

// apiKey lets the wanted key in, or the one that an earlier start has made, or a
// new one, which is kept for the next start.
func apiKey(ctx context.Context, s *server.Server, wanted, path string) (string, error) {
	if wanted == "" {
		kept, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		wanted = string(kept)
	}
	_, secret, err := s.Gate.CreateKey(ctx, "local", "local", wanted)
	if err != nil {
		return "", err
	}
	return secret, os.WriteFile(path, []byte(secret), 0o600)
}
