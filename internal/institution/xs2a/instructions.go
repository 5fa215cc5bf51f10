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

// signingTime is how long a BankID order lives (docs/reference/banks.md 12.4).
const signingTime = 3 * time.Minute

// What the standard allows (docs/reference/banks.md 3.2 and 4).
const (
	maxMessage = 500
	maxImage   = 512 << 10
)

// instructions gathers what the person needs to sign. What does not look like
// what it should be is left out: it would be shown to a person or handed to an
// app. It is nil when the bank gave nothing.
func (b *Bank) instructions(document any, message text, hint, locale string, otherDevice bool) *consent.Instructions {
	now := b.clock.Now()
	i := consent.Instructions{RefreshedAt: now, ExpiresAt: text(b.wire.expiresAt.text(document)).moment()}
	if i.ExpiresAt.IsZero() {
		i.ExpiresAt = now.Add(signingTime)
	}
	if token := b.wire.autoStartToken.text(document); isToken(token) {
		i.AutoStartToken = token
	}
	if data := b.wire.qrData.text(document); strings.HasPrefix(data, "bankid.") && len(data) <= maxMessage {
		i.QRData = data
	}
	i.QRImage = picture(b.wire.qrImage.text(document))
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

// picture returns base64 of a PNG within the size the standard allows, else "".
func picture(s string) string {
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

// homeLocale is the language of persons who named none: BankID is Swedish.
const homeLocale = "sv-SE"

// userMessage is BankID's message for the hint, in the person's language. Where
// the bank tells no hint, its own words are shown under the code of the moment
// that every order begins with.
func userMessage(message text, hint, locale string, otherDevice bool) consent.UserMessage {
	var m consent.UserMessage
	if locale == "" {
		locale = homeLocale
	}
	if hint != "" {
		m.Code, m.Text = bankidmsg.Message("pending", hint, otherDevice, locale)
		return m
	}
	if said := []rune(message.line()); len(said) > 0 {
		m.Code, _ = bankidmsg.Message("pending", "outstandingTransaction", otherDevice, locale)
		m.Text = string(said[:min(len(said), maxMessage)])
	}
	return m
}
