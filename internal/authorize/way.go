package authorize

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
)

// The paths of the pages of this server that a person's browser comes to
// (docs/decisions/2026-11-27-redirect-and-tokens.md).
const (
	GoPath     = "/go/"       // + state: leads to the page of the institution, and later to the client
	ReturnPath = "/callback/" // + company (institution.Profile.ReturnName), or company/state: where the institution sends the person back
)

// A state is the id of its consent and random bits, so that the row is found without a
// table of states.
const (
	idBytes    = 16
	stateBytes = idBytes + 16
	wayBytes   = 16 + 32 + 16 + 16 // the random bits of a state, of a verifier, of a nonce, and of what is in the address of return
)

// newWay makes the way of a person to a page of the institution.
func (s *Service) newWay(id consent.ID) (*consent.Way, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	if err != nil || len(raw) != idBytes {
		return nil, fmt.Errorf("the id of consent %s is no UUID", id)
	}
	random := make([]byte, wayBytes)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return nil, fmt.Errorf("make a state: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString
	named := func(bits []byte) string { return text(slices.Concat(raw, bits)) }
	return &consent.Way{State: named(random[:16]), Verifier: text(random[16:48]), Nonce: text(random[48:64]), Once: named(random[64:])}, nil
}

// consentOf returns the id of the consent that a state names, and reports whether it is
// one in form.
func consentOf(state string) (consent.ID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil || len(raw) != stateBytes {
		return "", false
	}
	h := hex.EncodeToString(raw[:idBytes])
	return consent.ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]), true
}

// redirects reports whether persons are sent to a page of the institution.
func redirects(p institution.Profile) bool { return p.Redirects || p.LoginFirst }

// anotherWay gives the job a new way, and returns its visit: nil if the person is sent
// nowhere. The caller stores both before the institution is called. login says that it is
// the way of a login before the consent.
func (j *job) anotherWay(login bool) (*consent.Visit, error) {
	if !redirects(j.bank.Profile) {
		return nil, nil
	}
	way, err := j.newWay(j.c.ID)
	if err != nil {
		return nil, err
	}
	j.secret.Way = way
	v := j.c.Visit.Another(*way)
	v.OnlyOnce = j.bank.Profile.ReturnsOnce && !login
	return v, nil
}

// ReturnAddress returns the address to which an institution, or a gateway, of this name
// sends persons back.
func (s *Service) ReturnAddress(name string) string { return s.PublicURL() + ReturnPath + name }

// returnName returns what stands for a company in the address of return.
func (s *Service) returnName(company string) string {
	return cmp.Or(s.Institutions.Of(company).Profile.ReturnName, company)
}

// wayTo returns the way as the connector needs it.
func (s *Service) wayTo(company string, w *consent.Way) institution.Way {
	if w == nil {
		return institution.Way{}
	}
	back := s.ReturnAddress(s.returnName(company))
	return institution.Way{State: w.State, Return: back, OnceReturn: back + "/" + cmp.Or(w.Once, w.State), Verifier: w.Verifier, Nonce: w.Nonce}
}

// leading returns instructions with the address of ours that leads to the page of the
// institution.
func (j *job) leading(i *consent.Instructions) *consent.Instructions {
	if i == nil || i.RedirectURL == "" || j.secret.Way == nil {
		return i
	}
	led := *i
	led.Start = j.PublicURL() + GoPath + j.secret.Way.State
	return &led
}

// mayGrant reports whether it is certain enough that the person who has signed is the one
// for whom the consent was asked: nobody was sent to another page, the institution makes
// sure who signs, or the person came back as consent.Visit demands.
func (j *job) mayGrant() bool {
	v, i := j.c.Visit, j.secret.Instructions
	if j.secret.Silent {
		return false // without what the person brings, a consent that is valid is of no use
	}
	if v == nil || i == nil || i.RedirectURL == "" {
		return true
	}
	return j.namesSigner() || v.Stage == consent.StageAccepted && !v.Cancels
}

// returnsOnce reports whether the institution sends the person back to an address that only
// it knows. Then it has to be that one: who has the link knows the state, and could say to
// have been there before the person whom they have sent there.
func (j *job) returnsOnce() bool {
	kept := j.c.Visit != nil && j.c.Visit.OnlyOnce
	return (kept || j.bank.Profile.ReturnsOnce && !j.loginEnds()) && j.secret.Way != nil && j.secret.Way.Once != ""
}

// namesSigner reports whether the institution makes sure who signs this consent.
func (j *job) namesSigner() bool {
	return j.bank.Profile.NamesSigner && j.secret.PersonalNumber != ""
}
