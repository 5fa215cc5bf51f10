// Package bankidmsg owns BankID's recommended messages for the person who identifies
// or signs: their codes, their texts, and which of them a status calls for. It
// is a fact that both sides of a bank connection read: connectors for what they
// pass on, faces for what they show.
//
// The texts are data, one file a language. Source: docs/reference/banks.md 12.2, 12.3, 13
// (BankID's wording as of 2026-10-03). BankID's own wording is not known to us
// for RFA28 and RFA29 in either language and for RFA24 to RFA27 and RFA30 in
// English; those are our translations of the sense.
package bankidmsg

import (
	_ "embed" // for the texts
	"encoding/json"
	"strings"
)

//go:embed sv.json
var swedish []byte

//go:embed en.json
var english []byte

var texts = map[string]map[string]string{"sv": load(swedish), "en": load(english)}

// load reads a file that is part of the program: a broken one is a broken
// build, which any test finds.
func load(file []byte) map[string]string {
	var t map[string]string
	if err := json.Unmarshal(file, &t); err != nil {
		panic("bankidmsg: embedded texts: " + err.Error())
	}
	return t
}

// Text is the message's text in lang, a BCP 47 tag such as "sv" or "en-GB";
// English where we do not have the language. An unknown code has no text.
func Text(code, lang string) string {
	primary, _, _ := strings.Cut(lang, "-")
	t, ok := texts[strings.ToLower(primary)]
	if !ok {
		t = texts["en"]
	}
	return t[code]
}

// key is a status and hintCode as collect gives them (docs/reference/banks.md 12.1).
type key struct{ status, hint string }

var codes = map[key]string{
	{"pending", "noClient"}:               "RFA1",
	{"pending", "userSign"}:               "RFA9",
	{"pending", "userMrtd"}:               "RFA23",
	{"pending", "userFace"}:               "RFA24",
	{"pending", "userStepUp"}:             "RFA25",
	{"failed", "expiredTransaction"}:      "RFA8",
	{"failed", "certificateErr"}:          "RFA16",
	{"failed", "userCancel"}:              "RFA6",
	{"failed", "cancelled"}:               "RFA3",
	{"failed", "mrtdVerificationFailed"}:  "RFA26",
	{"failed", "facialRecognitionFailed"}: "RFA27",
	{"failed", "nfcNotSupportedByDevice"}: "RFA28",
	{"failed", "multipleBankIdsOnDevice"}: "RFA29",
	{"failed", "stepUpFailed"}:            "RFA30",
}

// byQR holds the hints whose message depends on how the app is reached: with a
// QR code, so that the person looks at a computer, or started on this device.
var byQR = map[key][2]string{
	{"pending", "outstandingTransaction"}: {"RFA13", "RFA1"},
	{"pending", "started"}:                {"RFA15B", "RFA15A"},
	{"failed", "startFailed"}:             {"RFA17A", "RFA17B"},
}

// Message is the code and text for a status and hintCode; qr tells that the
// person scans a QR code rather than starts the app on the same device. Lang is
// as in Text. BankID adds hints: an unknown one while pending is RFA21, and any
// other unknown, of whatever status, RFA22. A complete order has no message: ""
// and "".
func Message(status, hintCode string, qr bool, lang string) (code, text string) {
	code = messageCode(key{status, hintCode}, qr)
	return code, Text(code, lang)
}

func messageCode(k key, qr bool) string {
	if pair, ok := byQR[k]; ok {
		if qr {
			return pair[1]
		}
		return pair[0]
	}
	if code, ok := codes[k]; ok {
		return code
	}
	switch k.status {
	case "complete":
		return ""
	case "pending":
		return "RFA21"
	}
	return "RFA22"
}

// ForError is the code and text for an errorCode of the relying party API
// (docs/reference/banks.md 12.3): RFA4 for alreadyInProgress, RFA5 for time-outs, internal
// errors and maintenance, RFA22 for what the person cannot help.
func ForError(errorCode, lang string) (code, text string) {
	switch errorCode {
	case "alreadyInProgress":
		code = "RFA4"
	case "requestTimeout", "internalError", "maintenance":
		code = "RFA5"
	default:
		code = "RFA22"
	}
	return code, Text(code, lang)
}
