package resource

import (
	"strings"
	"time"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/persona"
)

// Document is the body of an answer: Data, Links, Meta, and Risk for consents.
type Document struct {
	Data  any       `json:"Data"`
	Risk  *struct{} `json:"Risk,omitempty"`
	Links Links     `json:"Links"`
	Meta  Meta      `json:"Meta"`
}

// Links are absolute addresses.
type Links struct {
	Self  string `json:"Self"`
	First string `json:"First,omitempty"`
	Prev  string `json:"Prev,omitempty"`
	Next  string `json:"Next,omitempty"`
}

// Meta is the number of pages and the range of the data that the bank has.
type Meta struct {
	TotalPages     *int   `json:"TotalPages,omitempty"`
	FirstAvailable string `json:"FirstAvailableDateTime,omitempty"`
	LastAvailable  string `json:"LastAvailableDateTime,omitempty"`
}

// DateTime formats a time as the standard's examples do; "" for the zero time.
func DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05+00:00")
}

func dayTime(d persona.Day) string { return DateTime(d.Time()) }

type consentData struct {
	ConsentID   string   `json:"ConsentId"`
	Created     string   `json:"CreationDateTime"`
	Status      string   `json:"Status"`
	Updated     string   `json:"StatusUpdateDateTime"`
	Permissions []string `json:"Permissions"`
	Expires     string   `json:"ExpirationDateTime,omitempty"`
	From        string   `json:"TransactionFromDateTime,omitempty"`
	To          string   `json:"TransactionToDateTime,omitempty"`
}

// Consent renders a consent. Version 4.0 has a status of its own for one that expired.
func (v Version) Consent(c grant.Consent, now time.Time) any {
	status := v.of(consentStatus[c.Status])
	if v == V40 && c.Status == grant.Authorised && c.Expired(now) {
		status = "EXPD"
	}
	return consentData{
		ConsentID: c.ID, Created: DateTime(c.Created), Status: status, Updated: DateTime(c.Updated), Permissions: c.Permissions,
		Expires: DateTime(c.Expires), From: DateTime(c.From), To: DateTime(c.To),
	}
}

type amount struct {
	Amount   string `json:"Amount"`
	Currency string `json:"Currency"`
}

// signed splits minor units in the amount without a sign and its indicator. Zero is a
// credit.
func signed(minor int64, currency string) (amount, string) {
	if minor < 0 {
		return amount{strings.TrimPrefix(persona.Amount(minor), "-"), currency}, "Debit"
	}
	return amount{persona.Amount(minor), currency}, "Credit"
}
