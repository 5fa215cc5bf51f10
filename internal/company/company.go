// Package company owns the directory of companies: which banks this server can
// reach, how a person signs in there, and how they have been doing lately.
package company

import (
	"slices"
	"strings"
)

// Company is one entry of the directory (docs/reference/api.md 6.1).
type Company struct {
	ID           string // {market}-{slug}
	DisplayName  string
	LoginMethods []string // docs/reference/api.md 6.3
	PSD2         bool     // usable for consents
}

// Market is the lower-case country code the id begins with.
func (c Company) Market() string {
	market, _, _ := strings.Cut(c.ID, "-")
	return market
}

// Offers reports whether a login method is one of the company's.
func (c Company) Offers(method string) bool { return slices.Contains(c.LoginMethods, method) }

// Device says where the person's BankID app runs.
type Device int

// The devices a login method can name.
const (
	AnyDevice   Device = iota // not said
	OtherDevice               // the person scans a QR code
	SameDevice                // the app is opened by its autostart token
)

// DeviceOf tells which device a login method means (docs/reference/api.md 6.3); ANY_DEVICE is
// handled as the other device.
func DeviceOf(method string) Device {
	switch {
	case strings.Contains(method, "_SAME_DEVICE"):
		return SameDevice
	case strings.Contains(method, "_OTHER_DEVICE"), strings.Contains(method, "_ANY_DEVICE"):
		return OtherDevice
	default:
		return AnyDevice
	}
}

// Directory is a fixed set of companies.
type Directory struct {
	byID   map[string]Company
	sorted []Company
}

// NewDirectory makes a directory; of two entries with one id the later wins.
func NewDirectory(companies ...Company) *Directory {
	d := &Directory{byID: make(map[string]Company, len(companies))}
	for _, c := range companies {
		d.byID[c.ID] = c
	}
	for _, c := range d.byID {
		d.sorted = append(d.sorted, c)
	}
	slices.SortFunc(d.sorted, func(a, b Company) int { return strings.Compare(a.ID, b.ID) })
	return d
}

// Find looks a company up by its id.
func (d *Directory) Find(id string) (Company, bool) {
	c, ok := d.byID[id]
	return c, ok
}

// All lists the companies by id. The slice must not be changed.
func (d *Directory) All() []Company { return d.sorted }
