package event

import (
	"strconv"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/jsontext"
	"samla/internal/uuid7"
)

// Collection returns the event that a collection has reached a terminal status, in the
// form of the API version that started it.
func Collection(ids *uuid7.Generator, c collection.Collection, at time.Time) Event {
	e := Event{ID: ids.New(), ClientID: c.ClientID, UserID: c.UserID, Type: TypeCollection, Version: c.StartedBy(), Resource: c.ID, At: at}
	b := jsontext.AppendMember(nil, `{"collectionId":`, c.ID)
	b = jsontext.AppendMember(b, `,"status":`, string(c.Status.In(e.Version)))
	e.Body = append(e.appendCommon(b), '}')
	return e
}

// Consent returns the event that a consent has reached its status. There is none for a
// consent that waits, nor for one inside a one-time collection, whose collection's event
// tells.
func Consent(ids *uuid7.Generator, c consent.Consent, at time.Time) (e Event, ok bool) {
	t, ok := consentTypes[c.Status]
	if !ok || c.CollectionID != "" {
		return Event{}, false
	}
	return ofConsent(ids, t, c, at, nil), true
}

var consentTypes = map[consent.Status]Type{
	consent.Authorized: TypeConsentAuthorized, consent.Failed: TypeConsentFailed,
	consent.Revoked: TypeConsentRevoked, consent.Expired: TypeConsentExpired,
}

// ConsentExpiring returns the event that a consent ends soon, at its ExpiresAt.
func ConsentExpiring(ids *uuid7.Generator, c consent.Consent, at time.Time) Event {
	return ofConsent(ids, TypeConsentExpiring, c, at, jsontext.AppendTimeMember(nil, `,"expiresAt":`, c.ExpiresAt))
}

// ConsentRenewed returns the event that c is authorized and has taken the place of the
// consent old, which has ended. Where both name their accounts and these differ, it says
// how many were added and are missing, but not which: that is in the status of c.
func ConsentRenewed(ids *uuid7.Generator, c, old consent.Consent, at time.Time) Event {
	more := jsontext.AppendMember(nil, `,"renews":`, string(old.ID))
	if change := c.AccountsSince(old); !change.Empty() {
		more = appendInt(more, `,"accountsAdded":`, int64(len(change.Added)))
		more = appendInt(more, `,"accountsMissing":`, int64(len(change.Missing)))
	}
	return ofConsent(ids, TypeConsentRenewed, c, at, more)
}

// ofConsent returns an event of a consent. more are further members of the body, each
// with the comma before it.
func ofConsent(ids *uuid7.Generator, t Type, c consent.Consent, at time.Time, more []byte) Event {
	e := newEvent(ids, t, c.ClientID, c.UserID, string(c.ID), at)
	b := jsontext.AppendMember(nil, `{"consentId":`, string(c.ID))
	b = jsontext.AppendMember(b, `,"status":`, string(c.Status))
	e.Body = append(append(e.appendNamed(b), more...), '}')
	return e
}

// AccountNews is what has changed of an account since the last event about it.
type AccountNews struct {
	ClientID, UserID, AccountID string
	Generation                  int64 // of the feed of transactions: another one than before means to start it again
	Added, Modified, Removed    int   // transactions
}

// AccountUpdated returns the event that there is news about an account.
func AccountUpdated(ids *uuid7.Generator, n AccountNews, at time.Time) Event {
	e := newEvent(ids, TypeAccountUpdated, n.ClientID, n.UserID, n.AccountID, at)
	b := jsontext.AppendMember(nil, `{"accountId":`, n.AccountID)
	b = jsontext.AppendNonEmpty(b, `,"userId":`, n.UserID)
	b = appendInt(b, `,"generation":`, n.Generation)
	b = appendInt(b, `,"added":`, int64(n.Added))
	b = appendInt(b, `,"modified":`, int64(n.Modified))
	b = appendInt(b, `,"removed":`, int64(n.Removed))
	e.Body = append(e.appendNamed(b), '}')
	return e
}

// PlanChange is the state that a refresh plan has come to.
type PlanChange struct {
	ClientID, UserID, ConsentID string
	State, Reason               string    // of closed sets; Reason may be empty
	NextTry                     time.Time // zero: none
}

// RefreshPlanChanged returns the event that the state of a refresh plan has changed.
func RefreshPlanChanged(ids *uuid7.Generator, p PlanChange, at time.Time) Event {
	e := newEvent(ids, TypeRefreshPlanChanged, p.ClientID, p.UserID, p.UserID, at)
	b := jsontext.AppendMember(nil, `{"userId":`, p.UserID)
	b = jsontext.AppendNonEmpty(b, `,"consentId":`, p.ConsentID)
	b = jsontext.AppendMember(b, `,"state":`, p.State)
	b = jsontext.AppendNonEmpty(b, `,"reason":`, p.Reason)
	if !p.NextTry.IsZero() {
		b = jsontext.AppendTimeMember(b, `,"nextTry":`, p.NextTry)
	}
	e.Body = append(e.appendNamed(b), '}')
	return e
}

// Test returns the event that a client asks for to test one of its endpoints.
func Test(ids *uuid7.Generator, clientID, endpointID string, at time.Time) Event {
	e := newEvent(ids, TypeTest, clientID, "", endpointID, at)
	b := jsontext.AppendMember(nil, `{"endpointId":`, endpointID)
	e.Body = append(e.appendNamed(b), '}')
	return e
}

// newEvent returns an event without a body, in the form of version 2026-04-01.
func newEvent(ids *uuid7.Generator, t Type, clientID, userID, resource string, at time.Time) Event {
	return Event{ID: ids.New(), ClientID: clientID, UserID: userID, Type: t, Version: collection.V20260401, Resource: resource, At: at}
}

// appendCommon appends the members that every body has.
func (e Event) appendCommon(b []byte) []byte {
	b = jsontext.AppendMember(b, `,"eventId":`, e.ID)
	return jsontext.AppendTimeMember(b, `,"timestamp":`, e.At)
}

// appendNamed appends those, and the type.
func (e Event) appendNamed(b []byte) []byte {
	return jsontext.AppendMember(e.appendCommon(b), `,"event":`, string(e.Type))
}

func appendInt(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}
