package ident

import "strings"

// AccountNumber is a Swedish account number: a clearing number, which identifies
// the bank, and an account at that bank (docs/reference/banks.md 14.3). Values
// compare with ==. It prints as "[redacted]"; Clearing and Account return the real
// value.
type AccountNumber struct {
	masked       // clearing number, then account
	clearing int // length of the clearing number, 4 or 5
	bank     string
}

// Warning is a possible error in an account number that was accepted.
type Warning string

// The warnings.
const (
	// WarnClearingCheckDigit: the fifth digit of a Swedbank clearing number does not
	// match the first four. Bankgirot documents that such numbers exist.
	WarnClearingCheckDigit Warning = "CLEARING_CHECK_DIGIT"
	// WarnUnknownClearing: no bank in the table has this clearing number, so nothing
	// else could be checked.
	WarnUnknownClearing Warning = "UNKNOWN_CLEARING"
)

// Digits of clearing number and account together, at all banks.
const (
	minAccount = 11
	maxAccount = 15
)

// ParseAccountNumber parses a clearing number followed by an account. Spaces,
// hyphens, dots and commas may stand anywhere between the digits. Errors are
// ErrForm (other characters, wrong number of digits) and ErrCheckDigit. It returns
// a warning instead where real account numbers are known to break the rule.
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

// swedbank splits a number whose clearing number may have a fifth digit, a check
// digit that is often omitted. The clearing number has five digits if the fifth
// matches, or else four if the account's check digit matches then, or else five,
// with a warning.
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

// Clearing returns the clearing number, four or five digits.
func (a AccountNumber) Clearing() string { return a.reveal()[:a.clearing] }

// Account returns the account at the bank. Never log it.
func (a AccountNumber) Account() string { return a.reveal()[a.clearing:] }

// Bank returns the bank's name, or "" if the table of SwedishBanksAsOf does not have
// the clearing number.
func (a AccountNumber) Bank() string { return a.bank }
