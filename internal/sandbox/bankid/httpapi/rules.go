package httpapi

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"slices"
	"unicode/utf8"

	"samla/internal/sandbox/bankid"
)

// startRules is what differs between the calls that start an order. Lengths are
// in characters of base64.
type startRules struct {
	kind                bankid.Kind
	phone               bool // reaches its person by number, without QR code or autostart
	visible, nonVisible int
	visibleMust         bool
}

var starts = map[string]startRules{
	"auth":       {kind: bankid.Auth, visible: 1_500, nonVisible: 1_500},
	"sign":       {kind: bankid.Sign, visible: 40_000, nonVisible: 200_000, visibleMust: true},
	"phone/auth": {kind: bankid.PhoneAuth, phone: true, visible: 1_500, nonVisible: 1_500},
	"phone/sign": {kind: bankid.PhoneSign, phone: true, visible: 40_000, nonVisible: 200_000, visibleMust: true},
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

// policies are the certificate policies of production and test.
var policies = []string{
	"1.2.752.78.1.5", "1.2.752.78.1.1", "1.2.752.78.1.2",
	"1.2.3.4.25", "1.2.3.4.5", "1.2.3.4.10", "1.2.752.60.1.6",
}

// parse reads the body of a call that starts an order.
func (rules startRules) parse(body []byte) (bankid.AuthRequest, error) {
	var none bankid.AuthRequest
	var p parameters
	if err := decode(body, &p); err != nil {
		return none, err
	}
	if err := rules.person(p); err != nil {
		return none, err
	}
	if err := p.Requirement.check(); err != nil {
		return none, err
	}
	text, err := rules.texts(p)
	if err != nil {
		return none, err
	}
	if _, err := url.Parse(p.ReturnURL); err != nil {
		return none, invalid("returnUrl is no URL")
	}
	if p.Web != nil && p.App != nil {
		return none, invalid("give web or app, not both")
	}
	return bankid.AuthRequest{
		Kind: rules.kind, EndUserIP: p.EndUserIP, Expected: p.PersonalNumber,
		Requirement: p.Requirement.PersonalNumber, UserVisibleData: text, ReturnRisk: p.ReturnRisk,
	}, nil
}

// person checks how the call says whom it is about.
func (rules startRules) person(p parameters) error {
	if rules.phone {
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
		return invalid("endUserIp is missing or no IP address")
	}
	return nil
}

func (r requirement) check() error {
	for _, policy := range r.CertificatePolicies {
		if !slices.Contains(policies, policy) {
			return invalid("requirement.certificatePolicies holds an unknown policy")
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

// texts checks both texts and returns the visible one, decoded.
func (rules startRules) texts(p parameters) (string, error) {
	if p.UserVisibleData == "" && rules.visibleMust {
		return "", invalid("userVisibleData is missing")
	}
	if len(p.UserVisibleData) > rules.visible || len(p.UserNonVisibleData) > rules.nonVisible {
		return "", invalid("userVisibleData or userNonVisibleData is too long")
	}
	text, err := base64.StdEncoding.DecodeString(p.UserVisibleData)
	if err != nil || !utf8.Valid(text) {
		return "", invalid("userVisibleData is no base64 of UTF-8")
	}
	if _, err := base64.StdEncoding.DecodeString(p.UserNonVisibleData); err != nil {
		return "", invalid("userNonVisibleData is no base64")
	}
	if !slices.Contains([]string{"", "plaintext", "simpleMarkdownV1"}, p.UserVisibleDataFormat) {
		return "", invalid(`userVisibleDataFormat is "plaintext" or "simpleMarkdownV1"`)
	}
	return string(text), nil
}
