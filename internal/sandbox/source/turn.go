package source

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"samla/internal/sandbox/bankid"

	goqr "github.com/piglig/go-qr"
)

// view is what a turn needs beside the state.
type view struct {
	session *session
	base    string // address of the sandbox, such as https://127.0.0.1:8443
	now     time.Time
	scanned bool // the app has opened the order: no QR code any more
}

// How long Samla waits before it asks for the turn again, in milliseconds.
const (
	pollSoon  = 500
	pollEvery = 1000
)

// turn returns what the institution says in a state that has been advanced to now.
func (sc script) turn(s state, v view) (turn, error) {
	t, err := sc.draw(s, v)
	if err != nil {
		return turn{}, err
	}
	// The id follows from the content: a turn that is told again unchanged keeps it.
	content, err := json.Marshal(t)
	if err != nil {
		return turn{}, fmt.Errorf("source: turn: %w", err)
	}
	sum := sha256.Sum256(append(content, sc.question(s)...))
	t.ID = "t" + hex.EncodeToString(sum[:8])
	return t, nil
}

func (sc script) draw(s state, v view) (turn, error) {
	st := sc[s.Step]
	switch {
	case s.Reason != "":
		return turn{Type: turnOut, Reason: s.Reason}, nil
	case !s.In.IsZero():
		return turn{Type: turnIn, PersonalNumber: v.session.loggedIn(st, s)}, nil
	}
	t := turn{Type: turnWait, PollAfter: pollEvery}
	if st.Limit > 0 {
		end := s.Entered.Add(st.Limit)
		t.Expires = &end
	}
	say := texts[strings.HasPrefix(v.session.Login.Locale, "en")]
	switch st.Kind {
	case stepWork:
		t.For, t.PollAfter = forSource, pollSoon
	case stepPicture, stepQR, stepBankID:
		return t.bankID(st, s, v, say)
	case stepMail:
		t.For, t.Message = forEmail, say.mail
	case stepApp:
		t.For, t.ReferenceNumber, t.Message = forApp, v.session.derive(s.Step, "reference")[:4], say.app
	case stepPage:
		t.For, t.URL, t.Message = forPage, v.base+inboxPath+"/"+v.session.derive(s.Step, "open"), say.page
	default:
		return sc.ask(t, st, s, v, say), nil
	}
	return t, nil
}

// bankID returns the turn of an order. Those of se-demo belong to no BankID: their tokens
// follow from the session.
func (t turn) bankID(st step, s state, v view, say text) (turn, error) {
	t.For, t.Message = forBankID, say.scan
	o := s.Order
	if o == nil {
		o = &bankid.Order{StartedAt: s.Entered, AutoStartToken: v.session.uuid(s.Step, "start"),
			QRStartToken: v.session.uuid(s.Step, "qr"), QRStartSecret: v.session.uuid(s.Step, "secret")}
	}
	t.AutoStartToken = o.AutoStartToken
	switch {
	case v.scanned:
		t.Message = say.sign
	case st.Same:
		t.Message = say.same
	case st.Kind == stepPicture:
		var err error
		t.QRImage, err = picture(bankid.AutoStartURL(o.AutoStartToken))
		return t, err
	case st.Kind == stepBankID:
		t.QRSecret, t.QRStartToken, t.QRStartedAt = o.QRStartSecret, o.QRStartToken, &o.StartedAt
	default:
		t.QRText = bankid.QRData(o.QRStartToken, o.QRStartSecret, int(v.now.Sub(o.StartedAt)/time.Second))
	}
	return t, nil
}

// ask returns the turn of a question.
func (sc script) ask(t turn, st step, s state, v view, say text) turn {
	t.Type, t.Question = turnAsk, sc.question(s)
	if t.Choices, t.Inputs = st.choices(s, say), st.Inputs; s.Wrong > 0 {
		left := st.Attempts - s.Wrong
		t.Wrong, t.AttemptsLeft = true, &left
	}
	switch st.Kind {
	case stepCode:
		t.Kind, t.ResponseType, t.Message = kindCode, "NUMBER_CODE", say.code
	case stepChoice:
		t.Kind, t.Message = kindChoice, say.choose
	case stepContact:
		t.Kind, t.Message = kindContact, say.contact
	case stepInput:
		t.Kind, t.Message = kindInput, say.input
	case stepDevice:
		t.Type, t.Older, t.Request = turnDevice, st.Older, v.session.request(s.Step, v.base)
	}
	return t
}

// picture returns a QR code of text as a PNG in base64.
func picture(text string) (string, error) {
	code, err := goqr.EncodeText(text, goqr.Low)
	if err != nil {
		return "", fmt.Errorf("source: QR code: %w", err)
	}
	png, err := code.ToPNGBytes(goqr.NewQrCodeImgConfig(6, 4))
	if err != nil {
		return "", fmt.Errorf("source: QR image: %w", err)
	}
	return base64.StdEncoding.EncodeToString(png), nil
}

// text are the messages of a language.
type text struct{ scan, sign, same, mail, app, page, code, choose, contact, input, bySMS, byApp, resend string }

// texts has the messages in Swedish (false) and in English (true).
var texts = map[bool]text{
	false: {
		scan: "Starta BankID-appen och skanna QR-koden.", sign: "Skriv in din säkerhetskod i BankID-appen.",
		same: "Starta BankID-appen.", mail: "Öppna länken i e-postmeddelandet.", app: "Godkänn i appen.",
		page: "Fortsätt på sidan.", code: "Skriv in koden.", choose: "Välj hur du vill få koden.",
		contact: "Fyll i dina kontaktuppgifter.", input: "Fyll i uppgifterna.",
		bySMS: "Sms", byApp: "Appen", resend: "Skicka en ny kod",
	},
	true: {
		scan: "Start the BankID app and scan the QR code.", sign: "Enter your security code in the BankID app.",
		same: "Start the BankID app.", mail: "Open the link in the e-mail.", app: "Approve in the app.",
		page: "Continue on the page.", code: "Enter the code.", choose: "Choose how to get the code.",
		contact: "Enter your contact details.", input: "Enter what is asked for.",
		bySMS: "Text message", byApp: "The app", resend: "Send a new code",
	},
}
