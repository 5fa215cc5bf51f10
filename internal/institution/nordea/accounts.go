package nordea

import (
	"cmp"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// account has the members of AccountDetails (docs/reference/families.md 3.6). Which of them
// are there depends on the scopes of the token.
type account struct {
	ID      loose.Text `json:"_id"`
	Numbers loose.List[struct {
		Type  loose.Text `json:"_type"`
		Value loose.Text `json:"value"`
	}] `json:"account_numbers"`
	Currency  loose.Text `json:"currency"`
	Name      loose.Text `json:"account_name"` // the holder, in Nordea's answers
	Nickname  loose.Text `json:"nickname"`
	Type      loose.Text `json:"account_type"`
	Product   loose.Text `json:"product"`
	Status    loose.Text `json:"status"`
	Available amount     `json:"available_balance"`
	Booked    amount     `json:"booked_balance"`
	Limit     amount     `json:"credit_limit"`
	Bank      struct {
		BIC loose.Text `json:"bic"`
	} `json:"bank"`
}

// The documented values. A type that is not among them is kept as the bank writes it.
var (
	accountTypes    = map[string]bool{"current": true, "savings": true}
	accountStatuses = map[string]fact.AccountStatus{"open": fact.StatusOpen, "closed": fact.StatusClosed}
)

// readAccounts decodes the list of accounts, which has their balances, and returns
// questions for their transactions. It counts entries without any id of an account.
func (b *Bank) readAccounts(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Header   header `json:"group_header"`
		Response struct {
			Accounts loose.List[account] `json:"accounts"`
		} `json:"response"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Response.Accounts == nil {
		return institution.Reading{}, malformed(errMissing)
	}
	var r institution.Reading
	asked := mannerOf(a.Question.Detail)
	for i := range body.Response.Accounts {
		entry := &body.Response.Accounts[i]
		read, ok := entry.read(&r.Deviations)
		if !ok {
			r.Deviations.Add(deviation.UnreadableAccount, 1)
			continue
		}
		r.Facts.Accounts = append(r.Facts.Accounts, read)
		if asked.balances {
			r.Facts.Balances = append(r.Facts.Balances, balances(read.Key, entry.Currency, entry.Booked, entry.Available, a.FetchedAt, &r.Deviations)...)
		}
		if asked.rows && read.ID != "" { // without its id it cannot be asked about
			r.Questions = append(r.Questions, institution.Windows(transactionsOf(read.Key, a.Question.From), b.config.Profile.WindowDays, a.FetchedAt)...)
		}
	}
	r.Questions = append(r.Questions, nextPage(a.Question, body.Header.Pagination.Key, &r.Deviations)...)
	return r, nil
}

func transactionsOf(key, from string) institution.Question {
	return institution.Question{Kind: askTransactions, Account: key, Needs: institution.NeedsTransactions, From: from}
}

// read returns the entry as a fact. It is not ok without any id of an account.
func (a *account) read(d *deviation.Counts) (fact.Account, bool) {
	read := fact.Account{
		ID: a.ID.Clean(), BIC: a.Bank.BIC.Compact(), Currency: a.Currency.Currency(), DisplayName: a.Nickname.Clean(),
		Product: a.Product.Clean(), OwnerName: a.Name.Clean(), Type: a.Type.Clean(), Status: loose.Known(accountStatuses, a.Status, d),
	}
	loose.Known(accountTypes, a.Type, d)
	for _, n := range a.Numbers {
		number := n.Value.Compact()
		switch kind := strings.ToUpper(n.Type.Clean()); {
		case kind == "IBAN" && read.IBAN == "":
			read.IBAN = strings.ToUpper(number)
		case strings.HasPrefix(kind, "BBAN") && read.BBAN == "":
			read.BBAN = number
		case kind != "IBAN" && !strings.HasPrefix(kind, "BBAN"):
			d.Add(deviation.UnknownValue, 1)
			read.Other = cmp.Or(read.Other, number)
		}
	}
	id := cmp.Or(read.ID, read.IBAN, read.BBAN, read.Other)
	if id == "" {
		return fact.Account{}, false
	}
	read.Key = accountPrefix + id
	if limit, ok := a.Limit.money(a.Currency); ok {
		read.Credit = &limit
	}
	return read, true
}

// balances returns the balances that are there. The available one has what the bank lends.
// A number that cannot be read is counted.
func balances(key string, currency loose.Text, booked, available amount, at time.Time, d *deviation.Counts) (all []fact.Balance) {
	for _, b := range []struct {
		said amount
		kind fact.BalanceKind
	}{{booked, fact.InterimBooked}, {available, fact.InterimAvailable}} {
		m, ok := b.said.money(currency)
		switch {
		case ok:
			all = append(all, fact.Balance{Account: key, Kind: b.kind, Amount: m, At: at})
		case b.said.there:
			d.Add(deviation.UnreadableBalance, 1)
		}
	}
	return all
}
