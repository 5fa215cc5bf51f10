package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"samla/internal/operator"
	"samla/internal/store"
)

// issuer is what browsers and apps call the console.
const issuer = "Samla console"

// party returns the console as WebAuthn knows it. Its name is the host of its address
// (https://www.w3.org/TR/webauthn-3/#rp-id).
func (s *Service) party() (*webauthn.WebAuthn, error) {
	at, err := url.Parse(s.URL())
	if err != nil || at.Host == "" {
		return nil, errors.New("operators: the console has no address")
	}
	return webauthn.New(&webauthn.Config{RPID: at.Hostname(), RPDisplayName: issuer, RPOrigins: []string{at.Scheme + "://" + at.Host},
		AttestationPreference: protocol.PreferNoAttestation, AuthenticatorSelection: selection})
}

// selection asks for passkeys that the browser offers without a name, and that verify the
// person: so one is two factors.
var selection = protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
	UserVerification: protocol.VerificationRequired}

// person is an operator as the library takes them.
type person struct {
	operator.Account
	of operator.Secret
}

func (p person) WebAuthnID() []byte          { return []byte(p.ID) }
func (p person) WebAuthnName() string        { return p.Name }
func (p person) WebAuthnDisplayName() string { return p.Name }

// WebAuthnCredentials implements webauthn.User.
func (p person) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(p.of.Passkeys))
	for i, k := range p.of.Passkeys {
		if json.Unmarshal(k.Credential, &all[i]) != nil {
			all[i] = webauthn.Credential{} // no answer fits it
		}
	}
	return all
}

func (s *Service) person(ctx context.Context, id string) (person, error) {
	a, err := s.Store.Operator(ctx, id)
	if err == nil && !a.Removed.IsZero() {
		err = store.ErrNotFound
	}
	if err != nil {
		return person{}, err
	}
	of, err := s.open(ctx, a)
	return person{a, of}, err
}

// Challenge is what a browser answers with a passkey.
type Challenge struct {
	ID      string `json:"id"` // names it in the answer
	Options any    `json:"options"`
}

// begun remembers a challenge. It lives by our clock, not by the library's.
func (s *Service) begun(c ceremony, options any) (Challenge, error) {
	id, err := s.secret()
	if err != nil {
		return Challenge{}, err
	}
	c.challenge.Expires = time.Time{}
	s.ceremonies.put(id, c)
	return Challenge{ID: id, Options: options}, nil
}

// BeginPasskeySignIn returns the challenge for a passkey of anybody.
func (s *Service) BeginPasskeySignIn(context.Context) (Challenge, error) {
	party, err := s.party()
	if err != nil {
		return Challenge{}, err
	}
	options, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Challenge{}, err
	}
	return s.begun(ceremony{challenge: *session}, options.Response)
}

// PasskeySignIn signs in with the answer of a passkey, and returns the secret of the
// session. Only attempts from one address are limited, apart from those with a password:
// nobody guesses a signature, and guesses at a password must not keep out who has a passkey,
// also where all come from one address, such as through SSH. Errors: ErrWrong, *WaitError.
func (s *Service) PasskeySignIn(ctx context.Context, id string, answer []byte, from From) (string, error) {
	return s.passkeySignIn(ctx, id, answer, from, "", "")
}

// ProvePasskey is Prove with a passkey of the operator. Errors: ErrWrong, *WaitError.
func (s *Service) ProvePasskey(ctx context.Context, o operator.Operator, session, id string, answer []byte, from From) (string, error) {
	return s.passkeySignIn(ctx, id, answer, from, o.ID, session)
}

// passkeySignIn signs in with a passkey of the operator only, or of anybody for "".
func (s *Service) passkeySignIn(ctx context.Context, id string, answer []byte, from From, only, instead string) (string, error) {
	right, err := s.passkeys.begin(from.Address, s.Clock.Now())
	if err != nil {
		return "", err
	}
	c, ok := s.ceremonies.take(id)
	if !ok || c.operatorID != "" || c.enrol != "" {
		return "", ErrWrong
	}
	party, err := s.party()
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", ErrWrong
	}
	var p person
	user := func(_, handle []byte) (webauthn.User, error) {
		var err error
		p, err = s.person(ctx, string(handle))
		return p, err
	}
	_, credential, err := party.ValidatePasskeyLogin(user, c.challenge, parsed)
	if err != nil || credential.Authenticator.CloneWarning || only != "" && p.ID != only {
		if p.ID == "" {
			return "", ErrWrong
		}
		return "", s.refuse(ctx, p.ID)
	}
	for i, k := range p.of.Passkeys {
		var known webauthn.Credential
		if json.Unmarshal(k.Credential, &known) == nil && string(known.ID) == string(credential.ID) {
			if p.of.Passkeys[i].Credential, err = json.Marshal(credential); err != nil {
				return "", err
			}
			p.of.Passkeys[i].Used = s.Clock.Now()
		}
	}
	secret, err := s.enter(ctx, p.Account, p.of, operator.ByPasskey, from, instead)
	if errors.Is(err, store.ErrConflict) {
		err = ErrWrong // the account was changed at the same time
	}
	if err == nil {
		right()
	}
	return secret, err
}

// beginPasskey returns the challenge for a new passkey of an operator.
func (s *Service) beginPasskey(p person, enrol string) (Challenge, error) {
	party, err := s.party()
	if err != nil {
		return Challenge{}, err
	}
	options, session, err := party.BeginRegistration(p, webauthn.WithAuthenticatorSelection(selection),
		webauthn.WithExclusions(webauthn.Credentials(p.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return Challenge{}, err
	}
	return s.begun(ceremony{operatorID: p.ID, enrol: enrol, challenge: *session}, options.Response)
}

// made verifies the answer of a new passkey.
func (s *Service) made(p person, c ceremony, answer []byte, from From) (operator.Passkey, error) {
	party, err := s.party()
	if err != nil {
		return operator.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return operator.Passkey{}, ErrPasskey
	}
	credential, err := party.CreateCredential(p, c.challenge, parsed)
	if err != nil {
		return operator.Passkey{}, ErrPasskey
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return operator.Passkey{}, fmt.Errorf("operators: encode a passkey: %w", err)
	}
	return operator.Passkey{ID: s.IDs.New(), Name: operator.AgentName(from.Agent), Made: s.Clock.Now(), Credential: text}, nil
}

// ErrPasskey means that the browser's answer is no passkey that can be taken.
var ErrPasskey = errors.New("the passkey could not be made")
