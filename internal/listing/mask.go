package listing

import "strings"

// mask is a card number of which only the digits at its ends are known.
type mask struct{ head, tail string }

// hidden are the characters that banks write in place of a digit.
const hidden = "*xX\u2022\u25cf\u00b7\u2219#_?\u2026"

// maskOf reads a masked number however it is spelled: "5412 00** **** 0007",
// "541200XXXXXX0007", "...0007". A number without hidden digits is all tail. What has
// no digit gives the zero mask.
func maskOf(s string) mask {
	first, last := strings.IndexAny(s, hidden), strings.LastIndexAny(s, hidden)
	if first < 0 {
		return mask{tail: digitsOf(s)}
	}
	return mask{head: digitsOf(s[:first]), tail: digitsOf(s[last:])}
}

// IsMasked reports whether a text is a number with hidden digits and nothing else.
func IsMasked(s string) bool {
	rest := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || strings.ContainsRune(hidden+" -./", r) {
			return -1
		}
		return r
	}, s)
	return rest == "" && strings.ContainsAny(s, hidden) && len(maskOf(s).tail) >= shownDigits
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// String returns one spelling for all of a mask, "" for the zero mask.
func (m mask) String() string {
	if m == (mask{}) {
		return ""
	}
	return m.head + "*" + m.tail
}

// The digits at the end of a card number that are always shown, and those that with
// the issuer's tell a person's cards apart.
const (
	shownDigits   = 4
	tellingDigits = 10
)

// telling reports whether the mask shows so many digits that a person has no second
// card with the same ones.
func (m mask) telling() bool { return len(m.head)+len(m.tail) >= tellingDigits }

// fits reports whether two masks can be the same number.
func (m mask) fits(other mask) bool {
	if min(len(m.tail), len(other.tail)) < shownDigits {
		return false
	}
	return (strings.HasSuffix(m.tail, other.tail) || strings.HasSuffix(other.tail, m.tail)) &&
		(strings.HasPrefix(m.head, other.head) || strings.HasPrefix(other.head, m.head))
}

// fitsIBAN reports whether a text is the IBAN with hidden digits in its middle:
// "SE45****************7466".
func (m mask) fitsIBAN(text, iban string) bool {
	text, iban = compact(text), compact(iban)
	first, last := strings.IndexAny(text, "*\u2022"), strings.LastIndexAny(text, "*\u2022")
	return iban != "" && first >= shownDigits && len(m.tail) >= shownDigits && last >= 0 && strings.HasPrefix(iban, text[:first]) &&
		strings.HasSuffix(iban, m.tail) && len(m.tail) < len(iban)-first
}
