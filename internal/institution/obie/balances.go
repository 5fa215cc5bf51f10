package obie

import (
	"strings"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
	"samla/internal/money"
)

// amount is an amount of both versions. It has no sign: an indicator beside it says which
// way the money goes (docs/reference/families.md 4.5).
type amount struct {
	Amount   loose.Text `json:"Amount"`
	Currency loose.Text `json:"Currency"`
	SubType  loose.Text `json:"SubType"` // 4.0: LCUR is in another currency than the account's
}

// money returns the amount, without a currency if it has none of ISO 4217. It is not ok for
// a text that is no number, or one with a sign.
func (a *amount) money() (money.Amount, bool) {
	currency, known := a.Currency.Currency(), true
	if currency == "" {
		currency, known = "SEK", false // any: it is taken away again
	}
	text := strings.TrimSpace(string(a.Amount))
	m, err := money.ParseLenient(text, currency)
	if err != nil || m.Sign() < 0 || strings.ContainsAny(text, "+-") {
		return money.Amount{}, false
	}
	if !known {
		m, err = money.New(m.Value(), "")
	}
	return m, err == nil
}

// directions are the documented values of CreditDebitIndicator.
var directions = map[string]fact.Direction{"credit": fact.Credit, "debit": fact.Debit}

func directionOf(t loose.Text) (fact.Direction, bool) {
	d, ok := directions[strings.ToLower(t.Clean())]
	return d, ok
}

// signed returns an amount with the sign that an indicator says.
func signed(a *amount, indicator loose.Text) (money.Amount, bool) {
	m, ok := a.money()
	direction, said := directionOf(indicator)
	if direction == fact.Debit {
		m = m.Neg()
	}
	return m, ok && said
}

// balanceKinds are the types of both versions. Those without a kind of ours are kept as the
// standard names them.
var balanceKinds = map[string]fact.BalanceKind{
	"closingavailable": fact.ClosingAvailable, "closingbooked": fact.ClosingBooked, "closingcleared": "closingCleared", "expected": fact.Expected,
	"forwardavailable": fact.ForwardAvailable, "information": "information", "interimavailable": fact.InterimAvailable, "interimbooked": fact.InterimBooked,
	"interimcleared": "interimCleared", "openingavailable": fact.OpeningAvailable, "openingbooked": fact.OpeningBooked, "openingcleared": "openingCleared",
	"previouslyclosedbooked": fact.PreviouslyBooked,

	"clav": fact.ClosingAvailable, "clbd": fact.ClosingBooked, "fwav": fact.ForwardAvailable, "info": "information", "itav": fact.InterimAvailable,
	"itbd": fact.InterimBooked, "opav": fact.OpeningAvailable, "opbd": fact.OpeningBooked, "prcd": fact.PreviouslyBooked, "xpcd": fact.Expected,
}

// bookedKinds are the kinds of a balance that is right after a row.
var bookedKinds = map[fact.BalanceKind]bool{fact.ClosingBooked: true, fact.InterimBooked: true, fact.OpeningBooked: true, fact.PreviouslyBooked: true}

type balance struct {
	Account   loose.Text `json:"AccountId"`
	Indicator loose.Text `json:"CreditDebitIndicator"`
	Type      loose.Text `json:"Type"`
	At        loose.Text `json:"DateTime"`
	Amount    amount     `json:"Amount"`
	Lines     loose.List[struct {
		Included loose.Text `json:"Included"`
		Type     loose.Text `json:"Type"`
		Amount   *amount    `json:"Amount"`
	}] `json:"CreditLine"`
}

// readBalances decodes the balances of an account. It counts those without a readable
// amount, and those of another account.
func (b *Bank) readBalances(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Data struct {
			Balances loose.List[balance] `json:"Balance"`
		} `json:"Data"`
		Links links `json:"Links"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Data.Balances == nil {
		return institution.Reading{}, malformed("Data.Balance must be a list")
	}
	var r institution.Reading
	for i := range body.Data.Balances {
		in := &body.Data.Balances[i]
		if strings.EqualFold(in.Amount.SubType.Clean(), "LCUR") {
			continue // the same balance in another currency
		}
		m, ok := signed(&in.Amount, in.Indicator)
		if !ok || !isOf(in.Account, a.Question.Account) {
			r.Deviations.Add(deviation.UnreadableBalance, 1)
			continue
		}
		read := fact.Balance{Account: a.Question.Account, Kind: loose.Known(balanceKinds, in.Type, &r.Deviations), Amount: m, Signed: true,
			Limit: in.limit(), At: in.At.Time()}
		read.Credit = in.credit(read.Limit, m.Currency())
		if read.Kind == "" {
			read.Kind = fact.BalanceKind(in.Type.Clean())
		}
		read.Day, _ = in.At.Day()
		read.Ahead = read.Day.After(clock.SwedishDay(a.FetchedAt))
		r.Facts.Balances = append(r.Facts.Balances, read)
	}
	r.Questions = b.next(a.Question, body.Links, &r.Deviations)
	return r, nil
}

// limit returns whether the balance contains what the bank lends. One line that it contains
// is enough. A line that does not say it is not contained, by the text of the standard's file.
func (b *balance) limit() fact.LimitPart {
	part := fact.LimitUnsaid
	for _, line := range b.Lines {
		switch line.Included {
		case "true":
			return fact.LimitIncluded
		case "false", "":
			part = fact.LimitExcluded
		}
	}
	return part
}

// The types of a credit line that this package tells apart. Agreed and Credit are two names
// of one limit.
const (
	lineLeft      = "available" // how much of the others is left
	lineAgreed    = "pre-agreed"
	lineCredit    = "credit"
	lineEmergency = "emergency" // on top of what is agreed
)

// credit returns the limit that the balance contains, or that it does not. It is nil if a line
// has no amount in the currency of the balance, or if it is not said how several lines go
// together (OBExternalLimitType1Code): then it would say less or more than the bank lends.
func (b *balance) credit(part fact.LimitPart, currency string) *money.Amount {
	lines := map[string]money.Amount{}
	for _, line := range b.Lines {
		kind := strings.ToLower(line.Type.Clean())
		if kind == lineLeft || (line.Included == "true") != (part == fact.LimitIncluded) {
			continue
		}
		if line.Amount == nil {
			return nil
		}
		m, ok := line.Amount.money()
		if kind == lineCredit {
			kind = lineAgreed
		}
		if before, again := lines[kind]; !ok || m.Currency() != currency || again && !before.Equal(m) {
			return nil
		}
		lines[kind] = m
	}
	agreed, isAgreed := lines[lineAgreed]
	more, isMore := lines[lineEmergency]
	switch {
	case len(lines) == 1:
		for _, only := range lines {
			return &only
		}
	case len(lines) == 2 && isAgreed && isMore:
		if sum, err := agreed.Add(more); err == nil {
			return &sum
		}
	}
	return nil
}

// isOf reports whether a row is of an account. A row that does not say it is.
func isOf(said loose.Text, account string) bool {
	id := strings.TrimSpace(string(said))
	return id == "" || id == account
}
