package enablebanking

import (
	"crypto/rsa"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// What the application's tokens must say (docs/reference/families.md 11.1).
const (
	tokenIssuer   = "enablebanking.com"
	tokenAudience = "api.enablebanking.com"
	tokenLife     = 24 * time.Hour
	// tokenSkew is how far the application's clock may be from ours (a choice).
	tokenSkew     = time.Minute
	maxTokenBytes = 8 << 10
)

// authenticate checks the application's token.
func authenticate(r *http.Request, appID string, key *rsa.PublicKey, now time.Time) *apiError {
	header := r.Header.Get("Authorization")
	if header == "" {
		return refuse(http.StatusUnauthorized, "AUTHORIZATION_NOT_PROVIDED", "Authorization header is missing")
	}
	bad := func(text string) *apiError { return refuse(http.StatusUnauthorized, "UNAUTHORIZED_ACCESS", text) }
	raw, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || len(raw) > maxTokenBytes {
		return bad("the header holds no usable bearer token")
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(token.Headers) != 1 {
		return bad("the token is no JWT signed with RS256")
	}
	h := token.Headers[0]
	if h.KeyID != appID {
		return bad("the token's kid is no known application")
	}
	if h.ExtraHeaders[jose.HeaderType] != "JWT" {
		return bad("the token's typ is not JWT")
	}
	var claims struct {
		Issuer   string           `json:"iss"`
		Audience string           `json:"aud"`
		IssuedAt *jwt.NumericDate `json:"iat"`
		Expiry   *jwt.NumericDate `json:"exp"`
	}
	if token.Claims(key, &claims) != nil {
		return bad("the token's signature or claims are wrong")
	}
	switch {
	case claims.Issuer != tokenIssuer || claims.Audience != tokenAudience:
		return bad("the token's iss or aud is wrong")
	case claims.IssuedAt == nil || claims.Expiry == nil:
		return bad("the token lacks iat or exp")
	case claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > tokenLife:
		return bad("the token lives longer than 24 hours")
	case claims.IssuedAt.Time().After(now.Add(tokenSkew)):
		return bad("the token is of the future")
	case !now.Before(claims.Expiry.Time().Add(tokenSkew)):
		return bad("the token has expired")
	}
	return nil
}
