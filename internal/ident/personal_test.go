package ident_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/ident"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestParsePersonalNumber_AddsCentury(t *testing.T) {
	for in, want := range map[string]string{
		"194408139089":   "194408139089",
		"19440813-9089":  "194408139089",
		"4408139089":     "194408139089",
		"440813-9089":    "194408139089",
		" 440813-9089\t": "194408139089",
		"1212121212":     "201212121212", // the latest century
		"121212-1212":    "201212121212",
		"121212+1212":    "191212121212",
		"000229-2399":    "200002292399",
		"900867-2397":    "199008672397", // coordination number
	} {
		n, err := ident.ParsePersonalNumber(in, now)
		if err != nil || n.Digits() != want {
			t.Errorf("%q: got %q, %v, want %s", in, n.Digits(), err, want)
		}
	}
}

func TestParsePersonalNumber_CenturyDependsOnNow(t *testing.T) {
	birthday := time.Date(2012, 12, 12, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{birthday.Add(-3 * time.Hour), "191212121212"},
		{birthday.Add(-2 * time.Hour), "201212121212"}, // midnight in Swedish summer time
		{birthday.AddDate(80, 0, 0), "201212121212"},
	} {
		n, err := ident.ParsePersonalNumber("1212121212", c.at)
		if err != nil || n.Digits() != c.want {
			t.Errorf("%v: got %q, %v", c.at, n.Digits(), err)
		}
	}
}

func TestParsePersonalNumber_PlusMeansHundredOrOlder(t *testing.T) {
	// In the year of the hundredth birthday, before the birthday.
	at := time.Date(2012, 1, 1, 12, 0, 0, 0, time.UTC)
	n, err := ident.ParsePersonalNumber("121212+1212", at)
	if err != nil || n.Digits() != "191212121212" {
		t.Errorf("got %q, %v", n.Digits(), err)
	}
	if n, err := ident.ParsePersonalNumber("900602+2397", now); err != nil || n.Digits()[:2] != "18" {
		t.Errorf("got %q, %v", n.Digits(), err)
	}
	if _, err := ident.ParsePersonalNumber("300602+2397", now); !errors.Is(err, ident.ErrDate) {
		t.Errorf("born before the first year: %v", err)
	}
}

func TestParsePersonalNumber_RejectsInvalidNumbers(t *testing.T) {
	for in, want := range map[string]error{
		"":                 ident.ErrForm,
		"19440813908":      ident.ErrForm,
		"1944081390890":    ident.ErrForm,
		"19440813 9089":    ident.ErrForm,
		"1944-0813-9089":   ident.ErrForm,
		"19440813T089":     ident.ErrForm,
		"4408a39089":       ident.ErrForm,
		"440813*9089":      ident.ErrForm,
		"１９４４０８１３":         ident.ErrForm,
		"19900602-2397-":   ident.ErrForm,
		"194413139089":     ident.ErrDate,
		"194402309089":     ident.ErrDate,
		"190002292399":     ident.ErrDate, // 1900 was no leap year
		"194408009089":     ident.ErrDate,
		"199013672397":     ident.ErrDate,
		"199008922397":     ident.ErrDate,
		"170002292399":     ident.ErrDate,
		"203006022397":     ident.ErrDate,
		"194408139080":     ident.ErrCheckDigit,
		"199008672398":     ident.ErrCheckDigit,
		"19440813\x009089": ident.ErrForm,
	} {
		_, err := ident.ParsePersonalNumber(in, now, ident.SkipCheckDigit())
		if want == ident.ErrCheckDigit {
			if err != nil {
				t.Errorf("%q: check digit not skipped: %v", in, err)
			}
			_, err = ident.ParsePersonalNumber(in, now)
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
		if err != nil && len(in) > 5 && strings.Contains(err.Error(), in[:6]) {
			t.Errorf("%q is in the error: %v", in, err)
		}
	}
}

func TestParsePersonalNumber12_AcceptsTwelveDigitsOnly(t *testing.T) {
	for _, in := range []string{"19440813-9089", "4408139089", " 194408139089", "194408139089\n"} {
		if _, err := ident.ParsePersonalNumber12(in); !errors.Is(err, ident.ErrForm) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

// The numbers of docs/reference/api.md 8 have serial numbers and check digits that no
// person has.
func TestParsePersonalNumber_AnyDigits(t *testing.T) {
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"200001020000": "200001020000", "0001020000": "200001020000", "000102-0000": "200001020000",
		"199007011000": "199007011000", "9007011000": "199007011000", "20000101-0000": "200001010000",
		"999999999999": "999999999999", "9999999999": "199999999999", "2613010000": "202613010000", "2699990000": "202699990000",
		"270101000": "", "00010200001": "", "00010200AB": "", "": "", "2000010200000": "",
	} {
		got, err := ident.ParsePersonalNumber(text, now, ident.AnyDigits())
		if got.Digits() != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ident.ErrForm) {
			t.Errorf("%q: %q, %v", text, got.Digits(), err)
		}
		if _, err := ident.ParsePersonalNumber(text, now); err == nil {
			t.Errorf("%q is accepted without the option", text)
		}
	}
}

func TestBirthDate_UnknownMonthOrDay(t *testing.T) {
	for _, in := range []string{"199000602395", "199000732395", "199012602395"} {
		n, err := ident.ParsePersonalNumber12(in, ident.SkipCheckDigit())
		if err != nil || !n.IsCoordination() {
			t.Errorf("%s: %v", in, err)
		}
		if date, ok := n.BirthDate(); ok {
			t.Errorf("%s: birth date %v", in, date)
		}
	}
	n, _ := ident.ParsePersonalNumber12("199008672397")
	if date, ok := n.BirthDate(); !ok || date.Format(time.DateOnly) != "1990-08-07" {
		t.Errorf("got %v, %v", date, ok)
	}
	if _, ok := (ident.PersonalNumber{}).BirthDate(); ok {
		t.Error("the zero value has a birth date")
	}
}

func TestParsePersonalNumber12_DetectsOneWrongDigit(t *testing.T) {
	valid := load(t).Personal.Valid
	rapid.Check(t, func(t *rapid.T) {
		s := []byte(rapid.SampledFrom(valid).Draw(t, "number"))
		at := rapid.IntRange(2, 11).Draw(t, "at") // the century is not covered
		other := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		if other == s[at] {
			return
		}
		s[at] = other
		if _, err := ident.ParsePersonalNumber12(string(s)); err == nil {
			t.Fatalf("%s is accepted", s)
		}
	})
}

// Ten digits and twelve identify the same person while that person is under 100.
func TestParsePersonalNumber_TenDigitsMatchTwelve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		date := time.Date(1927, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 36000).Draw(t, "day"))
		twelve := date.Format("20060102") + rapid.StringMatching(`[1-9][0-9]{3}`).Draw(t, "last")
		n, err := ident.ParsePersonalNumber(twelve[2:8]+"-"+twelve[8:], now, ident.SkipCheckDigit())
		if err != nil || n.Digits() != twelve {
			t.Fatalf("%s: got %s, %v", twelve, n.Digits(), err)
		}
	})
}

func FuzzPersonalNumber(f *testing.F) {
	for _, s := range load(f).Personal.Valid {
		f.Add(s)
		f.Add(s[2:8] + "+" + s[8:])
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ident.ParsePersonalNumber(s, now)
		if err != nil {
			if !n.IsZero() {
				t.Error("the number has a value in spite of the error")
			}
			return
		}
		again, err := ident.ParsePersonalNumber12(n.Digits())
		if err != nil || again != n {
			t.Errorf("%q: ParsePersonalNumber12 does not accept it: %v", s, err)
		}
	})
}
