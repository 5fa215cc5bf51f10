package ident_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/ident"
)

func TestParseIBAN_AcceptsOtherCountries(t *testing.T) {
	// Examples from the IBAN registry.
	for _, s := range []string{"NO9386011117947", "DK5000400440116243", "FI2112345600000785",
		"IS140159260076545510730339", "DE89370400440532013000", "GB29NWBK60161331926819",
		"MT84MALT011000012345MTLCAST001S"} {
		i, err := ident.ParseIBAN(s)
		if err != nil || i.Country() != s[:2] {
			t.Errorf("%s: %v", s, err)
		}
		if _, ok := i.BIC(); ok {
			t.Errorf("%s: a Swedish BIC", s)
		}
	}
	if i, err := ident.ParseIBAN("se35 5000 0000 0549 1000 0003"); err != nil || i.Compact() != "SE3550000000054910000003" {
		t.Errorf("printed form: %v", err)
	}
}

func TestParseIBAN_RejectsInvalidNumbers(t *testing.T) {
	for s, want := range map[string]error{
		"":                          ident.ErrForm,
		"SE35":                      ident.ErrForm,
		"SE355000000005491000000":   ident.ErrForm, // a digit short
		"SE35500000000549100000033": ident.ErrForm,
		"S13550000000054910000003":  ident.ErrForm,
		"SEA550000000054910000003":  ident.ErrForm,
		"SE355000000005491000000A":  ident.ErrForm,
		"SE35-5000-0000-0549-1000":  ident.ErrForm,
		"NO93860111179470":          ident.ErrForm,
		"DE89370400440532013000DE89370400440532013000": ident.ErrForm,
		"GB29NWBK6016133192681\u00e4":                  ident.ErrForm,
		"DE89370400440532013001":                       ident.ErrCheckDigit,
		"SE3650000000054910000003":                     ident.ErrCheckDigit,
	} {
		if _, err := ident.ParseIBAN(s); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", s, err, want)
		}
	}
}

// Check digits 00, 01 and 99 have the same remainder as 97, 98 and 02, but are
// never issued.
func TestParseIBAN_RejectsCheckDigitsNeverIssued(t *testing.T) {
	for account := range 2000 {
		rest := "5000000005491" + string([]byte{'0' + byte(account/1000), '0' + byte(account/100%10), '0' + byte(account/10%10), '0' + byte(account%10)}) + "000"
		for _, check := range []string{"00", "01", "99"} {
			if _, err := ident.ParseIBAN("SE" + check + rest); err == nil {
				t.Fatalf("check digits %s accepted", check)
			}
		}
	}
}

func TestParseIBAN_DetectsOneWrongDigit(t *testing.T) {
	valid := append(load(t).IBAN.Valid, "GB29NWBK60161331926819")
	rapid.Check(t, func(t *rapid.T) {
		s := []byte(rapid.SampledFrom(valid).Draw(t, "iban"))
		at := rapid.IntRange(2, len(s)-1).Draw(t, "at")
		other := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		if other == s[at] {
			return
		}
		s[at] = other
		if _, err := ident.ParseIBAN(string(s)); err == nil {
			t.Fatalf("%s is accepted", s)
		}
	})
}

func TestIBAN_BICFollowsSwedishBankID(t *testing.T) {
	for s, want := range map[string]ident.BIC{"SE3550000000054910000003": "ESSESESS", "SE4550000000058398257466": "ESSESESS"} {
		i, err := ident.ParseIBAN(s)
		if err != nil {
			t.Fatal(err)
		}
		if bic, ok := i.BIC(); !ok || bic != want {
			t.Errorf("%s: got %s", s, bic)
		}
	}
	if bic, _ := ident.SwedishBIC("930"); bic != "SWEDSESS" {
		t.Errorf("got %s", bic)
	}
	if _, ok := ident.SwedishBIC("999"); ok {
		t.Error("an unknown bank has a BIC")
	}
}

func TestParseBIC_ChecksForm(t *testing.T) {
	for _, s := range []string{"NDEASESS", "ESSESESSXXX", "IKANSE21", " ndeasess "} {
		if _, err := ident.ParseBIC(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "NDEASES", "NDEASESSX", "NDEASESSXX", "NDEASESSXXXX", "NDEA1ESS", "NDEASE0S", "NDEASE1S", "NDEASESO", "NDEASESS-XX"} {
		if _, err := ident.ParseBIC(s); !errors.Is(err, ident.ErrForm) {
			t.Errorf("%q accepted", s)
		}
	}
}

func FuzzIBAN(f *testing.F) {
	for _, s := range load(f).IBAN.Valid {
		f.Add(s)
	}
	f.Add("GB29 NWBK 6016 1331 9268 19")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ident.ParseIBAN(s)
		if err != nil {
			return
		}
		if again, err := ident.ParseIBAN(i.Compact()); err != nil || again != i {
			t.Errorf("%q is not parsed back: %v", s, err)
		}
	})
}
