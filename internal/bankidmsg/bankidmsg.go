// Package bankidmsg holds BankID's recommended messages for the person who
// identifies or signs: their codes (RFA1 to RFA30), their texts, and which message
// belongs to which status. Connectors use it for the status they report, HTTP
// handlers for the text they show.
//
// The texts are data, one file per language. Source: docs/reference/banks.md 12.2,
// 12.3, 13 (BankID's wording as of 2026-10-03). We do not know BankID's own wording
// of RFA28 and RFA29 in either language, nor of RFA24 to RFA27 and RFA30 in
// English; we wrote those ourselves.
package bankidmsg

import (
	_ "embed" // go:embed of the texts
	"encoding/json"
	"strings"
)

//go:embed sv.json
var swedish []byte

//go:embed en.json
var english []byte

var texts = map[string]map[string]string{"sv": load(swedish), "en": load(english)}

// load parses an embedded file. It panics on a malformed one, because only a
// faulty build contains it.
func load(file []byte) map[string]string {
	var t map[string]string
	if err := json.Unmarshal(file, &t); err != nil {
		panic("bankidmsg: embedded texts: " + err.Error())
	}
	return t
}

// Text returns a message's text in lang, a BCP 47 tag such as "sv" or "en-GB". A
// language that we do not have falls back to English. The text of an unknown code
// is "".
func Text(code, lang string) string {
	primary, _, _ := strings.Cut(lang, "-")
	t, ok := texts[strings.ToLower(primary)]
	if !ok {
		t = texts["en"]
	}
	return t[code]
}

// key is a status and hintCode as BankID's collect call returns them
// (docs/reference/banks.md 12.1).
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

// byQR holds the hints whose message depends on how the app was started: [0] on
// the same device, [1] by scanning a QR code on another screen.
var byQR = map[key][2]string{
	{"pending", "outstandingTransaction"}: {"RFA13", "RFA1"},
	{"pending", "started"}:                {"RFA15B", "RFA15A"},
	{"failed", "startFailed"}:             {"RFA17A", "RFA17B"},
}

// Message returns the code and text for a status and hintCode. qr is true when the
// person scans a QR code and false when the app starts on the same device; lang is
// as in Text. BankID adds hint codes over time: an unknown one is RFA21 while the
// order is pending and RFA22 otherwise. A complete order has no message: "" and "".
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

// ForError returns the code and text for an errorCode of the relying party API
// (docs/reference/banks.md 12.3): RFA4 for alreadyInProgress; RFA5 for timeouts,
// internal errors and maintenance; RFA22 for errors that the person can do nothing
// about.
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
