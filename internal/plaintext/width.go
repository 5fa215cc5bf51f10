package plaintext

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Width returns how many columns of a terminal a printable text takes: two for a character
// that Unicode calls wide (UAX #11: of Chinese, Japanese and Korean, and most emoji), none
// for a mark that is drawn on the character before it.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += columns(r)
	}
	return n
}

func columns(r rune) int {
	switch {
	case r < 0x300: // nothing below is wide or drawn on another one
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me), r >= 0x1160 && r <= 0x11ff: // the latter are parts of Korean syllables
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Fit returns s as Printable does, but counts columns of a terminal (Width) in place of
// characters. Marks stay with their character.
func Fit(s string, most int) string {
	s = Printable(s, 0)
	if most <= 0 || Width(s) <= most {
		return s
	}
	var b strings.Builder
	left := most - Width(cutMark)
	for _, r := range s {
		if left -= columns(r); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + cutMark
}

// cutMark stands at the end of a text that was cut.
const cutMark = "…"
