package xs2a

import (
	"strings"

	"samla/internal/fact"
	"samla/internal/ident"
	"samla/internal/listing"
	"samla/internal/plaintext"
)

// setNumbers sets the numbers of an account, each where it belongs by its form: banks
// write a masked number, or a national one, in iban.
func (a account) setNumbers(read *fact.Account) {
	for _, n := range []struct {
		said text
		to   *string
	}{{a.IBAN, &read.IBAN}, {a.BBAN, &read.BBAN}, {a.MaskedPAN, &read.MaskedPAN}, {a.PAN, &read.MaskedPAN}} {
		number := withoutSpaces(n.said)
		if plaintext.IsFiller(number) {
			continue
		}
		to := n.to
		switch {
		case to == &read.MaskedPAN:
			number = ident.HideCardNumber(number)
		case isMaskedNumber(number):
			to = &read.MaskedPAN
		case isIBAN(number):
			number, to = strings.ToUpper(number), &read.IBAN
		case to == &read.IBAN:
			to = &read.BBAN
		}
		if *to == "" {
			*to = number
		}
	}
	read.MSISDN = withoutSpaces(a.MSISDN)
	if a.Other != nil {
		read.Other = a.Other.Identification.oneLine()
	}
}

// isIBAN reports whether a number has the form of an IBAN and no hidden digits.
func isIBAN(number string) bool {
	s := strings.ToUpper(number)
	return ident.HasIBANForm(s) && (!strings.Contains(s, "XXX") || isValidIBAN(s))
}

// isMaskedNumber reports whether digits of a number are hidden: a card number, or an
// account number of which the country and the last digits are shown.
func isMaskedNumber(number string) bool {
	if listing.IsMasked(number) {
		return true
	}
	return strings.ContainsAny(number, "*\u2022") || strings.Contains(strings.ToUpper(number), "XXX") && !isValidIBAN(number)
}

func isValidIBAN(number string) bool {
	_, err := ident.ParseIBAN(number)
	return err == nil
}

// statuses are the words of banks for accounts that exist, and for those that do not
// exist any more. A blocked account exists.
var statuses = map[string]fact.AccountStatus{
	"enabled": fact.StatusOpen, "enab": fact.StatusOpen, "active": fact.StatusOpen, "open": fact.StatusOpen, "opened": fact.StatusOpen,
	"ready": fact.StatusOpen, "ok": fact.StatusOpen, "blocked": fact.StatusOpen, "disabled": fact.StatusOpen, "aktiv": fact.StatusOpen,
	"aktivt": fact.StatusOpen, "\u00f6ppet": fact.StatusOpen, "sp\u00e4rrat": fact.StatusOpen,
	"deleted": fact.StatusClosed, "dele": fact.StatusClosed, "closed": fact.StatusClosed, "clos": fact.StatusClosed, "close": fact.StatusClosed,
	"terminated": fact.StatusClosed, "cancelled": fact.StatusClosed, "canceled": fact.StatusClosed, "ended": fact.StatusClosed,
	"removed": fact.StatusClosed, "avslutad": fact.StatusClosed, "avslutat": fact.StatusClosed, "st\u00e4ngt": fact.StatusClosed,
	"st\u00e4ngd": fact.StatusClosed,
}

// accountStatus reads a status in any spelling: "ACCOUNT_CLOSED", "Closed (2025)".
func accountStatus(t text) fact.AccountStatus {
	for _, word := range strings.FieldsFunc(strings.ToLower(t.oneLine()), func(r rune) bool { return r < 'a' || r > 'z' && r < 0x80 }) {
		if s, known := statuses[word]; known {
			return s
		}
	}
	return fact.StatusUnsaid
}
