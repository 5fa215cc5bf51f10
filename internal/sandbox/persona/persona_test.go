package persona_test

import (
	"slices"
	"strings"
	"testing"

	"samla/internal/ident"
	"samla/internal/sandbox/persona"

	"pgregory.net/rapid"
)

var today = persona.DayOf(2026, 4, 1)

func TestAll_HasValidAndDistinctNumbers(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range persona.All() {
		if seen[p.Number] {
			t.Errorf("%s is there twice", p.Name())
		}
		seen[p.Number] = true
		if !luhn(p.Number[2:]) || !persona.Valid(p.Number) {
			t.Errorf("%s: check digit fails", p.Name())
		}
		if p.Description == "" || p.Name() == " " {
			t.Errorf("%s: no name or description", p.Name())
		}
	}
	if len(seen) < 8 || !seen[persona.Default] {
		t.Errorf("%d persons", len(seen))
	}
	for _, bad := range []string{"201509160006", "197004289895", "196408833224", "", "abc"} {
		if persona.Valid(bad) {
			t.Errorf("%q is valid", bad)
		}
	}
}

// luhn is a second implementation of the check digit, independent of package ident.
func luhn(s string) bool {
	sum := 0
	for i, c := range s {
		n := int(c - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func TestCustomers_HaveWellFormedAccounts(t *testing.T) {
	ids := map[string]string{}
	for _, bank := range []string{"500", "800"} {
		customers := persona.NewCustomers(bank)
		for _, r := range persona.All() {
			p, ok := customers.Person(r.Number)
			if !ok {
				t.Fatal(r.Name())
			}
			for _, a := range p.Accounts {
				if a.IBAN != "" {
					if _, err := ident.ParseIBAN(a.IBAN); err != nil || !strings.HasPrefix(a.IBAN[4:], bank) {
						t.Errorf("%s %s: IBAN: %v", p.Name(), a.Name, err)
					}
				}
				if (a.IBAN == "" && a.BBAN == "" && a.MaskedPAN == "") || a.Card != (a.MaskedPAN != "") {
					t.Errorf("%s %s: identification", p.Name(), a.Name)
				}
				if other, ok := ids[a.ID]; ok && len(a.Owners) < 2 {
					t.Errorf("%s and %s share an id", other, p.Name())
				}
				ids[a.ID] = p.Name()
			}
		}
	}
}

func TestLedger_BalancesAreSumOfTransactions(t *testing.T) {
	customers := persona.NewCustomers("500")
	for _, r := range persona.All() {
		p, _ := customers.Person(r.Number)
		for _, a := range p.Accounts {
			l := customers.Ledger(a, today)
			if got, of := a.Currencies(), func(s persona.SubAccount, currency string) bool { return s.Currency == currency }; !slices.EqualFunc(l.SubAccounts, got, of) {
				t.Errorf("%s %s: currencies %v, the ledger has %+v", p.Name(), a.Name, got, l.SubAccounts)
			}
			for _, sub := range l.SubAccounts {
				customersed, yesterday, expected := sub.Opening, sub.Opening, int64(0)
				for _, row := range l.Booked {
					if row.Currency != sub.Currency {
						continue
					}
					customersed += row.Minor
					if row.Day < today {
						yesterday += row.Minor
					}
					if row.BalanceAfter != customersed {
						t.Fatalf("%s %s: balance after %s", p.Name(), a.Name, row.Day)
					}
				}
				for _, row := range l.Pending {
					if row.Currency == sub.Currency {
						expected += row.Minor
					}
				}
				if customersed != sub.Booked || yesterday != sub.Yesterday || customersed+expected != sub.Expected {
					t.Errorf("%s %s: %+v, sums are %d and %d", p.Name(), a.Name, sub, customersed, yesterday)
				}
			}
		}
	}
}

// A transaction keeps its key, amount and balance from one day to the next.
func TestLedger_KeepsTransactionsFromDayToDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := persona.All()
		r := people[rapid.IntRange(0, len(people)-1).Draw(t, "person")]
		day := persona.DayOf(2026, 1, 1) + persona.Day(rapid.IntRange(0, 400).Draw(t, "day"))
		first, second := persona.NewCustomers("500"), persona.NewCustomers("500")
		p, _ := first.Person(r.Number)
		for _, a := range p.Accounts {
			before := map[string]persona.Transaction{}
			for _, row := range first.Ledger(a, day).Booked {
				before[row.Key+row.Currency] = row
			}
			for _, row := range second.Ledger(a, day+1).Booked {
				old, ok := before[row.Key+row.Currency]
				if !ok && row.Day <= day {
					t.Fatalf("%s: a transaction of %s appeared later", a.Name, row.Day)
				}
				if ok && (old.Minor != row.Minor || old.BalanceAfter != row.BalanceAfter || old.Day != row.Day) {
					t.Fatalf("%s: %+v became %+v", a.Name, old, row)
				}
			}
		}
	})
}

func TestCustomers_MatchTheirDescriptions(t *testing.T) {
	customers := persona.NewCustomers("500")
	count := func(number string, account int) int {
		p, _ := customers.Person(number)
		return len(customers.Ledger(p.Accounts[account], today).Booked)
	}
	if n := count(persona.Default, 0); n < 500 {
		t.Errorf("everyday: %d rows", n)
	}
	if n := count("196603233724", 0); n < 10_000 {
		t.Errorf("long history: %d rows", n)
	}
	if n := count("198611239883", 0); n < 5 || n > 20 {
		t.Errorf("small account: %d rows", n)
	}
	if n := count("194408139089", 0); n != 0 {
		t.Errorf("no transactions: %d rows", n)
	}
	ester, _ := customers.Person("190905271474")
	sten, _ := customers.Person("195704289999")
	if ester.Accounts[0].ID != sten.Accounts[0].ID || len(sten.Accounts[0].Owners) != 2 {
		t.Error("the joint account is not the same for both")
	}
	unlisted, ok := customers.Person("199001012384")
	if ok && len(unlisted.Accounts) != 1 {
		t.Errorf("an unlisted customer has %d accounts, want 1", len(unlisted.Accounts))
	}
	if _, ok := customers.Person("199001010000"); ok {
		t.Error("a number with a wrong check digit is a customer")
	}
}

func TestLedger_HasTransactionsOfAllShapes(t *testing.T) {
	customers := persona.NewCustomers("500")
	p, _ := customers.Person(persona.Default)
	var noID, noRef, neither, array, exchange, pending int
	for _, a := range p.Accounts {
		l := customers.Ledger(a, today)
		pending += len(l.Pending)
		for _, r := range l.Booked {
			switch {
			case r.ID == "" && r.EntryReference == "":
				neither++
			case r.ID == "":
				noID++
			case r.EntryReference == "":
				noRef++
			}
			if len(r.Text) > 1 {
				array++
			}
			if r.Exchange != nil {
				exchange++
				if (r.Exchange.Minor < 0) != (r.Minor < 0) {
					t.Error("the exchange amount has another sign than the transaction")
				}
			}
		}
	}
	if noID == 0 || neither == 0 || array == 0 || exchange == 0 || pending == 0 {
		t.Errorf("noID %d neither %d array %d exchange %d pending %d", noID, neither, array, exchange, pending)
	}
}

func TestAmount_HasTwoDecimals(t *testing.T) {
	for minor, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 123456: "1234.56", -100: "-1.00"} {
		if got := persona.Amount(minor); got != want {
			t.Errorf("%d: %q, want %q", minor, got, want)
		}
	}
}

func BenchmarkLedger_SmallAccount(b *testing.B) {
	customers := persona.NewCustomers("500")
	b.ReportAllocs()
	for b.Loop() {
		p, _ := customers.Person("198611239883")
		customers.Ledger(p.Accounts[0], today)
	}
}
