package plaintext_test

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"samla/internal/plaintext"
)

func TestWidth_CountsColumnsOfATerminal(t *testing.T) {
	for text, want := range map[string]int{"": 0, "Lön": 3, "Lo\u0308n": 3, "東京": 4, "ｱﾄ": 2, "ＡＢ": 4, "🎁": 2, "한글": 4, "\u1112\u1161\u11ab": 2, "…─": 2, "e\u20dd": 1} {
		if got := plaintext.Width(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestFit_CutsByColumns(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{{"東京銀行", 8, "東京銀行"}, {"東京銀行", 7, "東京銀…"}, {"東京銀行", 6, "東京…"}, {"Lo\u0308nekonto", 3, "Lo\u0308…"}, {"a\x1b[2J", 0, "a·[2J"}, {"東", 1, "…"}} {
		if got := plaintext.Fit(c.in, c.most); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.in, c.most, got, c.want)
		}
	}
}

// What fits is never wider than it may be, and nothing is cut that fits.
func TestFit_IsNeverTooWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, most := rapid.String().Draw(t, "text"), rapid.IntRange(1, 40).Draw(t, "most")
		got := plaintext.Fit(text, most)
		if plaintext.Width(got) > most || !utf8.ValidString(got) {
			t.Fatalf("%q is %d wide", got, plaintext.Width(got))
		}
		if whole := plaintext.Printable(text, 0); plaintext.Width(whole) <= most && got != whole {
			t.Fatalf("%q was cut to %q", whole, got)
		}
	})
}
