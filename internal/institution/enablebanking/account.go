package enablebanking

import (
	"strings"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/institution/loose"
	"samla/internal/money"
)

// readSession decodes a session: it asks for the details of each account.
func readSession(a institution.Answer) (institution.Reading, error) {
	var s session
	if err := loose.Decode(a.Body, &s); err != nil {
		return institution.Reading{}, err
	}
	if s.Accounts == nil && s.UIDs == nil {
		return institution.Reading{}, malformed("accounts_data must be a list")
	}
	var r institution.Reading
	seen := map[string]bool{}
	ask := func(uid loose.Text) {
		id := strings.TrimSpace(string(uid))
		if !uuidRE.MatchString(id) {
			r.Deviations.Add(deviation.UnreadableAccount, 1)
			return
		}
		if !seen[id] {
			seen[id] = true
			r.Questions = append(r.Questions, institution.Question{Kind: askDetails, From: a.Question.From, Detail: manner{uid: id}.String()})
		}
	}
	for _, account := range s.Accounts {
		ask(account.UID)
	}
	for _, uid := range s.UIDs { // in case the other list lacks one
		if !seen[strings.TrimSpace(string(uid))] {
			ask(uid)
		}
	}
	return r, nil
}

// readBare decodes a session in place of the details of an account: only its hash is known.
func readBare(a institution.Answer, m manner) (institution.Reading, error) {
	var s session
	if err := loose.Decode(a.Body, &s); err != nil {
		return institution.Reading{}, err
	}
	for _, account := range s.Accounts {
		if strings.TrimSpace(string(account.UID)) == m.uid && account.Hash != "" {
			return reading(a, m, fact.Account{Key: string(account.Hash), ID: string(account.Hash)}), nil
		}
	}
	return institution.Reading{}, malformed("accounts_data lacks the account")
}

// account is an account of the gateway (docs/reference/families.md 11.1, Objects).
type account struct {
	ID       accountNumbers        `json:"account_id"`
	All      loose.List[genericID] `json:"all_account_ids"`
	Servicer struct {
		BIC loose.Text `json:"bic_fi"`
	} `json:"account_servicer"`
	Holder   loose.Text `json:"name"`
	Details  loose.Text `json:"details"`
	Type     loose.Text `json:"cash_account_type"`
	Product  loose.Text `json:"product"`
	Currency loose.Text `json:"currency"`
	Limit    *amount    `json:"credit_limit"`
	Hash     loose.Text `json:"identification_hash"`
}

type accountNumbers struct {
	IBAN  loose.Text `json:"iban"`
	Other genericID  `json:"other"`
}

type genericID struct {
	Identification loose.Text `json:"identification"`
	Scheme         loose.Text `json:"scheme_name"`
}

// number returns the number of an account, without spaces.
func (n accountNumbers) number() string {
	if iban := n.IBAN.Compact(); iban != "" {
		return strings.ToUpper(iban)
	}
	number := n.Other.Identification.Compact()
	if n.Other.scheme() == cardScheme {
		number = ident.HideCardNumber(number)
	}
	return number
}

const cardScheme = "CPAN"

func (n genericID) scheme() string { return strings.ToUpper(strings.TrimSpace(string(n.Scheme))) }

// set puts a number where its scheme says, unless there is one already. The number of a
// card is not kept whole.
func (n genericID) set(f *fact.Account) {
	number, to := n.Identification.Compact(), &f.Other
	switch n.scheme() {
	case "IBAN":
		if number = strings.ToUpper(number); ident.HasIBANForm(number) {
			to = &f.IBAN
		} else {
			to = &f.BBAN
		}
	case "BBAN":
		to = &f.BBAN
	case cardScheme:
		number, to = ident.HideCardNumber(number), &f.MaskedPAN
	case "MIBN":
		to = &f.MaskedPAN
	}
	if *to == "" {
		*to = number
	}
}

// readDetails decodes an account, and asks for its balances and transactions.
func readDetails(a institution.Answer, m manner) (institution.Reading, error) {
	var in account
	if err := loose.Decode(a.Body, &in); err != nil {
		return institution.Reading{}, err
	}
	hash := strings.TrimSpace(string(in.Hash))
	if hash == "" {
		return institution.Reading{}, malformed("identification_hash is missing")
	}
	f := fact.Account{
		Key: hash, ID: hash, BIC: in.Servicer.BIC.Compact(), DisplayName: in.Details.Clean(), Product: in.Product.Clean(),
		Type: strings.ToUpper(in.Type.Clean()), OwnerName: in.Holder.Clean(), Currency: strings.ToUpper(in.Currency.Clean()),
	}
	f.Card = f.Type == "CARD"
	if f.Type == "OTHR" {
		f.Type = "" // says nothing
	}
	if !money.IsCurrency(f.Currency) || f.Currency == fact.SeveralCurrencies {
		f.Currency = "" // the code says "none" on the wire, and several here
	}
	genericID{in.ID.IBAN, "IBAN"}.set(&f)
	in.ID.Other.set(&f)
	for _, id := range in.All {
		id.set(&f)
	}
	if in.Limit != nil {
		if limit, ok := in.Limit.money(); ok {
			f.Credit = &limit
		}
	}
	return reading(a, m, f), nil
}

// reading returns the account with the questions about it.
func reading(a institution.Answer, m manner, f fact.Account) institution.Reading {
	q := institution.Question{Kind: askTransactions, Account: f.Key, Needs: institution.NeedsTransactions, From: a.Question.From}
	q.Detail = manner{uid: m.uid, alone: m.alone, longest: q.From != "" && q.From < institution.DaysBefore(a.FetchedAt, institution.CertainHistory)}.String()
	return institution.Reading{Facts: fact.Facts{Accounts: []fact.Account{f}}, Questions: []institution.Question{
		{Kind: askBalances, Account: f.Key, Needs: institution.NeedsBalances, Detail: manner{uid: m.uid, alone: m.alone}.String()}, q,
	}}
}

// amount is an amount of the gateway.
type amount struct {
	Currency loose.Text `json:"currency"`
	Amount   loose.Text `json:"amount"`
}

// money returns the amount, without a currency if it has none of ISO 4217.
func (a *amount) money() (money.Amount, bool) {
	currency := strings.ToUpper(strings.TrimSpace(string(a.Currency)))
	known := money.IsCurrency(currency) && currency != fact.SeveralCurrencies
	if !known {
		currency = "SEK" // any: it is taken away again
	}
	m, err := money.ParseLenient(string(a.Amount), currency)
	if err != nil {
		return money.Amount{}, false
	}
	if !known {
		m, err = money.New(m.Value(), "")
	}
	return m, err == nil
}

// balanceKinds are the kinds of balance by the gateway's code. Others are kept as they are.
var balanceKinds = map[string]fact.BalanceKind{
	"CLBD": fact.ClosingBooked, "ITBD": fact.InterimBooked, "OPBD": fact.OpeningBooked, "PRCD": fact.PreviouslyBooked, "XPCD": fact.Expected,
	"ITAV": fact.InterimAvailable, "FWAV": fact.ForwardAvailable, "CLAV": fact.ClosingAvailable, "OPAV": fact.OpeningAvailable,
}

// readBalances decodes the balances of an account.
func readBalances(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Balances loose.List[struct {
			Amount    amount     `json:"balance_amount"`
			Type      loose.Text `json:"balance_type"`
			ChangedAt loose.Text `json:"last_change_date_time"`
			Day       loose.Text `json:"reference_date"`
		}] `json:"balances"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Balances == nil {
		return institution.Reading{}, malformed("balances must be a list")
	}
	var r institution.Reading
	today := clock.SwedishDay(a.FetchedAt)
	for _, in := range body.Balances {
		m, ok := in.Amount.money()
		if !ok {
			r.Deviations.Add(deviation.UnreadableBalance, 1)
			continue
		}
		code := strings.ToUpper(in.Type.Clean())
		b := fact.Balance{Account: a.Question.Account, Kind: balanceKinds[code], Amount: m, At: in.ChangedAt.Time()}
		if b.Kind == "" {
			b.Kind = fact.BalanceKind(code)
		}
		b.Day, _ = in.Day.Day()
		b.Ahead = b.Day.After(today)
		r.Facts.Balances = append(r.Facts.Balances, b)
	}
	return r, nil
}
