// Package sandbox owns the simulated world that Samla is tried against: four
// banks of different behaviour, their BankID and the phone that signs, all on
// one HTTPS address with certificates of its own. samla sandbox, dev and demo
// start it; tests start it in their own process.
//
// Client certificates are asked for but not demanded by TLS: the banks and the
// BankID API check theirs, the phone and the operator's faces need none.
package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"samla/internal/bankidmsg"
	"samla/internal/clock"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
)

// Config is what a sandbox is made of.
type Config struct {
	Clock  clock.Clock  // nil: the machine's
	Random io.Reader    // nil: the machine's
	Logger *slog.Logger // nil: silence
	Dir    string       // keeps certificates, port, and the state of BankID and banks; empty: memory only
	Listen string       // empty: 127.0.0.1:0; port 0 is that of the last start on Dir, or a free one
	// Wrap, when set, stands around the whole handler, such as the oracle of a test.
	Wrap func(http.Handler) http.Handler
	// Keys are certificates to use again, so that a test run makes them once; nil:
	// those of Dir, or new ones.
	Keys *pki.Set
	// Banks are the banks to run; nil: aspsp.Shipped().
	Banks []aspsp.Behaviour
}

// Sandbox is the simulated world. New makes it, Start opens its address, Stop
// closes it. It is safe for concurrent use once started.
type Sandbox struct {
	config Config
	keys   *pki.Set
	bankID *bankid.Service
	banks  []*aspsp.Bank
	server *http.Server
	url    string
	served chan error
}

// New makes certificates and banks, or takes up those in Config.Dir.
func New(c Config) (*Sandbox, error) {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Banks == nil {
		c.Banks = aspsp.Shipped()
	}
	keys := c.Keys
	if keys == nil {
		var err error
		if keys, err = pki.Open(c.Dir, c.Clock.Now, c.Random); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	s := &Sandbox{config: c, keys: keys, bankID: bankid.New(c.Clock, c.Random), served: make(chan error, 1)}
	names := persona.NewBook("")
	s.bankID.Names = func(number string) (given, surname string) {
		p, _ := names.Person(number)
		return p.Given, p.Surname
	}
	if c.Dir != "" {
		if err := s.bankID.Keep(filepath.Join(c.Dir, ordersFile)); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	for _, behaviour := range c.Banks {
		bc := aspsp.Config{
			Behaviour: behaviour, Clock: c.Clock, Random: c.Random, Roots: keys.CA.Pool(),
			BankID: s.bankID, Message: message, Log: c.Logger,
		}
		if c.Dir != "" {
			bc.Journal = filepath.Join(c.Dir, behaviour.Company+".jsonl")
		}
		bank, err := aspsp.New(bc)
		if err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		s.banks = append(s.banks, bank)
	}
	return s, nil
}

// message is BankID's text for an order's state, or for the error with which an
// order could not start.
func message(status, hintCode string, qr bool, lang string) (code, text string) {
	if hintCode == bankid.AlreadyInProgress {
		return bankidmsg.ForError(hintCode, lang)
	}
	return bankidmsg.Message(status, hintCode, qr, lang)
}

// Start opens the address and serves until Stop. It fails when the address
// cannot be had.
func (s *Sandbox) Start(ctx context.Context) error {
	l, err := s.listen(ctx)
	if err != nil {
		return err
	}
	handler := s.handler()
	if s.config.Wrap != nil {
		handler = s.config.Wrap(handler)
	}
	s.url = "https://" + l.Addr().String()
	s.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{s.keys.Server},
			ClientAuth:   tls.RequestClientCert,
			MinVersion:   tls.VersionTLS12,
			Time:         s.config.Clock.Now,
		},
	}
	go func() { s.served <- s.server.ServeTLS(l, "", "") }()
	return nil
}

// patience is how long a stop waits for requests under way. A client that has
// sent half of one may never send the rest: it is cut off, which is no error.
const patience = time.Second

// Stop closes the address, waits a moment for requests under way, at most until
// ctx ends, and closes the journals of the banks and of BankID. It also ends a sandbox that was never started; a
// second Stop does nothing.
func (s *Sandbox) Stop(ctx context.Context) error {
	var err error
	if s.server != nil {
		patient, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if s.server.Shutdown(patient) != nil {
			err = s.server.Close()
		}
		if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		s.server = nil
	}
	for _, b := range s.banks {
		err = errors.Join(err, b.Close())
	}
	err = errors.Join(err, s.bankID.Close())
	if err != nil {
		return fmt.Errorf("sandbox: stop: %w", err)
	}
	return nil
}

// URL is the address, such as "https://127.0.0.1:40123"; empty before Start.
func (s *Sandbox) URL() string { return s.url }

// CAPEM is the certificate of the sandbox's CA.
func (s *Sandbox) CAPEM() []byte { return pki.PEM(s.keys.CA.Cert) }

// CAFile is the path of the CA's certificate; empty without Config.Dir.
func (s *Sandbox) CAFile() string { return s.file(pki.CAFile) }

// Files are the PEM files of a TPP certificate for another process; empty
// without Config.Dir.
type Files struct{ QWAC, QWACKey, QSEAL, QSEALKey string }

// TPPFiles tells where the TPP's certificates are kept.
func (s *Sandbox) TPPFiles() Files {
	return Files{s.file(pki.QWACFile), s.file(pki.QWACKeyFile), s.file(pki.QSEALFile), s.file(pki.QSEALKeyFile)}
}

func (s *Sandbox) file(name string) string {
	if s.config.Dir == "" {
		return ""
	}
	path := filepath.Join(s.config.Dir, name)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// TPP returns the certificates and keys of the sandbox's own TPP.
func (s *Sandbox) TPP() (qwac, qseal tls.Certificate) { return s.keys.QWAC, s.keys.QSEAL }

// CA is the sandbox's certification authority, for tests that need bad
// certificates.
func (s *Sandbox) CA() *pki.CA { return s.keys.CA }

// BankID is the BankID service that the banks use.
func (s *Sandbox) BankID() *bankid.Service { return s.bankID }

// BankInfo is what a TPP's configuration needs to know of a bank. Its base URL
// is empty before Start.
type BankInfo struct {
	Company     string
	DisplayName string
	BaseURL     string // the operations are under BaseURL + "/v1/"
	Behaviour   aspsp.Behaviour
}

// Banks lists the banks in the order of the configuration.
func (s *Sandbox) Banks() []BankInfo {
	out := make([]BankInfo, len(s.banks))
	for i, b := range s.banks {
		out[i] = BankInfo{b.Company, b.DisplayName, "", b.Behaviour}
		if s.url != "" {
			out[i].BaseURL = s.url + "/" + b.Company
		}
	}
	return out
}

// verifyClient lets the sandbox's own certificates into the BankID API.
func (s *Sandbox) verifyClient(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("sandbox: no client certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: s.keys.CA.Pool(), CurrentTime: s.config.Clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}
