package aspsp

import (
	"net/http"

	"samla/internal/sandbox/faults"
)

// language is what the answers to reads of accounts and cards consist of
// (berlin-group-psd2-1.3.12.json). The kinds of calls are the paths of reads, with * for ids,
// such as "accounts/*/transactions".
var language = &faults.Language{
	Deviations: []faults.Deviation{
		faults.UnknownMembers, faults.UnknownValues, faults.ManyDecimals, faults.MissingMembers, faults.NullMembers, faults.NumberAmounts, faults.WrongType,
		faults.CutBody, faults.Lost, faults.Slow, faults.Unavailable, faults.ErrorPage, faults.Maintenance, faults.TooMany,
	},
	HasKind: func(kind string) bool { return routes[kind]["GET"] != nil },
	Required: []string{
		"accounts", "cardAccounts", "account", "cardAccount", "resourceId", "iban", "maskedPan", "currency", "balances", "balanceAmount", "balanceType", "amount",
		"transactions", "cardTransactions", "booked", "pending", "transactionAmount", "_links", "next", "href", "transactionsList",
		"bookingDate", "valueDate", "transactionDate", // nothing says when without one of them
	},
	Unknown: map[string]string{"cashAccountType": "XNEW", "status": "paused", "usage": "SHAR", "balanceType": "xNew"},
	Amount:  "amount", Added: "xNewMember",
}

// Deviations returns the deviations that the banks have.
func Deviations() []faults.Deviation { return faults.New(language).Deviations() }

// writeRead writes the answer to a read. The bank has acted in any case: a read counts, also
// one with a fault in place of its answer.
func (b *Bank) writeRead(w http.ResponseWriter, r *http.Request, path string, status int, body []byte) {
	if f := b.Before(path, true); f.Deviation != "" {
		f.Refuse(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	b.After(path, true).Write(w, r, b.Clock, status, body)
}
