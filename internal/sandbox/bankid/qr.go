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

// QRLife is how long a QR text can be scanned after the second it belongs to;
// BankID shows a new one every second (docs/reference/banks.md 12.4).
const QRLife = 10 * time.Second

// qrAhead is how far a relying party's clock may run before ours.
const qrAhead = time.Second

// QRData is the text of the animated QR code, t whole seconds after the order's
// start; the secret's ASCII form is the HMAC-SHA256 key (docs/reference/banks.md 12.5).
func QRData(startToken, startSecret string, t int) string {
	second := strconv.Itoa(t)
	mac := hmac.New(sha256.New, []byte(startSecret))
	mac.Write([]byte(second)) // a hash never fails to write
	return "bankid." + startToken + "." + second + "." + hex.EncodeToString(mac.Sum(nil))
}

var errNoQR = errors.New("not a BankID QR text")

// parseQR takes a QR text apart. It holds the form to the letter, so that
// exactly one text stands for one token, second and HMAC.
func parseQR(text string) (token string, second int, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 || parts[0] != "bankid" || parts[1] == "" || len(parts[2]) > 6 || len(parts[3]) != 2*sha256.Size {
		return "", 0, errNoQR
	}
	second, err = strconv.Atoi(parts[2])
	if err != nil || second < 0 || strconv.Itoa(second) != parts[2] {
		return "", 0, errNoQR
	}
	if strings.Trim(parts[3], "0123456789abcdef") != "" {
		return "", 0, errNoQR
	}
	return parts[1], second, nil
}

// staticURL is how the text of a static QR code begins; appURL is the form of
// the same that opens the app from a web page (docs/reference/banks.md 12.6).
const (
	staticURL = "bankid:///?"
	appURL    = "https://app.bankid.com/?"
)

// AutoStartURL is the text of a static QR code (docs/reference/banks.md 12.6).
func AutoStartURL(autoStartToken string) string {
	return staticURL + url.Values{"autostarttoken": {autoStartToken}}.Encode()
}

func isURL(text string) bool {
	return strings.HasPrefix(text, staticURL) || strings.HasPrefix(text, appURL)
}

// parseStatic reads the token of a static code; other parameters, such as
// redirect, do not matter to the phone.
func parseStatic(text string) (token string, err error) {
	_, query, _ := strings.Cut(text, "?")
	fields, err := url.ParseQuery(query)
	if err != nil || len(fields["autostarttoken"]) != 1 || fields.Get("autostarttoken") == "" {
		return "", errNoQR
	}
	return fields.Get("autostarttoken"), nil
}

// scan tells whether text is a QR code of this order, and a fresh one. Once a
// phone has the order its code may be old: it was scanned while it was shown.
func (r *record) scan(text string, second int, now time.Time) error {
	if !hmac.Equal([]byte(text), []byte(QRData(r.QRStartToken, r.QRStartSecret, second))) {
		return &Error{InvalidQR, "the QR text is not one of this order's; scan the code again"}
	}
	shown := r.state.StartedAt.Add(time.Duration(second) * time.Second)
	if age := now.Sub(shown); !r.state.Opened() && (age > QRLife || age < -qrAhead) {
		return &Error{StaleQR, "the QR text belongs to another moment; scan the code shown now"}
	}
	return nil
}
