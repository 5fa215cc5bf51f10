// Package ident provides the identifiers of persons, accounts and banks: Swedish
// personal and coordination numbers, IBANs, BICs and Swedish account numbers
// (docs/reference/banks.md 14). It validates them. Values that identify a person
// cannot be printed by accident: fmt, log/slog and encoding/json never show them,
// and a caller must use a named method to read them.
package ident

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Errors of this package. They never contain the text that could not be parsed.
var (
	// ErrForm: wrong length or characters.
	ErrForm = errors.New("not of the required form")
	// ErrDate: the birth date does not exist or lies in the future.
	ErrDate = errors.New("no possible birth date")
	// ErrSerial: the birth number is 000, which is never issued.
	ErrSerial = errors.New("no possible birth number")
	// ErrCheckDigit: the check digits do not match the other digits.
	ErrCheckDigit = errors.New("check digit does not match")
)

// redacted is printed in place of an identifier.
const redacted = "[redacted]"

// masked hides an identifier from fmt, log/slog and encoding/json. It holds a
// handle and not a string, because fmt prints unexported fields of a struct without
// calling their methods: of a handle it prints an address.
type masked struct{ handle unique.Handle[string] }

func mask(s string) masked { return masked{unique.Make(s)} }

func (m masked) reveal() string {
	if m.IsZero() {
		return ""
	}
	return m.handle.Value()
}

// IsZero reports whether the value is the zero value, which is no identifier.
func (m masked) IsZero() bool { return m == masked{} }

// String hides the identifier.
func (m masked) String() string { return redacted }

// GoString hides the identifier.
func (m masked) GoString() string { return redacted }

// LogValue hides the identifier from log/slog.
func (m masked) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the identifier from every verb of package fmt.
func (m masked) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText always fails, so that encoding/json cannot write an identifier. A
// caller that must write one reads it with its named method.
func (m masked) MarshalText() ([]byte, error) {
	return nil, errors.New("a masked identifier cannot be marshalled")
}
