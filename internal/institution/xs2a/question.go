package xs2a

import (
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

// The details of questions.
const (
	withBalance = "withBalance" // the list of accounts, with balances
	page        = "page"        // a further page: its address is called as it stands
)

// mapping grows whenever Read decodes an answer differently.
const mapping = 2

// Mapping implements institution.Collector.
func (b *Bank) Mapping() int { return mapping }

// Start implements institution.Collector. It asks for the accounts, and for the cards
// if the bank has a separate list of them.
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

// The keys of cards and of other accounts have different prefixes, because a bank may
// give a card and an account the same resourceId.
const (
	accountPrefix = "account/"
	cardPrefix    = "card/"
)

// keyOf returns the key of an account by its resourceId, or by a number if it has none.
func keyOf(card bool, id string) string {
	if card {
		return cardPrefix + id
	}
	return accountPrefix + id
}

// resource returns the path of the list that the account of a key is in, and its resourceId.
func (b *Bank) resource(key string) (list, id string) {
	if id, card := strings.CutPrefix(key, cardPrefix); card {
		return b.wire.paths.Cards, id
	}
	return b.wire.paths.Accounts, strings.TrimPrefix(key, accountPrefix)
}
