package source

import (
	"encoding/json"
	"time"
)

// Institution is an item of GET /v1/institutions.
type Institution struct {
	ID           string   `json:"id"`
	DisplayName  string   `json:"displayName"`
	Market       string   `json:"market"`
	LoginMethods []string `json:"loginMethods"`
	Parameters   []string `json:"parameters"` // personalNumber, email
	Products     []string `json:"products"`
	DeviceHosts  []string `json:"deviceHosts,omitempty"` // host and port
}

// login is the body of POST /v1/sessions.
type login struct {
	Institution    string `json:"institution"`
	LoginMethod    string `json:"loginMethod"`
	PersonalNumber string `json:"personalNumber,omitempty"`
	Email          string `json:"email,omitempty"`
	Locale         string `json:"locale,omitempty"`
	IPAddress      string `json:"ipAddress,omitempty"`
}

// turnType is the type of a turn.
type turnType string

// The types of turns.
const (
	turnWait   turnType = "WAIT"
	turnAsk    turnType = "ASK"
	turnDevice turnType = "DEVICE"
	turnIn     turnType = "IN"
	turnOut    turnType = "OUT"
)

// turn is what the institution says next. Members of other types are empty.
type turn struct {
	ID        string     `json:"id"`
	Type      turnType   `json:"type"`
	PollAfter int        `json:"pollAfter,omitempty"` // milliseconds
	Expires   *time.Time `json:"expires,omitempty"`

	// WAIT
	For             string     `json:"for,omitempty"`
	AutoStartToken  string     `json:"autoStartToken,omitempty"`
	QRText          string     `json:"qrText,omitempty"`
	QRSecret        string     `json:"qrSecret,omitempty"`
	QRStartToken    string     `json:"qrStartToken,omitempty"`
	QRStartedAt     *time.Time `json:"qrStartedAt,omitempty"`
	QRImage         string     `json:"qrImage,omitempty"` // base64 PNG
	ReferenceNumber string     `json:"referenceNumber,omitempty"`
	URL             string     `json:"url,omitempty"`
	Message         string     `json:"message,omitempty"` // ASK too

	// ASK and DEVICE
	Question     string         `json:"question,omitempty"`
	Kind         string         `json:"kind,omitempty"`
	ResponseType string         `json:"responseType,omitempty"`
	Choices      []choice       `json:"choices,omitempty"`
	Inputs       []string       `json:"inputs,omitempty"`
	Wrong        bool           `json:"wrong,omitempty"`
	AttemptsLeft *int           `json:"attemptsLeft,omitempty"`
	Request      *deviceRequest `json:"request,omitempty"`
	Older        bool           `json:"older,omitempty"`

	// IN
	PersonalNumber string `json:"personalNumber,omitempty"`
	Name           string `json:"name,omitempty"`

	// OUT
	Reason reason `json:"reason,omitempty"`
}

// Where the person acts in a WAIT turn.
const (
	forBankID = "BANKID"
	forApp    = "APP"
	forEmail  = "EMAIL_LINK"
	forPage   = "PAGE"
	forSource = "SOURCE"
)

// The kinds of questions.
const (
	kindCode    = "CODE"
	kindChoice  = "CHOICE"
	kindContact = "CONTACT"
	kindInput   = "INPUT"
)

// choice is one option of a question.
type choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// resend is the id of the choice that asks for a new code.
const resend = "RESEND"

// deviceRequest is the request that the device of the person makes.
type deviceRequest struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Etag    string            `json:"etag"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Cookies []cookie          `json:"cookies"`
}

type cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Domain   string `json:"domain"`
	Path     string `json:"path"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
}

// reason is why a login ended without success.
type reason string

// The reasons of docs/source-protocol/README.md.
const (
	cancelled           reason = "CANCELLED"
	timedOut            reason = "TIMEOUT"
	choiceTimedOut      reason = "CHOICE_TIMEOUT"
	inputTimedOut       reason = "INPUT_TIMEOUT"
	wrongCredentials    reason = "INCORRECT_CREDENTIALS"
	locked              reason = "LOCKED"
	conflict            reason = "CONFLICT"
	mismatch            reason = "MISMATCH"
	kycRequired         reason = "KYC_REQUIRED"
	contactRequired     reason = "CONTACT_REQUIRED"
	enrollmentRequired  reason = "ENROLLMENT_REQUIRED"
	methodNotApplicable reason = "METHOD_NOT_APPLICABLE"
	unavailable         reason = "UNAVAILABLE"
	loginFailed         reason = "LOGIN_FAILED"
	failed              reason = "FAILED"
)

// answer is the body of POST /v1/sessions/{session}/answers.
type answer struct {
	Question string            `json:"question"`
	Code     *string           `json:"code"`
	Choice   *string           `json:"choice"`
	Inputs   map[string]string `json:"inputs"`
	Response *deviceResponse   `json:"response"`
}

// deviceResponse is what the device of the person got.
type deviceResponse struct {
	Headers json.RawMessage `json:"headers"`
	Body    json.RawMessage `json:"body"`
}

// page is the answer of POST /v1/sessions/{session}/pages.
type page struct {
	Products []json.RawMessage `json:"products"`
	Missing  []missing         `json:"missing,omitempty"`
	Next     string            `json:"next,omitempty"`
}

// missing says what could not be read.
type missing struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// protocolError is an error answer of the protocol.
type protocolError struct {
	status     int
	Code       string `json:"error"`
	Message    string `json:"message"`
	retryAfter int    // seconds; 0: not sent
}

// Error implements error.
func (e *protocolError) Error() string { return "source: " + e.Code + ": " + e.Message }
