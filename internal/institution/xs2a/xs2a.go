// Package xs2a implements package institution for banks that speak the Berlin
// Group's NextGenPSD2 XS2A 1.3, account information with decoupled SCA, redirect and OAuth
// 2.0. A Config says which bank it is and how it differs from the standard. Sources:
// docs/reference/banks.md 1-9, docs/reference/families.md 2.
//
// It writes strictly and reads leniently. If a bank omits, misspells or adds a
// member, only that member is lost; only a response without its required content is
// an error.
package xs2a

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
)

// Deps has the dependencies of a Bank. The zero value is usable.
type Deps struct {
	institution.Deps
	Keys   *Keys             // used instead of the certificate files
	Limits httpclient.Limits // of one exchange; zero members have the defaults of httpclient
	// Signatures limits how many signatures are computed at the same time. All banks
	// of a node share it; nil = a limit for this bank alone.
	Signatures *httpsig.Limit
}

// Keys are our certificates for one bank.
type Keys struct {
	QWAC  *tls.Certificate // identifies us in TLS; nil = none
	QSEAL *tls.Certificate // signs messages; nil = not signed
	Roots *x509.CertPool   // CAs of the bank's server; nil = the system's
}

// Bank is one bank. It implements every verb of institution.Institution but Loginer.
type Bank struct {
	config   Config
	profile  institution.Profile
	wire     wire
	client   *httpclient.Client
	server   *server // nil: nobody signs or logs in by OAuth
	clock    clock.Clock
	random   io.Reader
	log      *slog.Logger
	unechoed atomic.Int64

	certificates []institution.Certificate
	signatures   func() institution.SignatureFigures // nil: requests are not signed
}

var (
	_ institution.Opener        = (*Bank)(nil)
	_ institution.AccountLister = (*Bank)(nil)
	_ institution.Authorizer    = (*Bank)(nil)
	_ institution.ConsentReader = (*Bank)(nil)
	_ institution.Revoker       = (*Bank)(nil)
	_ institution.Collector     = (*Bank)(nil)
	_ institution.Completer     = (*Bank)(nil)
	_ institution.Refresher     = (*Bank)(nil)
)

// New returns the connector of a bank. Errors: strictjson.Faults for a Config
// that Check refuses, for files that cannot be read, and for certificates that a
// bank would have to refuse: a QWAC that is not one, lacks the role PSP_AI or is
// not valid now, a QSealC that is not one or is not valid now.
func New(c Config, d Deps) (*Bank, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults
	}
	c.Profile = c.Profile.withDefaults()
	c.Certificates = c.Certificates.under(d.Dir)
	d.Deps = d.WithDefaults()
	if d.Signatures == nil {
		d.Signatures = httpsig.NewLimit(0)
	}
	keys, err := c.keys(d.Keys, d.Clock.Now())
	if err != nil {
		return nil, err
	}
	b := &Bank{config: c, profile: c.Profile.port(), wire: c.Profile.wire(), clock: d.Clock, random: d.Random, log: d.Log}
	b.certificates = append(institution.CertificateOf("QWAC", keys.QWAC), institution.CertificateOf("QSealC", keys.QSEAL)...)
	b.profile.ReadsWithNumber = wantsNumber(c.PersonHeaders)
	b.profile.OpensWithoutAddress = c.OwnAddress != ""
	settings := httpclient.Config{
		BaseURL: c.BaseURL, Certificate: keys.QWAC, Roots: keys.Roots,
		Limits: d.Limits, Now: d.Clock.Now, WrapTransport: d.Wrap, Traceparent: d.Traceparent,
	}
	if c.Profile.SCA != scaDecoupled || c.OAuth.ClientToken {
		if b.server, err = newServer(c, d, keys, settings); err != nil {
			return nil, err
		}
	}
	settings.Query = valuesOf(c.Query)
	if !c.Signature.None {
		signer, err := httpsig.NewSigner(keys.QSEAL, c.Signature.Variant, d.Signatures)
		if err != nil {
			return nil, signatureFaults(err)
		}
		settings.Signer, b.signatures = signer, func() institution.SignatureFigures { return institution.SignatureFigures(signer.Figures()) }
		if c.Signature.Signs(http.MethodGet) {
			b.profile.SignatureCost = signer.Cost()
		}
	}
	if b.client, err = httpclient.New(settings); err != nil {
		return nil, err
	}
	return b, nil
}

// Institution returns the bank as an institution. It has every verb that its way to sign
// needs.
func (b *Bank) Institution() institution.Institution {
	i := institution.Institution{Profile: b.profile,
		Certificates: b.certificates, Reach: b.reach, Signatures: b.signatures,
		Opener: b, Authorizer: b, ConsentReader: b, Revoker: b, Collector: b, Close: b.Close}
	if b.profile.ListsAccounts {
		i.AccountLister = b
	}
	if b.profile.Redirects {
		i.Completer, i.Refresher = b, b
	}
	return i
}

func (b *Bank) reach(ctx context.Context) (institution.Reached, error) {
	r, err := b.client.Reach(ctx)
	return institution.Reached(r), err
}

// Profile returns the profile of the bank, with its defaults.
func (b *Bank) Profile() institution.Profile { return b.profile }

// Unechoed returns the number of responses that did not repeat our X-Request-ID. An
// operator gives that id to the bank to investigate a failure, so the number should
// stay zero.
func (b *Bank) Unechoed() int64 { return b.unechoed.Load() }

// Close closes the connections that are not in use.
func (b *Bank) Close() {
	b.client.Close()
	if b.server != nil {
		b.server.close()
	}
}

func (b *Bank) newID() string {
	id, err := uuid.NewRandomFromReader(b.random)
	if err != nil {
		id = uuid.New() // a request must have an id
	}
	return id.String()
}
