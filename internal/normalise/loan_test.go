package normalise

import (
	"encoding/json"
	"testing"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
)

func TestProducts_LoansHaveWhatIsKnown(t *testing.T) {
	mortgage := fact.Account{BBAN: "97891111113", IBAN: "SE4550000000058398257466", Currency: "SEK", Type: "LOAN", Product: "Bolån 3 mån", OwnerName: "Anna Svensson"}
	unsecured := fact.Account{IBAN: "SE4550000000058398257466", Product: "Privatlån", OwnerName: "Anna Svensson, Bo Svensson"}
	debt := func(kind fact.BalanceKind, value string, more func(*fact.Balance)) fact.Balance {
		b := balance(kind, value, "SEK")
		if more != nil {
			more(&b)
		}
		return b
	}
	signed := func(b *fact.Balance) { b.Signed = true }
	limited := func(b *fact.Balance) { b.Limit = fact.LimitIncluded }
	const sek = `,"currency":"SEK"}}`
	for name, test := range map[string]struct {
		account  fact.Account
		scope    consent.Scope
		balances []fact.Balance
		want     string // "" if the loan is left out
	}{
		"mortgage": {mortgage, everything, []fact.Balance{debt(fact.InterimBooked, "-1850000.50", nil)},
			`{"id":"id","type":"MORTGAGE_LOAN","company":"se-demo-psd2","companyDisplayName":"Demo bank (PSD2)","loanId":"97891111113",` +
				`"loanDetails":{"balance":{"amount":1850000.50` + sek + `,"owners":[{"name":"Anna Svensson"}]}`},
		"unsecured": {unsecured, everything, []fact.Balance{debt(fact.ClosingBooked, "70000", nil)},
			`{"id":"id","type":"UNSECURED_LOAN","company":"se-demo-psd2","companyDisplayName":"Demo bank (PSD2)","loanId":"SE4550000000058398257466",` +
				`"loanDetails":{"balance":{"amount":70000` + sek + `}`},
		"paid": {unsecured, everything, []fact.Balance{debt(fact.InterimBooked, "0", signed)},
			`{"id":"id","type":"UNSECURED_LOAN","company":"se-demo-psd2","companyDisplayName":"Demo bank (PSD2)","loanId":"SE4550000000058398257466",` +
				`"loanDetails":{"balance":{"amount":0` + sek + `}`},
		"debit in words":    {unsecured, everything, []fact.Balance{debt(fact.InterimBooked, "-5", signed)}, `{"id":"id","type":"UNSECURED_LOAN","company":"se-demo-psd2","companyDisplayName":"Demo bank (PSD2)","loanId":"SE4550000000058398257466","loanDetails":{"balance":{"amount":5` + sek + `}`},
		"credit in words":   {unsecured, everything, []fact.Balance{debt(fact.InterimBooked, "5", signed)}, ``},
		"no balance":        {unsecured, everything, nil, ``},
		"no consent":        {unsecured, consent.Scope{Transactions: true}, []fact.Balance{debt(fact.InterimBooked, "-5", nil)}, ``},
		"available":         {unsecured, everything, []fact.Balance{debt(fact.InterimAvailable, "-5", nil)}, ``},
		"with a limit":      {unsecured, everything, []fact.Balance{debt(fact.InterimBooked, "-5", limited)}, ``},
		"another currency":  {mortgage, everything, []fact.Balance{balance(fact.InterimBooked, "-5", "EUR"), balance(fact.InterimBooked, "-5", "USD")}, ``},
		"of two currencies": {fact.Account{BBAN: "97891111113", Currency: "XXX", Product: "Bolån"}, everything, []fact.Balance{balance(fact.InterimBooked, "-5", "EUR"), balance(fact.InterimBooked, "-5", "SEK")}, ``},
	} {
		rows := []fact.Transaction{{ID: "1", Booked: true, Amount: money.Must("-1", "SEK")}}
		f := facts(test.account, test.balances, rows)
		products, deviations := Products(request(test.scope, f), f)
		if test.want == "" {
			if len(products) != 0 || deviations[deviation.OtherProduct] == 0 || deviations.Incomplete() {
				t.Errorf("%s: %v, %v", name, products, deviations)
			}
			continue
		}
		if len(products) != 1 || len(deviations) != 0 {
			t.Errorf("%s: %v, %v", name, products, deviations)
			continue
		}
		if got, err := json.Marshal(products[0]); err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, test.want)
		}
	}
}
