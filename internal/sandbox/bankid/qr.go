package bankid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// QRLife is how long after its second a QR text can be scanned. A new one is shown
// every second (docs/reference/banks.md 12.4).
const QRLife = 10 * time.Second

// qrAhead is how far a relying party's clock may be ahead of ours.
const qrAhead = time.Second

// QRData returns the text of the animated QR code, t seconds after the start of the
// order. The HMAC-SHA256 key is the ASCII form of the secret
// (docs/reference/banks.md 12.5).
func QRData(startToken, startSecret string, t int) string {
	second := strconv.Itoa(t)
	mac := hmac.New(sha256.New, []byte(startSecret))
	mac.Write([]byte(second)) // never fails
	return "bankid." + startToken + "." + second + "." + hex.EncodeToString(mac.Sum(nil))
}

var errInvalidQR = errors.New("not a BankID QR text")

// parseQR parses the text of an animated QR code. It accepts only the canonical form, so
// that exactly one text has the same token, second and HMAC.
func parseQR(text string) (token string, second int, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 || parts[0] != "bankid" || parts[1] == "" || len(parts[2]) > 6 || len(parts[3]) != 2*sha256.Size {
		return "", 0, errInvalidQR
	}
	second, err = strconv.Atoi(parts[2])
	if err != nil || second < 0 || strconv.Itoa(second) != parts[2] {
		return "", 0, errInvalidQR
	}
	if strings.Trim(parts[3], "0123456789abcdef") != "" {
		return "", 0, errInvalidQR
	}
	return parts[1], second, nil
}

// staticURL is the beginning of the text of a static QR code. appURL is the beginning of
// a link that opens the app from a web page (docs/reference/banks.md 12.6).
const (
	staticURL = "bankid:///?"
	appURL    = "https://app.bankid.com/?"
)

// AutoStartURL returns the text of a static QR code (docs/reference/banks.md 12.6).
func AutoStartURL(autoStartToken string) string {
	return staticURL + url.Values{"autostarttoken": {autoStartToken}}.Encode()
}

func isStaticURL(text string) bool {
	return strings.HasPrefix(text, staticURL) || strings.HasPrefix(text, appURL)
}

// parseStaticURL returns the token in the text of a static code. It ignores other
// parameters, such as redirect.
func parseStaticURL(text string) (token string, err error) {
	_, query, _ := strings.Cut(text, "?")
	fields, err := url.ParseQuery(query)
	if err != nil || len(fields["autostarttoken"]) != 1 || fields.Get("autostarttoken") == "" {
		return "", errInvalidQR
	}
	return fields.Get("autostarttoken"), nil
}

// checkQR returns an error if text is not a QR text of this order, or is too old. Once
// the order is open, the text may be of any age, because it was scanned earlier.
func (r *record) checkQR(text string, second int, now time.Time) error {
	if !hmac.Equal([]byte(text), []byte(QRData(r.QRStartToken, r.QRStartSecret, second))) {
		return &Error{InvalidQR, "the QR text is not of this order; scan the code again"}
	}
	shown := r.state.StartedAt.Add(time.Duration(second) * time.Second)
	if age := now.Sub(shown); !r.state.Opened() && (age > QRLife || age < -qrAhead) {
		return &Error{StaleQR, "the QR text is too old or from the future; scan the current code"}
	}
	return nil
}
