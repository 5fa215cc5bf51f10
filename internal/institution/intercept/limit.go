package intercept

import (
	"context"

	"samla/internal/institution"
)

// Limit returns an interceptor that lets at most n calls be in flight; more wait
// for a slot. One interceptor used for several institutions is a common limit.
// A call whose context ends while it waits fails with institution.Unreachable.
func Limit(n int) Interceptor {
	slots := make(chan struct{}, n)
	return func(ctx context.Context, _ Call, do func(context.Context) error) error {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return &institution.Error{Kind: institution.Unreachable, NotSent: true, Cause: ctx.Err()}
		}
		defer func() { <-slots }()
		return do(ctx)
	}
}
