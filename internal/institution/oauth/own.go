package oauth

import (
	"context"
	"time"

	"samla/internal/clock"
	"samla/internal/institution/httperror"
	"samla/internal/lru"
)

const (
	ownTokenAge    = time.Hour   // the longest time that one is used
	ownTokenMargin = time.Minute // before its end
)

// OwnToken keeps the token that our client gets for itself (RFC 6749 4.4), for requests
// without a token of the person. It says nothing about a person or a consent, so it is kept
// in memory only. It is safe for concurrent use.
type OwnToken struct {
	clock  clock.Clock
	tokens *lru.Cache[struct{}, Tokens]
}

// NewOwnToken returns an OwnToken that has no token yet.
func NewOwnToken(clk clock.Clock) *OwnToken {
	return &OwnToken{clk, lru.New[struct{}, Tokens](clk, 1, ownTokenAge)}
}

// Use calls do with the token; get asks for one where there is none that lives long enough.
// do reports whether the server does not accept the token. If it was used before, do is
// called once more, with another one: nothing was done with the request.
// Errors: those of get, which say that the request of do was not sent, and those of do.
func (o *OwnToken) Use(ctx context.Context, get func(context.Context) (Tokens, error), do func(token Secret) (refused bool, err error)) error {
	for again := false; ; again = true {
		had, used := o.tokens.Peek(struct{}{})
		if used && !had.Until.IsZero() && !o.clock.Now().Before(had.Until.Add(-ownTokenMargin)) {
			o.tokens.Drop(struct{}{})
			used = false
		}
		tokens, err := o.tokens.Get(ctx, struct{}{}, get)
		if err != nil {
			return httperror.NotSent(err)
		}
		refused, err := do(tokens.Access)
		if !refused || !used {
			return err
		}
		// Another caller may have replaced it meanwhile.
		if now, ok := o.tokens.Peek(struct{}{}); ok && now.Access == tokens.Access {
			o.tokens.Drop(struct{}{})
		}
		if again {
			return err
		}
	}
}
