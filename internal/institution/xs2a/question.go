package xs2a

import (
	"cmp"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
)

// The kinds of question.
const (
	askAccounts     = "accounts"
	askCards        = "cards"
	askBalances     = "balances"
	askTransactions = "transactions"
)

// withBalance is the Detail of a list of accounts that is asked for with balances.
const withBalance = "withBalance"

// mapping grows whenever Read understands an answer in another way.
const mapping = 1

// Mapping implements institution.Collector.
func (b *Bank) Mapping() int { return mapping }

// Start implements institution.Collector: the accounts, and the cards where the
// bank lists them apart.
func (b *Bank) Start(scope consent.Scope, from string) []institution.Question {
	accounts := institution.Question{Kind: askAccounts, Essential: true, From: from}
	if b.wire.withBalance && scope.Balances {
		accounts.Detail = withBalance
	}
	questions := []institution.Question{accounts}
	if b.wire.cards != "" {
		questions = append(questions, institution.Question{Kind: askCards, From: from})
	}
	return questions
}

// cardKey begins the key of a card, and accountKey that of any other account: a
// bank may give a card and an account the same resourceId.
const (
	accountKey = "account/"
	cardKey    = "card/"
)

func keyOf(card bool, a account) string {
	prefix := accountKey
	if card {
		prefix = cardKey
	}
	return prefix + cmp.Or(string(a.ResourceID), compact(a.IBAN), compact(a.BBAN), compact(a.MaskedPAN))
}

// resource splits a key into the bank's list and the resourceId in it.
func (b *Bank) resource(key string) (list, id string) {
	if id, card := strings.CutPrefix(key, cardKey); card {
		return b.wire.cards, id
	}
	return "accounts", strings.TrimPrefix(key, accountKey)
}
