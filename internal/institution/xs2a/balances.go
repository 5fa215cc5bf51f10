package xs2a

import (
	"samla/internal/fact"
	"samla/internal/institution"
)

// balance is one balance of an account.
type balance struct {
	Amount        amount `json:"balanceAmount"`
	Type          text   `json:"balanceType"`
	LimitIncluded text   `json:"creditLimitIncluded"`
	ChangedAt     text   `json:"lastChangeDateTime"`
	Reference     text   `json:"referenceDate"`
}

// readBalanceReport decodes the balances of one account, and asks for the next page.
func (b *Bank) readBalanceReport(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Balances []balance `json:"balances"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Balances == nil {
		return institution.Reading{}, malformed("", errMissing)
	}
	read := institution.Reading{Facts: fact.Facts{Balances: readBalances(a.Question.Account, body.Balances)}}
	read.Questions = b.nextPages(a.Question, &read.Deviations, body.next()...)
	return read, nil
}

// readBalances ignores balances without an amount.
func readBalances(key string, list []balance) []fact.Balance {
	var balances []fact.Balance
	for _, entry := range list {
		m, ok := entry.Amount.money()
		if !ok {
			continue
		}
		read := fact.Balance{
			Account: key, Kind: fact.BalanceKind(entry.Type.oneLine()), Amount: m, LimitIncluded: entry.LimitIncluded.isTrue(),
			At: entry.ChangedAt.dateTime(),
		}
		if read.At.IsZero() {
			read.At = entry.Reference.date()
		}
		balances = append(balances, read)
	}
	return balances
}
