// Package renormalise makes products of stored answers again, for many collections: with
// today's mapping, without a call to an institution (docs/renormalize.md). What it reports
// has no personal data.
package renormalise

import (
	"context"
	"errors"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/store"
)

// Rereader is collect.Rereader.
type Rereader interface {
	Mapping(companyID string) (int, bool)
	Read(ctx context.Context, id string) (*collect.Reread, error)
	Store(ctx context.Context, r *collect.Reread) error
}

// Lister is the part of the store that lists collections.
type Lister interface {
	CollectionsWithData(ctx context.Context, f store.DataFilter, now time.Time, limit int) ([]store.Mapped, error)
}

// Options select what is done.
type Options struct {
	Since, Until time.Time // of the creation of collections, Until excluded; zero: no limit
	Company      string    // empty: any
	DryRun       bool      // store nothing
	All          bool      // also what today's mapping has made: after a change of a bank's profile
	Rate         float64   // collections per second; 0 = no limit
	Parallel     int       // collections at once; 0 = 1
	// Progress, unless nil, is called after each batch, from one goroutine.
	Progress func(Summary)
}

// Runner runs over collections. It keeps one batch of ids in memory.
type Runner struct {
	Rereader Rereader
	Store    Lister
	Clock    clock.Clock
}

// batch is how many collections are listed at once.
const batch = 200

// Run goes through the collections, oldest first. A run that was stopped goes on where it
// was when it is started again: what it has stored has today's mapping. Errors: those of
// the store and of ctx; the summary says what was done before.
func (r Runner) Run(ctx context.Context, o Options) (Summary, error) {
	t := newTally()
	filter := store.DataFilter{Since: o.Since, Until: o.Until, Company: o.Company}
	pace := pacer{clock: r.Clock, rate: o.Rate}
	for {
		found, err := r.Store.CollectionsWithData(ctx, filter, r.Clock.Now(), batch)
		if err != nil || len(found) == 0 {
			return t.summary(), err
		}
		if err := r.batch(ctx, o, found, &pace, t); err != nil {
			return t.summary(), err
		}
		if o.Progress != nil {
			o.Progress(t.summary())
		}
		filter.After = found[len(found)-1].ID
	}
}

// batch handles collections, some at once.
func (r Runner) batch(ctx context.Context, o Options, found []store.Mapped, pace *pacer, t *tally) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan store.Mapped)
	var workers sync.WaitGroup
	for range max(1, o.Parallel) {
		workers.Go(func() {
			for m := range work {
				if err := r.one(ctx, o, m, t); err != nil {
					stop(err)
				}
			}
		})
	}
	defer workers.Wait()
	defer close(work)
	for _, m := range found {
		today, known := r.Rereader.Mapping(m.Company)
		switch {
		case !known:
			t.count(m.Company, NotConfigured)
			continue
		case m.Mapping == today && !o.All:
			t.count(m.Company, UpToDate)
			continue
		}
		if pace.wait(ctx) != nil {
			return context.Cause(ctx)
		}
		select {
		case work <- m:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// tries is how often a collection is read when other writers are first.
const tries = 3

// one handles a collection. It returns an error only if the run must end.
func (r Runner) one(ctx context.Context, o Options, m store.Mapped, t *tally) error {
	for n := 1; ; n++ {
		again, err := r.Rereader.Read(ctx, m.ID)
		if err == nil && !o.DryRun {
			err = r.Rereader.Store(ctx, again)
		}
		switch {
		case err == nil:
			t.add(m.Company, again)
		case errors.Is(err, store.ErrConflict) && n < tries:
			continue
		case errors.Is(err, store.ErrConflict), errors.Is(err, collect.ErrNotApplied):
			t.count(m.Company, Busy)
		case errors.Is(err, collect.ErrGone):
			t.count(m.Company, Gone)
		case errors.Is(err, collect.ErrNotRereadable):
			t.count(m.Company, NotReadable)
		default:
			return err
		}
		return nil
	}
}

// pacer spreads collections over time.
type pacer struct {
	clock clock.Clock
	rate  float64
	next  time.Time
}

// wait waits until the next collection may be read. Errors: that of ctx.
func (p *pacer) wait(ctx context.Context) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	now := p.clock.Now()
	if p.next.After(now) {
		if err := clock.Sleep(ctx, p.clock, p.next.Sub(now)); err != nil {
			return err
		}
	} else {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(float64(time.Second) / p.rate))
	return nil
}
