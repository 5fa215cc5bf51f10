package authorize_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"samla/internal/consent"
	"samla/internal/psu"
	"samla/internal/store"
)

// What was needed to open and to sign is kept until the person has signed.
func TestSecret_KeepsTheLeastOnceSigned(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	if s := b.secret(c); s.PersonalNumber != maja || s.IPAddress == "" || s.AuthorizationID == "" || s.Instructions == nil {
		t.Error("something is missing that a new authorization, or a poll, would need")
	}
	c = b.run(c.ID)
	if s := b.secret(c); c.Status != consent.Authorized || !reflect.DeepEqual(s, consent.Secret{Context: psu.Context{PersonalNumber: maja, Locale: "sv-SE"}, RemoteID: "bank-1"}) {
		t.Errorf("%s, and more is kept than a collection needs", c.Status)
	}
}

// A final consent keeps no secret, however it has ended; the message to the bank
// does, until it is delivered.
func TestSecret_IsEmptyAfterTheEnd(t *testing.T) {
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newEnv(t)
			c := b.Consent(test.end(b))
			if len(c.Sealed) != 0 {
				t.Errorf("%s keeps %d sealed bytes", c.Status, len(c.Sealed))
			}
			for _, id := range b.dueMessages() {
				if err := b.deliver(id); err != nil {
					t.Error(err)
				}
				if _, there := b.message(id); there {
					t.Error("a message cannot be delivered")
				}
			}
		})
	}
}

// failing is a store whose next n transactions fail.
type failing struct {
	store.Store
	n int
}

var errFailing = errors.New("the database is away")

func (f *failing) Write(ctx context.Context, fn func(store.Tx) error) error {
	if f.n--; f.n >= 0 {
		return errFailing
	}
	return f.Store.Write(ctx, fn)
}

// A grant that cannot be stored is decided again by the next question.
func TestGrant_IsRepeatedAfterAFailureOfTheStore(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	b.Service.Store = &failing{Store: b.Store, n: 1}
	asked := b.bank.asked
	for range 3 { // and no more than these
		if b.Ask(t.Context(), c.ID).Done {
			break
		}
	}
	if c = b.Consent(c.ID); c.Status != consent.Authorized || b.bank.asked != asked+2 {
		t.Errorf("%s after %d questions", c.Status, b.bank.asked-asked)
	}
	for _, id := range b.bank.authorizations {
		if id != "auth-1" {
			t.Errorf("asked about the authorization %q", id)
		}
	}
}
