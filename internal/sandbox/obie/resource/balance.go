package resource

import (
	"time"

	"samla/internal/sandbox/persona"
)

type balanceData struct {
	AccountID  string       `json:"AccountId"`
	Indicator  string       `json:"CreditDebitIndicator"`
	Type       string       `json:"Type"`
	DateTime   string       `json:"DateTime"`
	Amount     amount       `json:"Amount"`
	CreditLine []creditLine `json:"CreditLine,omitempty"`
}

type creditLine struct {
	Included bool   `json:"Included"`
	Type     string `json:"Type"`
	Amount   amount `json:"Amount"`
}

// Balances renders the balances of an account: the booked one of now and of yesterday's
// end, the expected one, and the available one, which includes the credit line.
func (v Version) Balances(a Account, l *persona.Ledger, now time.Time) []any {
	var out []any
	for _, s := range l.SubAccounts {
		if s.Currency != a.Currency {
			continue
		}
		add := func(minor int64, kind word, at time.Time, lines ...creditLine) {
			sum, indicator := signed(minor, s.Currency)
			out = append(out, balanceData{a.ID, indicator, v.of(kind), DateTime(at), sum, lines})
		}
		midnight := persona.DayAt(now).Time()
		var lines []creditLine
		if a.CreditLimit > 0 {
			lines = []creditLine{{true, "Pre-Agreed", amount{persona.Amount(a.CreditLimit), s.Currency}}}
			if a.Card {
				lines[0].Type = "Credit"
			}
		}
		add(s.Booked, interimBooked, now)
		add(s.Yesterday, closingBooked, midnight)
		add(s.Expected, expected, now)
		add(s.Expected+a.CreditLimit, interimAvailable, now, lines...)
	}
	return out
}
