package collections

import (
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/jsontext"
)

// Every person who signs or logs in polls a status once a second: it is appended member by
// member, without reflection.

// AppendExtra appends the value of extraInformation (docs/reference/api.md 5.5): what the
// person has to do now, or null. signing is of a consent inside the collection, login of a
// dialogue; both may be nil. A key without a value is left out.
func AppendExtra(b []byte, signing *authorize.Shown, login *dialogue.Shown) []byte {
	start := len(b)
	switch {
	case login != nil:
		b = appendLogin(b, login)
	case signing != nil:
		b = jsontext.AppendNonEmpty(b, `,"SWEDISH_BANKID_QRCODE":`, signing.QRImage)
		b = jsontext.AppendNonEmpty(b, `,"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA":`, signing.QRData)
		b = jsontext.AppendNonEmpty(b, `,"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN":`, signing.AutoStartToken)
		b = jsontext.AppendNonEmpty(b, `,"REDIRECT_URL":`, signing.RedirectURL)
	}
	if len(b) == start {
		return append(b, `null`...)
	}
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

// AppendPolling appends pollingInterval (docs/reference/api.md 4.1, 5.1): a second, or null if no
// poll shows anything new.
func AppendPolling(b []byte, again bool) []byte {
	if again {
		return append(b, `,"pollingInterval":1000`...)
	}
	return append(b, `,"pollingInterval":null`...)
}

// AppendStatus appends a CollectionStatusResponse of version 2026-04-01
// (docs/reference/api.md 5.1). due is when the next poll must have arrived, or zero if none
// has to.
func AppendStatus(b []byte, c *collection.Collection, signing *authorize.Shown, login *dialogue.Shown, due time.Time) []byte {
	b = jsontext.AppendMember(b, `{"id":`, c.ID)
	b = jsontext.AppendMember(b, `,"company":`, c.Company)
	b = jsontext.AppendMember(b, `,"status":`, string(c.Status))
	if c.Mode == collection.Stored {
		b = jsontext.AppendNonEmpty(b, `,"consentId":`, string(c.ConsentID))
	}
	b = AppendExtra(append(b, `,"extraInformation":`...), signing, login)
	if c.Waiting() {
		b = append(b, `,"pollingInterval":60000`...)
		b = jsontext.AppendTimeMember(b, `,"startsAt":`, c.StartsAt)
		return append(b, '}')
	}
	b = AppendPolling(b, !c.Status.Terminal())
	if !c.Status.Terminal() && !due.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"pollingTimeout":`, due)
	}
	return append(b, '}')
}
