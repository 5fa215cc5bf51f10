package authorize

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/qr"
)

// Form is the discriminator of AuthInstructions (docs/reference/api.md 4.1).
type Form string

// The forms of AuthInstructions.
const (
	AutoStart Form = "SWEDISH_BANKID_AUTOSTART_TOKEN"
	QRCode    Form = "SWEDISH_BANKID_QR_CODE"
	Redirect  Form = "REDIRECT"
)

// Shown is what the person is shown now. Polls share it: it must not be changed.
type Shown struct {
	Form           Form
	AutoStartToken string
	QRData         string // text to encode
	QRImage        string // base64 PNG
	RedirectURL    string
	ExpiresAt      time.Time
	UserMessage    consent.UserMessage
}

// show chooses the form by the device that the person signs on, among those that the
// bank gives the data for, and draws the QR code. Without a code to draw, the token is
// all that the person can use.
func show(c consent.Consent, gives institution.QRKind, i *consent.Instructions, d *drawing) *Shown {
	shown := &Shown{AutoStartToken: i.AutoStartToken, ExpiresAt: i.ExpiresAt, UserMessage: i.UserMessage}
	tokenOnly := i.AutoStartToken != "" && d.text == "" && i.QRImage == ""
	switch {
	case i.RedirectURL != "":
		shown.Form, shown.RedirectURL = Redirect, i.RedirectURL
	case company.DeviceOf(c.LoginMethod) == company.SameDevice && i.AutoStartToken != "", gives == institution.QRNone, tokenOnly:
		shown.Form = AutoStart
	default:
		shown.Form, shown.QRData, shown.QRImage = QRCode, d.text, i.QRImage
		if d.text != "" {
			shown.QRImage = d.image()
		}
	}
	return shown
}

// image draws the code once. A text that does not fit into a QR code is still
// shown as text, without a picture.
func (d *drawing) image() string {
	d.once.Do(func() { d.png, _ = qr.PNG(d.text) })
	return d.png
}

// qrText is the text of the QR code at the time now: the bank's own, or the text
// computed each second where the bank gave BankID's secret
// (docs/reference/banks.md 12.5).
func qrText(i *consent.Instructions, now time.Time) string {
	if i.QRSecret == "" {
		return i.QRData
	}
	seconds := strconv.FormatInt(int64(now.Sub(i.QRStartedAt)/time.Second), 10)
	mac := hmac.New(sha256.New, []byte(i.QRSecret))
	mac.Write([]byte(seconds))
	return "bankid." + i.QRStartToken + "." + seconds + "." + hex.EncodeToString(mac.Sum(nil))
}
