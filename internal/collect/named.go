package collect

import (
	"strings"

	"samla/internal/fact"
)

// named reports whether an account is one of the ids, by any of its numbers. No
// ids name every account.
func named(a fact.Account, ids []string) bool {
	if len(ids) == 0 {
		return true
	}
	for _, id := range ids {
		id = strings.ReplaceAll(id, " ", "")
		for _, own := range []string{a.ID, a.IBAN, a.BBAN, a.MaskedPAN} {
			if own != "" && strings.EqualFold(own, id) {
				return true
			}
		}
	}
	return false
}
