// Package company describes companies as clients see them: their login methods
// and how available they were lately.
package company

import (
	"slices"
	"strings"
)

// Company is an entry of the list of companies (docs/reference/api.md 6.1).
type Company struct {
	ID           string // {market}-{slug}
	DisplayName  string
	LoginMethods []string // docs/reference/api.md 6.3
	PSD2         bool     // has consents
	// Needs lists what a login needs to be told of the person: the constants Needs*. It is
	// empty for a company that is used by consents only.
	Needs []string
	// AnyPersonalNumber: neither the date nor the check digit of a personal number is checked,
	// because the company knows test persons whose numbers have wrong ones
	// (docs/reference/api.md 5.3).
	AnyPersonalNumber bool
}

// What a login can need (docs/reference/api.md 5.3).
const (
	NeedsPersonalNumber = "personalNumber" // 12 digits
	NeedsEmail          = "email"
	NeedsUserID         = "userId" // of the person at the company
)

// Market returns the lower-case country code that the id begins with.
func (c Company) Market() string {
	market, _, _ := strings.Cut(c.ID, "-")
	return market
}

// Offers reports whether the company has a login method.
func (c Company) Offers(method string) bool { return slices.Contains(c.LoginMethods, method) }

// NeedsToKnow reports whether a login needs one of the constants Needs*.
func (c Company) NeedsToKnow(what string) bool { return slices.Contains(c.Needs, what) }

// Device is the device that the person's BankID app runs on.
type Device int

// The devices a login method can name.
const (
	UnknownDevice Device = iota // the method names no device
	OtherDevice                 // the person scans a QR code
	SameDevice                  // the app is opened by its autostart token
)

// DeviceOf returns the device of a login method (docs/reference/api.md 6.3). A method
// for any device returns OtherDevice.
func DeviceOf(method string) Device {
	switch {
	case strings.Contains(method, "_SAME_DEVICE"):
		return SameDevice
	case strings.Contains(method, "_OTHER_DEVICE"), strings.Contains(method, "_ANY_DEVICE"):
		return OtherDevice
	default:
		return UnknownDevice
	}
}
