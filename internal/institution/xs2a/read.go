package xs2a

import "samla/internal/institution"

// Read implements institution.Collector.
func (b *Bank) Read(a institution.Answer) (institution.Reading, error) {
	switch a.Question.Kind {
	case askAccounts, askCards:
		return b.readAccounts(a)
	case askBalances:
		return b.readBalanceReport(a)
	case askTransactions:
		return b.readTransactionReport(a)
	}
	return institution.Reading{}, &institution.Error{Kind: institution.Refused}
}
