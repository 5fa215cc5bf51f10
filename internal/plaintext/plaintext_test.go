package plaintext_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"samla/internal/plaintext"
)

func TestClean_ReturnsOneReadableLine(t *testing.T) {
	for in, want := range map[string]string{
		"Hyra april":                     "Hyra april",
		" Hyra \t\r\n  april ":           "Hyra april",
		"Hyra\u00a0\u2028april\x00":      "Hyra april",
		"H&amp;M":                        "H&M",
		"H&amp;amp;M":                    "H&M",
		"Ref &#229; &#xE5; &aring;":      "Ref å å å",
		"R&D AB; Lars&regn":              "R&D AB; Lars&regn",
		"A&B":                            "A&B",
		"Rad 1<br/>Rad 2<br>3":           "Rad 1 Rad 2 3",
		"a<b":                            "a<b",
		"Lands\u00adting\ufeff":          "Landsting",
		"&nbsp;Kaffe&nbsp;&nbsp;och te ": "Kaffe och te",
		"Köp 0":                          "Köp 0",
		"Räksmörgås":                     "Räksmörgås",
		"0012":                           "0012",
		"7":                              "7",
		"Nadja":                          "Nadja",
		"-":                              "", "--": "", ".": "", "0": "", "0000": "", "N/A": "", "n.a.": "", "NOTPROVIDED": "",
		"Not provided": "", "not_available": "", "null": "", "&nbsp;": "", "None": "", "Okänd": "", "***": "", "«»": "", strings.Repeat("-", 50): "",
	} {
		if got := plaintext.Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestFold_IgnoresSpellings(t *testing.T) {
	for in, want := range map[string]string{"Hyra april lägenhet 12": "hyraaprillagenhet12", "ÅÄÖ éÜ ñ": "aaoeun", "hm": "hm",
		"A\u030angstro\u0308m": "angstrom", "Ωmega": "ωmega", "œ÷×ß": "œß"} {
		if got := plaintext.Fold(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestWhole_PrefersTheUncutText(t *testing.T) {
	for _, c := range []struct {
		want  string
		texts []string
	}{
		{"", nil}, {"a", []string{"", "a", "b"}},
		{"Hyra april lagenhet 12 Eken", []string{"Hyra april", "Hyra april lagenhet 12 Eken", "Hyra"}},
		{"Hyra april lägenhet", []string{"HYRA APRIL LAG…", "Hyra april lägenhet"}},
		{"Hyra april", []string{"Hyra april", "Hyra  april."}},
		{"Hyra", []string{"Hyra", "Autogiro Hyra"}},
	} {
		if got := plaintext.Whole(c.texts...); got != c.want {
			t.Errorf("%q: got %q, want %q", c.texts, got, c.want)
		}
	}
}

// Clean changes nothing that it has cleaned, and what it returns is one line.
func TestClean_IsStable(t *testing.T) {
	piece := rapid.SampledFrom([]string{" ", "&", "amp;", "#229;", "\n", "\u00a0", "\u00ad", "å", "0", "-", "N/A", "<br>", "x"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "") + rapid.String().Draw(t, "more")
		got := plaintext.Clean(s)
		if got != strings.TrimSpace(got) || strings.Contains(got, "  ") || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%q became %q", s, got)
		}
		if !strings.Contains(got, "&") && plaintext.Clean(got) != got {
			t.Fatalf("%q became %q, then %q", s, got, plaintext.Clean(got))
		}
		if plaintext.Fold(plaintext.Fold(s)) != plaintext.Fold(s) {
			t.Fatalf("%q folds twice", s)
		}
	})
}

func TestPrintable_CannotControlATerminal(t *testing.T) {
	for _, tc := range []struct {
		text string
		most int
		want string
	}{
		{"Åsa Öberg, 100 %", 0, "Åsa Öberg, 100 %"},
		{"\x1b[2J\a\r\n\u009b31m\u202e\u2028\xff", 0, "·[2J····31m··\ufffd"},
		{"abcde", 5, "abcde"},
		{"abcåäö", 5, "abcå…"},
	} {
		if got := plaintext.Printable(tc.text, tc.most); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.text, got, tc.want)
		}
	}
}
