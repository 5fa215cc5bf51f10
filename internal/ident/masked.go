// Package ident owns the identifiers of persons, accounts and banks: Swedish
// personal and coordination numbers, IBANs, BICs and Swedish account numbers
// (docs/reference/banks.md 14). It checks them and hands them on as values that cannot be
// printed by accident: what identifies a person shows itself only to a caller
// who asks for it by name.
package ident

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Errors of this package. They never repeat the text that was refused.
var (
	// ErrForm: wrong length or characters.
	ErrForm = errors.New("not of the required form")
	// ErrDate: no such birth date, or one that lies ahead.
	ErrDate = errors.New("no possible birth date")
	// ErrSerial: the birth number is 000, which is never given out.
	ErrSerial = errors.New("no possible birth number")
	// ErrCheckDigit: the check digits do not agree with the rest.
	ErrCheckDigit = errors.New("check digit does not match")
)

// redacted stands for an identifier wherever a value is printed.
const redacted = "[redacted]"

// masked holds an identifier out of reach of fmt, log/slog and encoding/json. A
// handle rather than a string, because fmt prints the unexported members of a
// struct around it without asking any method: of a handle it shows an address.
type masked struct{ handle unique.Handle[string] }

func mask(s string) masked { return masked{unique.Make(s)} }

func (m masked) reveal() string {
	if m.IsZero() {
		return ""
	}
	return m.handle.Value()
}

// IsZero tells whether nothing has been read into the value.
func (m masked) IsZero() bool { return m == masked{} }

// String hides the identifier.
func (m masked) String() string { return redacted }

// GoString hides the identifier.
func (m masked) GoString() string { return redacted }

// LogValue hides the identifier from log/slog.
func (m masked) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the identifier from every verb of package fmt.
func (m masked) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText refuses: an identifier that is meant to be written is asked for by
// name, and one that is not would be written as something it is not.
func (m masked) MarshalText() ([]byte, error) {
	return nil, errors.New("an identifier is not written by itself")
}
