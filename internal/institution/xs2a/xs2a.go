// Package xs2a owns the Berlin Group reading of the bank port (NextGenPSD2
// XS2A 1.3, account information with decoupled SCA): how a consent, an
// authorisation and a read are said to a bank, and what its answers mean. Which
// bank it talks to and where that one differs is a Config. It hands package
// bank's types to the flows. Source: docs/reference/banks.md 1-9.
//
// It writes precisely and reads leniently: what a bank leaves out, misspells or
// adds costs at most that member, and only an answer that is none is an error.
package xs2a

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/httpclient"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
)

// Deps is what comes from outside. The zero value is usable.
type Deps struct {
	Clock  clock.Clock  // nil = the machine's
	Random io.Reader    // X-Request-IDs; safe for concurrent use; nil = the machine's
	Logger *slog.Logger // nil = silent
	// Keys takes the place of the certificate files.
	Keys *Keys
	// Limits of one exchange; zero members are httpclient's defaults.
	Limits httpclient.Limits
	// Signatures limits how many signatures are computed at a time. All banks of a
	// node share one; nil = one for this bank alone.
	Signatures *httpsig.Limit
	// Wrap is put around the transport, so that a test sees each exchange.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Keys are our certificates for one bank.
type Keys struct {
	QWAC  *tls.Certificate // identifies us in TLS; nil = none
	QSEAL *tls.Certificate // signs messages; nil = not signed
	Roots *x509.CertPool   // verifies the bank; nil = the system's
}

// Bank is one Berlin Group bank. It implements every verb of
// institution.Institution.
type Bank struct {
	config   Config
	profile  institution.Profile
	wire     wire
	client   *httpclient.Client
	clock    clock.Clock
	random   io.Reader
	log      *slog.Logger
	unechoed atomic.Int64
}

var (
	_ institution.Opener        = (*Bank)(nil)
	_ institution.Authorizer    = (*Bank)(nil)
	_ institution.ConsentReader = (*Bank)(nil)
	_ institution.Revoker       = (*Bank)(nil)
	_ institution.Collector     = (*Bank)(nil)
)

// New makes the connector. It fails on a Config that Check refuses, on files
// that cannot be read and on certificates that a bank would have to refuse: a
// QWAC that is none, lacks the role PSP_AI or is not valid now, a QSEAL that is
// none.
func New(c Config, d Deps) (*Bank, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("bank %s: %w", c.Company, err)
	}
	c = c.withDefaults()
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Signatures == nil {
		d.Signatures = httpsig.NewLimit(0)
	}
	keys, err := c.keys(d.Keys, d.Clock.Now())
	if err != nil {
		return nil, fmt.Errorf("bank %s: %w", c.Company, err)
	}
	b := &Bank{
		config: c, profile: c.Profile.port(), wire: c.Profile.wire(),
		clock: d.Clock, random: d.Random, log: d.Logger.With("company", c.Company),
	}
	b.profile.Signed = !c.Signature.None
	settings := httpclient.Config{
		BaseURL: c.BaseURL, Certificate: keys.QWAC, Roots: keys.Roots,
		Limits: d.Limits, Now: d.Clock.Now, WrapTransport: d.Wrap,
	}
	if !c.Signature.None {
		signer, err := httpsig.NewSigner(keys.QSEAL, c.Signature.Variant, d.Signatures)
		if err != nil {
			return nil, fmt.Errorf("bank %s: %w", c.Company, err)
		}
		settings.Signer = signer
	}
	if b.client, err = httpclient.New(settings); err != nil {
		return nil, fmt.Errorf("bank %s: %w", c.Company, err)
	}
	return b, nil
}

// Institution is the bank with all its verbs.
func (b *Bank) Institution() institution.Institution {
	return institution.Institution{Company: b.Company(), Profile: b.profile,
		Opener: b, Authorizer: b, ConsentReader: b, Revoker: b, Collector: b}
}

// Profile is what the bank is like.
func (b *Bank) Profile() institution.Profile { return b.profile }

// Company is the bank's entry in the directory.
func (b *Bank) Company() company.Company {
	return company.Company{
		ID: b.config.Company, DisplayName: b.config.DisplayName, LoginMethods: b.config.LoginMethods, PSD2: true,
	}
}

// Unechoed counts the answers that did not repeat our X-Request-ID. Banks are
// asked by that id when something went wrong, so it should stay zero.
func (b *Bank) Unechoed() int64 { return b.unechoed.Load() }

// Close closes the connections that are not in use.
func (b *Bank) Close() { b.client.Close() }

func (b *Bank) newID() string {
	id, err := uuid.NewRandomFromReader(b.random)
	if err != nil {
		id = uuid.New() // a request without an id helps nobody
	}
	return id.String()
}
