package oauth

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// keepFor is how long a grant is kept after its chain, so that dead tokens are told from
// unknown ones.
const keepFor = 24 * time.Hour

// maxGrants limits the memory of grants: the oldest are dropped beyond it.
const maxGrants = 50_000

func (s *Server) replay(g Grant) {
	if s.config.Clock.Now().Sub(g.ChainUntil) >= keepFor {
		return
	}
	if old := s.grants[g.ID]; old != nil {
		for _, hash := range old.hashes() {
			delete(s.byHash, hash)
		}
	} else {
		s.order = append(s.order, g.ID)
	}
	s.grants[g.ID] = &g
	for _, hash := range g.hashes() {
		s.byHash[hash] = g.ID
	}
	if len(s.order) > maxGrants {
		oldest := s.grants[s.order[0]]
		for _, hash := range oldest.hashes() {
			delete(s.byHash, hash)
		}
		delete(s.grants, oldest.ID)
		s.order = s.order[1:]
	}
}

// hashes returns the hashes of the code and the tokens.
func (g *Grant) hashes() []string {
	list := append([]string{g.Code}, g.Spent...)
	for _, a := range g.Access {
		list = append(list, a.Hash)
	}
	if g.Refresh != "" {
		list = append(list, g.Refresh)
	}
	return list
}

func (s *Server) entries(yield func(Grant) bool) {
	for _, id := range s.order {
		if !yield(*s.grants[id]) {
			return
		}
	}
}

// store writes the next state of a grant to the journal, then changes it. The caller holds
// mu.
func (s *Server) store(next Grant) error {
	if err := s.journal.Write(next); err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	s.replay(next)
	return nil
}

// find returns the grant of a code or token. The caller holds mu.
func (s *Server) find(hash string) (Grant, bool) {
	g := s.grants[s.byHash[hash]]
	if g == nil {
		return Grant{}, false
	}
	return *g, true
}

// Code grants a request, and returns the code that goes back with Request.Success. subject
// is what the tokens are for; see Grant.
func (s *Server) Code(r Request, subject string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, err := s.secret()
	if err != nil {
		return "", err
	}
	id, err := uuid.NewRandomFromReader(s.config.Random)
	if err != nil {
		return "", fmt.Errorf("oauth: reading randomness: %w", err)
	}
	now := s.config.Clock.Now()
	return code, s.store(Grant{
		ID: id.String(), Request: r, Subject: subject, Created: now, Code: hashOf(code),
		CodeUntil: now.Add(or(s.policy.CodeLife, time.Minute)), ChainUntil: now.Add(or(s.policy.ChainLife, 180*24*time.Hour)),
	})
}

// Check returns the grant of the bearer token in an Authorization header. chain is the
// certificates of the TLS client; a token that is bound to another certificate is invalid
// (RFC 8705 3). Errors: ErrMissing, ErrInvalid, ErrExpired.
func (s *Server) Check(authorization string, chain []*x509.Certificate) (Grant, *Error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Grant{}, ErrMissing
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := hashOf(token)
	g, ok := s.find(hash)
	if !ok || g.Ended || g.Certificate != "" && (len(chain) == 0 || Thumbprint(chain[0].Raw) != g.Certificate) {
		return Grant{}, ErrInvalid
	}
	for _, a := range g.Access {
		if a.Hash != hash {
			continue
		}
		if !s.config.Clock.Now().Before(a.Until) {
			return Grant{}, ErrExpired
		}
		return g, nil
	}
	return Grant{}, ErrInvalid // a code, or a refresh token
}

// End ends all grants of a subject: their codes and tokens are dead.
func (s *Server) End(subject string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.order {
		if g := *s.grants[id]; g.Subject == subject && !g.Ended {
			g.Ended = true
			if err := s.store(g); err != nil {
				return err
			}
		}
	}
	return nil
}

// ExpireAccess makes all access tokens expire now, as if their time had passed.
func (s *Server) ExpireAccess() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock.Now()
	for _, id := range s.order {
		g := *s.grants[id]
		access := append([]accessToken{}, g.Access...)
		for i := range access {
			if access[i].Until.After(now) {
				access[i].Until = now
			}
		}
		g.Access = access
		if err := s.store(g); err != nil {
			return err
		}
	}
	return nil
}
