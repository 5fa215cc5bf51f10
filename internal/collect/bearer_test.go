package collect_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

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
	return b.with(consent.Tokens{Access: "access-1", Refresh: "refresh-1", Until: b.Clock.Now()}, under, by)
}

// with gives a consent tokens.
func (b *env) with(tokens consent.Tokens, under consent.Consent, by renewing) consent.Consent {
	b.Helper()
	bank := b.Institutions.(institution.Set)[theBank]
	bank.Refresher = by
	b.Institutions.(institution.Set)[theBank] = bank
	plain, err := json.Marshal(consent.Secret{RemoteID: "bank-1", Tokens: tokens})
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

// valid is a bank that calls every consent valid, whatever token it is asked with.
type valid struct{}

// Consent implements institution.ConsentReader.
func (valid) Consent(context.Context, institution.Access) (institution.ConsentInfo, error) {
	return institution.ConsentInfo{State: institution.ConsentValid}, nil
}

// A bank refuses reads by their tokens, one that nothing replaces and one that it has just
// given. That may be an outage: the consent ends only if the bank still does it later, and
// not while it does it to many.
func TestCollection_OneRefusedTokenEndsNoConsent(t *testing.T) {
	for name, refresh := range map[string]string{"nothing replaces it": "", "it was just given": "refresh-1"} {
		b := newEnv(t)
		b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(institution.TokenRefused) }
		bank := b.Institutions.(institution.Set)[theBank]
		bank.ConsentReader = valid{}
		b.Institutions.(institution.Set)[theBank] = bank
		given := 1
		by := func(context.Context) (institution.Tokens, error) {
			given++
			return institution.Tokens{Access: "access-" + strconv.Itoa(given)}, nil
		}
		read := func(under consent.Consent) consent.Consent {
			b.wantEnded(b.handle(b.start(b.request(under, "192.0.2.7")).ID), collection.AuthenticationError)
			return b.Consent(under.ID)
		}
		tokens := consent.Tokens{Access: "access-1", Refresh: refresh}
		under := read(b.with(tokens, b.authorizedConsent(), by))
		if under.Status != consent.Authorized || under.WakeAt.After(b.Clock.Now()) {
			t.Fatalf("%s: %s after one refusal, checked at %s", name, under.Status, under.WakeAt)
		}
		b.Clock.Advance(consent.DenialForgottenAfter + time.Second)
		if under = read(under); under.Status != consent.Authorized {
			t.Errorf("%s: %s after another one, long after the first", name, under.Status)
		}
		b.Clock.Advance(consent.DenialConfirmedAfter)
		if under = read(under); under.Status != consent.Expired {
			t.Errorf("%s: %s after two refusals", name, under.Status)
		}
	}
}

// A bank that refuses the tokens of many gives new ones all the time, or none.
func TestCollection_RefusedTokensOfManyEndNoConsent(t *testing.T) {
	for name, refresh := range map[string]string{"nothing replaces them": "", "they were just given": "refresh-1"} {
		t.Run(name, func(t *testing.T) { refusedTokensOfMany(t, refresh) })
	}
}

func refusedTokensOfMany(t *testing.T, refresh string) {
	b := newEnv(t)
	given := 1
	by := func(context.Context) (institution.Tokens, error) {
		given++
		return institution.Tokens{Access: "access-" + strconv.Itoa(given)}, nil
	}
	reads := func(under consent.Consent, want collection.Status) {
		b.wantEnded(b.handle(b.start(b.request(b.Consent(under.ID), "192.0.2.7")).ID), want)
	}
	b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(institution.TokenRefused) }
	var all []consent.Consent
	for range 6 {
		all = append(all, b.with(consent.Tokens{Access: "access-1", Refresh: refresh}, b.authorizedConsent(), by))
	}
	for range 2 {
		for _, under := range all {
			if reads(under, collection.AuthenticationError); b.Consent(under.ID).Status != consent.Authorized {
				t.Fatalf("%s in an outage", b.Consent(under.ID).Status)
			}
		}
		b.Clock.Advance(consent.DenialConfirmedAfter)
	}
	b.bank.fetches = func(context.Context, institution.Question, int) error { return nil } // it is over
	reads(all[0], collection.Completed)
	b.Clock.Advance(2 * consent.DenialConfirmedAfter)
	b.bank.fetches = func(context.Context, institution.Question, int) error { return kind(institution.TokenRefused) }
	if reads(all[1], collection.AuthenticationError); b.Consent(all[1].ID).Status != consent.Expired {
		t.Errorf("%s after the outage", b.Consent(all[1].ID).Status)
	}
}
