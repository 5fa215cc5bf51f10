package openid_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/institution/oauth/openid"
)

func TestIDToken_IsAccepted(t *testing.T) {
	b := newBank(t)
	rsa, ec := oauthtest.Key(t, "PS256"), oauthtest.Key(t, "ES256")
	b.publish(rsa, ec)
	v := b.verifier(t)
	for name, token := range map[string]oauth.Secret{
		"PS256": sign(t, rsa, "PS256", "k1", good()), "ES256": sign(t, ec, "ES256", "k2", good()), "without a kid": sign(t, ec, "ES256", "", good()),
		"an audience in a list":   sign(t, ec, "ES256", "k2", with(map[string]any{"aud": []string{us}})),
		"two audiences with azp":  sign(t, ec, "ES256", "k2", with(map[string]any{"aud": []string{us, "other"}, "azp": us})),
		"a clock that is behind":  sign(t, ec, "ES256", "k2", with(map[string]any{"iat": noon.Unix() + 100, "nbf": noon.Unix() + 100})),
		"just expired elsewhere":  sign(t, ec, "ES256", "k2", with(map[string]any{"exp": noon.Unix() - 100})),
		"as old as it may be":     sign(t, ec, "ES256", "k2", with(map[string]any{"iat": noon.Unix() - 3600})),
		"times with decimals":     sign(t, ec, "ES256", "k2", with(map[string]any{"exp": float64(noon.Unix()) + 300.5})),
		"members of other makers": sign(t, ec, "ES256", "k2", with(map[string]any{"x": []any{1, map[string]any{}}, "at_hash": "z"})),
	} {
		got, err := v.IDToken(t.Context(), token, expected)
		if want := (openid.IDToken{Subject: "person-1", ACR: "urn:openbanking:psd2:sca"}); err != nil || got != want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	token := sign(t, rsa, "PS256", "k1", with(map[string]any{"refresh_token_expires_at": noon.Unix() + 86400, "auth_time": noon.Unix() - 5, "c_hash": nil, "s_hash": nil, "at_hash": half("at-1")}))
	got, err := v.IDToken(t.Context(), token, openid.Expected{Nonce: nonce, Access: "at-1", Intent: intent, Subject: "person-1"})
	if err != nil || !got.RefreshUntil.Equal(noon.Add(24*time.Hour)) || !got.AuthTime.Equal(noon.Add(-5*time.Second)) {
		t.Errorf("of the token endpoint: %+v %v", got, err)
	}
}

// The variants of docs/reference/families.md 15, O6, and more: each is refused for its own reason.
func TestIDToken_RefusesEveryAttack(t *testing.T) {
	b := newBank(t)
	rsa, ec, foreign := oauthtest.Key(t, "PS256"), oauthtest.Key(t, "ES256"), oauthtest.Key(t, "PS256")
	b.publish(rsa, ec)
	v := b.verifier(t)
	claims, err := json.Marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	signed := sign(t, rsa, "PS256", "k1", good())
	der, err := x509.MarshalPKIXPublicKey(rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(signed.Reveal(), ".")
	for name, c := range map[string]struct {
		token oauth.Secret
		want  openid.Fault
	}{
		"alg none":                       {handmade(`{"alg":"none"}`, string(claims), func(string) []byte { return nil }), openid.WrongAlgorithm},
		"alg None with a key":            {handmade(`{"alg":"None","kid":"k1"}`, string(claims), func(string) []byte { return nil }), openid.WrongAlgorithm},
		"HS256 with the public key":      {handmade(`{"alg":"HS256","kid":"k1"}`, string(claims), byHMAC(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))), openid.WrongAlgorithm},
		"HS256 with the client id":       {handmade(`{"alg":"HS256"}`, string(claims), byHMAC([]byte(us))), openid.WrongAlgorithm},
		"RS256 outside of FAPI":          {sign(t, rsa, "RS256", "k1", good()), openid.WrongAlgorithm},
		"no algorithm":                   {handmade(`{"kid":"k1"}`, string(claims), byHMAC(nil)), openid.WrongAlgorithm},
		"the signature removed":          {oauth.Secret(parts[0] + "." + parts[1] + "."), openid.WrongSignature},
		"other claims, same signature":   {oauth.Secret(parts[0] + "." + strings.Split(sign(t, rsa, "PS256", "k1", with(map[string]any{"sub": "x"})).Reveal(), ".")[1] + "." + parts[2]), openid.WrongSignature},
		"a foreign key under its id":     {sign(t, foreign, "PS256", "k1", good()), openid.WrongSignature},
		"a foreign key, unnamed":         {sign(t, foreign, "PS256", "", good()), openid.WrongSignature},
		"an unknown key":                 {sign(t, foreign, "PS256", "k9", good()), openid.UnknownKey},
		"the id of a key of other kind":  {sign(t, rsa, "PS256", "k2", good()), openid.UnknownKey},
		"a key of its own in the header": {withOwnKey(t, claims), openid.WrongSignature},
		"no token":                       {"", openid.NotAToken},
		"two parts":                      {oauth.Secret(parts[0] + "." + parts[1]), openid.NotAToken},
		"JSON form":                      {`{"payload":"e30","signatures":[]}`, openid.NotAToken},
		"too long":                       {oauth.Secret(parts[0] + "." + strings.Repeat("A", 40<<10) + "." + parts[2]), openid.NotAToken},
		"claims twice":                   {handmade(`{"alg":"ES256","kid":"k2"}`, `{"iss":"`+issuer+`","nonce":"x","nonce":"nonce-1"}`, byKey(t, ec)), openid.NotAToken},
		"claims that are a list":         {handmade(`{"alg":"ES256","kid":"k2"}`, `[]`, byKey(t, ec)), openid.NotAToken},
	} {
		refused(t, v, name, c.token, expected, c.want)
	}
	for name, c := range map[string]struct {
		changes map[string]any
		want    openid.Fault
	}{
		"mix-up: another issuer":         {map[string]any{"iss": "https://other.example"}, openid.WrongIssuer},
		"an issuer with a slash":         {map[string]any{"iss": issuer + "/"}, openid.WrongIssuer},
		"no issuer":                      {map[string]any{"iss": nil}, openid.WrongIssuer},
		"an issuer in a list":            {map[string]any{"iss": []string{issuer}}, openid.WrongIssuer},
		"for another client":             {map[string]any{"aud": "client-2"}, openid.WrongAudience},
		"for nobody":                     {map[string]any{"aud": nil}, openid.WrongAudience},
		"for other clients":              {map[string]any{"aud": []string{"a", "b"}}, openid.WrongAudience},
		"for something":                  {map[string]any{"aud": []any{us, 7}}, openid.WrongAudience},
		"for two, without azp":           {map[string]any{"aud": []string{us, "client-2"}}, openid.WrongParty},
		"asked by another":               {map[string]any{"azp": "client-2"}, openid.WrongParty},
		"asked by another of two":        {map[string]any{"aud": []string{us, "client-2"}, "azp": "client-2"}, openid.WrongParty},
		"expired":                        {map[string]any{"exp": noon.Unix() - 121}, openid.Expired},
		"no end":                         {map[string]any{"exp": nil}, openid.Expired},
		"an end in words":                {map[string]any{"exp": "never"}, openid.Expired},
		"from the future":                {map[string]any{"iat": noon.Unix() + 200}, openid.NotYet},
		"not valid yet":                  {map[string]any{"nbf": noon.Unix() + 200}, openid.NotYet},
		"no issue time":                  {map[string]any{"iat": nil}, openid.NotYet},
		"an old one":                     {map[string]any{"iat": noon.Unix() - 3700}, openid.NotYet},
		"another nonce":                  {map[string]any{"nonce": "nonce-2"}, openid.WrongNonce},
		"no nonce":                       {map[string]any{"nonce": nil}, openid.WrongNonce},
		"code injection: another c_hash": {map[string]any{"c_hash": half("code-2")}, openid.WrongCode},
		"no c_hash":                      {map[string]any{"c_hash": nil}, openid.WrongCode},
		"the whole hash as c_hash":       {map[string]any{"c_hash": whole(code)}, openid.WrongCode},
		"another s_hash":                 {map[string]any{"s_hash": half("state-2")}, openid.WrongState},
		"no s_hash":                      {map[string]any{"s_hash": nil}, openid.WrongState},
		"another consent":                {map[string]any{"openbanking_intent_id": "aac-other"}, openid.WrongIntent},
		"no consent":                     {map[string]any{"openbanking_intent_id": nil}, openid.WrongIntent},
		"another kind of login":          {map[string]any{"acr": "urn:openbanking:psd2:none"}, openid.WrongACR},
		"no kind of login":               {map[string]any{"acr": nil}, openid.WrongACR},
		"kinds of login in a list":       {map[string]any{"acr": []string{"urn:openbanking:psd2:sca"}}, openid.WrongACR},
		"no subject":                     {map[string]any{"sub": nil}, openid.WrongSubject},
	} {
		refused(t, v, name, sign(t, ec, "ES256", "k2", with(c.changes)), expected, c.want)
	}
	lenient := openid.Expected{Nonce: nonce, Code: code, State: state, Intent: intent}
	refused(t, v, "a wrong s_hash that was not required", sign(t, ec, "ES256", "k2", with(map[string]any{"s_hash": half("state-2")})), lenient, openid.WrongState)
	if _, err := v.IDToken(t.Context(), sign(t, ec, "ES256", "k2", with(map[string]any{"s_hash": nil})), lenient); err != nil {
		t.Errorf("no s_hash, and none required: %v", err)
	}
	refused(t, v, "no nonce was sent", sign(t, ec, "ES256", "k2", with(map[string]any{"nonce": ""})), openid.Expected{}, openid.WrongNonce)
	refused(t, v, "another access token", sign(t, ec, "ES256", "k2", with(map[string]any{"at_hash": half("at-2")})), openid.Expected{Nonce: nonce, State: state, Access: "at-1"}, openid.WrongAccess)
	refused(t, v, "another person", sign(t, ec, "ES256", "k2", good()), openid.Expected{Nonce: nonce, State: state, Subject: "person-2"}, openid.WrongSubject)
}

func TestIDToken_OfARefreshNeedNotRepeatTheNonce(t *testing.T) {
	b := newBank(t)
	ec := oauthtest.Key(t, "ES256")
	b.publish(ec)
	v := b.verifier(t)
	ours, other, without := sign(t, ec, "ES256", "k1", good()), sign(t, ec, "ES256", "k1", with(map[string]any{"nonce": "x"})), sign(t, ec, "ES256", "k1", with(map[string]any{"nonce": nil}))
	for name, c := range map[string]struct {
		token oauth.Secret
		nonce oauth.Secret
		want  bool
	}{
		"ours": {ours, nonce, true}, "none": {without, nonce, true}, "another": {other, nonce, false}, "ours is not known": {other, "", true}, "none of both": {without, "", true},
	} {
		_, err := v.IDToken(t.Context(), c.token, openid.Expected{Nonce: c.nonce, State: state, Refreshed: true, Subject: "person-1"})
		if (err == nil) != c.want || err != nil && !isFault(err, openid.WrongNonce) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func whole(s oauth.Secret) string { return oauth.Challenge(s) }

// refused checks the fault, and that the error shows nothing of the token.
func refused(t *testing.T, v *openid.Verifier, name string, token oauth.Secret, e openid.Expected, want openid.Fault) {
	t.Helper()
	_, err := v.IDToken(t.Context(), token, e)
	var fault openid.Fault
	if !errors.As(err, &fault) || fault != want || institution.KindOf(err) != institution.SCARequired {
		t.Errorf("%s: got %v, want %s", name, err, want)
	}
	if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "nonce-1") || strings.Contains(text, "person-") || strings.Contains(text, "eyJ") {
		t.Errorf("%s: shown: %s", name, text)
	}
}

// withOwnKey returns a token whose header brings the key that signed it.
func withOwnKey(t *testing.T, claims []byte) oauth.Secret {
	t.Helper()
	key := oauthtest.Key(t, "ES256")
	x, y := coordinates(t, key)
	return handmade(fmt.Sprintf(`{"alg":"ES256","kid":"k2","jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, x, y), string(claims), byKey(t, key))
}

func TestNewVerifier_AllowsNoOtherAlgorithm(t *testing.T) {
	b := newBank(t)
	for _, a := range []string{"none", "HS256", "PS384", "", "ps256", "RS1"} {
		if _, err := openid.NewVerifier(openid.Config{Keys: b.keys, Issuer: issuer, ClientID: us, Algorithms: []string{"PS256", a}}); err == nil {
			t.Errorf("%q can be allowed", a)
		}
	}
	for name, c := range map[string]openid.Config{
		"keys": {Issuer: issuer, ClientID: us}, "issuer": {Keys: b.keys, ClientID: us}, "client": {Keys: b.keys, Issuer: issuer},
	} {
		if _, err := openid.NewVerifier(c); err == nil {
			t.Errorf("a verifier without %s", name)
		}
	}
	rsa := oauthtest.Key(t, "RS256")
	b.publish(rsa)
	v := b.verifier(t, func(c *openid.Config) { c.Algorithms = []string{"RS256"} })
	if _, err := v.IDToken(t.Context(), sign(t, rsa, "RS256", "k1", good()), expected); err != nil {
		t.Errorf("RS256 by configuration: %v", err)
	}
	refused(t, v, "PS256 that is not configured", sign(t, rsa, "PS256", "k1", good()), expected, openid.WrongAlgorithm)
}

// What a foreign verifier refuses, ours refuses too; and it accepts what ours accepts.
func TestIDToken_AgreesWithAForeignVerifier(t *testing.T) {
	b := newBank(t)
	ec, other := oauthtest.Key(t, "ES256"), oauthtest.Key(t, "ES256")
	b.publish(ec)
	v := b.verifier(t)
	foreign := oidc.NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{ec.Public()}},
		&oidc.Config{ClientID: us, SupportedSigningAlgs: []string{"PS256", "ES256"}, Now: b.Clock.Now})
	var both, refusedByBoth int
	for name, changes := range map[string]map[string]any{
		"good": nil, "list": {"aud": []string{us}}, "issuer": {"iss": "https://x.example"}, "audience": {"aud": "x"}, "expired": {"exp": noon.Unix() - 1000},
		"no end": {"exp": nil}, "future": {"nbf": noon.Unix() + 1000}, "no audience": {"aud": nil}, "empty issuer": {"iss": ""}, "azp": {"aud": []string{us, "y"}, "azp": us},
	} {
		for which, key := range map[string]crypto.Signer{"own": ec, "other": other} {
			token := sign(t, key, "ES256", "k1", with(changes))
			_, ours := v.IDToken(t.Context(), token, expected)
			_, theirs := foreign.Verify(t.Context(), token.Reveal())
			switch {
			case (ours == nil) != (theirs == nil):
				t.Errorf("%s, %s key: ours %v, theirs %v", name, which, ours, theirs)
			case ours == nil:
				both++
			default:
				refusedByBoth++
			}
		}
	}
	if both != 3 || refusedByBoth != 17 {
		t.Errorf("accepted %d, refused %d", both, refusedByBoth)
	}
}

func FuzzIDToken(f *testing.F) {
	b := newBank(f)
	ec := oauthtest.Key(f, "ES256")
	b.publish(ec)
	v := b.verifier(f)
	token := sign(f, ec, "ES256", "k1", good()).Reveal()
	for _, s := range []string{token, "", "..", "e30.e30.", token[:len(token)-2], strings.ToUpper(token), `eyJhbGciOiJub25lIn0.e30.`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := v.IDToken(t.Context(), oauth.Secret(s), expected)
		if (err == nil) != (got != openid.IDToken{}) {
			t.Errorf("%+v %v", got, err)
		}
		// The last two bits of a signature can be written in several ways (RFC 4648 3.5).
		if err == nil && (len(s) != len(token) || s[:len(token)-1] != token[:len(token)-1]) {
			t.Error("a token that was not signed is accepted")
		}
	})
}
