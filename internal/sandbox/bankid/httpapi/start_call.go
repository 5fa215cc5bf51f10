package httpapi

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"slices"
	"unicode/utf8"

	"samla/internal/sandbox/bankid"
)

// startCall defines one of the calls that start an order. Lengths are in characters of
// base64.
type startCall struct {
	kind                      bankid.Kind
	phone                     bool // the person is found by number, without QR code or autostart
	maxVisible, maxNonVisible int
	visibleRequired           bool
}

var startCalls = map[string]startCall{
	"auth":       {kind: bankid.Auth, maxVisible: 1_500, maxNonVisible: 1_500},
	"sign":       {kind: bankid.Sign, maxVisible: 40_000, maxNonVisible: 200_000, visibleRequired: true},
	"phone/auth": {kind: bankid.PhoneAuth, phone: true, maxVisible: 1_500, maxNonVisible: 1_500},
	"phone/sign": {kind: bankid.PhoneSign, phone: true, maxVisible: 40_000, maxNonVisible: 200_000, visibleRequired: true},
}

// parameters are those of docs/reference/banks.md 12.1.
type parameters struct {
	EndUserIP             string      `json:"endUserIp"`
	CallInitiator         string      `json:"callInitiator"`
	PersonalNumber        string      `json:"personalNumber"`
	Requirement           requirement `json:"requirement"`
	UserVisibleData       string      `json:"userVisibleData"`
	UserNonVisibleData    string      `json:"userNonVisibleData"`
	UserVisibleDataFormat string      `json:"userVisibleDataFormat"`
	ReturnURL             string      `json:"returnUrl"`
	ReturnRisk            bool        `json:"returnRisk"`
	Web                   *webContext `json:"web"`
	App                   *appContext `json:"app"`
}

type requirement struct {
	PINCode             bool     `json:"pinCode"`
	MRTD                bool     `json:"mrtd"`
	CertificatePolicies []string `json:"certificatePolicies"`
	PersonalNumber      string   `json:"personalNumber"`
	CardReader          string   `json:"cardReader"`
	Risk                string   `json:"risk"`
}

type webContext struct {
	ReferringDomain  string `json:"referringDomain"`
	UserAgent        string `json:"userAgent"`
	DeviceIdentifier string `json:"deviceIdentifier"`
}

type appContext struct {
	AppIdentifier    string `json:"appIdentifier"`
	DeviceOS         string `json:"deviceOS"`
	DeviceModelName  string `json:"deviceModelName"`
	DeviceIdentifier string `json:"deviceIdentifier"`
}

// policies are the certificate policies of BankID's production and test environments.
var policies = []string{
	"1.2.752.78.1.5", "1.2.752.78.1.1", "1.2.752.78.1.2",
	"1.2.3.4.25", "1.2.3.4.5", "1.2.3.4.10", "1.2.752.60.1.6",
}

// parse validates the body of the call.
func (c startCall) parse(body []byte) (bankid.AuthRequest, error) {
	var none bankid.AuthRequest
	var p parameters
	if err := decode(body, &p); err != nil {
		return none, err
	}
	if err := c.checkPerson(p); err != nil {
		return none, err
	}
	if err := p.Requirement.validate(); err != nil {
		return none, err
	}
	text, err := c.visibleText(p)
	if err != nil {
		return none, err
	}
	if _, err := url.Parse(p.ReturnURL); err != nil {
		return none, invalid("returnUrl is not a URL")
	}
	if p.Web != nil && p.App != nil {
		return none, invalid("give web or app, not both")
	}
	return bankid.AuthRequest{
		Kind: c.kind, EndUserIP: p.EndUserIP, Expected: p.PersonalNumber,
		Requirement: p.Requirement.PersonalNumber, UserVisibleData: text, ReturnRisk: p.ReturnRisk,
	}, nil
}

// checkPerson checks the parameters that identify the person.
func (c startCall) checkPerson(p parameters) error {
	if c.phone {
		if p.CallInitiator != "user" && p.CallInitiator != "RP" {
			return invalid(`callInitiator is "user" or "RP"`)
		}
		if p.PersonalNumber == "" {
			return invalid("personalNumber is missing")
		}
		return nil
	}
	if p.CallInitiator != "" || p.PersonalNumber != "" {
		return invalid("callInitiator and personalNumber are for phone/auth and phone/sign; use requirement.personalNumber")
	}
	if _, err := netip.ParseAddr(p.EndUserIP); err != nil {
		return invalid("endUserIp is missing or not an IP address")
	}
	return nil
}

func (r requirement) validate() error {
	for _, policy := range r.CertificatePolicies {
		if !slices.Contains(policies, policy) {
			return invalid("requirement.certificatePolicies contains an unknown policy")
		}
	}
	if !slices.Contains([]string{"", "class1", "class2"}, r.CardReader) {
		return invalid(`requirement.cardReader is "class1" or "class2"`)
	}
	if !slices.Contains([]string{"", "low", "moderate"}, r.Risk) {
		return invalid(`requirement.risk is "low" or "moderate"`)
	}
	return nil
}

// visibleText validates both texts and returns the visible one, decoded.
func (c startCall) visibleText(p parameters) (string, error) {
	if p.UserVisibleData == "" && c.visibleRequired {
		return "", invalid("userVisibleData is missing")
	}
	if len(p.UserVisibleData) > c.maxVisible || len(p.UserNonVisibleData) > c.maxNonVisible {
		return "", invalid("userVisibleData or userNonVisibleData is too long")
	}
	text, err := base64.StdEncoding.DecodeString(p.UserVisibleData)
	if err != nil || !utf8.Valid(text) {
		return "", invalid("userVisibleData is not base64 of UTF-8")
	}
	if _, err := base64.StdEncoding.DecodeString(p.UserNonVisibleData); err != nil {
		return "", invalid("userNonVisibleData is not base64")
	}
	if !slices.Contains([]string{"", "plaintext", "simpleMarkdownV1"}, p.UserVisibleDataFormat) {
		return "", invalid(`userVisibleDataFormat is "plaintext" or "simpleMarkdownV1"`)
	}
	return string(text), nil
}
