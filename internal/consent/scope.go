package consent

import (
	"slices"
	"strings"

	"samla/internal/ident"
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
		return slices.ContainsFunc(asked, func(a string) bool { return ident.SameAccount(a, g) })
	})
	for _, a := range asked {
		if slices.ContainsFunc(granted, func(g string) bool { return ident.SameAccount(a, g) }) ||
			slices.ContainsFunc(left, func(g string) bool { return kindOf(a) != kindOf(g) }) {
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
	id = ident.CompactAccount(id)
	switch {
	case strings.Contains(id, "*"):
		return kindMasked
	case ident.HasIBANForm(id):
		return kindIBAN
	case id != "" && strings.Trim(id, "0123456789") == "":
		return kindNumber
	}
	return kindOther
}
