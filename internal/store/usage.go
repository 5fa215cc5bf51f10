package store

import (
	"context"
	"time"

	"samla/internal/client"
	"samla/internal/deviation"
)

// UsageReader reads who has used the API, and what reading of institutions had to forgive.
type UsageReader interface {
	// UsesSince lists the uses of the days from the time since on, by client, key, version
	// and day.
	UsesSince(ctx context.Context, since time.Time) ([]client.Use, error)
	// DeviationsSince lists the deviations of one company in the hours that begin at the time
	// since or later, oldest first.
	DeviationsSince(ctx context.Context, company string, since time.Time) ([]deviation.Hour, error)
	// FirstDeviations says of each kind of deviation of a company in which hour it was seen
	// first, as far as that is kept, by kind.
	FirstDeviations(ctx context.Context, company string) ([]deviation.Hour, error)
}

// UsageWriter counts both. What is older than is kept at the time now is deleted.
type UsageWriter interface {
	// AddUses adds to what is counted.
	AddUses(ctx context.Context, uses []client.Use, now time.Time) error
	// AddDeviations adds to what is counted.
	AddDeviations(ctx context.Context, hours []deviation.Hour, now time.Time) error
}
