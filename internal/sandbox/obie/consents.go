package obie

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/resource"
)

const maxBodyBytes = 64 << 10

// consentRequest is OBReadConsent1. Members that it does not name are refused.
type consentRequest struct {
	Data *struct {
		Permissions []string `json:"Permissions"`
		Expires     *string  `json:"ExpirationDateTime"`
		From        *string  `json:"TransactionFromDateTime"`
		To          *string  `json:"TransactionToDateTime"`
	} `json:"Data"`
	Risk *struct{} `json:"Risk"`
}

// createConsent makes a consent; the same request twice makes two.
func (c *call) createConsent() (answer, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBodyBytes))
	if err != nil {
		return answer{}, badRequest(resource.InvalidFormat, "the body cannot be read", "")
	}
	var request consentRequest
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&request); err != nil || dec.Decode(&struct{}{}) != io.EOF {
		return answer{}, badRequest(resource.InvalidFormat, "the body is not a consent", "")
	}
	switch {
	case request.Data == nil:
		return answer{}, badRequest(resource.FieldMissing, "Data is required", "Data")
	case request.Risk == nil:
		return answer{}, badRequest(resource.FieldMissing, "Risk is required", "Risk")
	case request.Data.Permissions == nil:
		return answer{}, badRequest(resource.FieldMissing, "Permissions is required", "Data.Permissions")
	}
	if err := resource.CheckPermissions(request.Data.Permissions, c.Unsupported); err != nil {
		return answer{}, badRequest(resource.FieldInvalid, err.Error(), "Data.Permissions")
	}
	now := c.Clock.Now()
	consent := &grant.Consent{Client: c.token.Client, Permissions: request.Data.Permissions, Created: now, Status: grant.Awaiting, Updated: now}
	for _, member := range []struct {
		into *time.Time
		text *string
		name string
	}{
		{&consent.Expires, request.Data.Expires, "ExpirationDateTime"}, {&consent.From, request.Data.From, "TransactionFromDateTime"},
		{&consent.To, request.Data.To, "TransactionToDateTime"},
	} {
		if member.text == nil {
			continue
		}
		if *member.into, err = time.Parse(time.RFC3339, *member.text); err != nil {
			return answer{}, badRequest(resource.FieldInvalidDate, "a date-time has a time and a time zone", "Data."+member.name)
		}
	}
	if consent.Expired(now) {
		return answer{}, badRequest(resource.FieldInvalidDate, "ExpirationDateTime has passed", "Data.ExpirationDateTime")
	}
	if !consent.From.IsZero() && !consent.To.IsZero() && consent.To.Before(consent.From) {
		return answer{}, badRequest(resource.FieldInvalidDate, "TransactionToDateTime is before TransactionFromDateTime", "Data.TransactionToDateTime")
	}
	if c.add(consent) != nil {
		return answer{}, unexpected()
	}
	return c.consentAnswer(http.StatusCreated, *consent), nil
}

// add stores a new consent under a new id.
func (b *Bank) add(consent *grant.Consent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, err := b.newID()
	if err != nil {
		return err
	}
	consent.ID = "aac-" + id
	if err := b.journal.Write(entry{Consent: consent}); err != nil {
		return err
	}
	kept := *consent
	b.consents[consent.ID] = &kept
	b.order = append(b.order, consent.ID)
	return nil
}

// ownConsent returns the consent in the path. One that was deleted, or never was, is an
// error of status 400; one of another client is 403. The caller holds mu.
func (c *call) ownConsent() (*grant.Consent, *apiError) {
	consent := c.Bank.consent(c.id)
	switch {
	case consent == nil || consent.Deleted:
		return nil, badRequest(resource.NotFound, "no such consent", "ConsentId")
	case consent.Client != c.token.Client:
		return nil, forbidden(resource.ConsentMismatch, "the consent is one of another client")
	}
	return consent, nil
}

func (c *call) readConsent() (answer, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	consent, e := c.ownConsent()
	if e != nil {
		return answer{}, e
	}
	return c.consentAnswer(http.StatusOK, *consent), nil
}

func (c *call) deleteConsent() (answer, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	consent, e := c.ownConsent()
	if e != nil {
		return answer{}, e
	}
	if c.apply(consent, grant.Removed{}) != nil {
		return answer{}, badRequest(resource.InvalidStatus, "the consent has ended", "ConsentId")
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) consentAnswer(status int, consent grant.Consent) answer {
	a := c.document(c.Version.Consent(consent, c.Clock.Now()))
	d := a.body.(resource.Document)
	d.Links.Self = c.Resources() + "/account-access-consents/" + consent.ID
	d.Risk = &struct{}{}
	return answer{status, d}
}
