package authorize

import (
	"cmp"
	"time"

	"samla/internal/bankidmsg"
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
func show(c consent.Consent, gives institution.QRKind, i *consent.Instructions, d *qr.Drawing) *Shown {
	shown := &Shown{AutoStartToken: i.AutoStartToken, ExpiresAt: i.ExpiresAt, UserMessage: i.UserMessage}
	tokenOnly := i.AutoStartToken != "" && d.Text == "" && i.QRImage == ""
	switch {
	case i.RedirectURL != "" || i.Start != "":
		shown.Form, shown.RedirectURL = Redirect, cmp.Or(i.Start, i.RedirectURL)
	case company.DeviceOf(c.LoginMethod) == company.SameDevice && i.AutoStartToken != "", gives == institution.QRNone, tokenOnly:
		shown.Form = AutoStart
	default:
		shown.Form, shown.QRData, shown.QRImage = QRCode, d.Text, i.QRImage
		if d.Text != "" {
			shown.QRImage = d.Image()
		}
	}
	return shown
}

// qrText is the text of the QR code at the time now: the bank's own, or the text
// computed each second where the bank gave BankID's secret
// (docs/reference/banks.md 12.5).
func qrText(i *consent.Instructions, now time.Time) string {
	if i.QRSecret == "" {
		return i.QRData
	}
	return bankidmsg.QRText(i.QRStartToken, i.QRSecret, i.QRStartedAt, now)
}
