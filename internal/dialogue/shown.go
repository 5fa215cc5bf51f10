package dialogue

import "time"

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
