package xs2a

import (
	"slices"
	"strings"

	"samla/internal/consent"
	"samla/internal/ident"
)

// access is the requested scope of a consent: global, bank-offered (empty arrays) or
// detailed (docs/reference/banks.md 3.1). A nil array is not requested.
type access struct {
	AllPsd2      string       `json:"allPsd2,omitempty"`
	Available    string       `json:"availableAccounts,omitempty"` // the list of accounts only
	Accounts     *[]reference `json:"accounts,omitempty"`
	Balances     *[]reference `json:"balances,omitempty"`
	Transactions *[]reference `json:"transactions,omitempty"`
}

// reference identifies one account.
type reference struct {
	IBAN      text   `json:"iban,omitempty"`
	BBAN      text   `json:"bban,omitempty"`
	PAN       text   `json:"pan,omitempty"`
	MaskedPAN text   `json:"maskedPan,omitempty"`
	MSISDN    text   `json:"msisdn,omitempty"`
	Other     *other `json:"other,omitempty"`
}

type other struct {
	Identification text `json:"identification"`
}

func requestedAccess(s consent.Scope, w wire) access {
	if len(s.AccountIDs) == 0 && s.Balances && s.Transactions && !w.bankOffered {
		return access{AllPsd2: w.allPsd2}
	}
	references := make([]reference, 0, len(s.AccountIDs))
	for _, id := range s.AccountIDs {
		references = append(references, referenceTo(id))
	}
	a := access{Accounts: &references}
	if s.Balances {
		a.Balances = &references
	}
	if s.Transactions {
		a.Transactions = &references
	}
	return a
}

// referenceTo returns the reference to an account by the format of its id: a valid
// IBAN, a masked card number, a domestic account number, or something else.
func referenceTo(id string) reference {
	id = strings.TrimSpace(id)
	if iban, err := ident.ParseIBAN(id); err == nil {
		return reference{IBAN: text(iban.Compact())}
	}
	compact := strings.NewReplacer(" ", "", "-", "").Replace(id)
	switch {
	case strings.ContainsAny(compact, "*•") && len(compact) <= 35:
		return reference{MaskedPAN: text(compact)}
	case compact != "" && len(compact) <= 30 && !strings.ContainsFunc(compact, notAlphanumeric):
		return reference{BBAN: text(compact)}
	}
	return reference{Other: &other{text(id)}}
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func (r reference) id() string {
	for _, s := range []text{r.IBAN, r.BBAN, r.MaskedPAN, r.PAN, r.MSISDN} {
		if s != "" {
			return string(s)
		}
	}
	if r.Other != nil {
		return string(r.Other.Identification)
	}
	return ""
}

// grantedAccess is the scope of a consent as the bank reports it.
type grantedAccess struct {
	AllPsd2           text         `json:"allPsd2"`
	Available         text         `json:"availableAccounts"`
	AvailableBalances text         `json:"availableAccountsWithBalance"`
	Accounts          *[]reference `json:"accounts"`
	Balances          *[]reference `json:"balances"`
	Transactions      *[]reference `json:"transactions"`
}

// scope returns the scope that was granted; nil if the bank does not say. If the
// arrays are all empty, the access is bank-offered and the person has not chosen
// accounts yet: each array that is present then covers its kind of data.
func (g *grantedAccess) scope() *consent.Scope {
	switch {
	case g == nil:
		return nil
	case g.AllPsd2 != "":
		return &consent.Scope{Balances: true, Transactions: true}
	case g.Accounts == nil && g.Balances == nil && g.Transactions == nil:
		if g.Available == "" && g.AvailableBalances == "" {
			return nil
		}
		return &consent.Scope{Balances: g.AvailableBalances != ""}
	}
	filled := lengthOf(g.Accounts)+lengthOf(g.Balances)+lengthOf(g.Transactions) > 0
	s := &consent.Scope{
		Balances:     g.Balances != nil && (!filled || lengthOf(g.Balances) > 0),
		Transactions: g.Transactions != nil && (!filled || lengthOf(g.Transactions) > 0),
	}
	for _, list := range []*[]reference{g.Accounts, g.Balances, g.Transactions} {
		if list == nil {
			continue
		}
		for _, r := range *list {
			if id := r.id(); id != "" && !slices.Contains(s.AccountIDs, id) {
				s.AccountIDs = append(s.AccountIDs, id)
			}
		}
	}
	return s
}

func lengthOf(list *[]reference) int {
	if list == nil {
		return 0
	}
	return len(*list)
}
