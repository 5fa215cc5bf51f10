package openid

import "samla/internal/institution"

// Fault says why a signed token of a bank is not accepted. The set is closed. No token
// request may follow a fault.
type Fault string

// The faults.
const (
	NotAToken      Fault = "not a JWT of one signature in compact form"
	WrongAlgorithm Fault = "the algorithm is not allowed"
	UnknownKey     Fault = "no key of the bank has this id"
	WrongSignature Fault = "the signature is not of the bank"
	WrongIssuer    Fault = "iss"
	WrongAudience  Fault = "aud"
	WrongParty     Fault = "azp"
	Expired        Fault = "exp"
	NotYet         Fault = "iat or nbf"
	WrongNonce     Fault = "nonce"
	WrongCode      Fault = "c_hash"
	WrongState     Fault = "s_hash"
	WrongAccess    Fault = "at_hash"
	WrongIntent    Fault = "openbanking_intent_id"
	WrongSubject   Fault = "sub"
	WrongACR       Fault = "acr"
)

// Error implements error.
func (f Fault) Error() string { return "openid: " + string(f) }

// refuse returns the *institution.Error of a fault; errors.Is finds the fault. The person
// has to start again. It is not the kind of an answer that cannot be read, because an
// exchange is repeated after that.
func refuse(token string, f Fault) error {
	return &institution.Error{Kind: institution.SCARequired, Detail: token + ": " + string(f), Cause: f}
}
