// Package devserver runs a complete Samla on one machine for development: the sandbox
// with its banks and BankID, and a server that is configured for them. It is used by
// the commands demo, dev and bench, and by end-to-end tests.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"samla/internal/bankidrp"
	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/ratelimit"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/store"
	"samla/internal/webhook"
)

// Config configures an Environment. Only Dir is required.
type Config struct {
	Listen        string         // address of the API; empty: "127.0.0.1:0"
	SandboxListen string         // address of the sandbox; empty: "127.0.0.1:0"
	Dir           string         // directory of all files
	Database      string         // postgres://…; empty: SQLite under Dir
	APIKey        string         // API key to accept; empty: the key of an earlier start, or a new one
	Rate          ratelimit.Rate // limit of requests; the zero value is no limit
	AllowOrigins  []string       // web pages that may call the API
	PublicURL     string         // of the pages, where something in front of the API has TLS; empty: as it listens
	MaxWaiting    int            // see server.Config
	Metrics       string         // see server.Config
	OTLPEndpoint  string         // see server.Config; everything is traced
	Console       string         // ConsoleListen of server.Config
	// ConsoleHook: see server.Parts.
	ConsoleHook func(*http.Request) (operator.Operator, bool)
	Clock       clock.Clock
	Log         *slog.Logger
	// Banks is the banks file of a sandbox that runs elsewhere; empty: the environment
	// has a sandbox of its own.
	Banks string
	// Crowd is set if the sandbox has the banks of benchmarks instead of the usual ones.
	Crowd bool
	// WrapSandbox and WrapConnectors, if set, wrap the sandbox's handler and the
	// connectors' transport; tests check all exchanges with them.
	WrapSandbox    func(http.Handler) http.Handler
	WrapConnectors func(http.RoundTripper) http.RoundTripper
	// WrapAccess: see server.Parts.
	WrapAccess func(store.AccessRecorder) store.AccessRecorder
}

// Environment is a running sandbox and server.
type Environment struct {
	Sandbox *sandbox.Sandbox // nil with Config.Banks
	Server  *server.Server
	APIKey  string
	Banks   string // the banks file
	bankID  *bankidrp.Client
	// Institutions are the sandbox's banks, as the server's connectors reach them.
	Institutions institution.Set
}

// File names under Config.Dir.
const (
	masterFile = "master.json"
	keysDir    = "keys"
	keyFile    = "apikey"
	sandboxDir = "sandbox"
	storeDir   = "store"
	banksFile  = "banks.json"
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
	if l.Institutions, err = l.openInstitutions(ctx, c); err != nil {
		return l, err
	}
	database := c.Database
	if database == "" {
		database = filepath.Join(c.Dir, storeDir)
	}
	reload := func() (*keyset.Master, error) { return keyset.LoadMaster(filepath.Join(c.Dir, masterFile), "") }
	parts := server.Parts{Clock: c.Clock, Log: c.Log, Master: master, ReloadMaster: reload, Institutions: l.Institutions, ConsoleHook: c.ConsoleHook, ConsoleDoors: true, WrapAccess: c.WrapAccess}
	if l.Sandbox != nil {
		if l.bankID, err = openBankID(l.Sandbox, c.Clock); err != nil {
			return l, err
		}
		parts.BankID = l.bankID
	}
	l.Server, err = server.New(ctx, server.Config{Listen: c.Listen, PublicURL: c.PublicURL, OTLPEndpoint: c.OTLPEndpoint, TraceShare: 1, Metrics: c.Metrics, ConsoleListen: c.Console, Database: database, WebhookTargets: webhook.LoopbackTargets, KeyDir: filepath.Join(c.Dir, keysDir), Rate: c.Rate, MaxWaiting: c.MaxWaiting, TryDocs: true, AllowOrigins: c.AllowOrigins}, parts)
	if err != nil {
		return l, err
	}
	if l.APIKey, err = ensureAPIKey(ctx, l.Server, c.APIKey, filepath.Join(c.Dir, keyFile)); err != nil {
		return l, err
	}
	if err := l.Server.Start(ctx); err != nil {
		return l, err
	}
	return l, l.registerReturns()
}

// openBankID opens the sandbox's BankID, with which persons sign in to My permissions.
func openBankID(s *sandbox.Sandbox, c clock.Clock) (*bankidrp.Client, error) {
	files := s.TPPFiles()
	return bankidrp.Open(bankidrp.Files{URL: s.URL() + "/rp/v6.0", Certificate: files.QWAC, Key: files.QWACKey, CA: s.CAFile()}, c.Now)
}

// registerReturns tells the gateway and the banks that want to know it where persons come back.
// The server's address is known once it has started.
func (l *Environment) registerReturns() error {
	if l.Sandbox == nil {
		return nil
	}
	for _, info := range l.Sandbox.OBIE() {
		if !l.Sandbox.OBIEBank(info.Company).AllowRedirect(info.ClientID, l.Server.ReturnAddress(info.Company)) {
			return fmt.Errorf("%s does not know the client %s", info.Company, info.ClientID)
		}
	}
	for _, info := range l.Sandbox.Nordea() {
		if err := l.Sandbox.NordeaBank(info.Company).Register(info.ClientID, l.Server.ReturnAddress(info.Company+onPage)); err != nil {
			return err
		}
	}
	return l.Sandbox.Gateway().Register(l.Server.ReturnAddress(GatewayCompany))
}

// openInstitutions opens the banks of Config.Banks, or starts the sandbox and opens its
// banks.
func (l *Environment) openInstitutions(ctx context.Context, c Config) (_ institution.Set, err error) {
	deps := institution.Deps{Clock: c.Clock, Log: c.Log, Wrap: c.WrapConnectors}
	if l.Banks = c.Banks; l.Banks != "" {
		return openFile(l.Banks, deps)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, sandboxDir), 0o700); err != nil {
		return nil, err
	}
	config := sandbox.Config{Clock: c.Clock, Logger: c.Log, Dir: filepath.Join(c.Dir, sandboxDir), Listen: c.SandboxListen, Wrap: c.WrapSandbox}
	if c.Crowd {
		config.Banks = aspsp.CrowdBanks(0)
	}
	l.Sandbox, err = sandbox.New(config)
	if err != nil {
		return nil, err
	}
	if err := l.Sandbox.Start(ctx); err != nil {
		return nil, err
	}
	l.Banks = filepath.Join(c.Dir, banksFile)
	return OpenBanks(ctx, c.Dir, l.Sandbox, deps)
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
	l.Institutions.Close()
	if l.bankID != nil {
		l.bankID.Close()
	}
	if l.Sandbox != nil {
		errs = append(errs, l.Sandbox.Stop(ctx))
	}
	return errors.Join(errs...)
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

// ClientName is the client whose API key the server accepts. Pages show it to persons.
const ClientName = "Example"

// earlierName is what it was before.
const earlierName = "local"

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
	_, secret, err := s.Authn.CreateKey(ctx, ClientName, "development", wanted)
	if errors.Is(err, store.ErrExists) { // the directory is of an earlier release
		_, secret, err = s.Authn.CreateKey(ctx, earlierName, "local", wanted)
	}
	if err != nil {
		return "", err
	}
	return secret, os.WriteFile(path, []byte(secret), 0o600)
}
