package consent_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/consent"
)

const (
	iban1, iban2 = "SE4550000000058398257466", "SE3550000000054910000003"
	card1        = "491623******0875"
)

func TestGrant_IsNeverMoreThanWasAskedFor(t *testing.T) {
	of := func(ids ...string) consent.Scope {
		return consent.Scope{AccountIDs: ids, Balances: true, Transactions: true}
	}
	all := of()
	for name, test := range map[string]struct {
		asked   consent.Scope
		granted *consent.Scope
		want    []string
		none    bool
	}{
		"all of all":                     {all, &all, nil, false},
		"the bank does not say":          {of(iban1), nil, []string{iban1}, false},
		"all of one":                     {of(iban1), &all, []string{iban1}, false},
		"one of all":                     {all, &consent.Scope{AccountIDs: []string{iban1}, Balances: true, Transactions: true}, []string{iban1}, false},
		"one of two":                     {of(iban1, iban2), &consent.Scope{AccountIDs: []string{iban2}, Balances: true, Transactions: true}, []string{iban2}, false},
		"one more":                       {of(iban1), &consent.Scope{AccountIDs: []string{iban1, iban2}, Balances: true, Transactions: true}, []string{iban1}, false},
		"another":                        {of(iban1), &consent.Scope{AccountIDs: []string{iban2}, Balances: true, Transactions: true}, nil, true},
		"written in groups":              {of("SE45 5000 0000 0583 9825 7466"), &consent.Scope{AccountIDs: []string{iban1}, Balances: true, Transactions: true}, []string{"SE45 5000 0000 0583 9825 7466"}, false},
		"by number":                      {of(iban1, iban2), &consent.Scope{AccountIDs: []string{"5839-8257466"}, Balances: true, Transactions: true}, []string{iban1}, false},
		"by another id":                  {of(iban1), &consent.Scope{AccountIDs: []string{"r-111"}, Balances: true, Transactions: true}, []string{iban1}, false},
		"one by IBAN, a card besides":    {of(iban1, card1), &consent.Scope{AccountIDs: []string{iban1, "4916 23•• •••• 0875"}, Balances: true, Transactions: true}, []string{iban1, card1}, false},
		"no transactions, another IBAN":  {of(iban1), &consent.Scope{AccountIDs: []string{iban2}, Balances: true}, nil, true},
		"a card that is not the account": {of(iban1, iban2), &consent.Scope{AccountIDs: []string{iban1, iban1}, Balances: true, Transactions: true}, []string{iban1}, false},
	} {
		got, ok := test.asked.Grant(test.granted)
		if ok == test.none || ok && !slices.Equal(got.AccountIDs, test.want) {
			t.Errorf("%s: %v, %v", name, got.AccountIDs, ok)
		}
	}
	got, _ := consent.Scope{Balances: true}.Grant(&all)
	if want := (consent.Scope{Balances: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("asked for balances, agreed %+v", got)
	}
	got, _ = all.Grant(&consent.Scope{Transactions: true})
	if want := (consent.Scope{Transactions: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("granted transactions, agreed %+v", got)
	}
}

func TestGrant_KeepsInvariants(t *testing.T) {
	scope := rapid.Custom(func(t *rapid.T) consent.Scope {
		return consent.Scope{Balances: rapid.Bool().Draw(t, "balances"), Transactions: rapid.Bool().Draw(t, "transactions"),
			AccountIDs: rapid.SliceOfN(rapid.SampledFrom([]string{iban1, iban2, card1, "58398257466", "r-1", "", "+46701740605"}), 0, 4).Draw(t, "ids")}
	})
	rapid.Check(t, func(t *rapid.T) {
		asked, granted := scope.Draw(t, "asked"), scope.Draw(t, "granted")
		got, ok := asked.Grant(&granted)
		if got.Balances && !(asked.Balances && granted.Balances) || got.Transactions && !(asked.Transactions && granted.Transactions) {
			t.Fatalf("agreed %+v", got)
		}
		for _, id := range got.AccountIDs {
			if len(asked.AccountIDs) > 0 && !slices.Contains(asked.AccountIDs, id) {
				t.Fatalf("%q was not asked for", id)
			}
		}
		if len(asked.AccountIDs) > 0 && ok && len(got.AccountIDs) == 0 {
			t.Fatal("accounts were asked for, and every one is agreed")
		}
	})
}

func TestReadsPerDay_IsNeverMoreThanTheLawAllows(t *testing.T) {
	for _, test := range []struct {
		perDay int
		oneOff bool
		want   int
	}{{0, false, 0}, {1, false, 1}, {3, false, 3}, {4, false, 0}, {100, false, 0}, {-1, false, 0}, {4, true, 1}} {
		if got := consent.ReadsPerDay(test.perDay, test.oneOff); got != test.want {
			t.Errorf("%d a day, once %t: %d", test.perDay, test.oneOff, got)
		}
	}
}
