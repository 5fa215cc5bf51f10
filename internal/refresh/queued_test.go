package refresh_test

import (
	"testing"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flowtest"
)

// queuedUnder returns a consent of which all reads are used, and a collection that waits for
// the next.
func (b *env) queuedUnder() (consent.Consent, collection.Collection) {
	b.Helper()
	c := b.authorized(b.User.ID)
	for range 4 {
		if _, err := b.collections.Start(b.Context(), b.request(c), nil); err != nil {
			b.Fatal(err)
		}
		b.due(b.node)
	}
	r := b.request(c)
	r.WhenAllowed = true
	queued, err := b.collections.Start(b.Context(), r, nil)
	if err != nil || !queued.Waiting() {
		b.Fatalf("%+v, %v", queued, err)
	}
	return c, queued
}

// A renewal that is authorized between the decision that nothing can be read and its
// transaction keeps the collection that waits.
func TestQueued_SurvivesARenewalThatIsAuthorizedMeanwhile(t *testing.T) {
	onStores(t, func(t *testing.T, b *env) {
		c, queued := b.queuedUnder()
		if _, err := b.consents.Revoke(t.Context(), c.ClientID, c.UserID, c.ID); err != nil {
			t.Fatal(err)
		}
		next := consent.Consent{}
		overtaken := &flowtest.Overtaken{Store: b.Store, By: func() { next = b.grant(b.renewal(b.Consent(c.ID))) }}
		b.node.Service.Store, b.collections.Store = overtaken, overtaken
		// Its job is claimed, as by a worker: it is due later.
		b.due(b.node)
		if next.ID == "" {
			t.Fatal("no renewal was authorized meanwhile")
		}
		b.Clock.Set(queued.StartsAt)
		b.due(b.node)
		if k, err := b.Store.Collection(t.Context(), queued.ID); err != nil || k.Status != collection.Completed || k.ConsentID != next.ID {
			t.Errorf("%s under %s, the renewal is %s, %v", k.Status, k.ConsentID, next.ID, err)
		}
	})
}

// A collection waits as long as a renewal of its consent waits for the person.
func TestQueued_WaitsForARenewal(t *testing.T) {
	for _, signed := range []bool{true, false} {
		onStores(t, func(t *testing.T, b *env) {
			c, queued := b.queuedUnder()
			if _, err := b.consents.Revoke(t.Context(), c.ClientID, c.UserID, c.ID); err != nil {
				t.Fatal(err)
			}
			next := b.renewal(b.Consent(c.ID))
			b.due(b.node)
			b.Clock.Set(queued.StartsAt)
			b.due(b.node)
			if k, err := b.Store.Collection(t.Context(), queued.ID); err != nil || !k.Waiting() {
				t.Fatalf("while the renewal waits: %s, %v", k.Status, err)
			}
			want := collection.Completed
			if signed {
				b.grant(next)
			} else {
				want = collection.AuthenticationError
				if _, err := b.consents.Revoke(t.Context(), next.ClientID, next.UserID, next.ID); err != nil {
					t.Fatal(err)
				}
			}
			b.due(b.node)
			if k, err := b.Store.Collection(t.Context(), queued.ID); err != nil || k.Status != want {
				t.Errorf("signed %t: %s, %v", signed, k.Status, err)
			}
		})
	}
}
