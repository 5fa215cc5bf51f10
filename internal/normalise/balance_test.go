package normalise

import (
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/money"
	"samla/internal/product"
)

func day(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }

func bare(value string) money.Amount {
	m, _ := money.New(money.Must(value, "SEK").Value(), "")
	return m
}

func text(a *money.Amount) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func TestProducts_BalancesAreChosen(t *testing.T) {
	limit := money.Must("10000", "SEK")
	sek := fact.Account{Currency: "SEK", Type: "CACC"}
	card := fact.Account{Card: true, Currency: "SEK"}
	credit := fact.Account{Card: true, Currency: "SEK", Credit: &limit}
	b := func(kind fact.BalanceKind, value string, change ...func(*fact.Balance)) fact.Balance {
		one := fact.Balance{Kind: kind, Amount: money.Must(value, "SEK")}
		for _, c := range change {
			c(&one)
		}
		return one
	}
	of := func(d int) func(*fact.Balance) { return func(b *fact.Balance) { b.Day = day(d) } }
	included := func(b *fact.Balance) { b.Limit = fact.LimitIncluded }
	own, foreign := money.Must("5000", "SEK"), money.Must("5000", "EUR")
	line, foreignLine := func(b *fact.Balance) { b.Credit = &own }, func(b *fact.Balance) { b.Credit = &foreign }
	excluded := func(b *fact.Balance) { b.Limit = fact.LimitExcluded }
	positive := func(b *fact.Balance) { b.DebitPositive = true }
	signed := func(b *fact.Balance) { b.Signed = true }
	at := func(hour int) func(*fact.Balance) {
		return func(b *fact.Balance) { b.At = day(1).Add(time.Duration(hour) * time.Hour) }
	}
	eur := func(b *fact.Balance) { b.Amount = money.Must(b.Amount.Value().String(), "EUR") }
	ahead := func(b *fact.Balance) { b.Day, b.Ahead = day(31), true }
	usd := func(b *fact.Balance) { b.Amount = money.Must(b.Amount.Value().String(), "USD") }
	for name, test := range map[string]struct {
		a                 fact.Account
		told              []fact.Balance
		booked, available string
	}{
		"the newest of a kind":                  {sek, []fact.Balance{b(fact.ClosingBooked, "10", of(29)), b(fact.ClosingBooked, "33", of(31)), b(fact.ClosingBooked, "20", of(30))}, "33 SEK", ""},
		"a day before none":                     {sek, []fact.Balance{b(fact.ClosingBooked, "10"), b(fact.ClosingBooked, "33", of(31))}, "33 SEK", ""},
		"the newest change":                     {sek, []fact.Balance{b(fact.InterimBooked, "10", at(8)), b(fact.InterimBooked, "33", at(9)), b(fact.InterimBooked, "11", at(7))}, "33 SEK", ""},
		"another kind of a later day":           {sek, []fact.Balance{b(fact.InterimBooked, "10", of(29)), b(fact.ClosingBooked, "33", of(31))}, "33 SEK", ""},
		"another kind of the same day":          {sek, []fact.Balance{b(fact.ClosingBooked, "33", of(31)), b(fact.InterimBooked, "10", of(31))}, "10 SEK", ""},
		"another kind, one without a day":       {sek, []fact.Balance{b(fact.ClosingBooked, "33", of(31)), b(fact.InterimBooked, "10")}, "10 SEK", ""},
		"one of a day to come":                  {sek, []fact.Balance{b(fact.InterimBooked, "90", ahead), b(fact.InterimBooked, "10", of(29)), b(fact.InterimBooked, "20", of(30))}, "20 SEK", ""},
		"another kind of a day to come":         {sek, []fact.Balance{b(fact.InterimBooked, "10", of(29)), b(fact.ClosingBooked, "90", ahead)}, "10 SEK", ""},
		"a better kind of a day to come":        {sek, []fact.Balance{b(fact.InterimBooked, "90", ahead), b(fact.ClosingBooked, "10", of(29))}, "10 SEK", ""},
		"nothing but a day to come":             {sek, []fact.Balance{b(fact.InterimBooked, "90", ahead)}, "90 SEK", ""},
		"available of a day to come":            {sek, []fact.Balance{b(fact.InterimAvailable, "90", ahead), b(fact.InterimAvailable, "10", of(30))}, "", "10 SEK"},
		"forward is not newer":                  {sek, []fact.Balance{b(fact.InterimAvailable, "10", of(1)), b(fact.ForwardAvailable, "33", of(31))}, "", "10 SEK"},
		"booked without the limit":              {sek, []fact.Balance{b(fact.InterimBooked, "5010", included), b(fact.InterimBooked, "10", excluded)}, "10 SEK", ""},
		"available with the limit":              {sek, []fact.Balance{b(fact.InterimAvailable, "10", excluded), b(fact.InterimAvailable, "5010", included)}, "", "5010 SEK"},
		"no credit to include":                  {sek, []fact.Balance{b(fact.InterimBooked, "10", included)}, "10 SEK", ""},
		"booked with a line of its own":         {sek, []fact.Balance{b(fact.InterimBooked, "5010", included, line)}, "10 SEK", ""},
		"available without its own line":        {sek, []fact.Balance{b(fact.InterimAvailable, "10", excluded, line)}, "", "5010 SEK"},
		"available with its own line":           {sek, []fact.Balance{b(fact.InterimAvailable, "5010", included, line)}, "", "5010 SEK"},
		"a card with a line of its own":         {card, []fact.Balance{b(fact.InterimBooked, "4000", included, line)}, "-1000 SEK", ""},
		"a line in another currency":            {sek, []fact.Balance{b(fact.InterimAvailable, "10", excluded, foreignLine)}, "", "10 SEK"},
		"authorised":                            {sek, []fact.Balance{b(fact.ClosingBooked, "900"), b(fact.Authorised, "1900")}, "900 SEK", "1900 SEK"},
		"expected of an account":                {sek, []fact.Balance{b(fact.Expected, "7")}, "", "7 SEK"},
		"previously closed":                     {sek, []fact.Balance{b(fact.PreviouslyBooked, "7"), b(fact.OpeningBooked, "8")}, "8 SEK", ""},
		"another word":                          {sek, []fact.Balance{b("information", "7")}, "", ""},
		"own currency":                          {sek, []fact.Balance{b(fact.InterimBooked, "7", eur), b(fact.ClosingBooked, "8")}, "8 SEK", ""},
		"the only other currency":               {sek, []fact.Balance{b(fact.InterimBooked, "7", eur)}, "7 EUR", ""},
		"several other currencies":              {sek, []fact.Balance{b(fact.InterimBooked, "7", eur), b(fact.InterimBooked, "8", usd)}, "", ""},
		"no currency":                           {sek, []fact.Balance{{Kind: fact.InterimBooked, Amount: bare("7")}}, "7 SEK", ""},
		"the code of no currency":               {sek, []fact.Balance{{Kind: fact.InterimBooked, Amount: money.Must("7", "XXX")}}, "7 SEK", ""},
		"no currency anywhere":                  {fact.Account{}, []fact.Balance{{Kind: fact.InterimBooked, Amount: bare("7")}}, "7 SEK", ""},
		"no currency, foreign IBAN":             {fact.Account{IBAN: "FI2112345600000785"}, []fact.Balance{{Kind: fact.InterimBooked, Amount: bare("7")}}, "7 EUR", ""},
		"expected of a card":                    {credit, []fact.Balance{b(fact.Expected, "-1234.50")}, "-1234.50 SEK", "8765.50 SEK"},
		"expected of a card without a limit":    {card, []fact.Balance{b(fact.Expected, "-1234.50")}, "-1234.50 SEK", ""},
		"expected beside booked":                {credit, []fact.Balance{b(fact.Expected, "-1500"), b(fact.InterimBooked, "-1000"), b(fact.InterimAvailable, "8500")}, "-1000 SEK", "8500 SEK"},
		"debts positive":                        {credit, []fact.Balance{b(fact.InterimBooked, "2500", positive)}, "-2500 SEK", "7500 SEK"},
		"debts positive, told in words":         {credit, []fact.Balance{b(fact.InterimBooked, "-2500", positive, signed)}, "-2500 SEK", "7500 SEK"},
		"expected debts positive":               {credit, []fact.Balance{b(fact.Expected, "2500", positive)}, "-2500 SEK", "7500 SEK"},
		"debts positive by what is left":        {credit, []fact.Balance{b(fact.InterimBooked, "2500"), b(fact.InterimAvailable, "7500")}, "-2500 SEK", "7500 SEK"},
		"a card that was paid too much":         {credit, []fact.Balance{b(fact.InterimBooked, "2500"), b(fact.InterimAvailable, "12500")}, "2500 SEK", "12500 SEK"},
		"a card with the limit included":        {credit, []fact.Balance{b(fact.InterimBooked, "8000", included)}, "-2000 SEK", "8000 SEK"},
		"a card with an unknown limit included": {card, []fact.Balance{b(fact.InterimBooked, "8000", included)}, "", ""},
		"a card without the limit":              {credit, []fact.Balance{b(fact.InterimBooked, "-2000"), b(fact.InterimAvailable, "-2100", excluded)}, "-2000 SEK", "7900 SEK"},
	} {
		f := facts(test.a, test.told, nil)
		all, lacks := Products(request(everything, f), f)
		p := all[0].(*product.Psd2Account)
		if none := test.booked+test.available == ""; len(all) != 1 || (lacks[deviation.UnreadableBalance] == 1) != none {
			t.Errorf("%s: %d products, %v", name, len(all), lacks)
		}
		if text(p.BookedBalance) != test.booked || text(p.AvailableBalance) != test.available {
			t.Errorf("%s: booked %s, available %s; want %s and %s", name, text(p.BookedBalance), text(p.AvailableBalance), test.booked, test.available)
		}
	}
}

func products(t *testing.T, f fact.Facts) []*product.Psd2Account {
	t.Helper()
	all, _ := Products(request(everything, f), f)
	typed := make([]*product.Psd2Account, len(all))
	for i, p := range all {
		typed[i] = p.(*product.Psd2Account)
	}
	return typed
}
