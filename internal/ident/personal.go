package ident

import (
	"strings"
	"time"
)

// PersonalNumber is a Swedish personal identity number or coordination number
// (docs/reference/banks.md 14.1). Values compare with ==. It prints as "[redacted]";
// Digits returns the real value. The zero value means no number.
type PersonalNumber struct{ masked }

// Option changes how a personal number is validated.
type Option func(*rules)

type rules struct{ skipCheckDigit, anyDigits bool }

func rulesOf(options []Option) (r rules) {
	for _, option := range options {
		option(&r)
	}
	return r
}

// SkipCheckDigit accepts a number whose check digit does not match. It is for
// numbers that another system has stored. Never use it for a number that a person
// signs with.
func SkipCheckDigit() Option { return func(r *rules) { r.skipCheckDigit = true } }

// AnyDigits accepts digits that are no personal number: neither the date nor the check
// digit is checked, and ErrForm is the only error. It is for institutions with test
// persons whose numbers are invented (docs/reference/api.md 5.3, 8).
func AnyDigits() Option { return func(r *rules) { r.anyDigits = true } }

// ParsePersonalNumber12 parses exactly twelve digits YYYYMMDDNNNC, the form of
// docs/reference/api.md 4.3. Errors are ErrForm, ErrDate, ErrSerial and
// ErrCheckDigit. Interim numbers, which have a letter in the serial, are ErrForm:
// BankID is never issued for one.
func ParsePersonalNumber12(s string, options ...Option) (PersonalNumber, error) {
	if len(s) != 12 || !allDigits(s) {
		return PersonalNumber{}, ErrForm
	}
	r := rulesOf(options)
	if r.anyDigits {
		return PersonalNumber{mask(s)}, nil
	}
	if !birthDay(s).possible() {
		return PersonalNumber{}, ErrDate
	}
	if s[8:11] == "000" {
		return PersonalNumber{}, ErrSerial
	}
	if !r.skipCheckDigit && !luhn(s[2:]) {
		return PersonalNumber{}, ErrCheckDigit
	}
	return PersonalNumber{mask(s)}, nil
}

// ParsePersonalNumber parses twelve digits, or ten digits, for which it adds the
// latest century that gives a birth date not after now. A '-' or '+' may stand
// before the last four digits. With ten digits, '+' means that the person turns 100
// this year or earlier (docs/reference/banks.md 14.1), so the century is an earlier
// one. White space around the number is ignored. Errors are those of
// ParsePersonalNumber12; a birth date after now is ErrDate.
func ParsePersonalNumber(s string, now time.Time, options ...Option) (PersonalNumber, error) {
	s = strings.TrimSpace(s)
	plus := false
	if at := len(s) - 5; at == 6 || at == 8 {
		plus = s[at] == '+'
		if !plus && s[at] != '-' {
			return PersonalNumber{}, ErrForm
		}
		s = s[:at] + s[at+1:]
	}
	today, anyDigits := swedishDay(now), rulesOf(options).anyDigits
	if len(s) == 10 && allDigits(s) {
		twelve, ok := complete(s, plus, today)
		switch {
		case ok:
			s = twelve
		case anyDigits:
			s = latestCentury(s, today) + s
		default:
			return PersonalNumber{}, ErrDate
		}
	}
	n, err := ParsePersonalNumber12(s, options...)
	if err == nil && !anyDigits && birthDay(s).earliest() > today {
		return PersonalNumber{}, ErrDate
	}
	return n, err
}

// complete adds the century to ten digits. It reports false if no century fits.
func complete(ten string, plus bool, today string) (string, bool) {
	thisYear := number(today[:4])
	for century := thisYear / 100; century >= firstYear/100; century-- {
		twelve := twoDigits(century) + ten
		day := birthDay(twelve)
		if !day.possible() || day.earliest() > today {
			continue
		}
		if plus && thisYear-day.year() < 100 {
			continue
		}
		return twelve, true
	}
	return "", false
}

// latestCentury returns the century of the latest year that is not after today and ends
// with the first two of ten digits.
func latestCentury(ten, today string) string {
	century := number(today[:2])
	if ten[:2] > today[2:4] {
		century--
	}
	return twoDigits(century)
}

// Digits returns the real value, twelve digits. Never log it.
func (p PersonalNumber) Digits() string { return p.reveal() }

// IsCoordination reports whether the number is a coordination number.
func (p PersonalNumber) IsCoordination() bool {
	return !p.IsZero() && birthDay(p.reveal()).coordination()
}

// BirthDate returns the birth date at midnight UTC. It reports false when the date
// is not known: a coordination number may have an unknown month or day.
func (p PersonalNumber) BirthDate() (time.Time, bool) {
	if p.IsZero() {
		return time.Time{}, false
	}
	return birthDay(p.reveal()).date()
}
