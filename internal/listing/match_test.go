package listing

import (
	"slices"
	"strings"
	"testing"

	"samla/internal/deviation"
	"samla/internal/fact"
)

var (
	salary = fact.Account{Key: "account/r1", ID: "r1", IBAN: iban, Currency: "SEK"}
	bank   = fact.Account{Key: "account/r2", ID: "r2", BBAN: "6789123456789"}
	card   = fact.Account{Key: "card/k1", ID: "k1", Card: true, MaskedPAN: "541200******0007"}
	wallet = fact.Account{Key: "account/w1", ID: "w1", MSISDN: "+46701740605", Other: "wallet-7"}
)

func keys(f Found) string {
	var all []string
	for _, a := range f.Accounts {
		all = append(all, a.Entries[0].ID)
	}
	return strings.Join(all, " ")
}

func TestFind_FilterNamesAccountsByAnyNumber(t *testing.T) {
	entries := []fact.Account{salary, bank, card, wallet, {Key: "account/s", ID: "s", MaskedPAN: "**************07"}} // too few digits
	for id, want := range map[string]string{
		iban: "r1", "se45 5000 0000 0583 9825 7466": "r1", "50000000058398257466": "r1", "5839-825 746 6": "r1", "r1": "r1", "R1": "r1",
		"6789 123 456 789": "r2", "SE4460000000000123456789": "r2",
		"541200******0007": "k1", "5412 00** **** 0007": "k1", "5412001234560007": "k1", "****0007": "k1", "XXXX-XXXX-XXXX-0007": "k1",
		"+46701740605": "w1", "0046 70 174 06 05": "w1", "wallet-7": "w1",
		"SE45****************7466": "r1", "SE45 **** 7466": "r1", "SE45****************7467": "", "SE35****7466": "", "SE45****": "", "SE45*466": "", "****7466": "",
		iban2: "", "5839825746": "", "7466": "", "541200******0008": "", "5412001234560008": "", "****07": "", "***": "", "": "", "iban": "", "abx0007": "",
	} {
		s := search
		s.Filter = []string{id}
		if got := keys(s.Find(entries)); got != want {
			t.Errorf("%q: names %q, want %q", id, got, want)
		}
	}
}

func TestFind_FilterNamesAccountsByOurIDs(t *testing.T) {
	entries := []fact.Account{salary, bank, card, wallet, {Key: "account/e", ID: "e", IBAN: iban2, Currency: "EUR"}}
	all := search.Find(entries)
	s := search
	for i, id := range ids(all) {
		s.Filter = []string{" " + id}
		f := s.Find(entries)
		if keys(f) != entries[i].ID || !f.Accounts[0].Wants(id) || f.Accounts[0].Wants(id+"-nok") {
			t.Errorf("%s: names %q", id, keys(f))
		}
	}
	// An account of several currencies by one of its parts, by another, and as a whole.
	several := []fact.Account{{Key: "account/1", IBAN: iban, Currency: "XXX"}}
	whole := &search.Find(several).Accounts[0]
	for filter, want := range map[string]string{whole.ID("EUR"): "EUR", whole.ID("SEK"): "SEK", iban: "SEK EUR"} {
		s.Filter = []string{filter}
		a := &s.Find(several).Accounts[0]
		var wanted []string
		for _, c := range []string{"SEK", "EUR"} {
			if a.Wants(a.ID(c)) {
				wanted = append(wanted, c)
			}
		}
		if strings.Join(wanted, " ") != want {
			t.Errorf("%s: wants %v, not %s", filter, wanted, want)
		}
	}
	// Other persons' ids name nothing.
	other := search
	other.Owner = "user/2"
	s.Filter = ids(other.Find(entries))
	if f := s.Find(entries); len(f.Accounts) != 0 {
		t.Errorf("ids of another person name %q", keys(f))
	}
}

func TestFind_FilterNamesAnAccountByEachOfItsEntries(t *testing.T) {
	entries := []fact.Account{{Key: "account/k1", ID: "k1", Type: "CARD", BBAN: "97891111113"}, {Key: "card/k1", ID: "k1", Card: true, MaskedPAN: "541200******0007"}, salary}
	s := search
	for _, id := range []string{"9789 111111 3", "541200******0007", "k1"} {
		s.Filter = []string{id}
		f := s.Find(entries)
		if len(f.Accounts) != 1 || len(f.Accounts[0].Entries) != 2 {
			t.Errorf("%s: %+v", id, f.Accounts)
		}
	}
}

func TestFind_ConsentNamesAccountsInOtherWaysThanTheLists(t *testing.T) {
	bare := fact.Account{Key: "account/b", ID: "b"}
	for _, test := range []struct {
		granted []string
		asked   bool
		entries []fact.Account
		want    string
		unclear int
	}{
		{nil, false, []fact.Account{salary, card}, "r1 k1", 0},
		{[]string{iban}, false, []fact.Account{salary, bank, card}, "r1", 0},
		{[]string{"+46701740605"}, false, []fact.Account{wallet, salary}, "w1", 0},
		{[]string{"5412001234560007"}, false, []fact.Account{card, salary}, "k1", 0},
		// A card and an account of which the list tells another number than the consent.
		{[]string{iban, "5412001234560007"}, false, []fact.Account{salary, bare}, "r1 b", 0},
		{[]string{"+46701740605"}, false, []fact.Account{bare}, "b", 0},
		{[]string{"other-1"}, false, []fact.Account{salary}, "r1", 0},
		// The client asked for these accounts by name: nothing else is read.
		{[]string{"+46701740605"}, true, []fact.Account{bare}, "", 0},
		{[]string{iban}, true, []fact.Account{bare, card}, "", 0},
		// Every id of the consent names an account: the rest is not granted.
		{[]string{iban}, false, []fact.Account{salary, bare, card}, "r1", 0},
		{[]string{iban2}, false, []fact.Account{salary, bank}, "", 0},
		// More accounts than ids that are left.
		{[]string{"+46701740605"}, false, []fact.Account{bare, {Key: "account/c", ID: "c"}}, "", 2},
	} {
		s := search
		s.Granted, s.Asked = test.granted, test.asked
		f := s.Find(test.entries)
		if got := keys(f); got != test.want || f.Deviations[deviation.IndistinctAccounts] != test.unclear {
			t.Errorf("%v, asked %t: %q, %v; want %q", test.granted, test.asked, got, f.Deviations, test.want)
		}
	}
}

func TestNumbers_AreSharedByAnIBANAndItsAccountNumber(t *testing.T) {
	for number, iban := range map[string]string{
		"5839-825 746 6":         "SE4550000000058398257466", // SEB
		"6789-123456789":         "SE4460000000000123456789", // Handelsbanken: without the clearing number
		"3300 000620-5124":       "SE8430000000000006205124", // Nordea personkonto
		"9789-1111113":           "SE5597800000097891111113", // Klarna
		"NL91 ABNA 0417 1643 00": "NL91ABNA0417164300",
	} {
		shared := slices.ContainsFunc(handlesOf(number), func(h string) bool {
			return slices.Contains(handles(fact.Account{IBAN: iban}), h)
		})
		if !shared {
			t.Errorf("%s: %v and %v", number, handlesOf(number), handles(fact.Account{IBAN: iban}))
		}
	}
}

func TestMask_ReadsEverySpelling(t *testing.T) {
	for s, want := range map[string]string{
		"541200******0007": "541200*0007", "5412 00** **** 0007": "541200*0007", "5412-00XX-XXXX-0007": "541200*0007", "XXXX-XXXXXX-12345": "*12345",
		"...0007": "*0007", "0007": "*0007", "": "", "****": "", "5412\u2022\u2022\u2022\u20220007": "5412*0007",
	} {
		if got := maskOf(s).String(); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]bool{"541200******0007": true, "XXXX-XXXXXX-12345": true, "****07": false, "SE45****7466": false, "5412001234560007": false, "x0007": true, "exam 0007": false} {
		if IsMasked(s) != want {
			t.Errorf("%q: want %t", s, want)
		}
	}
}
