package xs2a

import (
	"bytes"
	"encoding/binary"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 returns a body in UTF-8, which JSON is written in (RFC 8259 8.1). Some banks
// write it in Windows-1252, in ISO-8859-1, which is a part of that, in ISO-8859-15 or in
// UTF-16. A text that is valid UTF-8 is UTF-8, whatever the header says: a Latin text is
// that only by accident. Other text with letters in UTF-8 has a broken character, and is
// left as it is, unless the header names a Latin charset.
func toUTF8(body []byte, contentType string) []byte {
	charset := charsetOf(contentType)
	switch {
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		return fromUTF16(body[2:], binary.BigEndian)
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		return fromUTF16(body[2:], binary.LittleEndian)
	case strings.HasPrefix(charset, "utf-16") && len(body) > 1 && (body[0] == 0) != (body[1] == 0): // JSON begins with ASCII
		if body[0] == 0 {
			return fromUTF16(body, binary.BigEndian)
		}
		return fromUTF16(body, binary.LittleEndian)
	case utf8.Valid(body):
		return body
	case !isLatin(charset) && hasUTF8Letter(body):
		return body
	}
	var b bytes.Buffer
	b.Grow(len(body) + len(body)/8)
	for _, c := range body {
		b.WriteRune(latin(c, charset == "iso-8859-15"))
	}
	return b.Bytes()
}

// charsetOf returns the charset that a Content-Type names, in lower case, or "".
func charsetOf(contentType string) string {
	if strings.TrimSpace(contentType) == "" {
		return ""
	}
	_, parameters, _ := mime.ParseMediaType(contentType)
	return strings.ToLower(strings.TrimSpace(parameters["charset"]))
}

func isLatin(charset string) bool {
	for _, name := range []string{"iso-8859-", "iso8859", "latin", "windows-125", "cp125", "l1"} {
		if strings.HasPrefix(charset, name) {
			return true
		}
	}
	return false
}

// hasUTF8Letter reports whether a body has a character of several bytes in UTF-8.
func hasUTF8Letter(body []byte) bool {
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		if size > 1 && r != utf8.RuneError {
			return true
		}
		body = body[size:]
	}
	return false
}

// windows1252 has the characters of the bytes 0x80 to 0x9f. The other bytes are the
// characters with their number. Five bytes have no character.
var windows1252 = []rune("€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ")

// latin9 has the characters of ISO-8859-15 that differ from those of ISO-8859-1.
var latin9 = map[byte]rune{0xa4: '€', 0xa6: 'Š', 0xa8: 'š', 0xb4: 'Ž', 0xb8: 'ž', 0xbc: 'Œ', 0xbd: 'œ', 0xbe: 'Ÿ'}

func latin(c byte, is9 bool) rune {
	if r, differs := latin9[c]; is9 && differs {
		return r
	}
	if c >= 0x80 && c <= 0x9f {
		return windows1252[c-0x80]
	}
	return rune(c)
}

func fromUTF16(body []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = order.Uint16(body[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
