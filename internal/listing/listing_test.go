package listing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/fact"
)

const (
	iban  = "SE4550000000058398257466"
	iban2 = "SE3550000000054910000003"
)

var search = Search{Owner: "user/1", Company: company.Company{ID: "se-testbank-psd2"}}

// ids returns the ids of the accounts that are found, each in the currency of its first
// entry.
func ids(f Found) (all []string) {
	for i := range f.Accounts {
		a := &f.Accounts[i]
		all = append(all, a.ID(a.Currency(a.Entries[0].Key)))
	}
	return all
}

func one(t *testing.T, entries ...fact.Account) string {
	t.Helper()
	all := ids(search.Find(entries))
	if len(all) != 1 {
		t.Fatalf("%d accounts in %+v", len(all), entries)
	}
	return all[0]
}

func TestFind_IDDependsOnWhatLasts(t *testing.T) {
	for name, spellings := range map[string][]fact.Account{
		"iban": {
			{Key: "account/1", ID: "1", IBAN: iban, Currency: "SEK", Name: "A"},
			{Key: "account/2", ID: "2", IBAN: iban, BBAN: "58398257466", Product: "Privatkonto", Type: "CACC", DisplayName: "Mitt"},
			{Key: "account/3", IBAN: "se45 5000 0000 0583 9825 7466", Currency: "SEK"},
		},
		"iban in another currency": {{Key: "a", IBAN: iban, Currency: "EUR"}, {Key: "b", IBAN: iban, Currency: "EUR", Name: "Resekonto"}},
		"bank number":              {{Key: "a", BBAN: "58398257466"}, {Key: "b", BBAN: "5839-8257466", Currency: "SEK", Name: "A"}},
		"bank number in euro":      {{Key: "a", BBAN: "58398257466", Currency: "EUR"}},
		"card":                     {{Key: "a", MaskedPAN: "541200******0007"}, {Key: "card/b", Card: true, MaskedPAN: "5412-00XX-XXXX-0007", Name: "A", Currency: "SEK"}},
		"card with few digits":     {{Key: "a", MaskedPAN: "****0007", Name: "Kort"}, {Key: "b", MaskedPAN: "XXXX0007", Name: "kort ", Currency: "SEK", Product: "P"}},
		"card of another name":     {{Key: "a", MaskedPAN: "****0007", Name: "Ett annat"}},
		"wallet":                   {{Key: "a", MSISDN: "+46701740605"}, {Key: "b", MSISDN: "0046 70-174 06 05"}},
		"other":                    {{Key: "a", Other: "w-1"}},
		"id":                       {{Key: "a", ID: "r-1"}, {Key: "a", ID: "r-1", Name: "A"}},
	} {
		first := one(t, spellings[0])
		if !IsID(first) || len(first) > 40 {
			t.Errorf("%s: %q has not the form of an id", name, first)
		}
		for _, a := range spellings {
			if got := one(t, a); got != first {
				t.Errorf("%s: %+v has another id", name, a)
			}
		}
	}
}

func TestFind_IDsDiffer(t *testing.T) {
	seen := map[string]string{}
	add := func(what string, s Search, a fact.Account) {
		id := ids(s.Find([]fact.Account{a}))[0]
		if other := seen[id]; other != "" {
			t.Errorf("%s has the id of %s", what, other)
		}
		seen[id] = what
	}
	a := fact.Account{Key: "a", IBAN: iban}
	add("the account", search, a)
	add("of another person", Search{Owner: "user/2", Company: search.Company}, a)
	add("of a client", Search{Owner: "client/1", Company: search.Company}, a)
	add("at another company", Search{Owner: search.Owner, Company: company.Company{ID: "se-other"}}, a)
	add("another account", search, fact.Account{Key: "a", IBAN: iban2})
	add("in euro", search, fact.Account{Key: "a", IBAN: iban, Currency: "EUR"})
	add("with the number as a bank number", search, fact.Account{Key: "a", BBAN: iban})
	add("with the number as an id", search, fact.Account{Key: "a", ID: iban})
	add("a card", search, fact.Account{Key: "a", MaskedPAN: "541200******0007"})
	add("a card with few digits", search, fact.Account{Key: "a", MaskedPAN: "****0007", Name: "Guld"})
	add("of another name", search, fact.Account{Key: "a", MaskedPAN: "****0007", Name: "Silver"})
	add("another card", search, fact.Account{Key: "a", MaskedPAN: "541200******0008"})
}

func TestIsID_ReadsTheFormOnly(t *testing.T) {
	id := one(t, fact.Account{Key: "a", IBAN: iban})
	for s, want := range map[string]bool{
		id: true, id + "-eur": true, id + "-EUR": false, id + "-eu": false, id + "eur-": false, id[1:]: false, strings.ToUpper(id): false,
		"acc-123": false, "": false, iban: false, strings.Replace(id, "acc-", "xcc-", 1): false, id[:20] + "1" + id[21:]: false,
	} {
		if IsID(s) != want {
			t.Errorf("%q: want %t", s, want)
		}
	}
}

// Each line lists entries; entries of one account have the same letter.
func TestFind_JoinsTheEntriesOfOneAccount(t *testing.T) {
	card := func(a fact.Account) fact.Account { a.Card = true; return a }
	long := "3dc3d5b3-7023-4848-9853-f5400a64e80f"
	for name, test := range map[string]struct {
		entries []fact.Account
		want    string
	}{
		"twice in a list":                 {[]fact.Account{{Key: "account/1", ID: "1", IBAN: iban}, {Key: "account/1", ID: "1", IBAN: iban}}, "aa"},
		"one iban":                        {[]fact.Account{{Key: "1", ID: "1", IBAN: iban}, {Key: "2", ID: "2", IBAN: iban}}, "aa"},
		"iban and bank number":            {[]fact.Account{{Key: "1", IBAN: iban}, {Key: "2", BBAN: "5839 825 746 6"}}, "aa"},
		"iban and the whole bban":         {[]fact.Account{{Key: "1", IBAN: iban}, {Key: "2", BBAN: "50000000058398257466"}}, "aa"},
		"ibans that differ":               {[]fact.Account{{Key: "1", IBAN: iban, BBAN: "58398257466"}, {Key: "2", IBAN: iban2, BBAN: "58398257466"}}, "ab"},
		"one key":                         {[]fact.Account{{Key: "1", IBAN: iban}, {Key: "1", IBAN: iban2}}, "aa"},
		"currencies of one iban":          {[]fact.Account{{Key: "1", IBAN: iban, Currency: "XXX"}, {Key: "2", IBAN: iban, Currency: "EUR"}, {Key: "3", IBAN: iban, Currency: "USD"}}, "aaa"},
		"card in both lists":              {[]fact.Account{{Key: "account/k1", ID: "k1", Type: "CARD", MaskedPAN: "541200******0007"}, card(fact.Account{Key: "card/k1", ID: "k1", MaskedPAN: "541200******0007"})}, "aa"},
		"card by its id":                  {[]fact.Account{{Key: "account/k1", ID: "k1", Type: "CARD", IBAN: iban}, card(fact.Account{Key: "card/k1", ID: "k1", MaskedPAN: "541200******0007"})}, "aa"},
		"card by a word":                  {[]fact.Account{{Key: "account/k1", ID: "k1", Type: "CACC", Product: "Kreditkort", BBAN: "10606024000"}, card(fact.Account{Key: "card/k1", ID: "k1", MaskedPAN: "541200******0007"})}, "aa"},
		"card by a long id":               {[]fact.Account{{Key: "account/k1", ID: long, Type: "CACC", IBAN: iban}, card(fact.Account{Key: "card/k1", ID: long, MaskedPAN: "541200******0007"})}, "aa"},
		"card by its digits":              {[]fact.Account{{Key: "account/x", ID: "x", MaskedPAN: "5412 00** **** 0007"}, card(fact.Account{Key: "card/k1", ID: "k1", MaskedPAN: "541200XXXXXX0007"})}, "aa"},
		"card by its last digits":         {[]fact.Account{{Key: "account/x", ID: "x", Type: "CARD", MaskedPAN: "****0007"}, card(fact.Account{Key: "card/k1", ID: "k1", MaskedPAN: "541200******0007"})}, "aa"},
		"a counter in each list":          {[]fact.Account{{Key: "account/1", ID: "1", IBAN: iban, Type: "CACC"}, card(fact.Account{Key: "card/1", ID: "1", MaskedPAN: "541200******0007"})}, "ab"},
		"a counter and a savings account": {[]fact.Account{{Key: "account/1", ID: "1", Product: "Sparkonto"}, card(fact.Account{Key: "card/1", ID: "1"})}, "ab"},
		"other digits":                    {[]fact.Account{{Key: "account/1", ID: "1", MaskedPAN: "541200******0008"}, card(fact.Account{Key: "card/1", ID: "1", MaskedPAN: "541200******0007"})}, "ab"},
		"another issuer":                  {[]fact.Account{{Key: "account/x", MaskedPAN: "492500******0007"}, card(fact.Account{Key: "card/1", MaskedPAN: "541200******0007"})}, "ab"},
		"two cards, one of both":          {[]fact.Account{{Key: "account/x", ID: "x", MaskedPAN: "****0007", Name: "Guld"}, {Key: "account/y", ID: "y", MaskedPAN: "****0007", Name: "Silver"}, card(fact.Account{Key: "card/1", MaskedPAN: "541200******0007", Name: "Silver"})}, "abb"},
		"two cards of the same digits":    {[]fact.Account{card(fact.Account{Key: "card/1", MaskedPAN: "541200******0007", Name: "Guld"}), card(fact.Account{Key: "card/2", MaskedPAN: "541200******0007", Name: "Silver"})}, "ab"},
		"one card on two pages":           {[]fact.Account{card(fact.Account{Key: "card/1", MaskedPAN: "541200******0007", Name: "Guld"}), card(fact.Account{Key: "card/2", MaskedPAN: "541200******0007", Name: "Guld"})}, "aa"},
		"wallets":                         {[]fact.Account{{Key: "1", MSISDN: "+46701740605"}, {Key: "2", MSISDN: "0046701740605"}, {Key: "3", MSISDN: "+46701740606"}}, "aab"},
	} {
		groups, indistinct := group(test.entries)
		letters := map[string]byte{}
		for i, g := range groups {
			for _, e := range g {
				letters[e.Key+e.IBAN+e.Name] = 'a' + byte(i)
			}
		}
		got := ""
		for _, e := range test.entries {
			got += string(letters[e.Key+e.IBAN+e.Name])
		}
		if got != test.want || indistinct != 0 {
			t.Errorf("%s: %s, want %s; %d indistinct", name, got, test.want, indistinct)
		}
		all := ids(search.Find(test.entries))
		if unique := slices.Compact(slices.Sorted(slices.Values(all))); len(unique) != len(groups) {
			t.Errorf("%s: ids %v", name, all)
		}
	}
}

func TestFind_CountsCardsThatMayBeOneOfSeveral(t *testing.T) {
	f := search.Find([]fact.Account{{Key: "account/x", ID: "x", MaskedPAN: "****0007", Name: "Guld"}, {Key: "account/y", ID: "y", MaskedPAN: "****0007", Name: "Silver"},
		{Key: "card/1", Card: true, MaskedPAN: "541200******0007", Name: "Kort"}})
	if len(f.Accounts) != 3 || f.Deviations[deviation.IndistinctAccounts] != 1 {
		t.Errorf("%d accounts, %v", len(f.Accounts), f.Deviations)
	}
}

// However the lists are ordered and however often an entry is repeated, the accounts
// and their ids are the same.
func TestFind_DoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var entries []fact.Account
		n := rapid.IntRange(1, 6).Draw(t, "accounts")
		for i := range n {
			a := fact.Account{Key: fmt.Sprint("account/", i), ID: fmt.Sprint(i), Currency: rapid.SampledFrom([]string{"SEK", "EUR", ""}).Draw(t, "currency")}
			switch rapid.IntRange(0, 3).Draw(t, "number") {
			case 0:
				a.IBAN = fmt.Sprintf("SE45500000000583982574%02d", i)
			case 1:
				a.BBAN = fmt.Sprintf("583982574%02d", i)
			case 2:
				a.MaskedPAN = fmt.Sprintf("541200******00%02d", i)
				if rapid.Bool().Draw(t, "also as a card") {
					also := a
					also.Key, also.Card = fmt.Sprint("card/", i), true
					entries = append(entries, also)
				}
			}
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				entries = append(entries, a)
			}
		}
		before := ids(search.Find(entries))
		slices.Sort(before)
		shuffled := slices.Clone(entries)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		after := ids(search.Find(shuffled))
		slices.Sort(after)
		if len(before) != n || !slices.Equal(before, after) {
			t.Fatalf("%d accounts: %v and %v", n, before, after)
		}
	})
}

// A loan of which the kind and the number are known becomes a product.
func TestFind_LeavesOutClosedAccountsAndOtherLoans(t *testing.T) {
	f := search.Find([]fact.Account{
		{Key: "1", IBAN: iban},
		{Key: "2", IBAN: iban2, Status: fact.StatusClosed},
		{Key: "3", BBAN: "97891111113", Type: "LOAN"},
		{Key: "4", ID: "4", Status: fact.StatusOpen, Product: "Bolån"},
		{Key: "account/k", ID: "k", Type: "CARD", Status: fact.StatusClosed}, {Key: "card/k", ID: "k", Card: true},
		{Key: "5", BBAN: "50000000000000000005", Status: fact.StatusClosed}, {Key: "6", BBAN: "50000000000000000005", Status: fact.StatusOpen},
		{Key: "7", BBAN: "97891111131", Product: "Bolån"}, {Key: "8", Other: "4711", Type: "LOAN", Name: "Privatlån"},
		{Key: "9", IBAN: "SE4950000000058398257474", Product: "Blancolån", Status: fact.StatusClosed},
	})
	if len(f.Accounts) != 4 || f.Accounts[1].Entries[0].Key != "5" || f.Accounts[2].Type != Mortgage || f.Accounts[3].Type != Unsecured || f.Accounts[0].Entries[0].Key != "1" || f.Deviations[deviation.OtherProduct] != 2 || f.Deviations.Incomplete() {
		t.Errorf("%+v", f)
	}
}
