// Package plaintext cleans and compares the texts and names that institutions write:
// entities of web pages, control characters, fillers, and a text that is cut in one
// member and whole in another.
package plaintext

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s as one line that a person can read: entities of HTML decoded, control
// characters and white space as single spaces, none of them at the ends. It returns ""
// for a filler.
func Clean(s string) string {
	if !isPlain(s) {
		s = oneLine(unescape(s))
	}
	if IsFiller(s) {
		return ""
	}
	return s
}

// isPlain reports whether Clean has nothing to change: the usual case.
func isPlain(s string) bool {
	space := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' && space, c < ' ', c == '&', c == '<', c >= 0x7f:
			return isPlainFrom(s, i)
		default:
			space = c == ' '
		}
	}
	return !space || s == ""
}

// isPlainFrom is isPlain for a text that is plain ASCII before i.
func isPlainFrom(s string, i int) bool {
	space := i == 0 || s[i-1] == ' '
	for _, r := range s[i:] {
		if r == ' ' && space || r == '&' || r == '<' || r != ' ' && !unicode.IsPrint(r) {
			return false
		}
		space = r == ' '
	}
	return !space
}

// maxEntity is the length of the longest entity that is decoded, from & to the
// semicolon.
const maxEntity = 12

// unescape decodes the entities of HTML that end in a semicolon, also those that were
// encoded twice, and turns line breaks of HTML into spaces. An entity without a
// semicolon stays: "R&D" is a name.
func unescape(s string) string {
	for range 3 {
		next := unescapeOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return breaks.Replace(s)
}

var breaks = strings.NewReplacer("<br>", " ", "<br/>", " ", "<br />", " ", "<BR>", " ", "<BR/>", " ", "<BR />", " ")

func unescapeOnce(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '&')
		if at < 0 {
			break
		}
		end := strings.IndexByte(s[at:min(len(s), at+maxEntity)], ';')
		if end < 0 {
			b.WriteString(s[:at+1])
			s = s[at+1:]
			continue
		}
		b.WriteString(s[:at])
		b.WriteString(html.UnescapeString(s[at : at+end+1]))
		s = s[at+end+1:]
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}

// oneLine returns s with each run of white space and control characters as one space,
// and without invisible characters.
func oneLine(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			space = b.Len() > 0
		case unicode.Is(unicode.Cf, r): // such as a soft hyphen or a byte order mark
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fillers are the folded words that stand where nothing is known.
var fillers = map[string]bool{
	"na": true, "nil": true, "null": true, "none": true, "nan": true, "unknown": true, "undefined": true, "empty": true,
	"notprovided": true, "notavailable": true, "notapplicable": true, "notspecified": true, "notknown": true,
	"noremittanceinformation": true, "uppgiftsaknas": true, "saknas": true, "okand": true, "ejangivet": true, "ejangiven": true,
}

// IsFiller reports whether s only fills a place: it is empty, has no letter and no digit
// but zeros ("-", "0", "0000"), or is a word such as NOTPROVIDED or N/A.
func IsFiller(s string) bool {
	const longest = 32 // of the words
	word := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '1' && c <= '9':
			return false
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= utf8.RuneSelf:
			word = true
		}
	}
	if !word || len(s) > longest {
		return !word
	}
	var buffer [2 * longest]byte // a letter can be longer in lower case
	folded := AppendFold(buffer[:0], s)
	return len(folded) == 0 || fillers[string(folded)]
}

// Printable returns s with a point in place of each character that does not print, so that
// it cannot control a terminal, and at most most characters of it; 0 = no limit. A cut text
// ends with "…". Use it for texts that are shown as they are; Clean is for names.
func Printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, s)
	if most > 0 && utf8.RuneCountInString(s) > most {
		return string([]rune(s)[:most-1]) + cutMark
	}
	return s
}
