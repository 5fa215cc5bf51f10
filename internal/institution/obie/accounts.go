package obie

import (
	"cmp"
	"strings"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/institution/loose"
)

// account has the members of OBAccount6 of both versions (docs/reference/families.md 4.5,
// 4.8).
type account struct {
	ID          loose.Text          `json:"AccountId"`
	Status      loose.Text          `json:"Status"`
	Currency    loose.Text          `json:"Currency"`
	SubType     loose.Text          `json:"AccountSubType"`  // 3.1.11
	TypeCode    loose.Text          `json:"AccountTypeCode"` // 4.0
	Description loose.Text          `json:"Description"`
	Nickname    loose.Text          `json:"Nickname"`
	Numbers     loose.List[cashAcc] `json:"Account"`
	Servicer    struct {
		Scheme         loose.Text `json:"SchemeName"`
		Identification loose.Text `json:"Identification"`
	} `json:"Servicer"`
}

// cashAcc is a number of an account.
type cashAcc struct {
	Scheme         loose.Text `json:"SchemeName"`
	Identification loose.Text `json:"Identification"`
	Name           loose.Text `json:"Name"`
}

// The documented values.
var (
	accountStatuses = map[string]fact.AccountStatus{
		"enabled": fact.StatusOpen, "disabled": fact.StatusOpen, "deleted": fact.StatusClosed, "pending": fact.StatusUnsaid, "proforma": fact.StatusUnsaid,
	}
	// accountTypes are the types of both versions, in ISO 20022's codes. A card that is
	// charged in advance is money that the person has.
	accountTypes = func() map[string]string {
		types := map[string]string{
			"chargecard": "CARD", "creditcard": "CARD", "currentaccount": "CACC", "emoney": "CACC", "loan": "LOAN", "mortgage": "MORT",
			"prepaidcard": "CACC", "savings": "SVGS", "wallet": "CACC", "char": "CARD", "walt": "CACC",
		}
		for _, c := range []string{"CACC", "CARD", "CASH", "CISH", "COMM", "CPAC", "LLSV", "LOAN", "MGLD", "MOMA", "NREX", "ODFT", "ONDP", "OTHR",
			"SACC", "SLRY", "SVGS", "TAXE", "TRAN", "TRAS", "VACC", "NFCA", "MORT"} {
			types[strings.ToLower(c)] = c
		}
		types["othr"] = "" // says nothing
		return types
	}()
)

const cardType = "CARD"

// readAccounts decodes the list of accounts, and returns questions for what the consent
// covers of them. It counts entries without an id.
func (b *Bank) readAccounts(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Data struct {
			Accounts loose.List[account] `json:"Account"`
		} `json:"Data"`
		Links links `json:"Links"`
	}
	if err := loose.Decode(a.Body, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Data.Accounts == nil {
		return institution.Reading{}, malformed("Data.Account must be a list")
	}
	var r institution.Reading
	asked := mannerOf(a.Question.Detail)
	for i := range body.Data.Accounts {
		entry := &body.Data.Accounts[i]
		read, ok := entry.read(&r.Deviations)
		if !ok {
			r.Deviations.Add(deviation.UnreadableAccount, 1)
			continue
		}
		r.Facts.Accounts = append(r.Facts.Accounts, read)
		if asked.balances {
			r.Questions = append(r.Questions, institution.Question{Kind: askBalances, Account: read.Key, Needs: institution.NeedsBalances})
		}
		if asked.rows {
			q := institution.Question{Kind: askTransactions, Account: read.Key, Needs: institution.NeedsTransactions, From: a.Question.From}
			r.Questions = append(r.Questions, institution.Windows(q, b.config.Profile.WindowDays, a.FetchedAt)...)
		}
	}
	r.Questions = append(r.Questions, b.next(a.Question, body.Links, &r.Deviations)...)
	return r, nil
}

// read returns the entry as a fact. It is not ok without an id that a path can have.
func (a *account) read(d *deviation.Counts) (fact.Account, bool) {
	id := strings.TrimSpace(string(a.ID))
	if id == "" || id == "." || id == ".." || len(id) > maxAccountID || id != a.ID.Clean() {
		return fact.Account{}, false
	}
	read := fact.Account{
		Key: id, ID: id, Currency: a.Currency.Currency(), DisplayName: a.Nickname.Clean(), Product: a.Description.Clean(),
		Type: loose.Known(accountTypes, cmp.Or(a.TypeCode, a.SubType), d), Status: loose.Known(accountStatuses, a.Status, d),
	}
	if scheme(a.Servicer.Scheme) == "bicfi" {
		read.BIC = a.Servicer.Identification.Compact()
	}
	read.Card = read.Type == cardType
	for _, n := range a.Numbers {
		n.set(&read)
		read.OwnerName = cmp.Or(read.OwnerName, n.Name.Clean())
	}
	return read, true
}

const maxAccountID = 128 // characters; the standard has 40

// scheme returns the name of a scheme without the prefix of the one who has defined it, in
// lower case: banks outside of the UK have their own.
func scheme(t loose.Text) string {
	s := strings.ToLower(t.Clean())
	return s[strings.LastIndexByte(s, '.')+1:]
}

// set puts a number where its scheme says, unless there is one already. The number of a
// card is not kept whole.
func (n cashAcc) set(f *fact.Account) {
	number, to := n.Identification.Compact(), &f.Other
	switch scheme(n.Scheme) {
	case "iban":
		if number = strings.ToUpper(number); ident.HasIBANForm(number) {
			to = &f.IBAN
		} else {
			to = &f.BBAN
		}
	case "bban", "sortcodeaccountnumber":
		to = &f.BBAN
	case "pan":
		number, to = ident.HideCardNumber(number), &f.MaskedPAN
	case "paym":
		to = &f.MSISDN
	}
	if *to == "" {
		*to = number
	}
}

// number returns the number of a counterparty's account.
func (n cashAcc) number() string {
	number := n.Identification.Compact()
	if scheme(n.Scheme) == "pan" {
		return ident.HideCardNumber(number)
	}
	return number
}
