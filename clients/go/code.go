package samla

import (
	"strings"
	"time"
)

// QRLife is how long a QR code that changes each second is of use: the app takes an older one
// for a copy, and refuses it. It leaves room for an answer that comes late.
const QRLife = 3 * time.Second

// codes says how long the codes of the views that follow one another are of use.
type codes struct {
	text  string
	since time.Time // when text came for the first time
}

// until returns when the code of a view that has just come must be taken away; zero: there
// is no code, or nobody knows. BankID's texts have the second that they are for, so they are
// new in each answer: one that stands still is of no use, because the app has been opened
// or the institution gives no other. A picture or a text of another kind holds as long as
// the person can sign.
func (c *codes) until(v View, now time.Time) time.Time {
	if v.QRText != c.text {
		c.text, c.since = v.QRText, now
	}
	switch {
	case v.QRText == "" && v.QRImage == nil:
		return time.Time{}
	case !moves(v.QRText):
		return v.ExpiresAt
	}
	end := c.since.Add(QRLife)
	if !v.ExpiresAt.IsZero() && v.ExpiresAt.Before(end) {
		return v.ExpiresAt
	}
	return end
}

// moves reports whether a text is BankID's for one second: bankid.TOKEN.SECOND.CODE.
func moves(text string) bool {
	return strings.HasPrefix(text, "bankid.") && strings.Count(text, ".") == 3
}
