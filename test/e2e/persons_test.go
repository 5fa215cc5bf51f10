package e2e

import (
	"slices"
	"testing"

	"samla/internal/fault"
)

// The types of products that a PSD2 consent gives.
const (
	checking = "PSD2_CHECKING_ACCOUNT"
	card     = "PSD2_CREDIT_CARD"
	savings  = "PSD2_SAVINGS_ACCOUNT"
)

// TestPersons: every person of docs/sandbox.md gives what the document says.
func TestPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", speed)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]struct {
			number, status string
			types          []string
			look           func(*testing.T, []account)
		}{
			"everyday customer":  {maja, "COMPLETED", []string{checking, card, savings}, nil},
			"joint account":      {ester, "COMPLETED", []string{checking, savings}, joint},
			"the other holder":   {sten, "COMPLETED", []string{checking}, joint},
			"other currencies":   {alva, "COMPLETED", []string{checking, checking, checking}, currencies},
			"no account":         {tolvan, "COMPLETED_EMPTY", []string{}, nil},
			"nothing happened":   {gun, "COMPLETED", []string{checking}, untouched},
			"blocked, deleted":   {noa, "COMPLETED", []string{checking, checking}, nil},
			"without IBAN, type": {sam, "COMPLETED", []string{checking, savings}, nil},
			"partly broken":      {ida, "COMPLETED_PARTIAL", []string{checking, card, savings}, partly},
			"small":              {tim, "COMPLETED", []string{checking}, nil},
			"very long history":  {birgitta, "COMPLETED", []string{checking}, long},
			"twins":              {per, "COMPLETED", []string{checking}, twins},
			"many types":         {elsa, "COMPLETED", []string{checking, checking, checking, card, savings, savings, savings}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := w.person(t, test.number)
				id := p.collects(t, demo, p.consents(t, ask{company: demo}), home, test.status)
				products := p.data(t, id)
				hasTypes(t, products, test.types...)
				asTheBankHasThem(t, w, demo, test.number, products, attendedDays)
				if test.look != nil {
					test.look(t, products)
				}
			})
		}
		t.Run("everything broken", func(t *testing.T) {
			t.Parallel()
			p := w.person(t, leo)
			consent := p.consents(t, ask{company: demo})
			id := p.collects(t, demo, consent, home, "THIRD_PARTY_ERROR")
			p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).Fails(t, fault.CollectionFailed)
			if s := p.status(t, consent); s.Status != "AUTHORIZED" {
				t.Errorf("the bank failed, and the consent is %s", s.Status)
			}
		})
	})
}

func joint(t *testing.T, products []account) {
	i := slices.IndexFunc(products, func(a account) bool { return a.Type == checking })
	if i < 0 || products[i].AccountHolderName != "Ester Bergström, Sten Bergström" {
		t.Errorf("the holders are not both named: %+v", products)
	}
}

func currencies(t *testing.T, products []account) {
	var got []string
	several := map[string]bool{}
	for _, a := range products {
		got = append(got, a.Currency)
		if a.Currency == "XXX" {
			for _, r := range *a.Transactions {
				several[r.Amount.Currency] = true
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"EUR", "NOK", "XXX"}) || !several["SEK"] || !several["EUR"] {
		t.Errorf("currencies %q, rows in %v", got, several)
	}
}

func untouched(t *testing.T, products []account) {
	if a := products[0]; a.BookedBalance == nil || a.BookedBalance.Amount != "0" && minor(t, *a.BookedBalance) != 0 || len(*a.Transactions) != 0 {
		t.Errorf("nothing happened, and it is told as %+v", a)
	}
}

// partly: what could not be read is unknown, not empty (docs/reference/api.md 1.1).
func partly(t *testing.T, products []account) {
	for _, a := range products {
		if (a.Transactions != nil) != (a.Type == checking) || a.BookedBalance == nil {
			t.Errorf("%s: transactions told %t, balance %v", a.Type, a.Transactions != nil, a.BookedBalance)
		}
	}
}

func long(t *testing.T, products []account) {
	if n := len(*products[0].Transactions); n < 6500 {
		t.Errorf("%d rows of two years with nine a day", n)
	}
}

// twins: rows that look alike all survive, and keep their ids.
func twins(t *testing.T, products []account) {
	alike := map[string]int{}
	for _, r := range *products[0].Transactions {
		alike[r.BookingDate+string(r.Amount.Amount)]++
	}
	pairs := 0
	for _, n := range alike {
		if n > 1 {
			pairs++
		}
	}
	if pairs < 700 {
		t.Errorf("%d days with rows that look alike", pairs)
	}
}
