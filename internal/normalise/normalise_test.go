package normalise

import (
	"testing"

	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/listing"
	"samla/internal/money"
	"samla/internal/product"
	"samla/internal/psu"
)

var (
	everything = consent.Scope{Balances: true, Transactions: true}
	demo       = company.Company{ID: "se-demo-psd2", DisplayName: "Demo bank (PSD2)"}
)

func request(scope consent.Scope, f fact.Facts) Request {
	return Request{Company: demo, Scope: scope, NewID: func() string { return "id" },
		Accounts: listing.Search{Owner: "user/1", Company: demo}.Find(f.Accounts).Accounts}
}

// one normalises the facts of one account, which name it by the empty key.
func one(t *testing.T, scope consent.Scope, f fact.Facts) *product.Psd2Account {
	t.Helper()
	products, _ := Products(request(scope, f), f)
	if len(products) != 1 {
		t.Fatalf("%d products", len(products))
	}
	return products[0].(*product.Psd2Account)
}

func facts(a fact.Account, balances []fact.Balance, rows []fact.Transaction) fact.Facts {
	f := fact.Facts{Accounts: []fact.Account{a}, Balances: balances}
	if rows != nil {
		f.Histories = []fact.History{{Transactions: rows}}
	}
	return f
}

func balance(kind fact.BalanceKind, value, currency string) fact.Balance {
	return fact.Balance{Kind: kind, Amount: money.Must(value, currency)}
}

func TestProducts_CardDebtIsNegativeHoweverTheBankCounts(t *testing.T) {
	limit := money.Must("10000", "SEK")
	card := fact.Account{Card: true, Currency: "SEK", DebitPositive: true, Credit: &limit}
	balances := []fact.Balance{balance(fact.InterimBooked, "2500", "SEK")}
	rows := []fact.Transaction{{ID: "1", Booked: true, Amount: money.Must("125.75", "SEK"), CreditorName: "Espresso House"}}
	p := one(t, everything, facts(card, balances, rows))
	if got := p.BookedBalance.String(); got != "-2500 SEK" {
		t.Errorf("booked %s", got)
	}
	if got := p.AvailableBalance.String(); got != "7500 SEK" {
		t.Errorf("available %s", got)
	}
	row := p.Transactions[0]
	if row.Direction != product.Debit || row.Amount.Sign() >= 0 || row.CounterpartyName != "Espresso House" {
		t.Errorf("row %v %s %s", row.Direction, row.Amount, row.CounterpartyName)
	}
}

func TestProducts_BalancesAreChosenByKindAndCurrency(t *testing.T) {
	a := fact.Account{Currency: "SEK"}
	balances := []fact.Balance{
		balance(fact.ClosingBooked, "1", "SEK"), balance(fact.InterimBooked, "2", "EUR"), balance(fact.InterimBooked, "3", "SEK"),
		balance(fact.Expected, "4", "SEK"), balance(fact.InterimAvailable, "5", "SEK")}
	p := one(t, everything, facts(a, balances, nil))
	if p.BookedBalance.String() != "3 SEK" || p.AvailableBalance.String() != "5 SEK" {
		t.Errorf("booked %s, available %s", p.BookedBalance, p.AvailableBalance)
	}
	p = one(t, everything, facts(a, balances[:1], nil))
	if p.BookedBalance.String() != "1 SEK" || p.AvailableBalance != nil {
		t.Errorf("booked %s, available %v: what is unknown is not zero", p.BookedBalance, p.AvailableBalance)
	}
}

func TestProducts_LeaveOutWhatTheConsentDoesNotCover(t *testing.T) {
	a := fact.Account{ID: "r"}
	balances := []fact.Balance{balance(fact.InterimBooked, "3", "SEK")}
	rows := []fact.Transaction{{ID: "1", Amount: money.Must("1", "SEK")}}
	if p := one(t, consent.Scope{Transactions: true}, facts(a, balances, rows)); p.BookedBalance != nil || p.Transactions == nil {
		t.Error("balances written without consent, or transactions left out with it")
	}
	if p := one(t, consent.Scope{Balances: true}, facts(a, balances, rows)); p.BookedBalance == nil || p.Transactions != nil {
		t.Error("transactions written without consent, or balances left out with it")
	}
	if p := one(t, everything, facts(a, balances, []fact.Transaction{})); p.Transactions == nil || len(p.Transactions) != 0 {
		t.Error("no transactions must be an empty list")
	}
	if p := one(t, everything, facts(a, balances, nil)); p.Transactions != nil {
		t.Error("an account whose transactions the bank does not offer says it has none")
	}
}

// Facts come from several answers and belong to several accounts.
func TestProducts_PutFactsToTheirAccounts(t *testing.T) {
	row := func(id string) []fact.Transaction {
		return []fact.Transaction{{ID: id, Booked: true, Amount: money.Must("1", "SEK")}}
	}
	f := fact.Facts{
		Accounts: []fact.Account{{Key: "a", ID: "1", IBAN: ownIBAN}, {Key: "b", ID: "2", Card: true}},
		Balances: []fact.Balance{{Account: "b", Kind: fact.InterimBooked, Amount: money.Must("7", "SEK")}},
		Histories: []fact.History{{Account: "b", Transactions: row("b1")}, {Account: "a", Transactions: row("a1")},
			{Account: "b", DebitPositive: true, Transactions: row("b2")}, {Account: "nobody's", Transactions: row("n")}},
	}
	products, _ := Products(request(everything, f), f)
	a, b := products[0].(*product.Psd2Account), products[1].(*product.Psd2Account)
	if len(products) != 2 || a.IBAN != ownIBAN || len(a.Transactions) != 1 || a.BookedBalance != nil || a.Transactions[0].Direction != product.Credit {
		t.Errorf("account %q has %d rows", a.AccountID, len(a.Transactions))
	}
	// What one answer says of the sign holds for the whole account.
	if len(b.Transactions) != 2 || b.BookedBalance.String() != "-7 SEK" || b.Transactions[0].Direction != product.Debit {
		t.Errorf("card %q has %d rows, booked %s", b.AccountID, len(b.Transactions), b.BookedBalance)
	}
	for _, p := range []*product.Psd2Account{a, b} {
		if !listing.IsID(p.AccountID) || p.Transactions[0].AccountID != p.AccountID {
			t.Errorf("account id %q, of a row %q", p.AccountID, p.Transactions[0].AccountID)
		}
	}
}

func TestProducts_NameThePersonWhoIsKnown(t *testing.T) {
	for number, want := range map[psu.Number]*product.PersonalInformation{"191212121212": {PersonalNumber: "191212121212"}, "": nil} {
		for _, a := range []fact.Account{{Card: true}, {Type: "SVGS"}, {Type: "CACC"}} {
			f := fact.Facts{Accounts: []fact.Account{a}}
			r := request(everything, f)
			r.PersonalNumber = number
			products, _ := Products(r, f)
			if got := products[0].(*product.Psd2Account).PersonalInformation; (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%+v: another person than given", a)
			}
		}
	}
}
