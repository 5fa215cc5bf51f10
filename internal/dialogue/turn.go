// Package dialogue owns the login of a person at an institution that is no PSD2 bank: a
// sequence of turns. The institution says what comes next (a Turn), the person answers
// questions (an Answer). The rules are pure: how a turn becomes the status of a
// collection, which answer fits, and how long a turn lasts. Package collect runs dialogues;
// the connectors of package institution speak to the institutions.
package dialogue

import "time"

// Turn is what an institution says in a dialogue. Exactly one of Wait, Ask, Device, In
// and Out is set.
type Turn struct {
	// ID names the turn within its dialogue. A turn that is told again, unchanged, has
	// the same id; one with another content has another id.
	ID string `json:"id"`
	// PollAfter is how long to wait before asking for the next turn; 0 = a second.
	PollAfter time.Duration `json:"pollAfter,omitzero"`
	// Expires is when the institution gives up; zero: it does not say.
	Expires time.Time `json:"expires,omitzero"`

	Wait   *Wait   `json:"wait,omitzero"`
	Ask    *Ask    `json:"ask,omitzero"`
	Device *Device `json:"device,omitzero"`
	In     *In     `json:"in,omitzero"`
	Out    *Out    `json:"out,omitzero"`
}

// Wait is the turn in which the person acts elsewhere.
type Wait struct {
	For Place `json:"for"`
	// For BankID: what starts the app or is drawn as a QR code.
	AutoStartToken string `json:"autoStartToken,omitzero"`
	QRText         string `json:"qrText,omitzero"`       // the whole text of the code
	QRSecret       string `json:"qrSecret,omitzero"`     // with QRStartToken: the text is computed here, each second
	QRStartToken   string `json:"qrStartToken,omitzero"` // docs/reference/banks.md 12.5
	QRImage        string `json:"qrImage,omitzero"`      // base64 PNG

	QRStartedAt     time.Time `json:"qrStartedAt,omitzero"` // from which the seconds of QRSecret count
	ReferenceNumber string    `json:"referenceNumber,omitzero"`
	URL             string    `json:"url,omitzero"` // page of the institution to open; https
	Message         string    `json:"message,omitzero"`
}

// Place is where the person acts.
type Place string

// The places.
const (
	BankID    Place = "BANKID"     // in the BankID app; the status is LOGIN
	App       Place = "APP"        // in another app
	EmailLink Place = "EMAIL_LINK" // in an e-mail
	Page      Place = "PAGE"       // on a page of the institution
	Source    Place = "SOURCE"     // nowhere: the institution is working; the status is LOGIN
)

// Ask is the turn in which the institution asks the person.
type Ask struct {
	Question     string   `json:"question"` // id; not used again within the dialogue
	Kind         Kind     `json:"kind"`
	Message      string   `json:"message,omitzero"`
	ResponseType string   `json:"responseType,omitzero"` // of a code, such as NUMBER_CODE (docs/reference/api.md 5.5)
	Choices      []Choice `json:"choices,omitzero"`      // of a CHOICE, and beside a CODE (RESEND)
	Inputs       []string `json:"inputs,omitzero"`       // of CONTACT and INPUT: keys, such as EMAIL
	// AttemptsLeft says after a wrong answer how many are left; nil: not said.
	AttemptsLeft *int `json:"attemptsLeft,omitzero"`
	Wrong        bool `json:"wrong,omitzero"` // the answer before was wrong
}

// Kind is what a question asks for.
type Kind string

// The kinds of questions.
const (
	Code    Kind = "CODE"    // a code: TWO_FACTOR_PENDING
	Method  Kind = "CHOICE"  // one of Choices: TWO_FACTOR_PENDING with a choice open
	Contact Kind = "CONTACT" // contact details: CONTACT_FORM_PENDING
	Input   Kind = "INPUT"   // other input: COLLECTION_INPUT_PENDING
)

// Choice is one option of a question.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Resend is the id of the choice that asks for a new code.
const Resend = "RESEND"

// Device is the turn in which the device of the person makes one HTTP request to the
// institution (docs/reference/api.md 9.5).
type Device struct {
	Question string        `json:"question"` // id, as in Ask
	Request  DeviceRequest `json:"request"`
	// Older: the institution wants the older form of docs/reference/api.md 9.5.
	Older bool `json:"older,omitzero"`
}

// DeviceRequest is the request that the device makes.
type DeviceRequest struct {
	URL     string            `json:"url"` // https
	Method  string            `json:"method"`
	Etag    string            `json:"etag,omitzero"` // a device makes the request of an etag once
	Headers map[string]string `json:"headers,omitzero"`
	Body    string            `json:"body,omitzero"`
	Cookies []Cookie          `json:"cookies,omitzero"`
}

// Cookie is a cookie of a DeviceRequest.
type Cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Domain   string `json:"domain,omitzero"`
	Path     string `json:"path,omitzero"`
	Secure   bool   `json:"secure,omitzero"`
	HTTPOnly bool   `json:"httpOnly,omitzero"`
}

// In is the turn that ends the login: the person is in, and the data can be read.
type In struct {
	// PersonalNumber and Name are those of the person who logged in, if the institution says them.
	PersonalNumber string `json:"personalNumber,omitzero"`
	Name           string `json:"name,omitzero"`
}

// Out is the turn that ends the login without success.
type Out struct {
	Reason Reason `json:"reason"`
}
