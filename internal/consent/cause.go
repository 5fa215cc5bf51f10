package consent

import "slices"

// Cause says why a consent has ended. The audit log stores it.
type Cause string

// The closed set of causes.
const (
	CauseUser         Cause = "USER"               // the user revoked it (docs/reference/api.md 4.5)
	CauseUserErased   Cause = "USER_DELETED"       // the user was erased (docs/reference/api.md 3.4)
	CauseOneTime      Cause = "ONE_TIME"           // the one-time collection around it has ended
	CauseBankRevoked  Cause = "BANK"               // the bank says that it was revoked, or does not know it
	CauseBankExpired  Cause = "BANK_EXPIRED"       // the bank says that it has expired
	CauseBankRejected Cause = "BANK_REJECTED"      // the bank says that it was rejected
	CauseNewSignature Cause = "SIGNATURE_REQUIRED" // the bank demands a new signature, although it calls the consent valid
	CauseTime         Cause = "TIME"               // its validity, or the time to authorize it, is over
	CauseFailed       Cause = "FAILED"             // the authorization failed; the failure code says how
)

// Causes lists the closed set.
func Causes() []Cause {
	return []Cause{CauseUser, CauseUserErased, CauseOneTime, CauseBankRevoked, CauseBankExpired, CauseBankRejected,
		CauseNewSignature, CauseTime, CauseFailed}
}

// SaidByBank reports whether the bank itself said that the consent is over, so
// that it need not be told.
func (c Cause) SaidByBank() bool {
	return c == CauseBankRevoked || c == CauseBankExpired || c == CauseBankRejected
}

// CauseOf returns the cause with which e ends a consent; empty for an event
// that never ends one.
func CauseOf(e Event) Cause {
	switch e := e.(type) {
	case FailedWith:
		if e.Cause == "" {
			return CauseFailed
		}
		return e.Cause
	case Withdrawn:
		return e.Cause
	case Expiry:
		return e.Cause
	case Granted, Ticked:
		return CauseTime
	}
	return ""
}

// legalCause reports whether e carries a cause that it can have.
func legalCause(e Event) bool {
	var legal []Cause
	switch e.(type) {
	case FailedWith:
		legal = []Cause{CauseFailed, CauseTime, CauseBankRevoked, CauseBankExpired, CauseBankRejected}
	case Withdrawn:
		legal = []Cause{CauseUser, CauseUserErased, CauseOneTime, CauseBankRevoked}
	case Expiry:
		legal = []Cause{CauseTime, CauseBankExpired, CauseNewSignature}
	default:
		return true
	}
	return slices.Contains(legal, CauseOf(e))
}
