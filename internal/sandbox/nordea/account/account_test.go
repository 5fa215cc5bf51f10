package account_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"samla/internal/ident"
	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/persona"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	customers = persona.NewCustomers("300")
	noon      = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	today     = persona.DayAt(noon)
)

// Accounts of different owners, countries and currencies have different ids and numbers,
// and the numbers have valid check digits.
func TestOf_GivesEachAccountItsOwnNumbers(t *testing.T) {
	seen := map[string]string{}
	for _, p := range persona.All() {
		p, _ := customers.Person(p.Number)
		for _, country := range account.Countries() {
			for _, a := range account.Of(p, country) {
				owner := fmt.Sprint(a.Account.ID, country, a.Currency)
				if a.V4 == a.V5 {
					t.Errorf("%s has the id %s in both versions", owner, a.V4)
				}
				texts := []string{a.V4, a.V5}
				for _, n := range a.Numbers() {
					texts = append(texts, n.Value)
					if n.Type != "IBAN" {
						continue
					}
					if i, err := ident.ParseIBAN(n.Value); err != nil || i.Compact() != n.Value || !strings.HasPrefix(n.Value, country) {
						t.Errorf("%s: %s is no IBAN of %s", owner, n.Value, country)
					}
				}
				for _, text := range texts {
					if other, used := seen[text]; used && !strings.HasPrefix(other, a.Account.ID) {
						t.Errorf("%s and %s have %s", other, owner, text)
					}
					seen[text] = owner
				}
			}
		}
	}
}

// The accounts of one person differ from each other.
func TestOf_GivesAPersonDifferentAccounts(t *testing.T) {
	for _, p := range persona.All() {
		p, _ := customers.Person(p.Number)
		for _, country := range account.Countries() {
			ids := map[string]bool{}
			for _, a := range account.Of(p, country) {
				for _, id := range []string{a.V4, a.V5, a.Number()} {
					if ids[id] {
						t.Errorf("%s in %s has %s twice", p.Name(), country, id)
					}
					ids[id] = true
				}
			}
		}
	}
}

// The rows of some days are those of all days, in the same order.
func TestRows_AreAPartOfTheHistory(t *testing.T) {
	p, _ := customers.Person(persona.Default)
	a := account.Of(p, "DK")[0]
	ledger := customers.Ledger(a.Account, today)
	texts := func(now time.Time, from, to persona.Day) []string {
		var list []string
		for _, r := range a.Rows(ledger, now, from, to) {
			text, err := json.Marshal(a.Transaction(r, "v5", ""))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r.Day.String()+" "+string(text))
		}
		return list
	}
	rapid.Check(t, func(t *rapid.T) {
		now := noon.Add(time.Duration(rapid.IntRange(-12, 11).Draw(t, "hour")) * time.Hour)
		from := today - persona.Day(rapid.IntRange(-3, 400).Draw(t, "from"))
		to := today - persona.Day(rapid.IntRange(-3, 400).Draw(t, "to"))
		var want []string
		for _, text := range texts(now, 0, today) {
			if text[:10] >= from.String() && text[:10] <= to.String() {
				want = append(want, text)
			}
		}
		if diff := cmp.Diff(want, texts(now, from, to)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTransaction_OfEachCodeHasADescription(t *testing.T) {
	for _, p := range persona.All() {
		p, _ := customers.Person(p.Number)
		for _, a := range account.Of(p, "SE") {
			for _, r := range a.Rows(customers.Ledger(a.Account, today), noon, today-40, today) {
				for _, language := range []string{"", "sv", "en", "fi", "da", "no"} {
					if a.Transaction(r, "v5", language)["type_description"] == "" {
						t.Fatalf("%s has no description in %q", r.Code, language)
					}
				}
			}
		}
	}
}
