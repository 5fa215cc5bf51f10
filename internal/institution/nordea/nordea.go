// Package nordea implements package institution for Nordea's own wire: decoupled BankID
// and redirect, signed requests, accounts, transactions and cards, in all four countries.
// A Config says which bank it is. Source: docs/reference/families.md 3.
//
// Nordea has no consents of its own: the tokens are the consent. What was asked for goes
// along in the id of the consent, so that it is there when the person has signed.
//
// It writes strictly and reads leniently. If the bank omits or adds a member, only that
// member is lost; only a response without its required content is an error.
package nordea

import (
	"context"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
)

// Deps has the dependencies of a Bank. The zero value is usable.
type Deps struct {
	institution.Deps
	Limits httpclient.Limits // of one exchange; zero members have the defaults of httpclient
	// Signatures limits how many signatures are computed at the same time. All banks
	// of a node share it; nil = a limit for this bank alone.
	Signatures *httpsig.Limit
}

// Bank is one of Nordea's banks. It implements every verb of institution.Institution but
// Loginer.
type Bank struct {
	config  Config
	secret  string
	host    string // as it is called
	profile institution.Profile
	client  *httpclient.Client
	clock   clock.Clock
	random  io.Reader
	log     *slog.Logger

	certificates []institution.Certificate
	signatures   func() institution.SignatureFigures
}

var (
	_ institution.Opener        = (*Bank)(nil)
	_ institution.Authorizer    = (*Bank)(nil)
	_ institution.Completer     = (*Bank)(nil)
	_ institution.Refresher     = (*Bank)(nil)
	_ institution.ConsentReader = (*Bank)(nil)
	_ institution.Revoker       = (*Bank)(nil)
	_ institution.Collector     = (*Bank)(nil)
)

// The headers that are signed (docs/reference/families.md 3.3).
const (
	hostHeader = "X-Nordea-Originating-Host"
	dateHeader = "X-Nordea-Originating-Date"
)

// New returns the connector of a bank. Errors: strictjson.Faults for a Config that Check
// refuses, and for files that cannot be read or used.
func New(c Config, d Deps) (*Bank, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults
	}
	c = c.withDefaults()
	d.Deps = d.WithDefaults()
	if d.Signatures == nil {
		d.Signatures = httpsig.NewLimit(0)
	}
	a, faults := c.access(d.Dir)
	if len(faults) > 0 {
		return nil, faults
	}
	signer, err := httpsig.NewKeySigner(a.key, httpsig.KeyVariant{
		KeyID: c.ClientID, Headers: []string{"(request-target)", hostHeader, dateHeader},
		BodyHeaders: []string{"Content-Type", "Digest"}, DateHeader: dateHeader, Digest: "sha-256",
	}, d.Signatures)
	if err != nil {
		faults.Add("/keyFile", strings.TrimPrefix(err.Error(), httpsig.ErrInvalidVariant.Error()+": "))
		return nil, faults
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, err // checked
	}
	b := &Bank{config: c, secret: a.secret, host: base.Host, profile: c.port(), clock: d.Clock, random: d.Random, log: d.Log}
	b.profile.SignatureCost = signer.Cost()
	b.certificates = institution.CertificateOf("QWAC", a.certificate)
	b.signatures = func() institution.SignatureFigures { return institution.SignatureFigures(signer.Figures()) }
	if b.client, err = httpclient.New(httpclient.Config{
		BaseURL: strings.TrimRight(c.BaseURL, "/") + "/" + c.Base, Certificate: a.certificate, Roots: a.roots, Signer: signer,
		Limits: d.Limits, Now: d.Clock.Now, WrapTransport: d.Wrap, Traceparent: d.Traceparent,
	}); err != nil {
		return nil, err
	}
	return b, nil
}

// Institution returns the bank as an institution.
func (b *Bank) Institution() institution.Institution {
	return institution.Institution{Profile: b.profile,
		Certificates: b.certificates, Reach: b.reach, Signatures: b.signatures,
		Opener: b, Authorizer: b, Completer: b, Refresher: b, ConsentReader: b, Revoker: b, Collector: b, Close: b.Close}
}

func (b *Bank) reach(ctx context.Context) (institution.Reached, error) {
	r, err := b.client.Reach(ctx)
	return institution.Reached(r), err
}

// Profile returns the profile of the bank, with its defaults.
func (b *Bank) Profile() institution.Profile { return b.profile }

// Close closes the connections that are not in use.
func (b *Bank) Close() { b.client.Close() }

func (b *Bank) newID() string {
	id, err := uuid.NewRandomFromReader(b.random)
	if err != nil {
		id = uuid.New() // a consent must have an id
	}
	return id.String()
}
