// Package record makes case files out of stored answers of banks, so that an operator can
// report how a bank behaves without telling about a person (docs/renormalize.md). What is
// kept in clear are the names and words of lists here; everything else is replaced. It is
// pure, but for the secret.
package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"math/big"
	"strings"
	"unicode"
)

// secret replaces letters and digits under a key that nobody keeps. The same text gets the
// same replacement. A letter depends on those before it in its word, and a digit on those
// after it in its number: a text that was cut stays the beginning of the whole one, and a
// number stays the end of the longer one that contains it.
type secret struct {
	mac    hash.Hash
	factor *big.Int          // of amounts
	known  map[string][]rune // permutations
}

func newSecret(key []byte) *secret {
	s := &secret{mac: hmac.New(sha256.New, key), known: map[string][]rune{}}
	s.factor = big.NewInt(factorOf(s.pick("factor", 400)))
	return s
}

// factorOf returns a number between 104 and 904 that ends with 2, 4 or 8: no other last digit
// changes the last digit that is not zero of every amount.
func factorOf(n int) int64 {
	factor := int64(2*n + 104)
	if last := factor % 10; last == 0 || last == 6 {
		factor += 2
	}
	return factor
}

// pick returns a number below n for a text.
func (s *secret) pick(of string, n int) int {
	s.mac.Reset()
	s.mac.Write([]byte(of))
	sum := s.mac.Sum(nil)
	return int(new(big.Int).Mod(new(big.Int).SetBytes(sum[:16]), big.NewInt(int64(n))).Int64())
}

// order returns a permutation of the letters of an alphabet for a text.
func (s *secret) order(of, alphabet string) []rune {
	id := alphabet[:1] + of
	if known := s.known[id]; known != nil {
		return known
	}
	letters := []rune(alphabet)
	for i := len(letters) - 1; i > 0; i-- {
		j := s.pick(of+"\x00"+string(rune(i)), i+1)
		letters[i], letters[j] = letters[j], letters[i]
	}
	s.known[id] = letters
	return letters
}

const (
	latin   = "abcdefghijklmnopqrstuvwxyz"
	nordic  = "åäöæøéü"
	numbers = "123456789"
)

// word replaces the letters of a word. Lower and upper case stay.
func (s *secret) word(word string) string {
	var out strings.Builder
	before := "word\x00"
	for _, r := range word {
		lower := unicode.ToLower(r)
		alphabet := latin
		at := strings.IndexRune(latin, lower)
		if at < 0 {
			alphabet = nordic
			if at = strings.IndexRune(nordic, lower); at < 0 {
				alphabet, at = latin, int(lower)%len(latin) // of another alphabet
			} else {
				at = len([]rune(nordic[:at]))
			}
		}
		to := s.order(before, alphabet)[at]
		before += string(lower)
		if unicode.IsUpper(r) {
			to = unicode.ToUpper(to)
		}
		out.WriteRune(to)
	}
	return out.String()
}

// digits replaces the digits of a number, which may have other signs between. Zeros stay:
// they are padding, and empty positions.
func (s *secret) digits(number string) string {
	out := []byte(number)
	after := "digits\x00"
	for i := len(out) - 1; i >= 0; i-- {
		c := out[i]
		if c < '0' || c > '9' {
			continue
		}
		if c != '0' {
			out[i] = byte(s.order(after, numbers)[c-'1'])
		}
		after += string(rune(c))
	}
	return string(out)
}

// amount multiplies the digits of an amount, so that amounts that add up still do. Signs,
// separators and units stay where they are, seen from the right.
func (s *secret) amount(text string) string {
	var digits []byte
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			digits = append(digits, text[i])
		}
	}
	n, ok := new(big.Int).SetString(string(digits), 10)
	if !ok || n.Sign() == 0 {
		return text
	}
	product := n.Mul(n, s.factor).String()
	if len(product) < len(digits) { // zeros in front
		product = strings.Repeat("0", len(digits)-len(product)) + product
	}
	first := strings.IndexAny(text, "0123456789")
	end := len(product)
	var out []byte
	for i := len(text) - 1; i >= first; i-- {
		if c := text[i]; c < '0' || c > '9' {
			out = append(out, c)
			continue
		}
		end--
		out = append(out, product[end])
	}
	for end > 0 {
		end--
		out = append(out, product[end])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return text[:first] + string(out)
}
