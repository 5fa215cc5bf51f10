package xs2a

import (
	"time"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/plaintext"
)

// balance is one balance of an account.
type balance struct {
	Amount        rowAmount `json:"balanceAmount"`
	OldAmount     rowAmount `json:"amount"`
	Type          words     `json:"balanceType"`
	LimitIncluded text      `json:"creditLimitIncluded"`
	ChangedAt     text      `json:"lastChangeDateTime"`
	Reference     text      `json:"referenceDate"`
	direction
}

// signedAmount returns the amount, and reports whether words say its sign.
func (b *balance) signedAmount() (m money.Amount, signed, ok bool) {
	for _, a := range []*rowAmount{&b.Amount, &b.OldAmount} {
		if m, ok = a.money(); !ok {
			continue
		}
		said, _ := b.direction.read()
		if said == fact.Unsaid {
			said, _ = a.direction.read()
		}
		switch said {
		case fact.Debit:
			return m.Abs().Neg(), true, true
		case fact.Credit:
			return m.Abs(), true, true
		}
		return m, false, true
	}
	return money.Amount{}, false, false
}

// readBalanceReport decodes the balances of one account, and asks for the next page.
func (b *Bank) readBalanceReport(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Balances        list[balance] `json:"balances"`
		DebitAccounting text          `json:"debitAccounting"`
		Card            struct {
			DebitAccounting text `json:"debitAccounting"`
		} `json:"cardAccount"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Balances == nil {
		return institution.Reading{}, malformed("", errMissing)
	}
	var read institution.Reading
	read.Facts.Balances = readBalances(a.Question.Account, body.Balances, a.FetchedAt, &read.Deviations)
	for i := range read.Facts.Balances {
		read.Facts.Balances[i].DebitPositive = body.DebitAccounting.isTrue() || body.Card.DebitAccounting.isTrue()
	}
	read.Questions = b.nextPages(a.Question, &read.Deviations, nextOf(body.paging)...)
	return read, nil
}

// readBalances counts balances without an amount that can be read. The bank gave them at
// the time at.
func readBalances(key string, list []balance, at time.Time, d *deviation.Counts) []fact.Balance {
	var balances []fact.Balance
	today := clock.SwedishDay(at)
	for i := range list {
		entry := &list[i]
		m, signed, ok := entry.signedAmount()
		if !ok {
			if entry.Type != "" || entry.Amount.Amount != "" {
				d.Add(deviation.UnreadableBalance, 1)
			}
			continue
		}
		read := fact.Balance{Account: key, Kind: balanceKind(entry.Type), Amount: m, Signed: signed, At: entry.ChangedAt.moment()}
		read.Day, _ = firstDay(entry.Reference, entry.ChangedAt)
		read.Ahead = read.Day.After(today)
		switch {
		case entry.LimitIncluded.isTrue():
			read.Limit = fact.LimitIncluded
		case entry.LimitIncluded != "":
			read.Limit = fact.LimitExcluded
		}
		balances = append(balances, read)
	}
	return balances
}

// balanceKinds are the kinds of balance by the Berlin Group's word, the code of ISO 20022
// (ExternalBalanceType1Code), and other words that banks use, folded.
var balanceKinds = map[string]fact.BalanceKind{
	"closingbooked": fact.ClosingBooked, "clbd": fact.ClosingBooked, "closing": fact.ClosingBooked, "closingbalance": fact.ClosingBooked,
	"interimbooked": fact.InterimBooked, "itbd": fact.InterimBooked, "booked": fact.InterimBooked, "bookedbalance": fact.InterimBooked,
	"current": fact.InterimBooked, "currentbalance": fact.InterimBooked, "ledger": fact.InterimBooked, "ledgerbalance": fact.InterimBooked,
	"accountbalance": fact.InterimBooked, "interimcleared": fact.InterimBooked, "itcl": fact.InterimBooked,
	"openingbooked": fact.OpeningBooked, "opbd": fact.OpeningBooked, "opening": fact.OpeningBooked, "openingbalance": fact.OpeningBooked,
	"previouslyclosedbooked": fact.PreviouslyBooked, "prcd": fact.PreviouslyBooked,
	"expected": fact.Expected, "xpcd": fact.Expected, "expectedbalance": fact.Expected,
	"interimavailable": fact.InterimAvailable, "itav": fact.InterimAvailable, "available": fact.InterimAvailable,
	"availablebalance": fact.InterimAvailable, "availableamount": fact.InterimAvailable, "disposable": fact.InterimAvailable,
	"disponibelt": fact.InterimAvailable, "disponibeltbelopp": fact.InterimAvailable,
	"authorised": fact.Authorised, "authorized": fact.Authorised, "authorisedbalance": fact.Authorised, "authorizedbalance": fact.Authorised,
	"forwardavailable": fact.ForwardAvailable, "fwav": fact.ForwardAvailable,
	"closingavailable": fact.ClosingAvailable, "clav": fact.ClosingAvailable,
	"openingavailable": fact.OpeningAvailable, "opav": fact.OpeningAvailable,
	"noninvoiced": fact.NonInvoiced, "notinvoiced": fact.NonInvoiced,
}

// balanceKind returns the kind that a bank means, or its own word if it is not known.
func balanceKind(said words) fact.BalanceKind {
	if kind, known := balanceKinds[plaintext.Fold(string(said))]; known {
		return kind
	}
	return fact.BalanceKind(said)
}
