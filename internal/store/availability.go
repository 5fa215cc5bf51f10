package store

import (
	"context"
	"time"

	"samla/internal/availability"
)

// AvailabilityReader reads the figures of institutions.
type AvailabilityReader interface {
	// AvailabilityHours lists the hours that begin at from or later, of all institutions,
	// by institution and oldest first. Hours that are not folded yet are among them.
	AvailabilityHours(ctx context.Context, from time.Time) ([]availability.Hour, error)
}

// AvailabilityWriter counts the figures of institutions.
type AvailabilityWriter interface {
	// AddAvailability adds calls to what is counted, and stores the outcomes of persons in
	// place of earlier ones. Both are of hours that FoldAvailability has not folded.
	AddAvailability(ctx context.Context, calls []availability.Call, persons []availability.Person) error
	// FoldAvailability makes rows of hours out of what was counted in hours that begin
	// before the time before, and deletes what stands for persons. Several nodes may do it
	// at once. It deletes hours older than availability.Keep at the time now.
	FoldAvailability(ctx context.Context, before, now time.Time) error
}
