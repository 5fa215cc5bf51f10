package operators

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"slices"
	"strings"

	"samla/internal/operator"
	"samla/internal/store"
)

// recoveryCodes is how many codes there are; each replaces one code of the app.
const recoveryCodes = 10

// Enrolling returns whom a link is for. Error: ErrLink.
func (s *Service) Enrolling(ctx context.Context, secret string) (operator.Account, error) {
	a, err := s.Store.OperatorByEnrol(ctx, operator.HashOf(secret))
	if errors.Is(err, store.ErrNotFound) || err == nil && !a.Enrolling(s.Clock.Now()) {
		err = ErrLink
	}
	return a, err
}

func (s *Service) enrolling(ctx context.Context, secret string) (person, error) {
	a, err := s.Enrolling(ctx, secret)
	if err != nil {
		return person{}, err
	}
	of, err := s.open(ctx, a)
	return person{a, of}, err
}

// BeginEnrolPasskey returns the challenge for the first passkey of a new operator. Error:
// ErrLink.
func (s *Service) BeginEnrolPasskey(ctx context.Context, secret string) (Challenge, error) {
	p, err := s.enrolling(ctx, secret)
	if err != nil {
		return Challenge{}, err
	}
	return s.beginPasskey(p, operator.HashOf(secret))
}

// EnrolPasskey uses up the link: the operator has a passkey and is signed in. It returns the
// secret of the session. Errors: ErrLink, ErrPasskey.
func (s *Service) EnrolPasskey(ctx context.Context, secret, id string, answer []byte, from From) (string, error) {
	c, ok := s.ceremonies.take(id)
	p, err := s.enrolling(ctx, secret)
	if err != nil {
		return "", err
	}
	if !ok || c.operatorID != p.ID || c.enrol != operator.HashOf(secret) {
		return "", ErrPasskey
	}
	key, err := s.made(p, c, answer, from)
	if err != nil {
		return "", err
	}
	p.of.Passkeys = append(p.of.Passkeys, key)
	return s.enrolled(ctx, p, from)
}

// enrolled uses up the link.
func (s *Service) enrolled(ctx context.Context, p person, from From) (string, error) {
	p.Enrol = ""
	session, err := s.enter(ctx, p.Account, p.of, operator.ByEnrol, from, "")
	if errors.Is(err, store.ErrConflict) {
		err = ErrLink // it was used at the same time
	}
	return session, err
}

// Codes is the key of codes that an operator takes into an app.
type Codes struct {
	ID   string // names it in the answer
	Key  []byte
	Text string // as an app takes it by hand
	URI  string // as an app reads it from a QR code
}

// BeginCodes makes a new key of codes for an operator. It is used by EnrolPassword or
// SetPassword.
func (s *Service) BeginCodes(_ context.Context, o operator.Operator) (Codes, error) {
	key := make([]byte, operator.TOTPKey)
	if _, err := io.ReadFull(s.Random, key); err != nil {
		return Codes{}, err
	}
	id, err := s.secret()
	if err != nil {
		return Codes{}, err
	}
	s.ceremonies.put(id, ceremony{operatorID: o.ID, totp: key})
	return s.codes(id, key, o), nil
}

func (s *Service) codes(id string, key []byte, o operator.Operator) Codes {
	return Codes{ID: id, Key: key, Text: operator.KeyText(key), URI: operator.KeyURI(key, issuer, o.Name)}
}

// Chosen is a password and the first code of an app.
type Chosen struct {
	ID       string // of Codes
	Password string
	Code     string
}

// ErrCode means that the first code of an app is wrong.
var ErrCode = errors.New("the code is wrong: is the clock of the phone right?")

// ErrCodes means that the key of codes has expired or was used already. The caller begins
// anew (BeginCodes), if the operator may still do that.
var ErrCodes = errors.New("the key of codes has expired, or was used")

// choose puts a password and an app in place of those before. It returns recovery codes,
// which are not stored. After an error but ErrCodes the key of codes can be used again
// (again).
func (s *Service) choose(ctx context.Context, p *person, c Chosen) (recovery []string, again Codes, err error) {
	kept, ok := s.ceremonies.take(c.ID)
	if !ok || kept.operatorID != p.ID || kept.totp == nil {
		return nil, again, ErrCodes
	}
	s.ceremonies.put(c.ID, kept)
	again = s.codes(c.ID, kept.totp, p.Operator)
	if err := checkPassword(p.Name, c.Password); err != nil {
		return nil, again, err
	}
	step, ok := operator.CheckCode(kept.totp, strings.ReplaceAll(c.Code, " ", ""), 0, s.Clock.Now())
	if !ok {
		return nil, again, ErrCode
	}
	s.ceremonies.take(c.ID)
	if p.of.Password, err = s.hash(ctx, c.Password); err != nil {
		return nil, again, err
	}
	p.of.TOTP, p.of.Step = kept.totp, step
	if recovery, p.of.Codes, err = s.recovery(); err != nil {
		return nil, again, err
	}
	return recovery, again, nil
}

var codeText = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// recovery makes recovery codes, of 80 bits each, and their hashes.
func (s *Service) recovery() (codes, hashes []string, err error) {
	for range recoveryCodes {
		b := make([]byte, 10)
		if _, err := io.ReadFull(s.Random, b); err != nil {
			return nil, nil, err
		}
		text := codeText.EncodeToString(b)
		hashes = append(hashes, operator.HashOf(text))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
	}
	return codes, hashes, nil
}

// EnrolPassword uses up the link: the operator has a password and an app, and is signed in.
// It returns the secret of the session and the recovery codes. With ErrPassword and ErrCode
// come the codes to try again. Errors: also ErrCodes, ErrLink.
func (s *Service) EnrolPassword(ctx context.Context, secret string, c Chosen, from From) (session string, recovery []string, again Codes, err error) {
	p, err := s.enrolling(ctx, secret)
	if err != nil {
		return "", nil, again, err
	}
	if recovery, again, err = s.choose(ctx, &p, c); err != nil {
		return "", nil, again, err
	}
	session, err = s.enrolled(ctx, p, from)
	return session, recovery, again, err
}

// SetPassword puts a password and an app in place of those that an operator has, and
// returns new recovery codes. Other sessions of the operator end. Errors as EnrolPassword.
func (s *Service) SetPassword(ctx context.Context, o operator.Operator, session string, c Chosen) (recovery []string, again Codes, err error) {
	p, err := s.person(ctx, o.ID)
	if err != nil {
		return nil, again, err
	}
	if recovery, again, err = s.choose(ctx, &p, c); err != nil {
		return nil, again, err
	}
	return recovery, again, s.keep(ctx, p, session, "console: password", "")
}

// keep stores how an operator signs in from now on, and ends their other sessions.
func (s *Service) keep(ctx context.Context, p person, session, act, passkey string) (err error) {
	a := p.Account
	if act != addsPasskey {
		if err := s.Journal.Record(ctx, waysChanged(a)); err != nil {
			return err
		}
	}
	if a.Sealed, err = s.seal(ctx, a.ID, p.of); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutOperator(ctx, a); err != nil {
			return err
		}
		if _, err := tx.EndOperatorSessions(ctx, a.ID, "", session, s.Clock.Now()); err != nil {
			return err
		}
		return s.record(ctx, tx, act, map[string]string{"account": a.ID, "operator": a.ID, "passkey": passkey})
	})
}

// BeginPasskey returns the challenge for another passkey of an operator.
func (s *Service) BeginPasskey(ctx context.Context, o operator.Operator) (Challenge, error) {
	p, err := s.person(ctx, o.ID)
	if err != nil {
		return Challenge{}, err
	}
	return s.beginPasskey(p, "")
}

// AddPasskey adds the passkey that a browser has made. Error: ErrPasskey.
func (s *Service) AddPasskey(ctx context.Context, o operator.Operator, session, id string, answer []byte, from From) error {
	c, ok := s.ceremonies.take(id)
	if !ok || c.operatorID != o.ID || c.enrol != "" || c.totp != nil {
		return ErrPasskey
	}
	p, err := s.person(ctx, o.ID)
	if err != nil {
		return err
	}
	key, err := s.made(p, c, answer, from)
	if err != nil {
		return err
	}
	p.of.Passkeys = append(p.of.Passkeys, key)
	return s.keep(ctx, p, session, addsPasskey, key.ID)
}

// addsPasskey is the act that leaves all ways to sign in as they are.
const addsPasskey = "console: passkey add"

// ErrLastWay means that without this passkey the operator could not sign in.
var ErrLastWay = errors.New("this is the last way to sign in: add another one first")

// RemovePasskey removes a passkey of an operator. Errors: ErrUnknown, ErrLastWay.
func (s *Service) RemovePasskey(ctx context.Context, o operator.Operator, session, id string) error {
	p, err := s.person(ctx, o.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.of.Passkeys, func(k operator.Passkey) bool { return k.ID == id })
	switch {
	case i < 0:
		return ErrUnknown
	case p.of.Ways() == 1:
		return ErrLastWay
	}
	p.of.Passkeys = slices.Delete(p.of.Passkeys, i, i+1)
	return s.keep(ctx, p, session, "console: passkey remove", id)
}
