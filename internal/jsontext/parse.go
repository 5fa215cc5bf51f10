package jsontext

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of objects and arrays.
const maxDepth = 64

// SyntaxError says where a text stops being JSON. It repeats nothing of the text.
type SyntaxError struct {
	Offset int // in bytes, of the first byte that does not fit
	What   string
}

func (e *SyntaxError) Error() string {
	return "at byte offset " + strconv.Itoa(e.Offset) + ": " + e.What
}

// parser is the state of one Parse.
type parser struct {
	in    string
	pos   int
	depth int
	err   *SyntaxError
}

// Parse reads exactly one JSON value (RFC 8259) as nil, bool, string, json.Number,
// []any or map[string]any. Unlike encoding/json it refuses duplicate keys, invalid
// UTF-8 and unpaired surrogates, because two readers of such a text may see two
// different values. It also refuses more than 64 levels of nesting.
func Parse(in string) (any, *SyntaxError) {
	p := parser{in: in}
	v := p.value()
	p.space()
	if p.err == nil && p.pos < len(p.in) {
		p.fail(p.pos, "text after the value")
	}
	if p.err != nil {
		return nil, p.err
	}
	return v, nil
}

// fail keeps the first error and moves to the end, so that every loop stops.
func (p *parser) fail(offset int, what string) {
	if p.err == nil {
		if offset >= len(p.in) {
			what = "the text ends too early"
		}
		p.err = &SyntaxError{offset, what}
	}
	p.pos = len(p.in)
}

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte after white space, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) value() any {
	switch c := p.peek(); {
	case c == '{':
		return p.nested(p.object)
	case c == '[':
		return p.nested(p.array)
	case c == '"':
		return p.text()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't':
		p.word("true")
		return true
	case c == 'f':
		p.word("false")
		return false
	case c == 'n':
		p.word("null")
		return nil
	}
	p.fail(p.pos, "a value is expected")
	return nil
}

func (p *parser) nested(read func() any) any {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.pos, "nested too deeply")
		return nil
	}
	p.pos++
	v := read()
	p.depth--
	return v
}

func (p *parser) object() any {
	m := map[string]any{}
	if p.peek() == '}' {
		p.pos++
		return m
	}
	for p.err == nil {
		if p.peek() != '"' {
			p.fail(p.pos, "a key is expected")
			break
		}
		at := p.pos
		key := p.text()
		if _, twice := m[key]; twice {
			p.fail(at, "the object has this key already")
			break
		}
		if p.peek() != ':' {
			p.fail(p.pos, "a colon is expected")
			break
		}
		p.pos++
		m[key] = p.value()
		if !p.more('}') {
			break
		}
	}
	return m
}

func (p *parser) array() any {
	a := []any{}
	if p.peek() == ']' {
		p.pos++
		return a
	}
	for p.err == nil {
		a = append(a, p.value())
		if !p.more(']') {
			break
		}
	}
	return a
}

// more reads what follows an element: a comma, or the closing bracket.
func (p *parser) more(closing byte) bool {
	switch p.peek() {
	case ',':
		p.pos++
		return true
	case closing:
		if p.err == nil {
			p.pos++
		}
	default:
		p.fail(p.pos, "a comma or the closing bracket is expected")
	}
	return false
}

func (p *parser) word(w string) {
	for i := range len(w) {
		if p.pos+i >= len(p.in) || p.in[p.pos+i] != w[i] {
			p.fail(p.pos+i, "a value is expected")
			return
		}
	}
	p.pos += len(w)
}

func (p *parser) number() any {
	start := p.pos
	if p.in[p.pos] == '-' {
		p.pos++
	}
	if p.pos < len(p.in) && p.in[p.pos] == '0' {
		p.pos++
	} else {
		p.digits()
	}
	if p.pos < len(p.in) && p.in[p.pos] == '.' {
		p.pos++
		p.digits()
	}
	if p.pos < len(p.in) && p.in[p.pos]|0x20 == 'e' {
		p.pos++
		if p.pos < len(p.in) && (p.in[p.pos] == '+' || p.in[p.pos] == '-') {
			p.pos++
		}
		p.digits()
	}
	return json.Number(p.in[start:p.pos])
}

func (p *parser) digits() {
	start := p.pos
	for p.pos < len(p.in) && '0' <= p.in[p.pos] && p.in[p.pos] <= '9' {
		p.pos++
	}
	if p.pos == start {
		p.fail(p.pos, "a digit is expected")
	}
}

// text reads a string that starts at the quote under pos.
func (p *parser) text() string {
	p.pos++
	start := p.pos
	var out []byte // nil while the text is as it stands in the input
	for p.pos < len(p.in) {
		switch c := p.in[p.pos]; {
		case c == '"':
			s := p.in[start:p.pos]
			p.pos++
			if out != nil {
				return string(append(out, s...))
			}
			return s
		case c == '\\':
			out = append(out, p.in[start:p.pos]...)
			out = p.escaped(out)
			start = p.pos
		case c < ' ':
			p.fail(p.pos, "a control character inside a string")
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRuneInString(p.in[p.pos:])
			if r == utf8.RuneError && size == 1 {
				p.fail(p.pos, "not UTF-8")
				return ""
			}
			p.pos += size
		}
	}
	p.fail(p.pos, "")
	return ""
}

const escapes, escapedAs = `"\/bfnrt`, "\"\\/\b\f\n\r\t"

// escaped reads what stands after the backslash under pos.
func (p *parser) escaped(out []byte) []byte {
	at := p.pos
	p.pos++
	if p.pos >= len(p.in) {
		return out
	}
	c := p.in[p.pos]
	for i := range len(escapes) {
		if escapes[i] == c {
			p.pos++
			return append(out, escapedAs[i])
		}
	}
	if c != 'u' {
		p.fail(p.pos, "an unknown escape")
		return out
	}
	r := p.unit()
	if utf16.IsSurrogate(r) && p.err == nil {
		var low rune
		if p.pos+1 < len(p.in) && p.in[p.pos] == '\\' && p.in[p.pos+1] == 'u' {
			p.pos++
			low = p.unit()
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			p.fail(at, "half a surrogate pair")
		}
	}
	return utf8.AppendRune(out, r)
}

// unit reads the four digits after the u under pos.
func (p *parser) unit() rune {
	p.pos++
	for i := range 4 {
		if p.pos+i >= len(p.in) || !isHex(p.in[p.pos+i]) {
			p.fail(p.pos+i, "a hexadecimal digit is expected")
			return utf8.RuneError
		}
	}
	n, _ := strconv.ParseUint(p.in[p.pos:p.pos+4], 16, 16) // checked above
	p.pos += 4
	return rune(n)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
