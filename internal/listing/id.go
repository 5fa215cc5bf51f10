package listing

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"

	"samla/internal/fact"
)

// An id is idPrefix and idDigits of a hash in base 32, such as
// "acc-mfrggzdfmztwq2lkmfrggzdfmy". The id of an account in another currency than that
// of its country has the currency after it: "acc-mfrggzdfmztwq2lkmfrggzdfmy-eur". So
// the accounts of several currencies under one number have ids of their own, and an
// account keeps its id when a currency is opened beside it
// (docs/reference/products.md 4).
const (
	idPrefix   = "acc-"
	idDigits   = 26
	baseLength = len(idPrefix) + idDigits
)

var idAlphabet = base32.StdEncoding.WithPadding(base32.NoPadding)

// IsID reports whether a text has the form of an account id of ours.
func IsID(s string) bool {
	if len(s) != baseLength && (len(s) != baseLength+4 || s[baseLength] != '-') {
		return false
	}
	if !strings.HasPrefix(s, idPrefix) {
		return false
	}
	for i := len(idPrefix); i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', i == baseLength:
		case i < baseLength && c >= '2' && c <= '7':
		default:
			return false
		}
	}
	return true
}

// baseID returns the id without a currency of the account that the parts identify.
func baseID(parts ...string) string {
	var text []byte
	for _, part := range parts {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return idPrefix + strings.ToLower(idAlphabet.EncodeToString(sum[:16]))
}

// ID returns the account's id for its part in a currency. An unknown currency is "".
func (a *Account) ID(currency string) string {
	if currency == "" || currency == a.Home {
		return a.base
	}
	return a.base + "-" + strings.ToLower(currency)
}

// identity returns what identifies the account: its IBAN, or else its bank number, or
// else the masked number of a card, or else what the institution has. It ignores what
// the person can change and what changes with a consent. The name is needed for a
// masked number that shows few digits. withName asks for it in any case.
func identity(entries []fact.Account, withName bool) []string {
	for _, of := range []struct {
		kind string
		of   func(fact.Account) string
	}{
		{"iban", func(a fact.Account) string { return compact(a.IBAN) }},
		{"bban", func(a fact.Account) string { return compact(a.BBAN) }},
		{"card", func(a fact.Account) string { return maskOf(a.MaskedPAN).String() }},
		{"msisdn", func(a fact.Account) string { return phone(a.MSISDN) }},
		{"other", func(a fact.Account) string { return compact(a.Other) }},
		{"id", func(a fact.Account) string { return a.ID }},
	} {
		for _, a := range entries {
			number := of.of(a)
			switch {
			case number == "":
				continue
			case withName || of.kind == "card" && !maskOf(a.MaskedPAN).telling():
				return []string{of.kind, number, nameOf(entries)}
			}
			return []string{of.kind, number}
		}
	}
	return []string{"key", entries[0].Key}
}

// nameOf returns the institution's name for an account, or else its product.
func nameOf(entries []fact.Account) string {
	for _, of := range []func(fact.Account) string{
		func(a fact.Account) string { return a.Name }, func(a fact.Account) string { return a.Product },
	} {
		for _, a := range entries {
			if s := strings.Join(strings.Fields(strings.ToLower(of(a))), " "); s != "" {
				return s
			}
		}
	}
	return ""
}
