package xs2a

import (
	"strings"

	"samla/internal/fact"
)

// word is what a member says in words about the sign of an amount.
type word int8

const (
	unset word = iota
	debitWord
	creditWord
	otherWord
)

var signWords = map[string]word{
	"DBIT": debitWord, "DEBIT": debitWord, "DEBITED": debitWord, "DEBET": debitWord, "D": debitWord, "DR": debitWord,
	"OUT": debitWord, "OUTGOING": debitWord, "OUTBOUND": debitWord, "WITHDRAWAL": debitWord, "UTTAG": debitWord, "UT": debitWord,
	"CRDT": creditWord, "CREDIT": creditWord, "CREDITED": creditWord, "KREDIT": creditWord, "C": creditWord, "CR": creditWord,
	"IN": creditWord, "INCOMING": creditWord, "INBOUND": creditWord, "DEPOSIT": creditWord, "INSÄTTNING": creditWord,
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (w *word) UnmarshalJSON(data []byte) error {
	*w = unset
	var said words
	if _ = said.UnmarshalJSON(data); said != "" {
		if *w = signWords[strings.ToUpper(string(said))]; *w == unset {
			*w = otherWord
		}
	}
	return nil
}

// typeWord is a word in a member that mostly says something else: only the words that
// have no other meaning count.
type typeWord word

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (w *typeWord) UnmarshalJSON(data []byte) error {
	*w = typeWord(unset)
	var said words
	_ = said.UnmarshalJSON(data)
	switch strings.ToUpper(string(said)) {
	case "DBIT", "DEBIT":
		*w = typeWord(debitWord)
	case "CRDT", "CREDIT":
		*w = typeWord(creditWord)
	}
	return nil
}

// direction has the members with words about the sign of an amount.
type direction struct {
	CreditDebitIndicator word     `json:"creditDebitIndicator"`
	DebitCreditIndicator word     `json:"debitCreditIndicator"`
	CreditDebitCode      word     `json:"creditDebitCode"`
	CreditDebit          word     `json:"creditDebit"`
	DebitCredit          word     `json:"debitCredit"`
	Direction            word     `json:"direction"`
	TransactionType      typeWord `json:"transactionType"`
	Type                 typeWord `json:"type"`
}

// read returns the direction. It is not ok if there is a word only that is not known.
func (d direction) read() (said fact.Direction, ok bool) {
	ok = true
	for _, w := range []word{d.CreditDebitIndicator, d.DebitCreditIndicator, d.CreditDebitCode, d.CreditDebit, d.DebitCredit,
		d.Direction, word(d.TransactionType), word(d.Type)} {
		switch w {
		case debitWord:
			return fact.Debit, true
		case creditWord:
			return fact.Credit, true
		case otherWord:
			ok = false
		}
	}
	return fact.Unsaid, ok
}
