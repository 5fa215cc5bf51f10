package connect

import (
	"slices"
	"strings"

	"samla/internal/company"
	"samla/internal/institution"
)

// Way is one way to approve at an institution.
type Way struct {
	Kind     WayKind
	Method   string // login method of the API; may be empty
	OnDevice bool   // the app runs on the device that shows the page
}

// WayKind is the closed set of kinds of ways.
type WayKind string

// The kinds.
const (
	ThisDevice  WayKind = "this"  // BankID on this device
	OtherDevice WayKind = "other" // BankID on another device, by a code to scan
	ByPage      WayKind = "page"  // a page of the institution
	ByEmail     WayKind = "email" // a link in an e-mail
	ByMethod    WayKind = "method"
)

// emailMethod and deviceWord are parts of login methods (docs/reference/api.md 6.3).
const (
	emailMethod = "EMAIL"
	deviceWord  = "CLIENT_SIDE_AUTHENTICATION"
)

// waysOf returns the ways to approve at an institution, in the order of its methods, one of
// each kind. Methods in which the person's device calls the institution need a host that can
// do that: a browser cannot.
func waysOf(i institution.Institution) []Way {
	if i.Company.PSD2 && i.Profile.Redirects {
		return []Way{{Kind: ByPage, Method: first(i.Company.LoginMethods)}}
	}
	var ways []Way
	add := func(w Way) {
		if !slices.ContainsFunc(ways, func(v Way) bool { return v.Kind == w.Kind && (w.Kind != ByMethod || v.Method == w.Method) }) {
			ways = append(ways, w)
		}
	}
	var this, other string
	for _, m := range i.Company.LoginMethods {
		switch device := company.DeviceOf(m); {
		case strings.Contains(m, deviceWord):
		case device == company.OtherDevice && strings.Contains(m, "BANKID") && other == "":
			other = m
		case device == company.SameDevice && strings.Contains(m, "BANKID") && this == "":
			this = m
		}
	}
	if this == "" {
		this = other // its order has a token too
	}
	for _, m := range i.Company.LoginMethods {
		switch {
		case strings.Contains(m, deviceWord):
		case strings.Contains(m, "SWEDISH") && strings.Contains(m, "BANKID"):
			add(Way{Kind: ThisDevice, Method: this, OnDevice: true})
			if other != "" && i.Profile.QR != institution.QRNone {
				add(Way{Kind: OtherDevice, Method: other})
			}
		case strings.Contains(m, emailMethod):
			add(Way{Kind: ByEmail, Method: m})
		default:
			add(Way{Kind: ByMethod, Method: m})
		}
	}
	return ways
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// needsOf returns what the person has to say before a way is begun: constants
// company.Needs* (docs/reference/api.md 5.3).
func needsOf(i institution.Institution, w Way) []string {
	switch {
	case i.Company.PSD2 && i.Profile.NeedsPSUID:
		return []string{company.NeedsPersonalNumber}
	case i.Company.PSD2, w.Kind == ByEmail:
		return nil
	}
	return i.Company.Needs
}

// Needs returns what a form asks for that offers all the ways.
func needsOfAll(i institution.Institution, ways []Way) (needs []string) {
	for _, w := range ways {
		for _, n := range needsOf(i, w) {
			if !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
	}
	return needs
}
