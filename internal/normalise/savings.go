package normalise

import (
	"slices"
	"strings"

	"samla/internal/product"
)

// savingsTypes are the ISO 20022 types of savings accounts
// (docs/reference/banks.md 5).
var savingsTypes = []string{"SVGS", "LLSV", "MOMA", "ONDP"}

// savingsWords occur in the Swedish and English product names of savings
// accounts. Only the institution's own names are searched: a person can give an
// account any name.
var savingsWords = []string{"spar", "saving", "buffert"}

// isSavings reports whether the type is one of savings accounts or, without a type,
// the name of the product contains a word for savings.
func (a account) isSavings() bool {
	if a.Type != "" {
		return slices.Contains(savingsTypes, strings.ToUpper(a.Type))
	}
	names := strings.ToLower(a.Product + " " + a.Name)
	return slices.ContainsFunc(savingsWords, func(word string) bool { return strings.Contains(names, word) })
}

func (a account) savings() *product.Psd2Account { return a.psd2(product.Psd2SavingsAccount) }
