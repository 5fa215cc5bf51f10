package source

import "time"

// stepKind is what happens in a step of a login.
type stepKind int

// The kinds of steps.
const (
	stepWork    stepKind = iota // the institution works; ends by itself after For
	stepPicture                 // a QR code as a picture; is signed by itself after For
	stepQR                      // an animated QR code; is signed by itself after For
	stepBankID                  // an order of the sandbox's BankID
	stepMail                    // the person opens a link in an e-mail
	stepApp                     // the person approves in another app
	stepPage                    // the person acts on a page of the institution
	stepCode                    // a code
	stepChoice                  // a choice of the method of the second factor
	stepContact                 // contact details
	stepInput                   // other input
	stepDevice                  // a request of the person's device
	stepIn                      // the login has succeeded
	stepOut                     // the login has failed with Reason
)

// step is one step of a login. Every script ends with stepIn or stepOut.
type step struct {
	Kind stepKind
	// For is how long a step lasts that ends by itself; 0: it never ends.
	For time.Duration
	// Limit is how long the institution waits for the person; 0: it never gives up. Then
	// the login ends with Late.
	Limit time.Duration
	Late  reason
	// After is the choice after which the step is taken; empty: always.
	After string
	// Attempts is how many wrong answers end the login, with Lost.
	Attempts int
	Lost     reason

	Inputs []string // of stepContact and stepInput
	Same   bool     // stepBankID: the app is on the same device; no QR code
	Older  bool     // stepDevice: the older form of docs/reference/api.md 9.5
	Reason reason   // stepOut
	Mask   string   // stepIn: the personal number to report in place of the person's own
}

// How long the steps of a login last.
const (
	workTime     = time.Second      // of the institution
	pictureTime  = 4 * time.Second  // until a QR code of se-demo is signed by itself
	personTime   = 5 * time.Minute  // for which the institutions wait for a person
	mailTime     = 15 * time.Minute // for which the link of an e-mail can be used
	signTime     = 3 * time.Minute  // for which new orders follow those that nobody opened
	hastyTime    = 3 * time.Second  // for which they wait for persons who are late
	codeAttempts = 3                // wrong codes
	formAttempts = 5                // forms that are not filled in
	codesSent    = 3                // the first one and those of RESEND
)

func work(d time.Duration) step { return step{Kind: stepWork, For: d} }
func out(r reason) step         { return step{Kind: stepOut, Reason: r} }

func code(lost reason) step {
	return step{Kind: stepCode, Limit: personTime, Late: timedOut, Attempts: codeAttempts, Lost: lost}
}

func choose() step { return step{Kind: stepChoice, Limit: personTime, Late: choiceTimedOut} }

func contact(inputs ...string) step {
	return step{Kind: stepContact, Limit: personTime, Late: contactRequired, Attempts: formAttempts, Lost: contactRequired, Inputs: inputs}
}

func input(inputs ...string) step {
	return step{Kind: stepInput, Limit: personTime, Late: inputTimedOut, Attempts: formAttempts, Lost: loginFailed, Inputs: inputs}
}

func elsewhere(kind stepKind) step { return step{Kind: kind, Limit: personTime, Late: timedOut} }

// hasty returns the step with a person who is late.
func (st step) hasty() step { st.Limit = hastyTime; return st }

// endless returns the step with an institution that never gives up.
func (st step) endless() step { st.Limit = 0; return st }

// after returns the step for those who made a choice.
func (st step) after(choice string) step { st.After = choice; return st }

// The choices of the method of the second factor.
const (
	bySMS = "SMS"
	byApp = "APP"
)

// The keys of inputs (docs/reference/api.md 5.5).
const (
	inputEmail = "EMAIL"
	inputPhone = "MOBILE_PHONE_NUMBER"
)
