package ident_test

import (
	"testing"

	"pgregory.net/rapid"

	"samla/internal/ident"
)

func TestSameAccount_ComparesNumbersHoweverTheyAreWritten(t *testing.T) {
	const iban = "SE4550000000058398257466"
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{iban, "se45 5000 0000 0583 9825 7466", true},
		{iban, "5839 825746-6", true},    // with the clearing number
		{iban, "8257466", true},          // without it
		{iban, "0000058398257466", true}, // filled up
		{"583 982 574 66", "8257466", true},
		{iban, "257466", false}, // too short to tell an account apart
		{iban, "8257467", false},
		{iban, "SE3550000000054910000003", false},
		{"491623******0875", "4916 23•• •••• 0875", true},
		{"491623******0875", "4916230000000875", false},
		{"R-1234567", "1234567", false}, // an id that is no number
		{"", "", false},
		{iban, "", false},
		{iban, "0000000", false},
	} {
		if got := ident.SameAccount(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %t", test.a, test.b, got)
		}
	}
}

func TestSameAccount_IsSymmetric(t *testing.T) {
	number := rapid.StringMatching(`(SE[0-9]{2})?[0 -]{0,3}[0-9*•]{0,22}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		if ident.SameAccount(a, b) != ident.SameAccount(b, a) {
			t.Fatalf("%q and %q", a, b)
		}
		if ident.CompactAccount(a) != "" && !ident.SameAccount(a, a) {
			t.Fatalf("%q is not itself", a)
		}
	})
}
