package consent

import (
	"slices"
	"strings"
)

// Scope is the scope of a consent (Psd2AisConsentScope, docs/reference/api.md 4.1).
type Scope struct {
	AccountIDs   []string `json:"accountIds,omitempty"` // nil = every account at the bank
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
}

// Grant returns what a bank has granted of the scope s that was asked for: never more
// than s, whatever the bank answers. granted is nil if the bank does not say; then it is
// s. ok is false if accounts were asked for and the bank granted none of them.
//
// A bank may name an account in another way than it was asked for, so an account stays
// if one that the bank granted may be the same.
func (s Scope) Grant(granted *Scope) (agreed Scope, ok bool) {
	if granted == nil {
		return s, true
	}
	agreed = Scope{Balances: s.Balances && granted.Balances, Transactions: s.Transactions && granted.Transactions}
	switch {
	case len(granted.AccountIDs) == 0:
		agreed.AccountIDs = s.AccountIDs
	case len(s.AccountIDs) == 0:
		agreed.AccountIDs = granted.AccountIDs
	default:
		agreed.AccountIDs = common(s.AccountIDs, granted.AccountIDs)
		return agreed, len(agreed.AccountIDs) > 0
	}
	return agreed, true
}

// common returns the ids that are, or may be, one of the granted ones: those that equal
// one, and those that only ids of another kind are left for.
func common(asked, granted []string) (both []string) {
	left := slices.DeleteFunc(slices.Clone(granted), func(g string) bool {
		return slices.ContainsFunc(asked, func(a string) bool { return sameAccount(a, g) })
	})
	for _, a := range asked {
		if slices.ContainsFunc(granted, func(g string) bool { return sameAccount(a, g) }) ||
			slices.ContainsFunc(left, func(g string) bool { return kindOf(compact(a)) != kindOf(compact(g)) }) {
			both = append(both, a)
		}
	}
	return both
}

// The kinds of account ids.
const (
	kindIBAN   = "IBAN"
	kindMasked = "masked card number"
	kindNumber = "number"
	kindOther  = "another id"
)

func kindOf(id string) string {
	switch {
	case strings.Contains(id, "*"):
		return kindMasked
	case len(id) >= 15 && strings.Trim(id[:2], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && digits(id[2:4]):
		return kindIBAN
	case digits(id):
		return kindNumber
	}
	return kindOther
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compact returns an id in upper case without what is only for the eye, and with one
// character for a hidden digit.
func compact(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '•' || r == '·' || r == '●':
			return '*'
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '*' || r > 0x7f:
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, id)
}

// leastNumber is how many digits at the end of an IBAN, or of a number with its
// clearing number, tell an account apart.
const leastNumber = 7

// sameAccount reports whether two ids name the same account: they are equal but for how
// they are written, or one is the account number at the end of the other.
func sameAccount(a, b string) bool {
	a, b = compact(a), compact(b)
	if a == b {
		return a != ""
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	ka, kb := kindOf(a), kindOf(b)
	return kb == kindNumber && (ka == kindIBAN || ka == kindNumber) && len(b) >= leastNumber && strings.HasSuffix(a, b)
}
