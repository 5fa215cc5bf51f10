package enablebanking

import (
	"context"
	"crypto"
	"fmt"
	"net/http"
	"sync"
	"time"

	"samla/internal/institution/oauth"
)

// What the application's tokens say (docs/reference/families.md 11.1).
const (
	tokenIssuer   = "enablebanking.com"
	tokenAudience = "api.enablebanking.com"
	// tokenLife is much less than the 24 hours that are allowed: a token that leaks is soon
	// of no use.
	tokenLife = time.Hour
	// tokenMargin is how long before its end a token is replaced.
	tokenMargin = 5 * time.Minute
	// tokenSkew is how far the gateway's clock may be behind ours.
	tokenSkew = 30 * time.Second
)

// tokens signs requests with the application's token, which is made once an hour. It is an
// httpclient.Signer, and safe for concurrent use.
type tokens struct {
	signer *oauth.Signer

	mu    sync.Mutex
	token oauth.Secret
	from  time.Time
	until time.Time
}

func newTokens(key crypto.PrivateKey, applicationID string) (*tokens, error) {
	signer, err := oauth.NewSigner(key, "RS256", applicationID)
	if err != nil {
		return nil, err
	}
	return &tokens{signer: signer}, nil
}

// Sign implements httpclient.Signer.
func (t *tokens) Sign(_ context.Context, h http.Header, _, _ string, _ []byte, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !now.Before(t.until.Add(-tokenMargin)) || now.Before(t.from) {
		issued := now.Add(-tokenSkew)
		token, err := t.signer.Sign(map[string]any{
			"iss": tokenIssuer, "aud": tokenAudience, "iat": issued.Unix(), "exp": issued.Add(tokenLife).Unix(),
		})
		if err != nil {
			return fmt.Errorf("enablebanking: token: %w", err)
		}
		t.token, t.from, t.until = token, issued, issued.Add(tokenLife)
	}
	h.Set("Authorization", "Bearer "+t.token.Reveal())
	return nil
}
