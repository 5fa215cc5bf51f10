// Package source implements package institution for sources: programs that become an
// institution of Samla by speaking the source protocol (docs/source-protocol/README.md),
// in any language. A Config says where a source is and how it is reached.
//
// What a source says is checked before it is used: ReadTurn and ReadPage return what is
// left, or what is wrong with it. They are pure, and make no exchange.
package source

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/httpclient"
	"samla/internal/institution"
)

// slow is when an answer counts as slow (httpclient.Limits.Slow). A page may take its time.
const slow = 10 * time.Second

// Source is one institution of a source. It implements institution.Loginer and
// institution.Collector.
type Source struct {
	config  Config
	hosts   Hosts
	secret  string // empty: no Authorization header
	client  *httpclient.Client
	clock   clock.Clock
	random  io.Reader
	profile institution.Profile

	certificates []institution.Certificate
}

var (
	_ institution.Loginer   = (*Source)(nil)
	_ institution.Collector = (*Source)(nil)
)

// New returns the connector of an institution of a source. Errors: strictjson.Faults for a
// Config that Check refuses, and for files and variables that cannot be read.
func New(c Config, d institution.Deps) (*Source, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults
	}
	d = d.WithDefaults()
	c.Institution = cmp.Or(c.Institution, d.Company)
	access, faults := c.access(d.Dir)
	if len(faults) > 0 {
		return nil, faults
	}
	s := &Source{config: c, hosts: NewHosts(c.DeviceHosts), secret: access.secret, clock: d.Clock, random: d.Random,
		profile: institution.Profile{LoginInterval: time.Duration(c.PollInterval), LoginTime: time.Duration(c.Deadline),
			Parallel: 1, ReplaySafe: true, DeviceHosts: c.DeviceHosts}}
	s.certificates = institution.CertificateOf("client certificate", access.certificate)
	total := c.Limits.pages()
	var err error
	s.client, err = httpclient.New(httpclient.Config{
		BaseURL: c.BaseURL, Certificate: access.certificate, Roots: access.roots, Now: d.Clock.Now, WrapTransport: d.Wrap, Traceparent: d.Traceparent,
		Limits: httpclient.Limits{ResponseHeader: total, Total: total, Slow: slow, MaxBody: MaxPage},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) reach(ctx context.Context) (institution.Reached, error) {
	r, err := s.client.Reach(ctx)
	return institution.Reached(r), err
}

// Institution returns the source as an institution.
func (s *Source) Institution() institution.Institution {
	return institution.Institution{
		Company: company.Company{Needs: s.config.Parameters, AnyPersonalNumber: s.config.AnyPersonalNumber},
		Profile: s.profile, Loginer: s, Collector: s, Close: s.Close,
		Certificates: s.certificates, Reach: s.reach,
	}
}

// Close closes the connections that are not in use.
func (s *Source) Close() { s.client.Close() }

// newID returns the id of a request that is not repeated.
func (s *Source) newID() string {
	id, err := uuid.NewRandomFromReader(s.random)
	if err != nil {
		id = uuid.New() // a request must have an id
	}
	return id.String()
}

// header returns the headers of a request.
func (s *Source) header(requestID string, hasBody bool) http.Header {
	h := http.Header{"Accept": {"application/json"}, "Request-Id": {requestID}}
	if s.secret != "" {
		h.Set("Authorization", "Bearer "+s.secret)
	}
	if hasBody {
		h.Set("Content-Type", "application/json")
	}
	return h
}
