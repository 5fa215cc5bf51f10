package e2e

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"testing"

	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"
)

// How many days back transactions are read, attended and unattended
// (docs/reference/banks.md 11.3, RTS art. 10a).
const (
	attendedDays   = 730
	unattendedDays = 89
)

// hasTypes checks the products' types; want is sorted.
func hasTypes(t *testing.T, products []account, want ...string) {
	t.Helper()
	got := []string{}
	for _, a := range products {
		got = append(got, a.Type)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("products of the types %v, want %v", got, want)
	}
}

// compareWithBank compares products with the sandbox's data of the person: every account
// that is not deleted, its balance, and the number and sum of its transactions of the last
// days. Of a loan it compares the debt.
func compareWithBank(t *testing.T, w *env, bank, number string, products []account, days int) {
	t.Helper()
	var b aspsp.Behaviour
	for _, candidate := range berlinBanks() {
		if candidate.Company == bank {
			b = candidate
		}
	}
	customers := persona.NewCustomers(b.BankID)
	person, _ := customers.Person(number)
	today := persona.DayAt(w.clock.Now())
	got := map[string]account{}
	for _, a := range products {
		got[cmp.Or(a.IBAN, a.AccountNumber, a.LoanID)+" "+a.Currency] = a
	}
	count := 0
	for _, have := range person.Accounts {
		if have.Status == "deleted" {
			continue
		}
		ledger := customers.Ledger(have, today)
		if have.Type == "LOAN" {
			count++
			loan := got[cmp.Or(have.BBAN, have.IBAN)+" "]
			if loan.Type != "MORTGAGE_LOAN" || loan.Transactions != nil || loan.AccountID != "" {
				t.Errorf("the loan %s is %+v", have.Name, loan)
			}
			compareBalance(t, have.Name, loan.LoanDetails.Balance, -ledger.SubAccounts[0].Booked, ledger.SubAccounts[0].Currency)
			continue
		}
		for _, sub := range ledger.SubAccounts {
			count++
			a, there := got[cmp.Or(have.IBAN, have.BBAN, have.MaskedPAN)+" "+sub.Currency]
			if !there {
				t.Errorf("the account %s in %s is missing", have.Name, sub.Currency)
				continue
			}
			if a.Company != bank || a.Person == nil || a.Person.PersonalNumber != number {
				t.Errorf("%s: company or person differs", have.Name)
			}
			compareBalance(t, have.Name, a.BookedBalance, sub.Booked, sub.Currency)
			if have.TransactionsStatus == 0 {
				compareTransactions(t, have.Name, a, ledger, sub.Currency, today-persona.Day(days), len(b.BookingStatuses) == 1)
			}
		}
	}
	if len(products) != count {
		t.Errorf("%d products of %d accounts", len(products), count)
	}
}

// compareTransactions compares the number and the sum of the transactions in a currency in
// each status.
func compareTransactions(t *testing.T, name string, a account, ledger *persona.Ledger, currency string, from persona.Day, bookedOnly bool) {
	t.Helper()
	type tally struct {
		rows int
		sum  int64
	}
	want := map[string]tally{}
	add := func(status string, rows []persona.Transaction) {
		for _, r := range rows {
			if r.Currency != currency || status == "BOOKED" && r.Day < from {
				continue
			}
			k := status + " " + r.Currency
			want[k] = tally{want[k].rows + 1, want[k].sum + r.Minor}
		}
	}
	add("BOOKED", ledger.Booked)
	if !bookedOnly {
		add("PENDING", ledger.Pending)
	}
	if a.Transactions == nil {
		t.Errorf("%s: no transactions", name)
		return
	}
	got, ids := map[string]tally{}, map[string]bool{}
	last := "9999"
	for _, r := range *a.Transactions {
		k := r.Status + " " + r.Amount.Currency
		got[k] = tally{got[k].rows + 1, got[k].sum + minorUnits(t, r.Amount)}
		if ids[r.TransactionID] || r.TransactionID == "" || r.AccountID != a.AccountID {
			t.Errorf("%s: the id of a transaction is missing or not unique", name)
		}
		ids[r.TransactionID] = true
		if r.Status == "BOOKED" {
			if r.BookingDate == "" || r.BookingDate > last {
				t.Errorf("%s: transactions are not sorted newest first", name)
			}
			last = r.BookingDate
		}
		if (r.Direction == "DEBIT") != strings.HasPrefix(string(r.Amount.Amount), "-") {
			t.Errorf("%s: direction %s of %s", name, r.Direction, r.Amount.Amount)
		}
	}
	for k := range want {
		if got[k] != want[k] {
			t.Errorf("%s: %s: %+v, want %+v", name, k, got[k], want[k])
		}
	}
	if len(got) > len(want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

func compareBalance(t *testing.T, name string, a *amount, want int64, currency string) {
	t.Helper()
	if a == nil || a.Currency != currency || minorUnits(t, *a) != want {
		t.Errorf("%s: balance %v, want %d %s", name, a, want, currency)
	}
}

// minorUnits returns an amount in hundredths. It fails the test if that is not exact.
func minorUnits(t *testing.T, a amount) int64 {
	t.Helper()
	r, ok := new(big.Rat).SetString(string(a.Amount))
	if !ok {
		t.Fatalf("%q is not an amount", a.Amount)
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() {
		t.Fatalf("%q has more than two decimals", a.Amount)
	}
	return r.Num().Int64()
}
