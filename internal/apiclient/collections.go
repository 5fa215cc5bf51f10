package apiclient

import (
	"context"
	"encoding/json"
	"slices"
)

// Company is an institution and whether it can be used now (docs/reference/api.md 6.1).
type Company struct {
	ID           string   `json:"company"`
	DisplayName  string   `json:"companyDisplayName"`
	Functional   bool     `json:"functional"`
	LoginMethods []string `json:"loginMethods"`
	PSD2         bool     `json:"psd2"` // has consents; else the person logs in by dialogue
}

// Companies returns all institutions.
func (c *Client) Companies(ctx context.Context) ([]Company, error) {
	var all []Company
	err := c.do(ctx, "GET", "/companies/availability", "", nil, &all)
	return all, err
}

// Login has the parameters of StartLogin. PersonalNumber or Email is left out if the login
// method does not need it.
type Login struct{ Company, LoginMethod, PersonalNumber, Email string }

// StartLogin starts a collection from an institution that a person logs in to by dialogue.
func (c *Client) StartLogin(ctx context.Context, token string, l Login) (CollectionStatus, error) {
	var s CollectionStatus
	err := c.do(ctx, "POST", "/collections", token, l.body(), &s)
	return s, err
}

func (l Login) body() map[string]any {
	parameters := []map[string]string{}
	if l.PersonalNumber != "" {
		parameters = append(parameters, map[string]string{"type": "SWEDISH_BANKID", "personalNumber": l.PersonalNumber})
	}
	if l.Email != "" {
		parameters = append(parameters, map[string]string{"type": "EMAIL", "email": l.Email})
	}
	return map[string]any{"company": l.Company, "loginMethod": l.LoginMethod, "parameters": parameters}
}

// CollectionStatus is the result of a status poll of a collection.
type CollectionStatus struct {
	ID      string `json:"id"`
	Company string `json:"company"`
	Status  string `json:"status"`
	Shown   Shown  `json:"extraInformation"`
}

// Finished reports whether nothing follows the status (docs/reference/api.md 5.7).
func (s CollectionStatus) Finished() bool {
	return !slices.Contains([]string{"RUNNING", "LOGIN", "TWO_FACTOR_PENDING", "CONTACT_FORM_PENDING",
		"COLLECTION_INPUT_PENDING", "WAITING_FOR_USER_ACTION", "COLLECTING"}, s.Status)
}

// Shown is what a person is shown (docs/reference/api.md 5.5). Empty members are absent.
type Shown struct {
	QRImage         string       `json:"SWEDISH_BANKID_QRCODE"` // base64 PNG
	AutoStartToken  string       `json:"SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"`
	QRText          string       `json:"SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA"`
	ReferenceNumber string       `json:"REFERENCE_NUMBER"`
	Methods         []Method     `json:"AVAILABLE_TWO_FACTOR_METHODS"`
	Instruction     *Instruction `json:"TWO_FACTOR_AUTHENTICATION_INSTRUCTION"`
	Inputs          []string     `json:"REQUIRED_INPUT_TYPES"`
	RedirectURL     string       `json:"REDIRECT_URL"`
	QuestionID      string       `json:"QUESTION_ID"` // of Inputs and of the devices
	Device          *Device      `json:"INSTRUCTIONS_V2"`
	OlderDevice     *Device      `json:"INSTRUCTIONS"`
}

// Device is a request that the person's device makes.
type Device struct {
	Request DeviceRequest `json:"request"`
}

// Method is a method of the second factor that a person can choose.
type Method struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Instruction is what a person is asked for.
type Instruction struct {
	Text         string `json:"authenticationInstruction"`
	ResponseType string `json:"responseType"`
	QuestionID   string `json:"questionId"`
	AttemptsLeft *int   `json:"attemptsLeft"`
}

// DeviceRequest is the request of a Device (docs/reference/api.md 9.5).
type DeviceRequest struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Etag    string            `json:"etag"`
	Headers map[string]string `json:"headers"`
	Body    bodyText          `json:"body"`
	Cookies []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"cookies"`
}

// PollCollection returns a collection's status.
func (c *Client) PollCollection(ctx context.Context, token, id string) (CollectionStatus, error) {
	var s CollectionStatus
	err := c.do(ctx, "GET", "/collections/"+id+"/status", token, nil, &s)
	return s, err
}

// Supplement is an answer to what a collection waits for (docs/reference/api.md 5.8). The
// type decides which members it has.
type Supplement struct {
	Type       string            `json:"type"`
	QuestionID string            `json:"questionId,omitempty"`
	Value      string            `json:"value,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
	Headers    map[string]any    `json:"headers,omitempty"`
	Response   json.RawMessage   `json:"response,omitempty"`
}

// Supplement hands over an answer.
func (c *Client) Supplement(ctx context.Context, token, id string, s Supplement) error {
	return c.do(ctx, "POST", "/collections/"+id+"/supplement-info", token, s, nil)
}
