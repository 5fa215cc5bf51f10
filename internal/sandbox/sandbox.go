// Package sandbox simulates what Samla is tested against: four banks of different
// behaviour, a gateway to other banks, institutions that a person logs in to by
// dialogue, their BankID and the phone that signs, all on one HTTPS address with its own certificates. The commands
// samla sandbox, dev and demo start it; tests start it in their own process.
//
// TLS requests client certificates but does not require them: the banks, some of the
// sources and the BankID API check them, the phone and the operator endpoints do not.
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
	"samla/internal/sandbox/enablebanking"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
	"samla/internal/sandbox/source"
)

// Config configures a sandbox.
type Config struct {
	Clock  clock.Clock  // nil: the system clock
	Random io.Reader    // nil: crypto/rand
	Logger *slog.Logger // nil: no logs
	Dir    string       // directory of certificates, port and journals; empty: memory only
	Listen string       // empty: 127.0.0.1:0; port 0 is the port of the last start with Dir, or a free one
	// Wrap, if set, wraps the whole handler; tests validate all exchanges with it.
	Wrap func(http.Handler) http.Handler
	// Keys are existing certificates, so that a test run generates them only once;
	// nil: those of Dir, or new ones.
	Keys *pki.Set
	// Banks are the banks to run; nil: aspsp.DefaultBanks() and aspsp.RedirectBanks().
	Banks []aspsp.Behaviour
	// Nordea are the banks with Nordea's wire; nil: nordea.DefaultBank().
	Nordea []nordea.Behaviour
	// OBIE are the banks that speak OBIE; nil: obie.DefaultBanks().
	OBIE []obie.Behaviour
	// RedirectURIs are the addresses to which the banks may send browsers back.
	RedirectURIs []string
	// Patience is how long a BankID order waits for the app; 0: 30 s, as BankID's do.
	Patience time.Duration
}

// Sandbox runs the simulated banks and BankID. Start opens its address, Stop closes
// it. It is safe for concurrent use once started.
type Sandbox struct {
	config       Config
	keys         *pki.Set
	bankID       *bankid.Service
	banks        []*aspsp.Bank
	nordea       []*nordea.Bank
	obie         []*obie.Bank
	source       *source.Service
	secret       string // of the sources
	nordeaSecret string
	gateway      *enablebanking.Gateway
	server       *http.Server
	url          string
	served       chan error
}

// New returns a sandbox that is not started. It loads certificates and journals from
// Config.Dir, and generates certificates that are missing.
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
		c.Banks = append(aspsp.DefaultBanks(), aspsp.RedirectBanks()...)
	}
	if c.Nordea == nil {
		c.Nordea = []nordea.Behaviour{nordea.DefaultBank()}
	}
	if c.OBIE == nil {
		c.OBIE = obie.DefaultBanks()
	}
	keys := c.Keys
	if keys == nil {
		var err error
		if keys, err = pki.Open(c.Dir, c.Clock.Now, c.Random); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	s := &Sandbox{config: c, keys: keys, bankID: bankid.New(c.Clock, c.Random), served: make(chan error, 1)}
	s.bankID.OpenWithin = c.Patience
	names := persona.NewCustomers("")
	s.bankID.Names = func(number string) (given, surname string) {
		p, _ := names.Person(number)
		return p.GivenName, p.Surname
	}
	s.bankID.Habit, s.bankID.ApprovalFailure = phoneHabit, func(number string) string {
		h, _ := persona.HabitOf(number)
		return h.Failure
	}
	if c.Dir != "" {
		if err := s.bankID.OpenJournal(filepath.Join(c.Dir, ordersFile)); err != nil {
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
	if err := errors.Join(s.openSources(), s.openGateway(), s.openNordea(), s.openOBIE()); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return s, nil
}

// phoneHabit returns what the phone of a person with a habit does.
func phoneHabit(number string) (bankid.Habit, bool) {
	h, ok := persona.HabitOf(number)
	return bankid.Habit{OpenAfter: h.Opens, ActAfter: h.Acts, Action: bankid.Action(h.Does), By: h.SignsAs}, ok
}

// message returns BankID's text for the state of an order, or for the error because
// of which an order could not start.
func message(status, hintCode string, qr bool, lang string) (code, text string) {
	if hintCode == bankid.AlreadyInProgress {
		return bankidmsg.ForError(hintCode, lang)
	}
	return bankidmsg.Message(status, hintCode, qr, lang)
}

// Start opens the address and serves until Stop. It fails if the address cannot be
// opened.
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

// shutdownTimeout is how long Stop waits for active requests. After that it closes
// their connections, because a client may never finish a half-sent request.
const shutdownTimeout = time.Second

// Stop closes the address, waits for active requests for one second or until ctx
// ends, and closes the journals of the banks, the sources, the gateway and BankID. It may be called on a
// sandbox that was never started. A second call does nothing.
func (s *Sandbox) Stop(ctx context.Context) error {
	var err error
	if s.server != nil {
		ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
		defer cancel()
		if s.server.Shutdown(ctx) != nil {
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
	for _, b := range s.nordea {
		err = errors.Join(err, b.Close())
	}
	for _, b := range s.obie {
		err = errors.Join(err, b.Close())
	}
	err = errors.Join(err, s.source.Close(), s.gateway.Close(), s.bankID.Close())
	if err != nil {
		return fmt.Errorf("sandbox: stop: %w", err)
	}
	return nil
}

// URL returns the address, such as "https://127.0.0.1:40123"; empty before Start.
func (s *Sandbox) URL() string { return s.url }

// CAPEM returns the certificate of the sandbox's CA in PEM form.
func (s *Sandbox) CAPEM() []byte { return pki.PEM(s.keys.CA.Cert) }

// CAFile returns the absolute path of the CA's certificate; empty without Config.Dir.
func (s *Sandbox) CAFile() string { return s.file(pki.CAFile) }

// TPPFiles are the absolute paths of the TPP's certificates and keys in PEM form;
// empty without Config.Dir.
type TPPFiles struct{ QWAC, QWACKey, QSEAL, QSEALKey, P256, P256Key string }

// TPPFiles returns the paths of the TPP's certificates and keys.
func (s *Sandbox) TPPFiles() TPPFiles {
	return TPPFiles{s.file(pki.QWACFile), s.file(pki.QWACKeyFile), s.file(pki.QSEALFile), s.file(pki.QSEALKeyFile),
		s.file(pki.P256File), s.file(pki.P256KeyFile)}
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

// CA returns the sandbox's certificate authority, for tests that need invalid
// certificates.
func (s *Sandbox) CA() *pki.CA { return s.keys.CA }

// BankID returns the BankID service that the banks use.
func (s *Sandbox) BankID() *bankid.Service { return s.bankID }

// BankInfo is what a TPP must configure to use a bank. BaseURL is empty before Start.
type BankInfo struct {
	Company     string
	DisplayName string
	BaseURL     string // the operations are under it, at Behaviour.ConsentsPath and AccountsPath
	Behaviour   aspsp.Behaviour
}

// Banks returns the banks in the order of the configuration.
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

// verifyClient accepts a client of the BankID API if the sandbox's CA issued its
// certificate.
func (s *Sandbox) verifyClient(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("sandbox: no client certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: s.keys.CA.Pool(), CurrentTime: s.config.Clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}
