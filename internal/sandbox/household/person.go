package household

import (
	"errors"
	"strconv"
)

// ErrPersonalNumber means that a personal number is not twelve digits.
var ErrPersonalNumber = errors.New("household: a personal number is not twelve digits")

// person is who a household belongs to.
type person struct {
	draws
	birth birth
}

// birth is a date of birth that exists.
type birth struct{ year, month, day int }

func newPerson(personalNumber string) (*person, error) {
	if len(personalNumber) != 12 {
		return nil, ErrPersonalNumber
	}
	for _, c := range []byte(personalNumber) {
		if c < '0' || c > '9' {
			return nil, ErrPersonalNumber
		}
	}
	return &person{draws: draws(personalNumber), birth: birthOf(personalNumber)}, nil
}

// birthOf reads the date of birth from twelve digits, and mends what is no date
// (docs/reference/households.md 4.1).
func birthOf(digits string) birth {
	number := func(from, to int) int {
		n, _ := strconv.Atoi(digits[from:to]) // the caller has checked the digits
		return n
	}
	b := birth{number(0, 4), number(4, 6), number(6, 8)}
	switch {
	case b.month == 0:
		b.month = 7
	case b.month > 12:
		b.month = 12
	}
	if b.day > 60 { // a coordination number
		b.day -= 60
	}
	b.day = min(max(b.day, 1), daysIn(b.year, b.month))
	return b
}
