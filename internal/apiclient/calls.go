package apiclient

import (
	"context"
	"fmt"
	"time"

	"samla/internal/clock"
)

// User is a user of the API.
type User struct {
	ID string `json:"userUuid"`
}

// CreateUser creates a user with the client's own id.
func (c *Client) CreateUser(ctx context.Context, externalID string) (User, error) {
	var u User
	err := c.do(ctx, "POST", "/users", "", map[string]string{"externalId": externalID}, &u)
	return u, err
}

// CreateSession returns a new session token of a user.
func (c *Client) CreateSession(ctx context.Context, userID string) (token string, err error) {
	var s struct {
		Token string `json:"token"`
	}
	err = c.do(ctx, "POST", "/users/"+userID+"/sessions", "", nil, &s)
	return s.Token, err
}

// ConsentRequest has the parameters of CreateConsent. PersonalNumber, Locale and ReturnURL
// are optional.
type ConsentRequest struct {
	Company, LoginMethod, PersonalNumber, IPAddress, Locale, ReturnURL string
}

// CreateConsent creates a consent and returns its id.
func (c *Client) CreateConsent(ctx context.Context, token string, r ConsentRequest) (id string, err error) {
	access := map[string]any{"type": "PSD2_AIS_CONSENT", "psuIpAddress": r.IPAddress}
	if r.Locale != "" {
		access["psuLocale"] = r.Locale
	}
	if r.ReturnURL != "" {
		access["returnUrl"] = r.ReturnURL
	}
	parameters := []map[string]any{access}
	if r.PersonalNumber != "" {
		parameters = append(parameters, map[string]any{"type": "SWEDISH_BANKID", "personalNumber": r.PersonalNumber})
	}
	var consent struct {
		ConsentID string `json:"consentId"`
	}
	err = c.do(ctx, "POST", "/consents", token,
		map[string]any{"company": r.Company, "loginMethod": r.LoginMethod, "parameters": parameters}, &consent)
	return consent.ConsentID, err
}

// ConsentStatus is the result of a status poll of a consent.
type ConsentStatus struct {
	Status           string `json:"status"`
	AuthInstructions *struct {
		Type           string `json:"type"`
		AutoStartToken string `json:"autoStartToken"`
		QRData         string `json:"qrData"`
		RedirectURL    string `json:"redirectUrl"`
		UserMessage    struct {
			Text string `json:"text"`
		} `json:"userMessage"`
	} `json:"authInstructions"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	ExpiresAt string `json:"expiresAt"`
}

// UserConsent is a consent in a list.
type UserConsent struct {
	ID        string    `json:"consentId"`
	Company   string    `json:"company"`
	Status    string    `json:"status"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Consents returns all consents of a user.
func (c *Client) Consents(ctx context.Context, userID string) (all []UserConsent, err error) {
	return all, c.do(ctx, "GET", "/users/"+userID+"/consents", "", nil, &all)
}

// PollConsent returns a consent's status.
func (c *Client) PollConsent(ctx context.Context, token, id string) (ConsentStatus, error) {
	var s ConsentStatus
	err := c.do(ctx, "GET", "/consents/"+id+"/status", token, nil, &s)
	return s, err
}

// AwaitConsent polls at this interval until done returns true or ctx ends.
func (c *Client) AwaitConsent(ctx context.Context, clk clock.Clock, token, id string, every time.Duration, done func(ConsentStatus) bool) (ConsentStatus, error) {
	for {
		s, err := c.PollConsent(ctx, token, id)
		if err != nil || done(s) {
			return s, err
		}
		if err := clock.Sleep(ctx, clk, every); err != nil {
			return s, fmt.Errorf("the consent is still %s: %w", s.Status, err)
		}
	}
}

// StartCollection starts a collection with a stored consent and returns its id. It is
// attended if the person's IP address is given.
func (c *Client) StartCollection(ctx context.Context, token, company, consentID, ip string) (id string, err error) {
	parameter := map[string]any{"type": "STORED_CONSENT", "consentId": consentID}
	if ip != "" {
		parameter["psuIpAddress"] = ip
	}
	var collection struct {
		ID string `json:"id"`
	}
	err = c.do(ctx, "POST", "/collections", token,
		map[string]any{"company": company, "parameters": []any{parameter}}, &collection)
	return collection.ID, err
}

// AwaitCollection polls at this interval until the collection's status is final or ctx
// ends. It answers no question.
func (c *Client) AwaitCollection(ctx context.Context, clk clock.Clock, token, id string, every time.Duration) (status string, err error) {
	for {
		s, err := c.PollCollection(ctx, token, id)
		if err != nil || s.Finished() {
			return s.Status, err
		}
		if err := clock.Sleep(ctx, clk, every); err != nil {
			return s.Status, fmt.Errorf("the collection is still %s: %w", s.Status, err)
		}
	}
}

// Data returns a collection's products as JSON.
func (c *Client) Data(ctx context.Context, token, id string) ([]byte, error) {
	var data []byte
	err := c.do(ctx, "GET", "/collections/"+id+"/wealth/data", token, nil, &data)
	return data, err
}
