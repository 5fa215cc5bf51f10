package consent

import "slices"

// Cause is the reason why a consent has ended. The audit log stores it.
type Cause string

// The closed set of causes.
const (
	CauseUser         Cause = "USER"               // the user revoked it (docs/reference/api.md 4.5)
	CauseUserErased   Cause = "USER_DELETED"       // the user was erased (docs/reference/api.md 3.4)
	CauseRenewed      Cause = "RENEWED"            // another consent, which renews it, was authorized (docs/reference/api.md 4.7)
	CauseOneTime      Cause = "ONE_TIME"           // its one-time collection has ended
	CauseBankRevoked  Cause = "BANK"               // the bank says that it was revoked, or does not know it
	CauseBankExpired  Cause = "BANK_EXPIRED"       // the bank says that it has expired
	CauseBankRejected Cause = "BANK_REJECTED"      // the bank rejected it, or refused to open it
	CauseBankRefused  Cause = "BANK_REFUSED"       // the bank refuses access under it, and does not call it valid
	CauseNewSignature Cause = "SIGNATURE_REQUIRED" // the bank demands a new signature, although it calls the consent valid
	CauseValidity     Cause = "VALIDITY"           // the validity that the bank granted, or the 180 days of a signature, are over
	CauseTime         Cause = "TIME"               // the time to authorize it is over, or the granted validity was already over
	CauseFailed       Cause = "FAILED"             // the authorization failed; the failure code says how
)

// Causes returns the closed set.
func Causes() []Cause {
	return []Cause{CauseUser, CauseUserErased, CauseRenewed, CauseOneTime, CauseBankRevoked, CauseBankExpired,
		CauseBankRejected, CauseBankRefused, CauseNewSignature, CauseValidity, CauseTime, CauseFailed}
}

// KnownToBank reports whether the bank knows that the consent has ended, so that it
// need not be revoked there. The bank knows the end of the validity too, because no
// consent is requested for longer than the 180 days of a signature.
func (c Cause) KnownToBank() bool {
	return c == CauseBankRevoked || c == CauseBankExpired || c == CauseBankRejected || c == CauseValidity
}

// EndCause returns the cause with which e ends c, or "" if e never ends a consent.
func (c Consent) EndCause(e Event) Cause {
	switch e := e.(type) {
	case FailedWith:
		if e.Cause == "" {
			return CauseFailed
		}
		return e.Cause
	case Revocation:
		return e.Cause
	case Expiry:
		return e.Cause
	case Replaced:
		if c.Status == Authorized {
			return CauseRenewed
		}
	case Ticked:
		if c.Status == Authorized {
			return CauseValidity
		}
		return CauseTime
	case Granted:
		if _, ok := c.Requested.Grant(e.Scope); !ok {
			return CauseFailed
		}
		return CauseTime
	}
	return ""
}

// legalCause reports whether the cause of e is one that e can have.
func (c Consent) legalCause(e Event) bool {
	var legal []Cause
	switch e.(type) {
	case FailedWith:
		legal = []Cause{CauseFailed, CauseTime, CauseBankRevoked, CauseBankExpired, CauseBankRejected}
	case Revocation:
		legal = []Cause{CauseUser, CauseUserErased, CauseOneTime, CauseBankRevoked, CauseBankRefused}
	case Expiry:
		legal = []Cause{CauseTime, CauseValidity, CauseBankExpired, CauseBankRefused, CauseNewSignature}
	default:
		return true
	}
	return slices.Contains(legal, c.EndCause(e))
}
