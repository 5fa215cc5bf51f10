package normalise

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/listing"
	"samla/internal/money"
	"samla/internal/product"
)

// said describes products: currency, booked balance and the amounts of the rows.
func said(all []*product.Psd2Account) string {
	var lines []string
	for _, p := range all {
		line := p.Currency + " " + text(p.BookedBalance) + ":"
		var rows []string
		for _, r := range p.Transactions {
			rows = append(rows, r.Amount.String())
		}
		slices.Sort(rows)
		lines = append(lines, line+strings.Join(rows, ","))
	}
	return strings.Join(lines, "; ")
}

func rowsIn(key string, amounts ...money.Amount) fact.History {
	h := fact.History{Account: key, Transactions: []fact.Transaction{}}
	for i, m := range amounts {
		h.Transactions = append(h.Transactions, fact.Transaction{ID: key + strconv.Itoa(i), Booked: true, BookingDate: day(30), Amount: m})
	}
	return h
}

func in(key, value, currency string) fact.Balance {
	return fact.Balance{Account: key, Kind: fact.InterimBooked, Amount: money.Must(value, currency)}
}

func TestProducts_CurrenciesOfAnAccountAreApart(t *testing.T) {
	eur, usd, sek := money.Must("-5", "EUR"), money.Must("-7", "USD"), money.Must("-9", "SEK")
	for name, test := range map[string]struct {
		f    fact.Facts
		want string
	}{
		"sums by currency": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}},
			Balances: []fact.Balance{in("a", "500", "EUR"), in("a", "350", "USD")}, Histories: []fact.History{rowsIn("a", usd, eur, usd)}},
			"EUR 500 EUR:-5 EUR; USD 350 USD:-7 USD,-7 USD"},
		"rows in a currency without a balance": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}},
			Balances: []fact.Balance{in("a", "500", "EUR")}, Histories: []fact.History{rowsIn("a", eur, sek)}},
			"EUR 500 EUR:-5 EUR; SEK :-9 SEK"},
		"a multi-currency account and its parts": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}, {Key: "b", IBAN: ownIBAN, Currency: "EUR"}, {Key: "c", IBAN: ownIBAN, Currency: "USD"}},
			Balances:  []fact.Balance{in("a", "500", "EUR"), in("a", "350", "USD"), in("b", "500", "EUR"), in("c", "350", "USD")},
			Histories: []fact.History{rowsIn("a", eur, usd), rowsIn("b", eur), rowsIn("c", usd, usd)}},
			"EUR 500 EUR:-5 EUR; USD 350 USD:-7 USD,-7 USD"},
		"parts listed apart": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "SEK"}, {Key: "b", IBAN: ownIBAN, Currency: "EUR"}},
			Balances: []fact.Balance{in("b", "500", "EUR"), in("a", "350", "SEK")}},
			"SEK 350 SEK:; EUR 500 EUR:"},
		"no currency, and sums in one": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN}}, Balances: []fact.Balance{in("a", "500", "EUR")},
			Histories: []fact.History{rowsIn("a", eur, usd)}}, "EUR 500 EUR:-5 EUR,-7 USD"},
		"no currency, and sums in several": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN}}, Balances: []fact.Balance{in("a", "500", "EUR"), in("a", "1", "USD")}},
			"EUR 500 EUR:; USD 1 USD:"},
		"nothing but an account of several": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}}}, " :"},
		"a repetition without a currency": {fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "EUR"}, {Key: "b", IBAN: ownIBAN}},
			Histories: []fact.History{rowsIn("a", eur)}}, "EUR :-5 EUR"},
	} {
		all := products(t, test.f)
		if got := said(all); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		ids := map[string]bool{}
		for _, p := range all {
			if ids[p.AccountID] || p.IBAN != ownIBAN {
				t.Errorf("%s: two products have one id", name)
			}
			ids[p.AccountID] = true
		}
	}
}

// The id of an account does not change when a currency is opened beside it, or when
// the scope shows fewer currencies.
func TestProducts_IDOfACurrencyLasts(t *testing.T) {
	ids := func(accounts []fact.Account, balances ...fact.Balance) map[string]string {
		all := map[string]string{}
		for _, p := range products(t, fact.Facts{Accounts: accounts, Balances: balances}) {
			all[p.Currency] = p.AccountID
		}
		return all
	}
	alone := ids([]fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "SEK"}})
	opened := ids([]fact.Account{{Key: "b", IBAN: ownIBAN, Currency: "EUR"}, {Key: "c", IBAN: ownIBAN, Currency: "SEK"}})
	summed := ids([]fact.Account{{Key: "d", IBAN: ownIBAN, Currency: "XXX"}}, in("d", "1", "EUR"), in("d", "2", "SEK"))
	if alone["SEK"] == "" || alone["SEK"] != opened["SEK"] || opened["EUR"] != summed["EUR"] || summed["SEK"] != alone["SEK"] || summed["EUR"] == summed["SEK"] {
		t.Errorf("%v, %v, %v", alone, opened, summed)
	}
}

func TestProducts_FilterTakesOneCurrency(t *testing.T) {
	f := fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}}, Balances: []fact.Balance{in("a", "500", "EUR"), in("a", "350", "USD")}}
	for _, p := range products(t, f) {
		r := request(everything, f)
		r.Accounts = listing.Search{Owner: "user/1", Company: demo, Filter: []string{p.AccountID}}.Find(f.Accounts).Accounts
		all, _ := Products(r, f)
		if len(all) != 1 || all[0].(*product.Psd2Account).Currency != p.Currency {
			t.Errorf("%s: %d products", p.Currency, len(all))
		}
	}
}

func TestProducts_CardInBothListsIsOne(t *testing.T) {
	entries := []fact.Account{{Key: "account/k1", ID: "k1", Type: "CARD", Currency: "SEK", MaskedPAN: "541200******0007", OwnerName: "Tolvan", BIC: "ESSESESS"},
		{Key: "card/k1", ID: "k1", Card: true, MaskedPAN: "541200******0007", Product: "Mastercard", DebitPositive: true}}
	row := func(key, id string, d int, amount string) fact.History {
		return fact.History{Account: key, Transactions: []fact.Transaction{{ID: id, Booked: true, BookingDate: day(d), Amount: money.Must(amount, "SEK")}}}
	}
	f := fact.Facts{Accounts: entries, Balances: []fact.Balance{in("account/k1", "100", "SEK"), in("card/k1", "5", "SEK"),
		{Account: "account/k1", Kind: fact.InterimAvailable, Amount: money.Must("95", "SEK")}},
		Histories: []fact.History{row("account/k1", "1", 30, "-10"), row("account/k1", "2", 12, "-11"), row("account/k1", "3", 12, "-12"),
			row("card/k1", "c1", 29, "10"), row("card/k1", "c2", 2, "11"), row("card/k1", "c4", 12, "13")}}
	all := products(t, f)
	// The list of cards counts debts positive, and has the purchases of days 2 and 12 alone.
	if len(all) != 1 || all[0].Type != product.Psd2CreditCard || said(all) != "SEK -5 SEK:-10 SEK,-11 SEK,-11 SEK,-12 SEK,-13 SEK" {
		t.Errorf("%d products: %s", len(all), said(all))
	}
	if p := all[0]; p.AccountHolderName != "Tolvan" || p.AccountName != "Mastercard" || p.BIC != "ESSESESS" || text(p.AvailableBalance) != "95 SEK" {
		t.Errorf("%+v", *p)
	}
}

// The list of cards has the balance that counts, also if the other list has a kind that
// would be preferred.
func TestProducts_ListOfCardsHasTheBalanceOfACard(t *testing.T) {
	f := fact.Facts{Accounts: []fact.Account{{Key: "account/k1", ID: "k1", Type: "CARD", Currency: "SEK"}, {Key: "card/k1", ID: "k1", Card: true, Currency: "SEK"}},
		Balances: []fact.Balance{in("account/k1", "100", "SEK"), {Account: "card/k1", Kind: fact.NonInvoiced, Amount: money.Must("-5", "SEK")}}}
	if got := said(products(t, f)); got != "SEK -5 SEK:" {
		t.Error(got)
	}
}

// Whatever an account is told of in two places, no amount of one place is lost, and
// none that both have is doubled.
func TestAccount_JoinsTheRowsOfTwoPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type row struct{ amount, day, where int } // where: 1 one place, 2 the other, 3 both
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{rapid.IntRange(1, 3).Draw(t, "amount"), rapid.IntRange(1, 4).Draw(t, "day") * 7, rapid.IntRange(1, 3).Draw(t, "where")}
		}), 0, 12).Draw(t, "rows")
		pages := map[int]*fact.History{1: {Transactions: []fact.Transaction{}}, 2: {Transactions: []fact.Transaction{}}}
		count := map[string][3]int{} // of an amount and day: in one place, in the other, the most
		for _, r := range rows {
			k := fmt.Sprint(r.amount, r.day)
			n := count[k]
			for place := range 2 {
				if r.where&(place+1) != 0 {
					n[place]++
					page := pages[place+1]
					page.Transactions = append(page.Transactions, fact.Transaction{BookingDate: day(r.day), Amount: money.Must(strconv.Itoa(-r.amount), "SEK")})
				}
			}
			n[2] = max(n[0], n[1])
			count[k] = n
		}
		var a account
		a.addHistories([]fact.History{*pages[1]}, false)
		a.addHistories([]fact.History{*pages[2]}, false)
		for _, h := range a.histories {
			for i := range h.Transactions {
				r := &h.Transactions[i]
				k := fmt.Sprint(r.Amount.Abs().Value(), r.BookingDate.Day())
				n := count[k]
				n[2]--
				count[k] = n
			}
		}
		for k, n := range count {
			if n[2] != 0 {
				t.Fatalf("%s: in the places %d and %d times, %d missing", k, n[0], n[1], n[2])
			}
		}
	})
}

func TestProducts_PartsKeepTheScope(t *testing.T) {
	f := fact.Facts{Accounts: []fact.Account{{Key: "a", IBAN: ownIBAN, Currency: "XXX"}}, Balances: []fact.Balance{in("a", "500", "EUR")},
		Histories: []fact.History{rowsIn("a", money.Must("1", "EUR"))}}
	for _, scope := range []consent.Scope{{}, {Balances: true}, {Transactions: true}} {
		all, _ := Products(request(scope, f), f)
		p := all[0].(*product.Psd2Account)
		if len(all) != 1 || (p.BookedBalance != nil) != scope.Balances || (p.Transactions != nil) != scope.Transactions {
			t.Errorf("%+v: %d products, booked %s", scope, len(all), text(p.BookedBalance))
		}
	}
}
