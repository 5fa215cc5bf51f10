package xs2a

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"samla/internal/plaintext"
)

// bankIDData is the data of BankID that an answer has at a place that the profile does
// not name.
type bankIDData struct{ token, qrText, image, imageLink string }

// place is where in an answer a value is.
type place struct{ token, code bool } // a bare token, or a picture or a text of a QR code, can be here

// findBankID searches an answer for the data of BankID. Anywhere in it, a start address
// has the token and a text with the form of a QR code's is one. A bare token and a
// picture are only taken from the challenge, or from a member that is named after them:
// other ids look like tokens.
func findBankID(d document) (found bankIDData) {
	found.search(d.raw, place{})
	return found
}

func (f *bankIDData) search(value any, at place) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) { // the same answer is read in the same way each time
			w := plaintext.Fold(name)
			switch {
			case w == "imagelink":
				if s, ok := value[name].(string); ok && f.imageLink == "" {
					f.imageLink = s
				}
			case w == "psumessage", w == "psuname":
			case strings.HasPrefix(w, "qr"):
				f.search(value[name], place{code: true}) // qrStartToken looks like the token
			default:
				challenge := w == "challengedata" || w == "challenge"
				f.search(value[name], place{token: at.token || challenge || strings.HasPrefix(w, "autostart"), code: at.code || challenge})
			}
		}
	case []any:
		for _, element := range value {
			f.search(element, at)
		}
	case string:
		f.take(value, at)
		var inner map[string]any // some banks write the challenge as a text with JSON in it
		if strings.HasPrefix(strings.TrimSpace(value), "{") && json.Unmarshal([]byte(value), &inner) == nil {
			f.search(inner, at)
		}
	}
}

func (f *bankIDData) take(s string, at place) {
	if token := tokenIn(s); f.token == "" && token != "" && (at.token || len(s) > len(token)) {
		f.token = token
	}
	if f.qrText == "" && (at.code && qrTextIn(s) != "" || strings.HasPrefix(s, "bankid.") && qrTextForm.MatchString(s)) {
		f.qrText = strings.TrimSpace(s)
	}
	if f.image == "" && at.code {
		f.image = pngBase64(s)
	}
}

var (
	startAddress = regexp.MustCompile(`(?i)autostarttoken(?:=|%3d)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[^0-9a-z]|$)`)
	qrTextForm   = regexp.MustCompile(`^bankid\.[0-9a-fA-F-]{36}\.[0-9]{1,6}\.[0-9a-f]{64}$`)
)

// tokenIn returns the autostart token that a text is, or that is in it as a parameter
// of BankID's start address (docs/reference/banks.md 12.6); else "".
func tokenIn(s string) string {
	s = strings.TrimSpace(s)
	if isToken(s) {
		return s
	}
	if !strings.Contains(strings.ToLower(s), "autostarttoken") { // regular expressions take longer
		return ""
	}
	if match := startAddress.FindStringSubmatch(s); match != nil {
		return match[1]
	}
	return ""
}

func isToken(s string) bool {
	if len(s) != 36 {
		return false
	}
	_, err := uuid.Parse(s)
	return err == nil
}

// maxImage is the limit of the standard, in bytes (docs/reference/banks.md 4).
const maxImage = 512 << 10

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// pngBase64 returns the base64 of a PNG image, given as base64 of either alphabet, with
// or without padding, or as a data URL. It returns "" if s is not a PNG image or the
// image is larger than maxImage.
func pngBase64(s string) string {
	if len(s) > maxImage/3*4+1024 {
		return ""
	}
	s = strings.TrimSpace(s)
	if len(s) > 5 && strings.EqualFold(s[:5], "data:") {
		_, s, _ = strings.Cut(s, ",")
	}
	if s = strings.TrimSpace(s); s == "" || s[0] != 'i' { // of the signature's first byte
		return ""
	}
	data, err := base64.RawStdEncoding.DecodeString(standardBase64.Replace(s))
	if err != nil {
		return ""
	}
	return pngOf(data)
}

// standardBase64 turns what banks write into base64 of the standard alphabet without
// padding.
var standardBase64 = strings.NewReplacer("-", "+", "_", "/", "=", "", " ", "", "\t", "", "\r", "", "\n", "",
	"%2B", "+", "%2F", "/", "%3D", "", "%2b", "+", "%2f", "/", "%3d", "")

// pngOf returns the base64 of an image, or "" if it is not a PNG or is too large.
func pngOf(data []byte) string {
	if len(data) > maxImage || !bytes.HasPrefix(data, pngSignature) {
		return ""
	}
	return base64.StdEncoding.EncodeToString(data)
}
