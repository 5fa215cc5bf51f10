package collect_test

import (
	"context"
	"encoding/json"
	"testing"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// renewing is a bank that replaces tokens as a test says.
type renewing func(context.Context) (institution.Tokens, error)

// Refresh implements institution.Refresher.
func (r renewing) Refresh(ctx context.Context, _ institution.Access) (institution.Tokens, error) {
	return r(ctx)
}

// withTokens gives a consent tokens whose access token has run out.
func (b *env) withTokens(under consent.Consent, by renewing) consent.Consent {
	b.Helper()
	bank := b.Institutions.(institution.Set)[theBank]
	bank.Refresher = by
	b.Institutions.(institution.Set)[theBank] = bank
	plain, err := json.Marshal(consent.Secret{RemoteID: "bank-1",
		Tokens: consent.Tokens{Access: "access-1", Refresh: "refresh-1", Until: b.Clock.Now()}})
	if err != nil {
		b.Fatal(err)
	}
	after, err := store.UpdateConsent(b.Context(), b.Store, under.ID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		var err error
		c.Sealed, err = b.Vault.Seal(b.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain)
		return c, nil, err
	})
	if err != nil {
		b.Fatal(err)
	}
	return after
}

// The time of a run is over before the tokens are replaced: the collection goes on in the
// next run. It ends only if the bank has given none.
func TestCollection_OutlastsASlowRefresh(t *testing.T) {
	for name, test := range map[string]struct {
		then error
		want collection.Status
	}{"the bank gives them": {nil, collection.Completed}, "the bank does not": {kind(institution.CertificateRejected), collection.Failed}} {
		b := newEnv(t)
		run, cancel := context.WithCancel(t.Context())
		defer cancel()
		slow := true
		under := b.withTokens(b.authorizedConsent(), func(ctx context.Context) (institution.Tokens, error) {
			if slow {
				slow = false
				cancel()
				<-ctx.Done()
				return institution.Tokens{}, &institution.Error{Kind: institution.Unreachable, NotSent: true, Cause: ctx.Err()}
			}
			return institution.Tokens{Access: "access-2"}, test.then
		})
		c := b.start(b.request(under, "192.0.2.7"))
		if err := b.Handle(run, c.ID); err != nil {
			t.Fatal(err)
		}
		got := b.row(c.ID)
		if got.Status.Terminal() || got.WakeAt.After(b.Clock.Now()) {
			t.Fatalf("%s: %s, due at %s", name, got.Status, got.WakeAt)
		}
		if err := b.Handle(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if got = b.row(c.ID); got.Status != test.want {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
}
