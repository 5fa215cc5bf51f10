// Package bankidrp calls BankID's relying party API v6.0 for the identification of a person
// (docs/reference/banks.md 12.1 to 12.4). It signs nothing: institutions do that.
package bankidrp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"samla/internal/httpclient"
)

// The addresses of BankID (docs/reference/banks.md 12.1).
const (
	Production = "https://appapi2.bankid.com/rp/v6.0"
	Test       = "https://appapi2.test.bankid.com/rp/v6.0"
)

// MaxVisible is how long the text that the app shows can be, in bytes of UTF-8: 1,500
// characters of base64.
const MaxVisible = 1500 / 4 * 3

// maxAnswer bounds the body of an answer, in bytes. A signature and an OCSP response are
// some tens of KiB.
const maxAnswer = 1 << 20

// Error is a refusal of BankID (docs/reference/banks.md 12.3). It does not hold the details.
type Error struct {
	Status int    // of HTTP
	Code   string // errorCode; empty if the answer has none
}

// Error implements error.
func (e *Error) Error() string {
	return "bankidrp: refused with " + http.StatusText(e.Status) + " " + e.Code
}

// CodeOf returns the errorCode of an error, and "" for another error.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// InvalidParameters is the errorCode of an order that is not known, or was collected.
const InvalidParameters = "invalidParameters"

// ErrAnswer says that an answer is not as it is documented.
var ErrAnswer = errors.New("bankidrp: the answer is not as documented")

// Client calls BankID. It is safe for concurrent use.
type Client struct{ http *httpclient.Client }

// New returns a client. The base URL is Production, Test, or that of a sandbox; the
// certificate is that of the relying party, the roots those of BankID's own CA.
func New(c httpclient.Config) (*Client, error) {
	h, err := httpclient.New(c)
	return &Client{h}, err
}

// Files names the certificate of a relying party, its key, and the roots of BankID, all in
// PEM.
type Files struct{ URL, Certificate, Key, CA string }

// Open returns the client of the files. now is the time at which certificates are verified.
func Open(f Files, now func() time.Time) (*Client, error) {
	pair, err := httpclient.LoadKeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, fmt.Errorf("the certificate for BankID: %w", err)
	}
	roots, err := httpclient.LoadRoots(f.CA)
	if err != nil {
		return nil, fmt.Errorf("the roots of BankID: %w", err)
	}
	return New(httpclient.Config{BaseURL: f.URL, Certificate: pair, Roots: roots, Now: now})
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.http.Close() }

// Identification asks a person who they are.
type Identification struct {
	Address string // IP address of the person's browser
	Visible string // what the app shows, at most MaxVisible bytes; may be empty
}

// Order is an identification that goes on. The secret must not reach the browser.
type Order struct {
	Ref            string `json:"orderRef"`
	AutoStartToken string `json:"autoStartToken"`
	QRStartToken   string `json:"qrStartToken"`
	QRStartSecret  string `json:"qrStartSecret"`
}

// The statuses of an order.
const (
	Pending  = "pending"
	Failed   = "failed"
	Complete = "complete"
)

// Result is how an order stands.
type Result struct {
	Status         string // one of the constants
	Hint           string // hintCode; new ones appear
	PersonalNumber string // 12 digits; when Complete only
	Address        string // IP address of the device with the app, when Complete only; may be empty
}

// Identify starts an order. Errors: *Error, ErrAnswer, those of httpclient.
func (c *Client) Identify(ctx context.Context, i Identification) (Order, error) {
	body := map[string]any{"endUserIp": i.Address}
	if i.Visible != "" {
		body["userVisibleData"] = base64.StdEncoding.EncodeToString([]byte(i.Visible[:min(len(i.Visible), MaxVisible)]))
	}
	answer, err := c.call(ctx, "auth", body)
	if err != nil {
		return Order{}, err
	}
	return parseOrder(answer)
}

func parseOrder(answer []byte) (o Order, err error) {
	if json.Unmarshal(answer, &o) != nil || o.Ref == "" || o.AutoStartToken == "" || o.QRStartToken == "" || o.QRStartSecret == "" {
		return Order{}, ErrAnswer
	}
	return o, nil
}

// Collect asks how an order stands: every two seconds at most. A complete order can be
// collected once. Errors: *Error, ErrAnswer, those of httpclient.
func (c *Client) Collect(ctx context.Context, ref string) (Result, error) {
	answer, err := c.call(ctx, "collect", map[string]any{"orderRef": ref})
	if err != nil {
		return Result{}, err
	}
	return parseResult(answer, ref)
}

// parseResult reads how the order ref stands. An answer about another order is none.
func parseResult(answer []byte, ref string) (Result, error) {
	var a struct {
		OrderRef       string `json:"orderRef"`
		Status         string `json:"status"`
		HintCode       string `json:"hintCode"`
		CompletionData struct {
			User struct {
				PersonalNumber string `json:"personalNumber"`
			} `json:"user"`
			Device struct {
				IPAddress string `json:"ipAddress"`
			} `json:"device"`
		} `json:"completionData"`
	}
	if json.Unmarshal(answer, &a) != nil || a.OrderRef != ref || ref == "" {
		return Result{}, ErrAnswer
	}
	r := Result{Status: a.Status, Hint: a.HintCode}
	switch number := a.CompletionData.User.PersonalNumber; {
	case r.Status == Pending, r.Status == Failed:
	case r.Status == Complete && twelve(number):
		r.Hint, r.PersonalNumber, r.Address = "", number, a.CompletionData.Device.IPAddress
	default:
		return Result{}, ErrAnswer
	}
	return r, nil
}

func twelve(number string) bool {
	for _, c := range number {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(number) == 12
}

// Cancel ends an order. Errors: *Error, those of httpclient.
func (c *Client) Cancel(ctx context.Context, ref string) error {
	_, err := c.call(ctx, "cancel", map[string]any{"orderRef": ref})
	return err
}

// callTime bounds a call.
const callTime = 8 * time.Second

func (c *Client) call(ctx context.Context, what string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	target, err := c.http.NewTarget(nil, what)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(ctx, httpclient.Request{Method: http.MethodPost, Target: target, Body: text, Total: callTime, MaxBody: maxAnswer,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}}) // a charset is refused
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		e := &Error{Status: answer.Status}
		var refused struct {
			ErrorCode string `json:"errorCode"`
		}
		if json.Unmarshal(answer.Body, &refused) == nil && len(refused.ErrorCode) <= 64 { // a 403 may be HTML
			e.Code = refused.ErrorCode
		}
		return nil, e
	}
	return answer.Body, nil
}
