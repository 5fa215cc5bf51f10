package persona_test

import (
	"strings"
	"testing"

	"samla/internal/ident"
	"samla/internal/sandbox/persona"

	"pgregory.net/rapid"
)

var today = persona.DayOf(2026, 4, 1)

func TestRosterNumbersHold(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range persona.Roster() {
		if seen[p.Number] {
			t.Errorf("%s stands twice", p.Name())
		}
		seen[p.Number] = true
		if !luhn(p.Number[2:]) || !persona.Valid(p.Number) {
			t.Errorf("%s: check digit fails", p.Name())
		}
		if p.Shows == "" || p.Name() == " " {
			t.Errorf("%s: undocumented", p.Name())
		}
	}
	if len(seen) < 8 || !seen[persona.Default] {
		t.Errorf("%d persons", len(seen))
	}
	for _, bad := range []string{"201509160006", "197004289895", "196408833224", "", "abc"} {
		if persona.Valid(bad) {
			t.Errorf("a number that is none passed")
		}
	}
}

// luhn is checked here on its own, beside package ident.
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

func TestAccountsAreWellFormed(t *testing.T) {
	ids := map[string]string{}
	for _, bank := range []string{"500", "800"} {
		book := persona.NewBook(bank)
		for _, r := range persona.Roster() {
			p, ok := book.Person(r.Number)
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

func TestBalancesAreTheSumOfTheRows(t *testing.T) {
	book := persona.NewBook("500")
	for _, r := range persona.Roster() {
		p, _ := book.Person(r.Number)
		for _, a := range p.Accounts {
			l := book.Ledger(a, today)
			for _, pocket := range l.Pockets {
				booked, yesterday, expected := pocket.Opening, pocket.Opening, int64(0)
				for _, row := range l.Booked {
					if row.Currency != pocket.Currency {
						continue
					}
					booked += row.Minor
					if row.Day < today {
						yesterday += row.Minor
					}
					if row.After != booked {
						t.Fatalf("%s %s: balance after %s", p.Name(), a.Name, row.Day)
					}
				}
				for _, row := range l.Pending {
					if row.Currency == pocket.Currency {
						expected += row.Minor
					}
				}
				if booked != pocket.Booked || yesterday != pocket.Yesterday || booked+expected != pocket.Expected {
					t.Errorf("%s %s: %+v, rows say %d %d", p.Name(), a.Name, pocket, booked, yesterday)
				}
			}
		}
	}
}

// A row keeps its key, amount and balance from one day to the next.
func TestRowsDoNotChangeFromDayToDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := persona.Roster()
		r := people[rapid.IntRange(0, len(people)-1).Draw(t, "person")]
		day := persona.DayOf(2026, 1, 1) + persona.Day(rapid.IntRange(0, 400).Draw(t, "day"))
		first, second := persona.NewBook("500"), persona.NewBook("500")
		p, _ := first.Person(r.Number)
		for _, a := range p.Accounts {
			before := map[string]persona.Row{}
			for _, row := range first.Ledger(a, day).Booked {
				before[row.Key+row.Currency] = row
			}
			for _, row := range second.Ledger(a, day+1).Booked {
				old, ok := before[row.Key+row.Currency]
				if !ok && row.Day <= day {
					t.Fatalf("%s: a row of %s appeared later", a.Name, row.Day)
				}
				if ok && (old.Minor != row.Minor || old.After != row.After || old.Day != row.Day) {
					t.Fatalf("%s: %+v became %+v", a.Name, old, row)
				}
			}
		}
	})
}

func TestStories(t *testing.T) {
	book := persona.NewBook("500")
	count := func(number string, account int) int {
		p, _ := book.Person(number)
		return len(book.Ledger(p.Accounts[account], today).Booked)
	}
	if n := count(persona.Default, 0); n < 500 {
		t.Errorf("everyday: %d rows", n)
	}
	if n := count("196603233724", 0); n < 10_000 {
		t.Errorf("long history: %d rows", n)
	}
	if n := count("198611239883", 0); n < 5 || n > 20 {
		t.Errorf("light: %d rows", n)
	}
	if n := count("194408139089", 0); n != 0 {
		t.Errorf("no transactions: %d rows", n)
	}
	ester, _ := book.Person("190905271474")
	sten, _ := book.Person("195704289999")
	if ester.Accounts[0].ID != sten.Accounts[0].ID || len(sten.Accounts[0].Owners) != 2 {
		t.Error("the joint account is not the same for both")
	}
	stranger, ok := book.Person("199001012384")
	if ok && len(stranger.Accounts) != 1 {
		t.Error("an unlisted customer has one account")
	}
	if _, ok := book.Person("199001010000"); ok {
		t.Error("a number with a wrong check digit is a customer")
	}
}

func TestRowsHaveAllShapes(t *testing.T) {
	book := persona.NewBook("500")
	p, _ := book.Person(persona.Default)
	var noID, noRef, neither, array, exchange, pending int
	for _, a := range p.Accounts {
		l := book.Ledger(a, today)
		pending += len(l.Pending)
		for _, r := range l.Booked {
			switch {
			case r.ID == "" && r.Ref == "":
				neither++
			case r.ID == "":
				noID++
			case r.Ref == "":
				noRef++
			}
			if len(r.Text) > 1 {
				array++
			}
			if r.Exchange != nil {
				exchange++
				if (r.Exchange.Minor < 0) != (r.Minor < 0) {
					t.Error("the exchange has the other sign")
				}
			}
		}
	}
	if noID == 0 || neither == 0 || array == 0 || exchange == 0 || pending == 0 {
		t.Errorf("noID %d neither %d array %d exchange %d pending %d", noID, neither, array, exchange, pending)
	}
}

func TestAmount(t *testing.T) {
	for minor, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 123456: "1234.56", -100: "-1.00"} {
		if got := persona.Amount(minor); got != want {
			t.Errorf("%d: %q, want %q", minor, got, want)
		}
	}
}

func BenchmarkLightLedger(b *testing.B) {
	book := persona.NewBook("500")
	b.ReportAllocs()
	for b.Loop() {
		p, _ := book.Person("198611239883")
		book.Ledger(p.Accounts[0], today)
	}
}
