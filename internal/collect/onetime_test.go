package collect_test

import (
	"slices"
	"testing"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/outbox"
)

func (b *env) oneTimeRequest() collect.Request {
	inner := b.consentRequest()
	return collect.Request{Owner: b.owner(), Company: theBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", OneTime: &inner}
}

// oneTime starts a one-time collection.
func (b *env) oneTime() collection.Collection {
	b.Helper()
	return b.start(b.oneTimeRequest())
}

func TestOneTime_RunsToProducts(t *testing.T) {
	for name, owner := range map[string]string{"a user's": "", "nobody's": "key"} {
		b := newEnv(t)
		r := b.oneTimeRequest()
		if owner == "key" {
			r.UserID = ""
		}
		c := b.start(r)
		inner := b.Consent(c.ConsentID)
		if inner.CollectionID != c.ID || inner.Status != consent.Initiated || inner.UserID != r.UserID || c.Mode != collection.OneTime || !c.Leased() {
			t.Fatalf("%s: started %+v under %+v", name, c, inner)
		}
		if c = b.handle(c.ID); c.Status != collection.Running || !c.WakeAt.Equal(c.LeaseEnds(collection.DefaultLease)) {
			t.Errorf("%s: before the bank has said anything %s, looked at again at %s", name, c.Status, c.WakeAt)
		}
		b.apply(inner.ID, consent.Opened{}, consent.Instructed{})
		if c = b.handle(c.ID); c.Status != collection.Login {
			t.Errorf("%s: while the person signs %s", name, c.Status)
		}
		if view, _, err := b.Poll(t.Context(), r.Owner, c.ID); err != nil || view.Consent == nil || view.Consent.ID != inner.ID {
			t.Errorf("%s: polled %+v, %v", name, view, err)
		}
		b.apply(inner.ID, consent.Granted{Scope: &inner.Requested, ValidUntil: inner.ExpiresAt})
		if c = b.row(c.ID); c.WakeAt.After(b.Clock.Now()) {
			t.Errorf("%s: the consent is granted, and the collection sleeps until %s", name, c.WakeAt)
		}
		c = b.handle(c.ID)
		b.wantEnded(c, collection.Completed)
		if got := b.Consent(inner.ID); got.Status != consent.Revoked {
			t.Errorf("%s: the consent inside is %s", name, got.Status)
		}
		b.wantRevocation(name, "bank-1")
		if data, err := b.text(r.Owner, c.ID); err != nil || len(data) < 100 {
			t.Errorf("%s: data %s, %v", name, data, err)
		}
		if owner == "key" {
			_, err := b.text(b.owner(), c.ID)
			isFault(t, name, err, fault.CollectionNotFound)
		}
	}
}

// wantRevocation expects one message in the outbox: the revocation of the bank's
// consent.
func (b *env) wantRevocation(name string, bankConsent consent.RemoteID) {
	b.Helper()
	due := messages(b.Env, outbox.RevokeConsent)
	if len(due) != 1 {
		b.Fatalf("%s: %d messages to banks", name, len(due))
	}
	if p, err := authorize.OpenRevocation(b.Context(), b.Vault, due[0]); err != nil || p.RemoteID != bankConsent {
		b.Errorf("%s: the message to the bank is %+v, %v", name, p, err)
	}
}

// The status of the collection follows from the end of the consent inside
// (docs/reference/api.md 5.7).
func TestOneTime_EndsWithItsConsent(t *testing.T) {
	b := newEnv(t)
	failed := func(c consent.FailureCode) []consent.Event { return []consent.Event{consent.FailedWith{Code: c}} }
	for name, test := range map[string]struct {
		events []consent.Event
		want   collection.Status
	}{
		"timed out":   {failed(consent.AuthenticationTimeout), collection.AuthenticationTimeout},
		"cancelled":   {failed(consent.AuthenticationCancelled), collection.AuthenticationCancelled},
		"rejected":    {failed(consent.Rejected), collection.AuthenticationCancelled},
		"conflict":    {failed(consent.AuthenticationConflict), collection.AuthenticationConflict},
		"mismatch":    {failed(consent.AuthenticationMismatch), collection.AuthenticationMismatch},
		"not signed":  {failed(consent.AuthenticationFailed), collection.AuthenticationError},
		"bank away":   {failed(consent.BankUnavailable), collection.ThirdPartyError},
		"bank broken": {failed(consent.BankError), collection.ThirdPartyError},
		"our fault":   {failed(consent.InternalError), collection.Failed},
		"withdrawn":   {[]consent.Event{consent.Revocation{Cause: consent.CauseUser}}, collection.AuthenticationCancelled},
		"ended":       {[]consent.Event{consent.Granted{ValidUntil: morning}}, collection.AuthenticationTimeout},
	} {
		c := b.oneTime()
		b.apply(c.ConsentID, slices.Concat([]consent.Event{consent.Opened{}, consent.Instructed{}}, test.events)...)
		if c = b.handle(c.ID); c.Status != test.want || !c.WakeAt.IsZero() {
			t.Errorf("%s: %s instead of %s", name, c.Status, test.want)
		}
	}
	if len(b.bank.asked) != 0 {
		t.Error("the bank was read")
	}
}

// A stored consent was authorized once: if it ends before the collection reads, that is
// an authentication error, whatever ended it.
func TestCollection_FailsWhenStoredConsentEnds(t *testing.T) {
	for name, e := range map[string]consent.Event{"withdrawn": consent.Revocation{Cause: consent.CauseUser}, "ended": consent.Expiry{Cause: consent.CauseTime}} {
		b := newEnv(t)
		under := b.authorizedConsent()
		c := b.start(b.request(under, ""))
		b.apply(under.ID, e)
		b.wantEnded(b.handle(c.ID), collection.AuthenticationError)
		if len(b.bank.asked) != 0 {
			t.Errorf("%s: the bank was read", name)
		}
	}
}

// The person signs while the handler stores that the collection waits for that: it must
// not wait until its lease ends.
func TestOneTime_IsWokenByAConsentThatChangesMeanwhile(t *testing.T) {
	for status, change := range map[collection.Status]func(*env) []consent.Event{
		collection.Running: func(*env) []consent.Event { return []consent.Event{consent.Opened{}, consent.Instructed{}} },
		collection.Login: func(*env) []consent.Event {
			return []consent.Event{consent.Granted{ValidUntil: morning.AddDate(0, 1, 0)}}
		},
	} {
		b := newEnv(t)
		c := b.oneTime()
		if status == collection.Login {
			c = b.startSigning()
		}
		b.Service.Store = &flowtest.Overtaken{Store: b.Store, By: func() { b.apply(c.ConsentID, change(b)...) }}
		b.MustRun(b.Handle, c.ID)
		if c = b.row(c.ID); c.WakeAt.After(b.Clock.Now()) {
			t.Errorf("%s: due %s later", status, c.WakeAt.Sub(b.Clock.Now()))
		}
	}
}

// More persons than can be kept fresh are refused, and what is not stored takes no room.
func TestOneTime_RefusesMorePersonsThanCanBeKeptFresh(t *testing.T) {
	b := newEnv(t)
	b.Service = b.serviceWith(authorize.WatchLimits{MaxWaiting: 1})
	unknown := b.oneTimeRequest()
	unknown.UserID = b.IDs.New()
	_, err := b.Start(t.Context(), unknown, nil)
	isFault(t, "an unknown user", err, fault.Unauthorized)
	c := b.oneTime()
	_, err = b.Start(t.Context(), b.oneTimeRequest(), nil)
	isFault(t, "a second person", err, fault.Unavailable)
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.oneTime()
}
