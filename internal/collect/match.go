package collect

import (
	"strings"

	"samla/internal/fact"
)

// matchesAny reports whether one of the ids is the id or a number of the account.
// Without ids every account matches.
func matchesAny(a fact.Account, ids []string) bool {
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
