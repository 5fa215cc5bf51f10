// Package obie implements package institution for OBIE's Read/Write standard 3.1.11 and
// 4.0: consents for accounts, the login of FAPI 1 Advanced (code id_token with a signed
// request object), and accounts, balances and transactions. A Config says which bank it
// is. Source: docs/reference/families.md 4.
//
// It writes strictly and reads leniently, and reads the codes of both versions whichever
// is configured: if the bank omits or adds a member, only that member is lost.
package obie

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/strictjson"
)

// Deps has the dependencies of a Bank. The zero value is usable.
type Deps struct {
	institution.Deps
	Limits httpclient.Limits // of one exchange; zero members have the defaults of httpclient
}

// Bank is a bank that speaks OBIE. It implements every verb of institution.Institution but
// Loginer.
type Bank struct {
	config  Config
	profile institution.Profile
	client  *httpclient.Client
	server  *server
	clock   clock.Clock
	random  io.Reader
	log     *slog.Logger

	certificates []institution.Certificate
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

// New returns the connector of a bank. Errors: strictjson.Faults for a Config that Check
// refuses, and for files that cannot be read or used.
func New(c Config, d Deps) (*Bank, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults
	}
	c = c.withDefaults()
	d.Deps = d.WithDefaults()
	a, faults := c.access(d.Dir)
	if len(faults) > 0 {
		return nil, faults
	}
	b := &Bank{config: c, profile: c.Profile.port(), clock: d.Clock, random: d.Random, log: d.Log,
		certificates: institution.CertificateOf("QWAC", a.certificate)}
	settings := httpclient.Config{BaseURL: strings.TrimRight(c.BaseURL, "/"), Certificate: a.certificate, Roots: a.roots,
		Limits: d.Limits, Now: d.Clock.Now, WrapTransport: d.Wrap, Traceparent: d.Traceparent}
	var err error
	if b.client, err = httpclient.New(settings); err != nil {
		return nil, err
	}
	if b.server, err = newServer(c, a.signer, settings, d.Deps); err != nil {
		return nil, err
	}
	return b, nil
}

// access is what identifies us to the bank, and the bank to us.
type access struct {
	signer      *oauth.Signer
	certificate *tls.Certificate // nil = none
	roots       *x509.CertPool   // nil = the system's
}

// access reads the files. Relative paths start at dir. No fault repeats a value.
func (c Config) access(dir string) (a access, faults strictjson.Faults) {
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	var key crypto.PrivateKey
	var err error
	if key, err = httpclient.LoadKey(at(c.KeyFile)); err == nil {
		a.signer, err = oauth.NewSigner(key, "", c.KeyID)
	}
	if err != nil {
		faults.Add("/keyFile", err.Error())
	}
	if c.Certificates.Cert != "" {
		if a.certificate, err = httpclient.LoadKeyPair(at(c.Certificates.Cert), at(c.Certificates.Key)); err != nil {
			faults.Add("/certificates/cert", err.Error())
		}
	}
	if c.Certificates.CAFile != "" {
		if a.roots, err = httpclient.LoadRoots(at(c.Certificates.CAFile)); err != nil {
			faults.Add("/certificates/caFile", err.Error())
		}
	}
	return a, faults
}

// Institution returns the bank as an institution.
func (b *Bank) Institution() institution.Institution {
	return institution.Institution{Profile: b.profile, Certificates: b.certificates, Reach: b.reach,
		Opener: b, Authorizer: b, Completer: b, Refresher: b, ConsentReader: b, Revoker: b, Collector: b, Close: b.Close}
}

func (b *Bank) reach(ctx context.Context) (institution.Reached, error) {
	r, err := b.client.Reach(ctx)
	return institution.Reached(r), err
}

// Profile returns the profile of the bank, with its defaults.
func (b *Bank) Profile() institution.Profile { return b.profile }

// Close closes the connections that are not in use.
func (b *Bank) Close() {
	b.client.Close()
	b.server.hosts.Close()
}

// idOf returns the id of a request: the one that is given if it is a UUID, as
// x-fapi-interaction-id has to be, or a new one.
func (b *Bank) idOf(requestID string) string {
	if id, err := uuid.Parse(requestID); err == nil {
		return id.String()
	}
	id, err := uuid.NewRandomFromReader(b.random)
	if err != nil {
		id = uuid.New() // a request must have an id
	}
	return id.String()
}
