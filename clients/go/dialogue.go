package samla

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// View is what the person is shown at this moment. Empty members are not shown.
type View struct {
	Status  string
	QRText  string // to draw as a QR code; a new one each second
	QRImage []byte // the same as a PNG
	// QRUntil is when the code must be taken away, unless another View has come before: the
	// app refuses it then. Zero: there is none, or nobody knows.
	QRUntil        time.Time
	AutoStartToken string    // for AppLink
	RedirectURL    string    // a page of the institution to open
	Message        string    // a text for the person
	Reference      string    // a number to compare on the other device
	ExpiresAt      time.Time // after that the person can no longer sign
	// Information is all that a collection says, such as a request that the person's device
	// has to make; nil for a consent.
	Information *CollectionStatusInformationMap
}

func consentView(s ConsentStatusResponse) View {
	v := View{Status: string(s.Status)}
	what, err := s.AuthInstructions.ValueByDiscriminator()
	if err != nil {
		return v // instructions of a later version
	}
	message := (*UserMessage)(nil)
	switch i := what.(type) {
	case BankIdQrCode:
		v.QRText, v.QRImage, v.AutoStartToken = text(i.QrData), image(i.QrImage), text(i.AutoStartToken)
		message, v.ExpiresAt = i.UserMessage, i.ExpiresAt
	case BankIdAutoStart:
		v.AutoStartToken, message, v.ExpiresAt = i.AutoStartToken, i.UserMessage, i.ExpiresAt
	case RedirectInstructions:
		v.RedirectURL, message, v.ExpiresAt = i.RedirectUrl, i.UserMessage, i.ExpiresAt
	}
	if message != nil {
		v.Message = message.Text
	}
	return v
}

func collectionView(s CollectionStatusResponse) View {
	v := View{Status: string(s.Status), Information: s.ExtraInformation}
	i := s.ExtraInformation
	if i == nil {
		return v
	}
	v.QRText, v.AutoStartToken = text(i.SWEDISHMOBILEBANKIDANIMATEDQRDATA), text(i.SWEDISHMOBILEBANKIDAUTOSTARTTOKEN)
	v.RedirectURL, v.Reference = text(i.REDIRECTURL), text(i.REFERENCENUMBER)
	if v.QRImage = image(i.SWEDISHBANKIDQRCODE); v.QRImage == nil {
		v.QRImage = image(i.QRCODEDATA)
	}
	if i.TWOFACTORAUTHENTICATIONINSTRUCTION != nil {
		v.Message = text(i.TWOFACTORAUTHENTICATIONINSTRUCTION.AuthenticationInstruction)
	}
	return v
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func image(s *string) []byte {
	png, err := base64.StdEncoding.DecodeString(text(s))
	if err != nil || len(png) == 0 {
		return nil
	}
	return png
}

// Kind says what a Question asks for.
type Kind string

// What an institution can ask a person.
const (
	AskCode   Kind = "TWO_FACTOR_CODE"   // a code, or one of Choices, such as RESEND
	AskChoice Kind = "TWO_FACTOR_CHOICE" // one of Choices
	AskInput  Kind = "COLLECTION_INPUT"  // a value for each of Inputs, such as EMAIL
)

// Question is what an institution asks the person.
type Question struct {
	Kind         Kind
	ID           string
	Text         string // for the person
	Choices      []TwoFactorOption
	Inputs       []string
	AttemptsLeft *int32 // after a wrong answer
}

// Answer is the person's: one of its members.
type Answer struct {
	Code   string
	Choice string            // the id of one of the question's Choices
	Values map[string]string // by the names of Inputs
}

// Person is how a program reaches the person of a collection. Show is called with each
// status, Ask once for each question, beside the polling; its ctx ends when the question
// does. Either may be nil: nothing is shown, or nothing answered.
type Person struct {
	Show func(View)
	Ask  func(context.Context, Question) (Answer, error)
}

// AwaitCollection polls a collection until it has data, shows the person what to do and
// answers what the institution asks. If it ends without data, or ctx ends, the error says
// so.
func (c *Client) AwaitCollection(ctx context.Context, id uuid.UUID, p Person) (CollectionStatusResponse, error) {
	var shown codes
	d := &dialogue{client: c, id: id, person: p, wake: make(chan struct{}, 1), failed: make(chan error, 1)}
	defer d.end()
	s, err := await(ctx, d.wake, func() (CollectionStatusResponse, error) {
		select {
		case err := <-d.failed:
			return CollectionStatusResponse{}, err
		default:
			return c.GetCollectionStatus(ctx, id)
		}
	}, func(s CollectionStatusResponse) (*int32, bool) {
		if p.Show != nil {
			v := collectionView(s)
			v.QRUntil = shown.until(v, time.Now())
			p.Show(v)
		}
		d.follow(ctx, question(s))
		return s.PollingInterval, false
	})
	completed := []CollectionStatus{CollectionStatusCOMPLETED, CollectionStatusCOMPLETEDPARTIAL, CollectionStatusCOMPLETEDEMPTY}
	if err == nil && !slices.Contains(completed, s.Status) {
		err = fmt.Errorf("the collection: %w: %s", ErrEnded, s.Status)
	}
	return s, err
}

// dialogue asks the person one question at a time.
type dialogue struct {
	client *Client
	id     uuid.UUID
	person Person
	wake   chan struct{}
	failed chan error
	asked  string
	cancel context.CancelFunc
}

func (d *dialogue) end() {
	if d.cancel != nil {
		d.cancel()
		d.cancel = nil
	}
}

// follow asks a question that was not asked yet, and ends one that is over.
func (d *dialogue) follow(ctx context.Context, q *Question) {
	switch {
	case d.person.Ask == nil:
		return
	case q == nil:
		d.end()
		d.asked = ""
		return
	}
	name := string(q.Kind) + " " + q.ID
	if name == d.asked {
		return
	}
	d.end()
	d.asked = name
	ctx, d.cancel = context.WithCancel(ctx)
	go func() {
		a, err := d.person.Ask(ctx, *q)
		if err == nil {
			err = d.answer(ctx, *q, a)
		}
		if err != nil && ctx.Err() == nil && !isOver(err) {
			select {
			case d.failed <- unanswered{err}:
			default:
			}
		}
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}()
}

// answer hands over an answer, again if the server cannot take it now: the question's id
// keeps it from counting twice. Without one it is handed over once.
func (d *dialogue) answer(ctx context.Context, q Question, a Answer) error {
	if q.ID == "" {
		return d.client.AnswerQuestion(ctx, d.id, q, a)
	}
	_, err := await(ctx, nil, func() (struct{}, error) { return struct{}{}, d.client.AnswerQuestion(ctx, d.id, q, a) },
		func(struct{}) (*int32, bool) { return nil, true })
	return err
}

// resend is the choice that is listed beside a code: it asks for a new one.
const resend = "RESEND"

// question returns what a collection asks; nil: nothing that a person answers here.
func question(s CollectionStatusResponse) *Question {
	i := s.ExtraInformation
	if i == nil {
		return nil
	}
	q := &Question{ID: text(i.QUESTIONID)}
	if in := i.TWOFACTORAUTHENTICATIONINSTRUCTION; in != nil {
		q.Text, q.AttemptsLeft = text(in.AuthenticationInstruction), in.AttemptsLeft
		if in.QuestionId != nil {
			q.ID = *in.QuestionId
		}
	}
	switch s.Status {
	case CollectionStatusTWOFACTORPENDING:
		q.Kind = AskCode
		if i.AVAILABLETWOFACTORMETHODS != nil {
			q.Choices = *i.AVAILABLETWOFACTORMETHODS
			if slices.ContainsFunc(q.Choices, func(o TwoFactorOption) bool { return o.Id != resend }) {
				q.Kind = AskChoice
			}
		}
	case CollectionStatusCONTACTFORMPENDING, CollectionStatusCOLLECTIONINPUTPENDING:
		q.Kind = AskInput
		if i.REQUIREDINPUTTYPES != nil {
			q.Inputs = *i.REQUIREDINPUTTYPES
		}
	default:
		return nil
	}
	return q
}
