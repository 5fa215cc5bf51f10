package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold returns the letters and digits of s in lower case, without the accents of western
// European letters. Texts that differ only in spaces, punctuation, case or accents have
// the same fold.
func Fold(s string) string {
	at := 0
	for at < len(s) && (s[at] >= 'a' && s[at] <= 'z' || s[at] >= '0' && s[at] <= '9') {
		at++
	}
	if at == len(s) {
		return s
	}
	return string(AppendFold(make([]byte, 0, len(s)), s))
}

// AppendFold appends Fold of s to b.
func AppendFold(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
			i++
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			if r = unicode.ToLower(r); unicode.IsLetter(r) || unicode.IsDigit(r) {
				b = utf8.AppendRune(b, bare(r))
			}
		}
	}
	return b
}

// bare returns the letter without its accent, for the letters of ISO 8859-1 in lower
// case. Combining accents are no letters: Fold drops them.
func bare(r rune) rune {
	const plain = "aaaaaa\x00ceeeeiiii\x00nooooo\x00ouuuuy\x00y"
	if i := int(r - 'à'); i >= 0 && i < len(plain) && plain[i] != 0 {
		return rune(plain[i])
	}
	return r
}

// Whole returns the first text that is not empty, or a later one of which it is the
// beginning: banks cut a text in one member and have all of it in another.
func Whole(texts ...string) string {
	best := ""
	for _, t := range texts {
		switch {
		case t == "" || t == best:
		case best == "" || Continues(t, best):
			best = t
		}
	}
	return best
}

// Continues reports whether long begins with cut and says more. An ellipsis at the end
// of cut, spaces and punctuation do not count.
func Continues(long, cut string) bool {
	a, b := Fold(long), Fold(cut)
	return len(a) > len(b) && b != "" && strings.HasPrefix(a, b)
}

// Contains reports whether part, of at least four letters or digits, occurs in s.
func Contains(s, part string) bool {
	p := Fold(part)
	return len(p) >= 4 && strings.Contains(Fold(s), p)
}
