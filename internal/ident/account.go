package ident

import "strings"

// AccountNumber is a Swedish account number: a clearing number, which names the
// bank, and the account at that bank (docs/reference/banks.md 14.3). Values compare with ==. It
// prints as "[redacted]"; Clearing and Account have the real value.
type AccountNumber struct {
	masked       // clearing number, then account
	clearing int // digits of the clearing number
	bank     string
}

// Warning is a doubt about an account number that was accepted.
type Warning string

// The warnings.
const (
	// WarnClearingCheckDigit: the fifth digit of a clearing number of Swedbank does
	// not match the first four. Bankgirot documents that such numbers exist.
	WarnClearingCheckDigit Warning = "CLEARING_CHECK_DIGIT"
	// WarnUnknownClearing: no bank of the table has this clearing number, so that
	// nothing else could be checked.
	WarnUnknownClearing Warning = "UNKNOWN_CLEARING"
)

// Clearing number and account together, over all banks.
const (
	minAccount = 11
	maxAccount = 15
)

// ParseAccountNumber reads clearing number and account, with spaces, hyphens, dots
// and commas anywhere between the digits. Errors are ErrForm, for characters or
// the number of digits, and ErrCheckDigit; where check digits are known to be
// broken in real numbers, there is a warning instead.
func ParseAccountNumber(s string) (AccountNumber, []Warning, error) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.,", r) {
			return -1
		}
		return r
	}, s)
	if len(digits) < 5 || len(digits) > maxAccount || !allDigits(digits) {
		return AccountNumber{}, nil, ErrForm
	}
	r, known := rangeOf(number(digits[:4]))
	if !known {
		if len(digits) < minAccount || digits[0] == '0' {
			return AccountNumber{}, nil, ErrForm
		}
		return AccountNumber{masked: mask(digits), clearing: 4}, []Warning{WarnUnknownClearing}, nil
	}
	n := AccountNumber{masked: mask(digits), clearing: 4, bank: r.bank}
	if r.scheme == scheme23 && r.first == swedbankFirst {
		var warnings []Warning
		var err error
		n.clearing, warnings, err = swedbank(digits)
		if err != nil {
			return AccountNumber{}, nil, err
		}
		return n, warnings, nil
	}
	if err := r.scheme.check(digits[:4], digits[4:]); err != nil {
		return AccountNumber{}, nil, err
	}
	return n, nil, nil
}

// swedbank splits a number whose clearing number has a fifth digit, which many
// leave out: five digits if that one matches, or else four if the account does, or
// else five with a warning.
func swedbank(digits string) (clearing int, warnings []Warning, err error) {
	five := scheme23.check(digits[:5], digits[5:])
	matches := luhn(digits[:5])
	if matches && five == nil {
		return 5, nil, nil
	}
	if scheme23.check(digits[:4], digits[4:]) == nil {
		return 4, nil, nil
	}
	if five != nil {
		return 0, nil, five
	}
	return 5, []Warning{WarnClearingCheckDigit}, nil
}

// Clearing gives the clearing number, four or five digits.
func (a AccountNumber) Clearing() string { return a.reveal()[:a.clearing] }

// Account gives the account at the bank. Never log it.
func (a AccountNumber) Account() string { return a.reveal()[a.clearing:] }

// Bank gives the bank's name in the table of SwedishBanksAsOf, or "".
func (a AccountNumber) Bank() string { return a.bank }
