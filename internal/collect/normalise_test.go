package collect

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/product"
)

var (
	everything = consent.Scope{Balances: true, Transactions: true}
	demo       = company.Company{ID: "se-demo-psd2", DisplayName: "Demo bank (PSD2)"}
)

func one(t *testing.T, scope consent.Scope, a account) product.Psd2Account {
	t.Helper()
	products := normalise(demo, scope, []account{a}, func() string { return "id" })
	if len(products) != 1 {
		t.Fatalf("%d products", len(products))
	}
	return products[0]
}

func balance(kind institution.BalanceKind, value, currency string) institution.Balance {
	return institution.Balance{Kind: kind, Amount: money.Must(value, currency)}
}

func TestTypeFollowsTheBanksCode(t *testing.T) {
	for _, test := range []struct {
		a    institution.Account
		want product.Type
	}{
		{institution.Account{Type: "SVGS"}, product.Psd2SavingsAccount},
		{institution.Account{Type: "LLSV"}, product.Psd2SavingsAccount},
		{institution.Account{Type: "cacc"}, product.Psd2CheckingAccount},
		{institution.Account{Type: "CARD"}, product.Psd2CreditCard},
		{institution.Account{Type: "CACC", Card: true}, product.Psd2CreditCard},
		{institution.Account{Type: "LOAN"}, product.Psd2CheckingAccount},
		{institution.Account{Product: "Sparkonto Plus"}, product.Psd2SavingsAccount},
		{institution.Account{Name: "Buffertkonto"}, product.Psd2SavingsAccount},
		{institution.Account{DisplayName: "Sparpengar"}, product.Psd2CheckingAccount}, // the person's own words
		{institution.Account{Type: "CACC", Product: "Sparlönekonto"}, product.Psd2CheckingAccount},
	} {
		if got := typeOf(test.a); got != test.want {
			t.Errorf("%+v: %s, want %s", test.a, got, test.want)
		}
	}
}

func TestCardDebtIsNegativeHoweverTheBankCounts(t *testing.T) {
	limit := money.Must("10000", "SEK")
	card := institution.Account{Card: true, Currency: "SEK", DebitPositive: true, Credit: &limit,
		Balances: []institution.Balance{balance(institution.InterimBooked, "2500", "SEK")}}
	rows := []institution.Transaction{{ID: "1", Booked: true, Amount: money.Must("125.75", "SEK"), CreditorName: "Espresso House"}}
	p := one(t, everything, account{Account: card, transactions: rows, covered: true})
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

func TestBalancesAreChosenByKindAndCurrency(t *testing.T) {
	a := institution.Account{Currency: "SEK", Balances: []institution.Balance{
		balance(institution.ClosingBooked, "1", "SEK"), balance(institution.InterimBooked, "2", "EUR"), balance(institution.InterimBooked, "3", "SEK"),
		balance(institution.Expected, "4", "SEK"), balance(institution.InterimAvailable, "5", "SEK")}}
	booked, available := balancesOf(a, false)
	if booked.String() != "3 SEK" || available.String() != "5 SEK" {
		t.Errorf("booked %s, available %s", booked, available)
	}
	a.Balances = a.Balances[:1]
	if booked, available = balancesOf(a, false); booked.String() != "1 SEK" || available != nil {
		t.Errorf("booked %s, available %v: what is unknown is not zero", booked, available)
	}
}

func TestWhatTheConsentDoesNotCoverIsNotWritten(t *testing.T) {
	a := account{Account: institution.Account{ResourceID: "r", Balances: []institution.Balance{balance(institution.InterimBooked, "3", "SEK")}},
		transactions: []institution.Transaction{{ID: "1", Amount: money.Must("1", "SEK")}}, covered: true}
	if p := one(t, consent.Scope{Transactions: true}, a); p.BookedBalance != nil || p.Transactions == nil {
		t.Error("balances written without consent, or transactions left out with it")
	}
	if p := one(t, consent.Scope{Balances: true}, a); p.BookedBalance == nil || p.Transactions != nil {
		t.Error("transactions written without consent, or balances left out with it")
	}
	a.transactions = nil
	if p := one(t, everything, a); p.Transactions == nil || len(p.Transactions) != 0 {
		t.Error("no transactions must be an empty list")
	}
	a.covered = false
	if p := one(t, everything, a); p.Transactions != nil {
		t.Error("an account whose transactions the bank does not offer says it has none")
	}
}

func TestRowsAreWrittenOnce(t *testing.T) {
	day := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	row := func(id, entry string, booked bool) institution.Transaction {
		tx := institution.Transaction{ID: id, EntryReference: entry, Booked: booked, Amount: money.Must("-10.50", "SEK"), Text: "Kaffe"}
		if booked {
			tx.BookingDate = day
		}
		return tx
	}
	rows := transactionsOf("acc", account{transactions: []institution.Transaction{
		row("a", "", false), row("a", "", true), row("", "e1", true), row("", "e1", true),
		row("", "", true), row("", "", true), row("", "", false)}})
	if len(rows) != 5 {
		t.Fatalf("%d rows, want a, e1, two equal ones and a pending one", len(rows))
	}
	if rows[0].Status != product.Pending || rows[1].Status != product.Booked {
		t.Error("pending rows do not come first")
	}
	again := transactionsOf("acc", account{transactions: []institution.Transaction{row("", "", true), row("", "", true)}})
	if again[0].TransactionID == again[1].TransactionID {
		t.Error("two equal rows have one id")
	}
	for _, r := range again {
		if r.TransactionID != rows[3].TransactionID && r.TransactionID != rows[4].TransactionID {
			t.Error("the same row has another id in another collection")
		}
	}
}

func TestWantedTakesAnyNumberOfTheAccount(t *testing.T) {
	a := institution.Account{ResourceID: "r1", IBAN: "SE4550000000058398257466", BBAN: "50000000058398257466"}
	for id, want := range map[string]bool{"r1": true, "SE45 5000 0000 0583 9825 7466": true, "50000000058398257466": true, "r2": false, "": false} {
		if wanted(a, []string{id}) != want {
			t.Errorf("%q: want %v", id, want)
		}
	}
	if !wanted(a, nil) {
		t.Error("no filter must want everything")
	}
}

// Whatever a bank sends, no row is lost but repeats, every row belongs to its
// account and its sign agrees with its direction.
func TestEveryRowSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "rows")
		var given []institution.Transaction
		ids := map[string]bool{}
		anonymous := 0
		for range n {
			tx := institution.Transaction{Booked: rapid.Bool().Draw(t, "booked"),
				Amount: money.Must(strconv.Itoa(rapid.IntRange(-3, 3).Draw(t, "amount")), "SEK")}
			if id := rapid.IntRange(0, 9).Draw(t, "id"); id > 0 {
				tx.ID = strconv.Itoa(id)
				ids[tx.ID] = true
			} else {
				anonymous++
			}
			given = append(given, tx)
		}
		rows := transactionsOf("acc", account{transactions: given})
		if len(rows) != len(ids)+anonymous {
			t.Fatalf("%d rows of %d ids and %d without", len(rows), len(ids), anonymous)
		}
		for _, r := range rows {
			if r.AccountID != "acc" || r.TransactionID == "" || (r.Amount.Sign() < 0) != (r.Direction == product.Debit) {
				t.Fatalf("row %+v", r)
			}
		}
	})
}

func TestHistoryIsLongOnlyRightAfterSigning(t *testing.T) {
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	p := institution.Profile{}.WithDefaults()
	signed := func(ago time.Duration) consent.Consent {
		return consent.Consent{SCAExpiresAt: now.Add(consent.MaxSCAAge - ago)}
	}
	c := collection.Collection{CreatedAt: now, Attended: true}
	if got := historyFrom(c, signed(time.Minute), p, now); !got.Equal(time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("just signed: from %s", got)
	}
	if got := historyFrom(c, signed(24*time.Hour), p, now); !got.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("signed yesterday: from %s", got)
	}
	c.Attended = false
	if got := historyFrom(c, signed(time.Minute), p, now); !got.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("without the person: from %s", got)
	}
}
