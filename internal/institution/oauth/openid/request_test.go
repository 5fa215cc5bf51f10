package openid_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/institution/oauth/openid"
)

func TestRequestObject_HasTheClaimsOfFAPI(t *testing.T) {
	key := oauthtest.Key(t, "PS256")
	signer, err := oauth.NewSigner(key, "PS256", "our-key")
	if err != nil {
		t.Fatal(err)
	}
	token, err := openid.RequestObject{
		ClientID: us, Audience: issuer, RedirectURI: "https://samla.example/cb", State: state, Nonce: nonce, Intent: intent, Challenge: "ch", ACR: openid.OBIEACR(), Life: 59 * time.Minute,
		Extra: map[string]any{"max_age": 86400, "ui_locales": ""},
	}.Sign(signer, noon)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(token.Reveal(), []jose.SignatureAlgorithm{jose.PS256})
	if err != nil || parsed.Signatures[0].Header.KeyID != "our-key" {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	at := float64(noon.Unix())
	want := map[string]any{
		"iss": us, "client_id": us, "aud": issuer, "response_type": "code id_token", "redirect_uri": "https://samla.example/cb", "scope": "openid accounts",
		"state": "state-1", "nonce": "nonce-1", "code_challenge": "ch", "code_challenge_method": "S256", "iat": at, "nbf": at - 60, "exp": at + 59*60, "max_age": 86400.0,
		"claims": map[string]any{"id_token": map[string]any{
			"openbanking_intent_id": map[string]any{"value": intent, "essential": true},
			"acr":                   map[string]any{"essential": true, "values": []any{"urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequestObject_IsValidForAnHourAtMost(t *testing.T) {
	signer, err := oauth.NewSigner(oauthtest.Key(t, "ES256"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for life, want := range map[time.Duration]bool{0: true, time.Minute: true, 59 * time.Minute: true, time.Hour: false, -1: false} {
		if _, err := (openid.RequestObject{ClientID: us, Life: life}).Sign(signer, noon); (err == nil) != want {
			t.Errorf("%v: %v", life, err)
		}
	}
}

func TestOpen_ReadsASecuredAnswer(t *testing.T) {
	b := newBank(t)
	ec := oauthtest.Key(t, "ES256")
	b.publish(ec)
	v := b.verifier(t)
	common := map[string]any{"iss": issuer, "aud": us, "exp": noon.Unix() + 60}
	answer := func(more map[string]any) oauth.Secret {
		all := map[string]any{}
		for _, m := range []map[string]any{common, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return sign(t, ec, "ES256", "k1", all)
	}
	got, err := v.Open(t.Context(), answer(map[string]any{"code": "c&1", "state": "state-1"}))
	if want := (oauth.Callback{Outcome: oauth.Granted, Code: "c&1", State: "state-1", Issuer: issuer}); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if err := got.Check(oauth.Expected{State: state, Issuer: issuer, IssuerRequired: true}); err != nil {
		t.Error(err)
	}
	got, err = v.Open(t.Context(), answer(map[string]any{"error": "access_denied", "state": "state-1"}))
	if err != nil || got.Outcome != oauth.RefusedByPerson {
		t.Errorf("%+v %v", got, err)
	}
	for name, c := range map[string]struct {
		token oauth.Secret
		want  openid.Fault
	}{
		"of another issuer": {answer(map[string]any{"iss": "https://x.example", "code": "c"}), openid.WrongIssuer},
		"for another":       {answer(map[string]any{"aud": "x", "code": "c"}), openid.WrongAudience},
		"expired":           {answer(map[string]any{"exp": noon.Unix() - 1000, "code": "c"}), openid.Expired},
		"of another key":    {sign(t, oauthtest.Key(t, "ES256"), "ES256", "k1", common), openid.WrongSignature},
	} {
		if _, err := v.Open(t.Context(), c.token); !isFault(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
