package xs2a

import (
	"bytes"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"samla/internal/bankidmsg"
	"samla/internal/consent"
)

// signingTime is the lifetime of a BankID order (docs/reference/banks.md 12.4).
const signingTime = 3 * time.Minute

// Limits of the standard (docs/reference/banks.md 3.2 and 4).
const (
	maxMessage = 500       // characters
	maxImage   = 512 << 10 // bytes
)

// instructions returns what the person needs to sign, or nil if the bank gave
// nothing. It drops values that do not have the expected format, because they would
// be shown to a person or passed to an app.
func (b *Bank) instructions(document any, message text, hint, locale string, otherDevice bool) *consent.Instructions {
	now := b.clock.Now()
	i := consent.Instructions{RefreshedAt: now, ExpiresAt: text(b.wire.expiresAt.text(document)).dateTime()}
	if i.ExpiresAt.IsZero() {
		i.ExpiresAt = now.Add(signingTime)
	}
	if token := b.wire.autoStartToken.text(document); isToken(token) {
		i.AutoStartToken = token
	}
	if data := b.wire.qrData.text(document); strings.HasPrefix(data, "bankid.") && len(data) <= maxMessage {
		i.QRData = data
	}
	i.QRImage = pngBase64(b.wire.qrImage.text(document))
	i.UserMessage = userMessage(message, hint, locale, otherDevice)
	if i.AutoStartToken == "" && i.QRData == "" && i.QRImage == "" && i.UserMessage.Code == "" {
		return nil
	}
	return &i
}

func isToken(s string) bool {
	if len(s) != 36 {
		return false
	}
	_, err := uuid.Parse(s)
	return err == nil
}

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// pngBase64 returns the base64 of a PNG image, given as base64 or as a data URI. It
// returns "" if s is not a PNG image or the image is larger than maxImage.
func pngBase64(s string) string {
	s = strings.TrimPrefix(s, "data:image/png;base64,")
	if base64.StdEncoding.DecodedLen(len(s)) > maxImage+len(pngSignature) {
		return ""
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(data) > maxImage || !bytes.HasPrefix(data, pngSignature) {
		return ""
	}
	return base64.StdEncoding.EncodeToString(data)
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
