package aspsp

import (
	"slices"

	"samla/internal/ident"
	"samla/internal/sandbox/persona"
)

// Reference identifies an account (accountReference of the standard).
type Reference struct {
	IBAN      string `json:"iban,omitempty"`
	BBAN      string `json:"bban,omitempty"`
	MaskedPAN string `json:"maskedPan,omitempty"`
	Currency  string `json:"currency,omitempty"`
}

func referenceTo(a persona.Account) Reference {
	r := Reference{IBAN: a.IBAN, MaskedPAN: a.MaskedPAN, Currency: a.Currency}
	if a.IBAN == "" && !a.Card {
		r.BBAN = a.BBAN
	}
	return r
}

func (r Reference) matches(a persona.Account) bool {
	if r.Currency != "" && r.Currency != a.Currency {
		return false
	}
	switch {
	case r.IBAN != "":
		return r.IBAN == a.IBAN
	case r.MaskedPAN != "":
		return r.MaskedPAN == a.MaskedPAN
	default:
		return r.BBAN == a.BBAN
	}
}

func (r Reference) wellFormed() bool {
	given := 0
	for _, s := range []string{r.IBAN, r.BBAN, r.MaskedPAN} {
		if s != "" {
			given++
		}
	}
	if given != 1 || (r.Currency != "" && !isUpper(r.Currency, 3)) || len(r.MaskedPAN) > 35 || len(r.BBAN) > 30 {
		return false
	}
	if r.IBAN != "" {
		i, err := ident.ParseIBAN(r.IBAN)
		return err == nil && i.Compact() == r.IBAN
	}
	return true
}

func isUpper(s string, n int) bool {
	return len(s) == n && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < 'A' || c > 'Z' })
}

// References is a list in which nil is an absent member and not an empty array.
type References = *[]Reference

// Access is accountAccess of the standard (docs/reference/banks.md 3.1).
type Access struct {
	Accounts     References             `json:"accounts,omitempty"`
	Balances     References             `json:"balances,omitempty"`
	Transactions References             `json:"transactions,omitempty"`
	Additional   *AdditionalInformation `json:"additionalInformation,omitempty"`
	Available    string                 `json:"availableAccounts,omitempty"`
	WithBalance  string                 `json:"availableAccountsWithBalance,omitempty"`
	AllPSD2      string                 `json:"allPsd2,omitempty"`
	RestrictedTo []string               `json:"restrictedTo,omitempty"`
}

// AdditionalInformation is the member additionalInformation of Access.
type AdditionalInformation struct {
	OwnerName            References `json:"ownerName,omitempty"`
	TrustedBeneficiaries References `json:"trustedBeneficiaries,omitempty"`
}

const allAccounts, withOwner = "allAccounts", "allAccountsWithOwnerName"

func (a Access) lists() []References { return []References{a.Accounts, a.Balances, a.Transactions} }

// validate returns what is wrong with a request for access, or "".
func (a Access) validate() string {
	lists, empty, filled := 0, 0, 0
	all := a.lists()
	if a.Additional != nil {
		all = append(all, a.Additional.OwnerName, a.Additional.TrustedBeneficiaries)
	}
	for i, l := range all {
		switch {
		case l == nil:
			continue
		case len(*l) == 0:
			empty++
		default:
			filled++
		}
		if i < 3 {
			lists++
		}
		if slices.ContainsFunc(*l, func(r Reference) bool { return !r.wellFormed() }) {
			return "access contains a malformed account reference"
		}
	}
	variants := min(lists, 1)
	for _, v := range []string{a.Available, a.WithBalance, a.AllPSD2} {
		if v == "" {
			continue
		}
		if v != allAccounts && v != withOwner {
			return "access contains an unknown value"
		}
		variants++
	}
	switch {
	case variants != 1:
		return "access must be exactly one of the variants"
	case a.Additional != nil && lists == 0:
		return "additionalInformation needs accounts, balances or transactions"
	case empty > 0 && filled > 0:
		return "if one array of access is empty, all must be"
	case len(a.RestrictedTo) > 0 && filled > 0:
		return "restrictedTo requires empty or absent arrays"
	}
	return ""
}

// bankOffered reports whether the PSU chooses the accounts at the bank.
func (a Access) bankOffered() bool {
	for _, l := range a.lists() {
		if l != nil && len(*l) > 0 {
			return false
		}
	}
	return a.Accounts != nil || a.Balances != nil || a.Transactions != nil
}

// list reports whether the access is to a list of accounts only.
func (a Access) list() bool { return a.Available != "" || a.WithBalance != "" }

// grant reduces the access to the accounts that the signer owns. For a bank-offered
// request it fills in all accounts. It reports false if the request lists accounts
// and the signer owns none of them.
func (a Access) grant(accounts []persona.Account) (Access, bool) {
	offered := a.bankOffered()
	listed, owned := 0, 0
	reduce := func(l References) References {
		if l == nil {
			return nil
		}
		out := []Reference{}
		if offered {
			for _, acc := range accounts {
				if a.typeAllowed(acc) {
					out = append(out, referenceTo(acc))
				}
			}
			return &out
		}
		for _, r := range *l {
			listed++
			if slices.ContainsFunc(accounts, r.matches) {
				owned++
				out = append(out, r)
			}
		}
		return &out
	}
	g := a
	g.Accounts, g.Balances, g.Transactions = reduce(a.Accounts), reduce(a.Balances), reduce(a.Transactions)
	if a.Additional != nil {
		g.Additional = &AdditionalInformation{OwnerName: reduce(a.Additional.OwnerName), TrustedBeneficiaries: reduce(a.Additional.TrustedBeneficiaries)}
	}
	return g, listed == 0 || owned > 0
}

// typeAllowed reports whether restrictedTo allows the account. An account without a
// type is always allowed.
func (a Access) typeAllowed(acc persona.Account) bool {
	return len(a.RestrictedTo) == 0 || acc.Type == "" || slices.Contains(a.RestrictedTo, acc.Type)
}

// Scope is what a TPP may read of one account with a consent.
type Scope struct{ Visible, Balances, Transactions, Owner bool }

// scope returns what a granted access allows for an account. Rights to balances or
// transactions include the account itself.
func (a Access) scope(acc persona.Account) Scope {
	has := func(l References) bool {
		return l != nil && slices.ContainsFunc(*l, func(r Reference) bool { return r.matches(acc) })
	}
	owner := a.AllPSD2 == withOwner || a.Available == withOwner || a.WithBalance == withOwner
	switch {
	case !a.typeAllowed(acc):
		return Scope{}
	case a.AllPSD2 != "":
		return Scope{true, true, true, owner}
	case a.WithBalance != "":
		return Scope{Visible: true, Balances: true, Owner: owner}
	case a.Available != "":
		return Scope{Visible: true, Owner: owner}
	}
	s := Scope{Balances: has(a.Balances), Transactions: has(a.Transactions)}
	s.Visible = has(a.Accounts) || s.Balances || s.Transactions
	s.Owner = s.Visible && a.Additional != nil && has(a.Additional.OwnerName)
	return s
}
