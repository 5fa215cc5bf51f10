package v20250101

import "errors"

// errForm says that a stored text has not the form that this package reads. It quotes
// nothing of it.
var errForm = errors.New("v20250101: stored products have an unknown form")

// errLeftOut ends the reading of a product that this version has not.
var errLeftOut = errors.New("v20250101: left out")

// scanner finds the values of a JSON text without decoding them. The text is one that
// this server has written; the scanner never reads past its end, but does not find every
// fault of another text.
type scanner struct {
	text []byte
	pos  int
}

// peek returns the next byte after white space, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) atEnd() bool { return s.peek() == 0 && s.pos >= len(s.text) }

// take moves past the next byte if it is c.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.atEnd() {
		return false
	}
	s.pos++
	return true
}

// elements reads an array. each reads an element.
func (s *scanner) elements(each func() error) error {
	return s.list('[', ']', each)
}

// members reads an object. each gets a key, without its quotes and as it is written, and
// reads the value.
func (s *scanner) members(each func(key []byte) error) error {
	return s.list('{', '}', func() error {
		key, err := s.value()
		if err != nil || len(key) < 2 || key[0] != '"' || !s.take(':') {
			return errForm
		}
		return each(key[1 : len(key)-1])
	})
}

func (s *scanner) list(opening, closing byte, each func() error) error {
	if !s.take(opening) {
		return errForm
	}
	if s.take(closing) {
		return nil
	}
	for {
		if err := each(); err != nil {
			return err
		}
		if s.take(closing) {
			return nil
		}
		if !s.take(',') {
			return errForm
		}
	}
}

// value reads a value and returns it as it is written.
func (s *scanner) value() ([]byte, error) {
	first := s.peek()
	start, depth := s.pos, 0
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case '"':
			if !s.passString() {
				return nil, errForm
			}
			if depth == 0 {
				return s.text[start:s.pos], nil
			}
		case '{', '[':
			depth++
			s.pos++
		case '}', ']':
			if depth--; depth < 0 {
				return s.scalar(start)
			}
			s.pos++
			if depth == 0 {
				return s.text[start:s.pos], nil
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.scalar(start)
			}
			s.pos++
		default:
			s.pos++
		}
	}
	if depth > 0 || first == 0 {
		return nil, errForm
	}
	return s.scalar(start)
}

// scalar returns a number or a word that ends before pos.
func (s *scanner) scalar(start int) ([]byte, error) {
	if s.pos == start {
		return nil, errForm
	}
	return s.text[start:s.pos], nil
}

// passString moves past the string that begins at pos.
func (s *scanner) passString() bool {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '"':
			s.pos++
			return true
		case '\\':
			s.pos++
		}
	}
	return false
}

// skip moves past a value.
func (s *scanner) skip() error {
	_, err := s.value()
	return err
}
