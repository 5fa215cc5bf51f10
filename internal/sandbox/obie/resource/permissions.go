package resource

import (
	"errors"
	"slices"
)

// The permissions that the bank uses (docs/reference/families.md 4.4).
const (
	AccountsBasic       = "ReadAccountsBasic"
	AccountsDetail      = "ReadAccountsDetail"
	Balances            = "ReadBalances"
	TransactionsBasic   = "ReadTransactionsBasic"
	TransactionsDetail  = "ReadTransactionsDetail"
	TransactionsCredits = "ReadTransactionsCredits"
	TransactionsDebits  = "ReadTransactionsDebits"
	PAN                 = "ReadPAN"
	AccountParty        = "ReadParty"
	OwnParty            = "ReadPartyPSU"
)

// permissions are all codes of the standard.
var permissions = []string{
	AccountsBasic, AccountsDetail, Balances, "ReadBeneficiariesBasic", "ReadBeneficiariesDetail", "ReadDirectDebits", "ReadOffers",
	PAN, AccountParty, OwnParty, "ReadProducts", "ReadScheduledPaymentsBasic", "ReadScheduledPaymentsDetail", "ReadStandingOrdersBasic",
	"ReadStandingOrdersDetail", "ReadStatementsBasic", "ReadStatementsDetail", TransactionsBasic, TransactionsCredits,
	TransactionsDebits, TransactionsDetail,
}

// CheckPermissions returns an error if a consent with these permissions must be refused.
// unsupported are codes of the standard that the bank does not offer. The error repeats
// nothing of the list.
func CheckPermissions(list, unsupported []string) error {
	has := func(codes ...string) bool {
		return slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(list, c) })
	}
	for _, code := range list {
		if !slices.Contains(permissions, code) || slices.Contains(unsupported, code) {
			return errors.New("a permission is not supported")
		}
	}
	switch {
	case len(list) == 0:
		return errors.New("the list of permissions is empty")
	case !has(AccountsBasic, AccountsDetail):
		return errors.New("ReadAccountsBasic or ReadAccountsDetail is required")
	case has(TransactionsBasic, TransactionsDetail) && !has(TransactionsCredits, TransactionsDebits):
		return errors.New("ReadTransactionsBasic and ReadTransactionsDetail need ReadTransactionsCredits or ReadTransactionsDebits")
	case has(TransactionsCredits, TransactionsDebits) && !has(TransactionsBasic, TransactionsDetail):
		return errors.New("ReadTransactionsCredits and ReadTransactionsDebits need ReadTransactionsBasic or ReadTransactionsDetail")
	}
	return nil
}
