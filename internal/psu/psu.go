// Package psu owns the context of the person for whom a call is made, the payment
// service user (PSU) of PSD2. One type carries it from the request to the connector,
// and it is sealed in that form.
package psu

import (
	"fmt"
	"log/slog"
	"strings"
)

// Context is the person of one call. It prints masked; its JSON form is complete
// and is for sealed columns only.
//
// The IP address is set only while the person is present. It is never made up: a bank
// recognises unattended access by its absence (RTS art. 36(5)).
type Context struct {
	PersonalNumber Number `json:"pnr,omitempty"`    // may be unknown
	IPAddress      string `json:"ip,omitempty"`     // empty: the person is not present
	UserAgent      string `json:"ua,omitempty"`     // of the person's browser
	Locale         string `json:"locale,omitempty"` // xx-YY
}

// Attended reports whether the person is present.
func (c Context) Attended() bool { return c.IPAddress != "" }

// Unattended returns the context for a call without the person: only the locale
// remains.
func (c Context) Unattended() Context { return Context{Locale: c.Locale} }

// Format implements fmt.Formatter for every verb. It shows only whether the person is
// present.
func (c Context) Format(s fmt.State, _ rune) {
	if c.Attended() {
		fmt.Fprint(s, "[psu attended]")
		return
	}
	fmt.Fprint(s, "[psu unattended]")
}

// LogValue implements slog.LogValuer.
func (c Context) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Number is a Swedish personal or coordination number, 12 digits, or empty. It
// prints masked; Digits returns it.
type Number string

// Digits returns the 12 digits.
func (n Number) Digits() string { return string(n) }

// Said returns the number that a text of an institution says: ten or twelve digits, which
// may have separators. It returns "" for any other text.
func Said(text string) Number {
	digits := strings.NewReplacer("-", "", "+", "", " ", "").Replace(text)
	if len(digits) != 10 && len(digits) != 12 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return Number(digits)
}

// Is reports whether another number is this one, written in ten or in twelve digits.
func (n Number) Is(other Number) bool {
	return other != "" && strings.HasSuffix(n.Digits(), other.Digits())
}

// Format implements fmt.Formatter for every verb.
func (n Number) Format(s fmt.State, _ rune) {
	if n == "" {
		fmt.Fprint(s, "[no number]")
		return
	}
	fmt.Fprint(s, "[personal number]")
}

// LogValue implements slog.LogValuer.
func (n Number) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(n)) }
