package e2e

import (
	"slices"
	"testing"

	"samla/internal/fault"
)

// The types of products of a PSD2 consent.
const (
	checking = "PSD2_CHECKING_ACCOUNT"
	card     = "PSD2_CREDIT_CARD"
	savings  = "PSD2_SAVINGS_ACCOUNT"
	mortgage = "MORTGAGE_LOAN"
)

// Every person of docs/sandbox.md is collected.
func TestPersons_MatchDocumentation(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]struct {
			number, status string
			types          []string
			check          func(*testing.T, []account)
		}{
			"everyday customer":  {maja, "COMPLETED", []string{checking, card, savings}, nil},
			"joint account":      {ester, "COMPLETED", []string{checking, savings}, checkJointOwners},
			"the other owner":    {sten, "COMPLETED", []string{checking}, checkJointOwners},
			"other currencies":   {alva, "COMPLETED", []string{checking, checking, checking, checking, checking}, checkCurrencies},
			"no account":         {tolvan, "COMPLETED_EMPTY", []string{}, nil},
			"no transactions":    {gun, "COMPLETED", []string{checking}, checkNoTransactions},
			"blocked, deleted":   {noa, "COMPLETED", []string{checking, checking}, nil},
			"without IBAN, type": {sam, "COMPLETED", []string{checking, savings}, nil},
			"partly broken":      {ida, "COMPLETED_PARTIAL", []string{checking, card, savings}, checkUnreadable},
			"small":              {tim, "COMPLETED", []string{checking}, nil},
			"equal transactions": {per, "COMPLETED", []string{checking}, checkEqualTransactions},
			"many types":         {elsa, "COMPLETED", []string{mortgage, checking, checking, card, savings, savings, savings}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := w.person(t, test.number)
				id := p.collect(t, demoBank, p.authorizeConsent(t, consentRequest{company: demoBank}), address, test.status)
				products := p.products(t, id)
				hasTypes(t, products, test.types...)
				compareWithBank(t, w, demoBank, test.number, products, attendedDays)
				if test.check != nil {
					test.check(t, products)
				}
			})
		}
		t.Run("everything broken", func(t *testing.T) {
			t.Parallel()
			p := w.person(t, leo)
			consent := p.authorizeConsent(t, consentRequest{company: demoBank})
			id := p.collect(t, demoBank, consent, address, "THIRD_PARTY_ERROR")
			p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
			if s := p.pollConsent(t, consent); s.Status != "AUTHORIZED" {
				t.Errorf("the consent is %s after a failure of the bank", s.Status)
			}
		})
	})
}

// By a slower clock than the others': a busy machine too reads a very long history within its
// limit of time.
func TestPersons_WithAVeryLongHistory(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed/4)
	p := w.person(t, birgitta)
	id := p.collect(t, demoBank, p.authorizeConsent(t, consentRequest{company: demoBank}), address, "COMPLETED")
	products := p.products(t, id)
	hasTypes(t, products, checking)
	compareWithBank(t, w, demoBank, birgitta, products, attendedDays)
	checkLongHistory(t, products)
}

func checkJointOwners(t *testing.T, products []account) {
	i := slices.IndexFunc(products, func(a account) bool { return a.Type == checking })
	if i < 0 || products[i].AccountHolderName != "Ester Bergström, Sten Bergström" {
		t.Errorf("not both owners are named: %+v", products)
	}
}

// checkCurrencies: the multi-currency account is a product for each of its currencies.
func checkCurrencies(t *testing.T, products []account) {
	var got []string
	for _, a := range products {
		got = append(got, a.Currency)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"EUR", "EUR", "NOK", "SEK", "USD"}) {
		t.Errorf("currencies %q", got)
	}
}

func checkNoTransactions(t *testing.T, products []account) {
	if a := products[0]; a.BookedBalance == nil || a.BookedBalance.Amount != "0" && minorUnits(t, *a.BookedBalance) != 0 || len(*a.Transactions) != 0 {
		t.Errorf("account without transactions: %+v", a)
	}
}

// checkUnreadable: transactions that could not be read are unknown, not empty
// (docs/reference/api.md 1.1).
func checkUnreadable(t *testing.T, products []account) {
	for _, a := range products {
		if (a.Transactions != nil) != (a.Type == checking) || a.BookedBalance == nil {
			t.Errorf("%s: transactions present: %t, balance %v", a.Type, a.Transactions != nil, a.BookedBalance)
		}
	}
}

func checkLongHistory(t *testing.T, products []account) {
	if n := len(*products[0].Transactions); n < 6500 {
		t.Errorf("%d transactions of two years with nine a day", n)
	}
}

// checkEqualTransactions: transactions that look the same are all kept.
func checkEqualTransactions(t *testing.T, products []account) {
	equal := map[string]int{}
	for _, r := range *products[0].Transactions {
		equal[r.BookingDate+string(r.Amount.Amount)]++
	}
	pairs := 0
	for _, n := range equal {
		if n > 1 {
			pairs++
		}
	}
	if pairs < 700 {
		t.Errorf("%d days with equal transactions", pairs)
	}
}
