package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/store"
)

// renewal stores a renewal of a consent that waits for the person.
func (b *env) renewal(old consent.Consent) consent.Consent {
	b.Helper()
	r := b.consentRequest()
	r.Lineage, r.Renews = old.LineageID(), old.ID
	c, err := b.consents.Draft(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.consents.Add(b.Context(), tx, c) })
	return b.apply(c.ID, consent.Opened{}, consent.Instructed{})
}

// replace authorizes a renewal in the place of the old consent.
func (b *env) replace(old, next consent.Consent) {
	b.Helper()
	b.apply(next.ID, consent.Granted{Scope: &next.Requested, ValidUntil: next.ExpiresAt})
	b.apply(old.ID, consent.Replaced{By: next.ID})
}

// until runs a collection whenever it is due, until it has ended.
func (b *env) until(id string) collection.Collection {
	b.Helper()
	for range 300 {
		c, err := b.Store.Collection(b.Context(), id)
		if err != nil {
			b.Fatal(err)
		}
		if c.Status.Terminal() {
			return c
		}
		if c.WakeAt.After(b.Clock.Now()) {
			b.Clock.Set(c.WakeAt)
		}
		b.MustRun(b.Handle, id)
	}
	b.Fatal("the collection does not end")
	return collection.Collection{}
}

// by returns a request with a consent, with the person present or not.
func (b *env) by(id consent.ID, attended bool) collect.Request {
	ip := ""
	if attended {
		ip = "192.0.2.1"
	}
	return b.request(consent.Consent{ID: id}, ip)
}

func (b *env) begin(id consent.ID, attended bool) collection.Collection {
	b.Helper()
	c, err := b.Start(b.Context(), b.by(id, attended), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func TestStored_UsesTheLivingConsentOfTheLineage(t *testing.T) {
	b := newEnv(t)
	old := b.authorizedConsent()
	next := b.renewal(old)
	if c := b.begin(next.ID, true); c.ConsentID != old.ID {
		t.Errorf("before the signature under %s", c.ConsentID)
	}
	b.replace(old, next)
	for _, id := range []consent.ID{old.ID, next.ID} {
		if c := b.begin(id, true); c.ConsentID != next.ID || b.until(c.ID).Status != collection.Completed {
			t.Errorf("by the id %s under %s", id, c.ConsentID)
		}
	}
}

// The reads without the person are counted over the lineage.
func TestStored_CountsOverTheLineage(t *testing.T) {
	b := newEnv(t)
	old := b.authorizedConsent()
	for range 3 {
		b.begin(old.ID, false)
	}
	next := b.renewal(old)
	b.replace(old, next)
	b.begin(old.ID, false)
	if _, err := b.Start(b.Context(), b.by(next.ID, false), nil); fault.CodeOf(err) != fault.BackgroundRefreshLimit {
		t.Errorf("the fifth: %v", err)
	}
}

// The consent is replaced while the collection reads: it reads anew under the new one.
func TestRenewed_GoesOnUnderTheNewConsent(t *testing.T) {
	for _, attended := range []bool{true, false} {
		b := newEnv(t)
		old := b.authorizedConsent()
		next := b.renewal(old)
		c := b.begin(old.ID, attended)
		b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
			if q.Link == "main/2" && n == 1 {
				b.replace(old, next)
			}
			return nil
		}
		if got := b.until(c.ID); got.Status != collection.Completed || got.ConsentID != next.ID {
			t.Errorf("attended %t: %s under %s", attended, got.Status, got.ConsentID)
		}
	}
}

// The bank refuses the old consent before the new one is authorized here.
func TestRenewed_WaitsForARenewalThatIsBeingSigned(t *testing.T) {
	for _, refusal := range []institution.ErrorKind{institution.ConsentGone, institution.ConsentOver, institution.SCARequired} {
		for _, attended := range []bool{true, false} {
			for _, signed := range []bool{true, false} {
				b := newEnv(t)
				old := b.authorizedConsent()
				next := b.renewal(old)
				c := b.begin(old.ID, attended)
				gone := true
				b.bank.fetches = func(context.Context, institution.Question, int) error {
					if gone {
						return kind(refusal)
					}
					return nil
				}
				for range 5 {
					b.MustRun(b.Handle, c.ID)
					b.Clock.Advance(3 * time.Second)
				}
				asked, _ := b.bank.count("")
				for range 5 {
					b.MustRun(b.Handle, c.ID)
					b.Clock.Advance(3 * time.Second)
				}
				if again, _ := b.bank.count(""); again != asked {
					t.Errorf("%s: the bank was asked %d times while the person signs", refusal, again-asked)
				}
				want, under := collection.AuthenticationError, old.ID
				if signed {
					gone, want, under = false, collection.Completed, next.ID
					b.replace(old, next)
				} else {
					b.apply(next.ID, consent.FailedWith{Code: consent.AuthenticationMismatch})
				}
				if got := b.until(c.ID); got.Status != want || got.ConsentID != under {
					t.Errorf("%s, attended %t, signed %t: %s under %s", refusal, attended, signed, got.Status, got.ConsentID)
				}
			}
		}
	}
}
