package store

import "context"

type watchKey struct{}

// Watch returns a context with which a read ends even in its middle. To look at the context
// during a read costs more than most reads: without Watch, a store may look at it before a
// read begins only.
func Watch(ctx context.Context) context.Context { return context.WithValue(ctx, watchKey{}, true) }

// Watched reports whether a read must end with its context.
func Watched(ctx context.Context) bool { return ctx.Value(watchKey{}) != nil }
