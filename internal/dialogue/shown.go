package dialogue

import (
	"strings"
	"time"

	"samla/internal/bankidmsg"
)

// Shown is what the person is shown at one moment of a login
// (docs/reference/api.md 5.5). Empty members are left out. Status polls share it: it
// must not be changed.
type Shown struct {
	For Place // where the person acts, in a Wait; empty otherwise

	AutoStartToken  string
	QRText          string // text to encode; of BankID, new each second
	QRImage         string // base64 PNG: of QRText, or the institution's own
	ReferenceNumber string
	URL             string // page of the institution to open
	Message         string

	// Question is the id of the open question. The following members are about it.
	// While an answer is on its way to the institution, no question is open.
	Question     string
	Kind         Kind     // of an Ask; empty with Device
	ResponseType string   // of a Code
	Choices      []Choice // of a Method; beside a Code, Resend only
	Inputs       []string // keys of a Contact or an Input
	AttemptsLeft *int     // after a wrong answer; nil: not said
	Wrong        bool     // the answer before was wrong
	Device       *Device  // the request that the person's device makes

	Expires time.Time // when the institution gives up; zero: it does not say
}

// Shown returns what the person is shown at the time now, without the picture of QRText,
// or nil if there is nothing.
func (s State) Shown(now time.Time) *Shown {
	t := s.Turn
	if s.Ended != "" {
		return nil
	}
	switch open := s.Open(); {
	case t.Wait != nil && t.Wait.For != Source:
		w := t.Wait
		return &Shown{For: w.For, AutoStartToken: w.AutoStartToken, QRText: w.qrText(now), QRImage: w.QRImage,
			ReferenceNumber: w.ReferenceNumber, URL: safe(w.URL), Message: w.Message, Expires: t.Expires}
	case t.Ask != nil && open != "":
		a := t.Ask
		return &Shown{Question: open, Kind: a.Kind, Message: a.Message, ResponseType: a.ResponseType, Choices: a.Choices,
			Inputs: a.Inputs, AttemptsLeft: a.AttemptsLeft, Wrong: a.Wrong, Expires: t.Expires}
	case t.Device != nil && open != "":
		return &Shown{Question: open, Device: t.Device, Expires: t.Expires}
	}
	return nil
}

// Second returns a number that changes when Shown does with time alone: the second of
// the QR code.
func (s State) Second(now time.Time) int64 {
	if w := s.Turn.Wait; w != nil && w.QRSecret != "" {
		return int64(now.Sub(w.QRStartedAt) / time.Second)
	}
	return 0
}

// qrText returns the text of the QR code at the time now.
func (w *Wait) qrText(now time.Time) string {
	if w.QRSecret == "" || w.QRStartToken == "" {
		return w.QRText
	}
	return bankidmsg.QRText(w.QRStartToken, w.QRSecret, w.QRStartedAt, now)
}

// safe returns an address that a person may be sent to, or "".
func safe(url string) string {
	if strings.HasPrefix(url, "https://") {
		return url
	}
	return ""
}
