package money_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/money"
)

func TestAmount_KeepsDigitsThroughJSON(t *testing.T) {
	for _, s := range []string{"25000", "45.5", "-45.50", "-45.5", "0", "0.00", "10.32", "-125.75",
		"0.1", "0.30000000000000004", "9999999999999999999", "-0.0000000000000000001", "12345678901234.567"} {
		in := `{"amount":` + s + `,"currency":"SEK"}`
		var a money.Amount
		if err := json.Unmarshal([]byte(in), &a); err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if out, err := json.Marshal(a); err != nil || string(out) != in {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
}

func TestAmount_UnmarshalsOtherSpellings(t *testing.T) {
	for in, want := range map[string]string{
		`{"currency":"EUR","amount":"10.32"}`:                    `{"amount":10.32,"currency":"EUR"}`,
		`{"amount":1.5e3,"currency":"EUR"}`:                      `{"amount":1500,"currency":"EUR"}`,
		`{"amount":15E-4,"currency":"EUR"}`:                      `{"amount":0.0015,"currency":"EUR"}`,
		`{"amount":-0,"currency":"EUR"}`:                         `{"amount":0,"currency":"EUR"}`,
		`{"amount":0e99,"currency":"EUR"}`:                       `{"amount":0,"currency":"EUR"}`,
		`{"amount":0.000e3,"currency":"EUR"}`:                    `{"amount":0,"currency":"EUR"}`,
		`{"amount":1,"currency":null,"more":[]}`:                 `{"amount":1}`,
		`100000`:                                                 `{"amount":100000}`,
		` {"amount" : 1.0 , "currency":"SEK"} `:                  `{"amount":1.0,"currency":"SEK"}`,
		`{"amount":100000000000000000e1,"currency":"SEK"}`:       `{"amount":1000000000000000000,"currency":"SEK"}`,
		`{"amount":1e-19,"currency":"SEK"}`:                      `{"amount":0.0000000000000000001,"currency":"SEK"}`,
		`{"amount":12.50e+1,"currency":"SEK"}`:                   `{"amount":125.0,"currency":"SEK"}`,
		`{"amount":-1.5e0000000000000000001,"currency":"SEK"}`:   `{"amount":-15,"currency":"SEK"}`,
		`{"amount":"-3","currency":"SEK","amountInCents":-3000}`: `{"amount":-3,"currency":"SEK"}`,
	} {
		var a money.Amount
		if err := json.Unmarshal([]byte(in), &a); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(a.AppendJSON(nil)); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestAmount_RejectsInvalidJSON(t *testing.T) {
	for in, want := range map[string]error{
		`{"currency":"EUR"}`:                         money.ErrSyntax,
		`{"amount":null,"currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"","currency":"EUR"}`:             money.ErrSyntax,
		`{"amount":"1,5","currency":"EUR"}`:          money.ErrSyntax,
		`{"amount":"\u0031","currency":"EUR"}`:       money.ErrSyntax,
		`{"amount":"+1","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"01","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":".5","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"5.","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"1e","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"1e+","currency":"EUR"}`:          money.ErrSyntax,
		`{"amount":"1x","currency":"EUR"}`:           money.ErrSyntax,
		`{"amount":"NaN","currency":"EUR"}`:          money.ErrSyntax,
		`{"amount":[1],"currency":"EUR"}`:            money.ErrSyntax,
		`{"amount":true,"currency":"EUR"}`:           money.ErrSyntax,
		`true`:                                       money.ErrSyntax,
		`[]`:                                         money.ErrSyntax,
		`{"amount":1,"currency":"eur"}`:              money.ErrCurrency,
		`{"amount":1,"currency":"EURO"}`:             money.ErrCurrency,
		`{"amount":1,"currency":"E1R"}`:              money.ErrCurrency,
		`{"amount":1,"currency":"\u00c5\u00c4"}`:     money.ErrCurrency,
		`{"amount":12345678901234567890}`:            money.ErrPrecision,
		`{"amount":0.00000000000000000001}`:          money.ErrPrecision, // one digit, twenty decimals
		`{"amount":0.12345678901234567890}`:          money.ErrPrecision,
		`{"amount":1e19}`:                            money.ErrPrecision,
		`{"amount":1e-20}`:                           money.ErrPrecision,
		`{"amount":1e999999999999999999999999}`:      money.ErrPrecision,
		`{"amount":1e-999999999999999999999999}`:     money.ErrPrecision,
		`{"amount":0.10000000000000000555111512312}`: money.ErrPrecision,
	} {
		a := money.Must("7", "SEK")
		if err := json.Unmarshal([]byte(in), &a); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", in, err, want)
		}
		if a != money.Must("7", "SEK") {
			t.Errorf("%s: rejected, but the amount changed to %v", in, a)
		}
	}
}

func TestParse_AcceptsOnlyBerlinGroupForm(t *testing.T) {
	for _, s := range []string{"0", "-1", "5877.78", "12345678901234.123", "-0.1", "007.50"} {
		if _, err := money.Parse(s, "SEK"); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "-", "+1", "1.", ".5", "1.2345", "123456789012345", "1,5", " 1", "1 ", "1e3", "--1", "1.2.3", "0x1", "१"} {
		if _, err := money.Parse(s, "SEK"); !errors.Is(err, money.ErrSyntax) {
			t.Errorf("%q: got %v", s, err)
		}
	}
	for _, c := range []string{"", "sek", "SE", "SEKK", "S K", "ÅÄÖ"} {
		if _, err := money.Parse("1", c); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("currency %q: got %v", c, err)
		}
	}
}

func TestParseLenient_AcceptsOtherSpellings(t *testing.T) {
	for in, want := range map[string]string{
		"-256.67":             "-256.67",
		"+12":                 "12",
		" 12.50 ":             "12.50",
		"- 45,50":             "-45.50",
		"\u221245,5":          "-45.5",
		"1 234,50":            "1234.50",
		"1\u00a0234\u00a05":   "", // a group has three digits
		"1\u00a0234,5":        "1234.5",
		"1\u202f234\u202f567": "1234567",
		"1.234,50":            "1234.50",
		"1,234.50":            "1234.50",
		"1.234.567,8":         "1234567.8",
		"1,234,567.8":         "1234567.8",
		"1.234":               "1.234",
		"0,125":               "0.125",
		"1234,567":            "1234.567",
		".50":                 "0.50",
		"-,5":                 "-0.5",
		"007":                 "7",
		"1.5e3":               "1500",
		"1,234":               "", // 1.234 or 1234
		"12,34,56":            "",
		"1.23.456":            "",
		"1.234.567":           "1234567",
		"1,234,567":           "1234567",
		"1.234.567,8.9":       "",
		"1,234,567.":          "",
		"1,234,56":            "",
		"1 234 56":            "",
		"12345 678,9":         "",
		"1. 5":                "",
		"":                    "",
		"-":                   "",
		".":                   "",
		"5.":                  "",
		"--5":                 "",
		"5-":                  "-5",
		"1 234,50 -":          "-1234.50",
		"100.00+":             "100.00",
		"\u2013100,00":        "-100.00",
		"-5-":                 "",
		"1\u2019234.50":       "1234.50",
		"1,5kr":               "",
		"NaN":                 "",
	} {
		a, err := money.ParseLenient(in, " sek")
		if want == "" {
			if !errors.Is(err, money.ErrSyntax) {
				t.Errorf("%q: got %v, %v", in, a, err)
			}
			continue
		}
		if err != nil || a.Value().String() != want || a.Currency() != "SEK" {
			t.Errorf("%q: got %v, %v, want %s", in, a, err, want)
		}
	}
	if _, err := money.ParseLenient("12345678901234567890", "SEK"); !errors.Is(err, money.ErrPrecision) {
		t.Errorf("got %v", err)
	}
	if _, err := money.ParseLenient("1", "kr"); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("got %v", err)
	}
}

func TestAmount_AddsAndComparesExactly(t *testing.T) {
	a, b := money.Must("0.1", "SEK"), money.Must("0.2", "SEK")
	sum, err := a.Add(b)
	if err != nil || sum != money.Must("0.3", "SEK") {
		t.Errorf("got %v, %v", sum, err)
	}
	if back, err := sum.Sub(b); err != nil || back != a {
		t.Errorf("got %v, %v", back, err)
	}
	if _, err := a.Add(money.Must("1", "EUR")); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("got %v", err)
	}
	if _, err := a.Cmp(money.Must("1", "EUR")); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("got %v", err)
	}
	if c, err := a.Cmp(b); err != nil || c != -1 {
		t.Errorf("got %v, %v", c, err)
	}
	if !a.Equal(money.Must("0.100", "SEK")) || a.Equal(money.Must("0.1", "EUR")) {
		t.Error("Equal does not compare value and currency")
	}
	if a.Neg().Sign() != -1 || a.Neg().Abs() != a || a.String() != "0.1 SEK" || (money.Amount{}).String() != "0" {
		t.Error("sign or text is wrong")
	}
	big, err := money.ParseLenient("9999999999999999999", "SEK")
	if err != nil {
		t.Fatal(err)
	}
	// Both sums need a twentieth digit: an error, never a rounded sum.
	for _, c := range []money.Amount{money.Must("1", "SEK"), money.Must("0.1", "SEK")} {
		if sum, err := big.Add(c); !errors.Is(err, money.ErrPrecision) {
			t.Errorf("got %v, %v", sum, err)
		}
	}
}

func TestAmount_SubReversesAdd(t *testing.T) {
	amount := rapid.Custom(func(t *rapid.T) money.Amount {
		return money.Must(rapid.StringMatching(`-?[0-9]{1,14}(\.[0-9]{1,3})?`).Draw(t, "text"), "SEK")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount.Draw(t, "a"), amount.Draw(t, "b")
		sum, err := a.Add(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := sum.Sub(b)
		if err != nil || !back.Equal(a) {
			t.Fatalf("%v + %v - %v = %v, %v", a, b, b, back, err)
		}
	})
}

func TestNumber_KeepsDigits(t *testing.T) {
	n := money.MustNumber("0.0375")
	if n.String() != "0.0375" || n.Cmp(money.MustNumber("0.03750")) != 0 || n.Cmp(money.MustNumber("1")) != -1 {
		t.Errorf("got %v", n)
	}
	if got := money.NewNumber(n.Decimal()); got != n {
		t.Errorf("got %v", got)
	}
	var read money.Number
	if err := json.Unmarshal([]byte(`"54.076858"`), &read); err != nil || read.String() != "54.076858" {
		t.Errorf("got %v, %v", read, err)
	}
	if err := json.Unmarshal([]byte(`null`), &read); err != nil || read.String() != "54.076858" {
		t.Errorf("null changed the number: %v, %v", read, err)
	}
	if out, err := json.Marshal([]money.Number{{}, n}); err != nil || string(out) != "[0,0.0375]" {
		t.Errorf("got %s, %v", out, err)
	}
}

// Every amount that parses can be written and read back unchanged. Where the strict
// parser succeeds, the lenient one returns the same amount.
func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0", "-45.50", "1e3", "0.0000001", "9999999999999999999", "00", "1 234,50", "-0"} {
		f.Add(s, "SEK")
	}
	f.Fuzz(func(t *testing.T, value, currency string) {
		lenient, err := money.ParseLenient(value, currency)
		if strict, strictErr := money.Parse(value, currency); strictErr == nil && (err != nil || strict != lenient) {
			t.Errorf("%q: strict %v, lenient %v, %v", value, strict, lenient, err)
		}
		if err != nil {
			return
		}
		var back money.Amount
		if err := json.Unmarshal(lenient.AppendJSON(nil), &back); err != nil || back != lenient {
			t.Errorf("%q: %v became %v, %v", value, lenient, back, err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0.0375", "-1", "1E+2", "1e-19", "null", `"5"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var n, back money.Number
		if json.Unmarshal(raw, &n) != nil {
			return
		}
		if err := json.Unmarshal(n.AppendJSON(nil), &back); err != nil || back != n {
			t.Errorf("%s: %v became %v, %v", raw, n, back, err)
		}
	})
}
