package xs2a

import (
	"cmp"
	"strings"

	"samla/internal/bankidmsg"
	"samla/internal/consent"
)

// maxMessage is the limit of the standard, in characters (docs/reference/banks.md 3.2).
const maxMessage = 500

// instructions returns what the person needs to sign, or nil if the bank gave
// nothing. It drops values that do not have the expected format, because they would
// be shown to a person or passed to an app. ExpiresAt is zero if the bank does not say
// how long it waits.
func (b *Bank) instructions(d document, hint, locale string, otherDevice bool) *consent.Instructions {
	i := consent.Instructions{
		AutoStartToken: tokenIn(b.wire.autoStartToken.text(d.raw)),
		QRData:         qrTextIn(b.wire.qrData.text(d.raw)),
		QRImage:        pngBase64(b.wire.qrImage.text(d.raw)),
		RefreshedAt:    b.clock.Now(),
		ExpiresAt:      text(b.wire.expiresAt.text(d.raw)).dateTime(),
		UserMessage:    userMessage(text(d.text("psuMessage")), hint, locale, otherDevice),
	}
	if i.AutoStartToken == "" || i.QRData == "" && i.QRImage == "" {
		found := findBankID(d)
		i.AutoStartToken, i.QRData, i.QRImage = cmp.Or(i.AutoStartToken, found.token), cmp.Or(i.QRData, found.qrText), cmp.Or(i.QRImage, found.image)
	}
	if token, secret := b.wire.qrStartToken.text(d.raw), b.wire.qrStartSecret.text(d.raw); isToken(token) && isToken(secret) {
		i.QRStartToken, i.QRSecret, i.QRStartedAt = token, secret, i.RefreshedAt
	}
	if !i.Usable() && i.UserMessage.Code == "" {
		return nil
	}
	return &i
}

// progressOf returns how far the person is, as the hint code of BankID says it. A code
// in the answer says nothing: some banks repeat it after the scan.
func progressOf(hint string) consent.Progress {
	switch {
	case hint == "outstandingTransaction" || hint == "noClient":
		return consent.NotScanned
	case hint != "":
		return consent.Scanned
	}
	return consent.ProgressUnknown
}

// defaultLocale is used for persons whose locale is not known: BankID is Swedish.
const defaultLocale = "sv-SE"

// userMessage returns BankID's message for the hint code, in the person's language.
// If the bank gives no hint code, it returns the bank's own message, with the code
// of an order that has just started.
func userMessage(message text, hint, locale string, otherDevice bool) consent.UserMessage {
	var m consent.UserMessage
	if locale == "" {
		locale = defaultLocale
	}
	if hint != "" {
		m.Code, m.Text = bankidmsg.Message("pending", hint, otherDevice, locale)
		return m
	}
	if line := []rune(message.oneLine()); len(line) > 0 {
		m.Code, _ = bankidmsg.Message("pending", "outstandingTransaction", otherDevice, locale)
		m.Text = string(line[:min(len(line), maxMessage)])
	}
	return m
}

// qrTextIn returns the text if it is that of a BankID QR code, else "".
func qrTextIn(s string) string {
	if s = strings.TrimSpace(s); strings.HasPrefix(s, "bankid.") && len(s) <= maxMessage {
		return s
	}
	return ""
}
